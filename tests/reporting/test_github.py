"""GitHub workflow commands: whole samples, and that no text becomes a command."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fleetmgr.errors import ExitCode, FleetError, InvalidInput, Problem, Where
from fleetmgr.model.change import FieldDiff, Op
from fleetmgr.model.objects import Origin
from fleetmgr.model.report import ClusterReport, ObjectResult, Outcome, Report
from fleetmgr.model.validation import Validation
from fleetmgr.planner.grouping import same_changes
from fleetmgr.planner.outcome import plan_verdict, report_verdict
from fleetmgr.reporting.apply_data import report_data
from fleetmgr.reporting.github import Annotation, Section, Workflow, defused, step_outputs, workflow_text
from fleetmgr.reporting.github_results import (
    diff_workflow,
    drift_workflow,
    error_workflow,
    plan_workflow,
    report_workflow,
    validation_workflow,
)
from fleetmgr.reporting.plan_data import plan_data
from tests.reporting.fleets import SERVICE, SETTINGS, WEB, change, cluster, example, failure, plan_of

STOP = "0123456789abcdef"
COMMAND = re.compile(r"::(error|warning|notice) (?:[a-z]+=[^:,\r\n]*,?)*::[^\r\n]*\Z")


def obeyed(text: str) -> list[str]:
    """The lines that a runner would obey (it trims them): those outside of stopped parts."""
    found: list[str] = []
    stopped = False
    for line in text.split("\n"):
        if stopped:
            stopped = line.strip() != f"::{STOP}::"
        elif line.strip() == f"::stop-commands::{STOP}":
            stopped = True
        elif line.strip().startswith("::") or "##[" in line:
            found.append(line)
    assert not stopped
    return found


def test_the_plan_of_a_job() -> None:
    plan = example()
    text = workflow_text(plan_workflow(plan, same_changes(plan)), stop=STOP)
    assert text.replace(plan.id[:12], "PLAN-ID") == dedent("""\
        ::stop-commands::0123456789abcdef
        Plan: 3 clusters, 2 changed (2 create, 3 update), 0 unchanged, 1 unreachable; not written: 1 conflict

          dev-1      dev      changed      1 create, 1 update, 1 conflict
          staging-1  staging  changed      1 create, 2 update
          prod-1     prod     unreachable
              error[FLT-3001]: no answer from https://10.0.0.1:6443
              hint: is the VPN up?

        ::0123456789abcdef::
        ::group::web: 4 changes
        ::stop-commands::0123456789abcdef
            ! conflict ConfigMap shop-web/settings (dev-1)
                  belongs to fleet other
                  at apps/web/web.yaml:7
            ~ Secret shop-web/database (staging-1)
                  ~ data.password: (sensitive)
            + Service shop-web/web (on 2 clusters: dev-1, staging-1)
            ~ Deployment shop-web/web (same on 2 clusters: dev-1, staging-1)
                  ~ spec.template.spec.containers[name=web].image: nginx:1.26 -> nginx:1.27
        ::0123456789abcdef::
        ::endgroup::
        ::stop-commands::0123456789abcdef
        Plan PLAN-ID of fleet shop at 3f2a1c9d0b7e.
        ::0123456789abcdef::
        ::error file=apps/web/web.yaml,line=7,col=1,title=FLT-5020::conflict ConfigMap shop-web/settings\
 (dev-1): belongs to fleet other
        ::warning title=FLT-3001::prod-1: no answer from https://10.0.0.1:6443%0Ahint: is the VPN up?
        """)


def test_drift_is_annotated_at_the_manifest() -> None:
    drifted = replace(
        change(Op.UPDATE, WEB, FieldDiff(path="/spec/replicas", old=5, new=2)), drift=True, writer="kubectl"
    )
    plan = plan_of(cluster("dev-1", drifted), cluster("dev-2", drifted))
    expected = "::warning file=shop/apps/web/web.yaml,line=7,col=1,title=drift::"
    text = workflow_text(plan_workflow(plan, same_changes(plan)), stop=STOP, folder="shop")
    assert f"{expected}Deployment shop-web/web (dev-1, dev-2) was changed on the cluster by kubectl\n" in text
    text = workflow_text(drift_workflow(plan, same_changes(plan)), stop=STOP, folder="shop")
    told = "drift on dev-1, dev-2: Deployment shop-web/web: spec.replicas 5 instead of 2 (kubectl)"
    assert f"{expected}{told}\n" in text


def test_a_file_of_another_revision_is_not_annotated() -> None:
    pinned = Origin(file="apps/web/web.yaml", line=7, revision="3f2a1c9d0b7e4455")
    plan = plan_of(cluster("dev-1", replace(change(Op.DENIED, WEB, reason="no"), origin=pinned)))
    text = workflow_text(plan_workflow(plan, same_changes(plan)), stop=STOP)
    assert "::error title=FLT-5020::denied Deployment shop-web/web (dev-1): no\n" in text


def test_problems_of_files() -> None:
    problems = (
        Problem(message="a,b: 100%\nnext", where=Where(file="a,b:c.yaml", line=3, column=5), code="FLT-1001"),
        Problem(message="no such environment", hint="did you mean dev?", code="FLT-1002"),
    )
    expected = [
        "::error file=a%2Cb%3Ac.yaml,line=3,col=5,title=FLT-1001::a,b: 100%25%0Anext",
        "::error title=FLT-1002::no such environment%0Ahint: did you mean dev?",
    ]
    valid = validation_workflow(Validation(file="fleet.yaml", problems=problems))
    for workflow in (valid, error_workflow(InvalidInput(problems))):
        assert obeyed(workflow_text(workflow, stop=STOP)) == expected


def test_an_apply_annotates_what_failed_once() -> None:
    def result(name: str, outcome: Outcome, op: Op) -> ObjectResult:
        where = Where(file="apps/web/web.yaml", line=7, cluster=name)
        problem = Problem(message="spec.x: invalid", where=where, code="FLT-2001")
        return ObjectResult(op=op, app="web", ref=WEB, outcome=outcome, problem=problem)

    clusters = [
        ClusterReport(
            cluster=name,
            environment="dev",
            exit_code=ExitCode.FAILED,
            results=(
                result(name, Outcome.FAILED, Op.UPDATE),
                replace(result(name, Outcome.SKIPPED, Op.CREATE), ref=SERVICE),
            ),
        )
        for name in ("dev-1", "dev-2")
    ]
    report = Report(plan_id="1", fleet="shop", revision="", clusters=tuple(clusters))
    place = "file=apps/web/web.yaml,line=7,title=FLT-2001"
    assert obeyed(workflow_text(report_workflow(report), stop=STOP)) == [
        f"::error {place}::Deployment shop-web/web (dev-1, dev-2): spec.x: invalid"
    ]


def test_more_annotations_than_a_step_may_have_are_counted() -> None:
    many = tuple(Annotation(level="error", title="x", message=str(n)) for n in range(40))
    lines = obeyed(workflow_text(Workflow(sections=(), annotations=many), stop=STOP))
    assert len(lines) == 10
    assert lines[-1] == "::error title=fleet::and 31 more; see the log of this step"


@given(st.text(), st.text(alphabet=":#[]%\r\n ,aset-output"))
def test_no_text_is_a_command(free: str, nasty: str) -> None:
    evil = f"{free}\n::error::x\r\n{nasty}\n##[set-output name=a]b\n::{nasty}"
    ref = WEB._replace(name=evil)
    diff = FieldDiff(path=f"/{evil}", old=evil, new=nasty)
    hostile = replace(change(Op.UPDATE, ref, diff, app=evil, reason=evil), drift=True, writer=evil)
    origin = Origin(file=evil, line=1)
    denied = replace(change(Op.DENIED, SETTINGS, app=nasty or "a", reason=evil), origin=origin)
    first = replace(cluster("a", hostile, denied), warnings=(evil,), cluster=evil)
    plan = plan_of(first, cluster("b", failed=failure(evil, ExitCode.FAILED, hint=evil)))
    groups = same_changes(plan)
    problem = FleetError(evil, where=Where(file=evil, line=1), hint=evil)
    for workflow in (
        plan_workflow(plan, groups),
        drift_workflow(plan, groups),
        diff_workflow(plan),
        error_workflow(problem),
    ):
        for line in obeyed(workflow_text(workflow, stop=STOP, folder=free)):
            ours = COMMAND.match(line) or line.startswith("::group::") or line == "::endgroup::"
            assert ours, line


@given(st.text(alphabet=":# [a\n"))
def test_defused_text_holds_no_command(text: str) -> None:
    assert not obeyed(defused(text))


@pytest.mark.parametrize("op", [Op.CREATE, Op.KEEP])
def test_outputs_of_a_step(op: Op) -> None:
    plan = plan_of(cluster("dev-1", change(op)))
    changed = "true" if op is Op.CREATE else "false"
    expected = f"changed={changed}\nexit_code=0\nplan_id={plan.id}\n"
    assert step_outputs(plan_data(plan, plan_verdict(plan))) == expected
    result = ObjectResult(op=Op.CREATE, app="web", ref=WEB, outcome=Outcome.DONE)
    results = (result,) if op is Op.CREATE else ()
    report = Report(
        plan_id=plan.id,
        fleet="shop",
        revision="",
        clusters=(ClusterReport(cluster="a", environment="b", exit_code=ExitCode.OK, results=results),),
    )
    assert step_outputs(report_data(report, report_verdict(report))) == expected


def test_a_section_without_a_title_is_not_folded() -> None:
    workflow = Workflow(sections=(Section(title="", lines=("a",)), Section(title="b%\nc", lines=("d",))))
    assert workflow_text(workflow, stop="T") == dedent("""\
        ::stop-commands::T
        a
        ::T::
        ::group::b%25\\nc
        ::stop-commands::T
        d
        ::T::
        ::endgroup::
        """)
