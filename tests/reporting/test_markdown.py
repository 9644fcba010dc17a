"""Markdown: whole samples, and that no content breaks out of its block or grows over the limit."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fleetmgr.errors import ExitCode, FleetError, Problem, Where
from fleetmgr.model.change import FieldDiff, Op, Plan
from fleetmgr.model.health import Health, HealthStatus
from fleetmgr.model.report import (
    AppHealth,
    CheckResult,
    ClusterReport,
    ClusterState,
    Diagnosis,
    DoctorCheck,
    FleetStatus,
    Report,
    SyncStatus,
    TargetStatus,
)
from fleetmgr.model.validation import FleetSize, Validation
from fleetmgr.planner.grouping import same_changes
from fleetmgr.reporting.markdown import LIMIT, code, fence
from fleetmgr.reporting.markdown_plan import diff_markdown, drift_markdown, plan_markdown
from fleetmgr.reporting.markdown_runs import (
    diagnosis_markdown,
    error_markdown,
    report_markdown,
    status_markdown,
    validation_markdown,
)
from tests.reporting.fleets import CANARY, SECRET, SERVICE, WEB, change, cluster, example, failure, plan_of

HOSTILE = "</details>\n```\n@admin <img src=x onerror=alert(1)> `a` ``b`` | [x](javascript:1) \x1b[31m\u202e"
CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")


def marked(plan: Plan) -> str:
    return plan_markdown(plan, same_changes(plan)).replace(plan.id[:12], "PLAN-ID")


def outside(text: str) -> str:
    """What a forge reads as Markdown or HTML: everything that is in no fence, code span or ``code``."""
    kept: list[str] = []
    ticks = ""
    for line in text.splitlines():
        if ticks:
            ticks = "" if line == ticks else ticks
        elif match := re.match(r"(`{3,})[a-z]*$", line):
            ticks = match[1]
        else:
            kept.append(re.sub(r"<code>[^<]*</code>", "", CODE_SPAN.sub("", line.replace("\\|", "x"))))
    assert ticks == "", "a fence is not closed"
    return "\n".join(kept)


def holds_together(text: str) -> None:
    assert len(text) <= LIMIT
    plain = outside(text)
    assert plain.count("<details><summary>") == plain.count("</details>")
    rest = re.sub(r"<!-- fleet-[^>]*-->|</?details>|</?summary>", "", plain)
    assert not set("<>@`[") & set(rest), rest
    assert all(line.isprintable() for line in text.replace("\u200b", "").splitlines())


def test_the_plan_of_a_pull_request() -> None:
    assert marked(example()) == dedent("""\
        <!-- fleet-plan:shop -->

        ### Plan: 3 clusters, 2 changed (2 create, 3 update), 0 unchanged, 1 unreachable; not written: 1 conflict

        | Cluster | Environment | Status | Changes |
        |---|---|---|---|
        | `dev-1` | `dev` | changed | 1 create, 1 update, 1 conflict |
        | `staging-1` | `staging` | changed | 1 create, 2 update |
        | `prod-1` | `prod` | unreachable |  |

        **Without a result**

        ```text
        prod-1: unreachable
            error[FLT-3001]: no answer from https://10.0.0.1:6443
            hint: is the VPN up?
        ```

        <details><summary><code>web</code>: 2 create, 3 update, 1 conflict</summary>

        ```diff
        ! conflict ConfigMap shop-web/settings (dev-1)
            belongs to fleet other
            at apps/web/web.yaml:7
        ~ Secret shop-web/database (staging-1)
            ~ data.password: (sensitive)
        + Service shop-web/web (on 2 clusters: dev-1, staging-1)
        ~ Deployment shop-web/web (same on 2 clusters: dev-1, staging-1)
            ~ spec.template.spec.containers[name=web].image: nginx:1.26 -> nginx:1.27
        ```

        </details>

        Plan `PLAN-ID` of fleet `shop` at `3f2a1c9d0b7e`.
        """)


def test_drift_and_what_is_unverified_are_marked_in_words() -> None:
    plan = plan_of(
        cluster(
            "dev-1",
            replace(
                change(Op.UPDATE, WEB, FieldDiff(path="/spec/replicas", old=5, new=2)),
                drift=True,
                writer="kubectl (Update)",
            ),
            replace(change(Op.CREATE, SERVICE), unverified=True, reason="no right to patch"),
        )
    )
    text = marked(plan)
    assert "~ Deployment shop-web/web (dev-1) [drift: kubectl (Update)]" in text
    assert "+ Service shop-web/web (dev-1) [unverified]" in text
    assert "Unverified: 1 object: no right to patch" in text
    drift = drift_markdown(plan, same_changes(plan))
    assert drift.startswith("<!-- fleet-drift:shop -->\n\n### Drift: 1 cluster, 1 drifted (2 objects)")
    assert "drift on dev-1: Deployment shop-web/web: spec.replicas 5 instead of 2 (kubectl (Update))" in drift


def test_a_large_fleet_folds_and_says_so() -> None:
    clusters = [
        cluster(f"c-{n}", change(Op.UPDATE, WEB, FieldDiff(path="/data/x", old="a", new=f"{n} " + "x" * 70)))
        for n in range(600)
    ]
    text = marked(plan_of(*clusters, *(cluster(f"quiet-{n}") for n in range(400))))
    holds_together(text)
    assert len(text) > LIMIT * 0.9
    assert "...and 940 more clusters: 540 changed, 400 unchanged" in text
    assert re.search(r"\.\.\. and \d+ more lines\n```\n\n</details>\n\nShortened; the whole plan is in", text)
    same = [cluster(f"c-{n}", change(Op.UPDATE, WEB, FieldDiff(path="/a", old=1, new=2))) for n in range(47)]
    assert "(same on 47 clusters: c-0, c-1" in marked(plan_of(*same))


def test_many_apps_are_cut_between_blocks() -> None:
    changes = [
        change(Op.UPDATE, WEB, FieldDiff(path="/d", old="a" * 70, new=f"{n}" + "b" * 70), app=f"app-{a:03}")
        for a in range(300)
        for n in range(10)
    ]
    text = marked(plan_of(cluster("dev-1", *changes)))
    holds_together(text)
    assert re.search(r"\.\.\.and \d+ more parts; the whole plan is in", text)


@given(st.text(), st.text(alphabet="`~|<>@-\n\\ a"), st.integers(0, 40))
@settings(max_examples=60)
def test_no_content_breaks_out(free: str, nasty: str, times: int) -> None:
    ref = WEB._replace(name=nasty, namespace=free)
    diff = FieldDiff(path=f"/{nasty}", old=free, new=nasty * times)
    hostile = replace(change(Op.UPDATE, ref, diff, app=nasty or "a", reason=free), drift=True, writer=nasty)
    denied = change(Op.DENIED, ref._replace(name=free), app=free or "b", reason=nasty)
    failed = failure(free, ExitCode.FAILED, hint=nasty)
    first = replace(cluster("a", hostile, denied), warnings=(nasty, free), environment=nasty, cluster=free)
    plan = plan_of(first, replace(cluster("b", failed=failed), cluster=nasty))
    groups = same_changes(plan)
    for text in (plan_markdown(plan, groups), drift_markdown(plan, groups), diff_markdown(plan)):
        holds_together(text)


@given(st.text())
def test_code_and_fences_hold_any_text(text: str) -> None:
    assert outside(fence(text.split("\n"))) == ""
    assert outside(f"x{code(text)}x") == "xx"


def test_hostile_reports() -> None:
    status = FleetStatus(
        fleet=HOSTILE,
        revision=HOSTILE,
        clusters=(
            ClusterState(
                cluster=HOSTILE,
                environment=HOSTILE,
                version=None,
                targets=(
                    TargetStatus(
                        app=HOSTILE,
                        cluster=HOSTILE,
                        environment=HOSTILE,
                        sync=SyncStatus.UNKNOWN,
                        health=Health(status=HealthStatus.DEGRADED, message=HOSTILE),
                        revision=HOSTILE,
                        applied_at=HOSTILE,
                    ),
                ),
                failure=failure(HOSTILE, ExitCode.AUTH, hint=HOSTILE),
            ),
        ),
    )
    check = DoctorCheck(
        name=HOSTILE, result=CheckResult.FAILED, message=HOSTILE, cluster=HOSTILE, hint=HOSTILE
    )
    problem = Problem(message=HOSTILE, where=Where(file=HOSTILE, line=1), hint=HOSTILE)
    report = Report(
        plan_id="1234",
        fleet=HOSTILE,
        revision=HOSTILE,
        clusters=(
            ClusterReport(
                cluster=HOSTILE,
                environment=HOSTILE,
                exit_code=ExitCode.FAILED,
                failure=failure(HOSTILE, ExitCode.FAILED),
                health=(AppHealth(app=HOSTILE, status=HealthStatus.DEGRADED, message=HOSTILE),),
                warnings=(HOSTILE,),
            ),
        ),
    )
    for text in (
        status_markdown(status),
        diagnosis_markdown(Diagnosis(checks=(check,))),
        validation_markdown(Validation(file=HOSTILE, problems=(problem,), warnings=(problem,))),
        report_markdown(report),
        error_markdown(FleetError(HOSTILE, where=Where(object=HOSTILE), hint=HOSTILE)),
    ):
        holds_together(text)
        assert not re.search(r"(?<!\w)@\w", text)


def test_quiet_results() -> None:
    size = FleetSize(fleet="shop", environments=1, clusters=2, apps=3, targets=6)
    assert validation_markdown(Validation(file="fleet.yaml", size=size)) == dedent("""\
        <!-- fleet-validate:shop -->

        ### Validate: the fleet is valid

        `fleet.yaml is valid: fleet shop, 1 environment, 2 clusters, 3 apps, 6 targets`
        """)
    done = ClusterReport(cluster="dev-1", environment="dev", exit_code=ExitCode.OK, seconds=1.25)
    text = report_markdown(Report(plan_id="12345678901234", fleet="shop", revision="", clusters=(done,)))
    assert text == dedent("""\
        <!-- fleet-apply:shop -->

        ### Apply: 1 cluster, 1 done

        | Cluster | Environment | Result | Objects |
        |---|---|---|---|
        | `dev-1` | `dev` | done | nothing to write in 1.2 s |

        Applied plan `123456789012` of fleet `shop`.
        """)
    plan = plan_of(cluster("dev-1"))
    assert "No changes: every cluster is as desired." in marked(plan)
    assert "No differences: every cluster is as desired." in diff_markdown(plan)
    assert "No drift: every cluster is as it was applied." in drift_markdown(plan, ())


@pytest.mark.parametrize("op", [Op.UPDATE, Op.CREATE, Op.DELETE])
def test_secrets_stay_out(op: Op) -> None:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"password": CANARY}}
    leaking = replace(
        change(op, SECRET, FieldDiff(path="/data/password", old=CANARY, new=CANARY)), live=body, result=body
    )
    plan = plan_of(cluster("dev-1", leaking))
    groups = same_changes(plan)
    assert CANARY not in plan_markdown(plan, groups) + diff_markdown(plan) + drift_markdown(plan, groups)
