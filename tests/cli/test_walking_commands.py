"""plan, apply, diff, drift, status, doctor: what they ask, print, and end with."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from msgspec.structs import replace

from fleetmgr.errors import ExitCode, FleetError
from fleetmgr.model.change import ClusterPlan, FieldDiff, Op
from fleetmgr.model.report import CheckResult, ClusterReport, Diagnosis, DoctorCheck
from fleetmgr.model.selection import Selection
from tests.cli.conftest import Cli, Fleet
from tests.reporting.fleets import (
    CANARY,
    IMAGE,
    SECRET,
    SERVICE,
    WEB,
    change,
    cluster,
    example,
    failure,
    plan_of,
)

GONE = failure("no answer", ExitCode.PARTIAL, hint="is the VPN up?")


def test_plan_prints_the_plan_and_nothing_else_on_stdout(cli: Cli, fleet: Fleet) -> None:
    fleet.plan = plan_of(cluster("dev-1", change(Op.UPDATE, WEB, IMAGE)), cluster("dev-2"))
    result = cli("plan", "--progress", "none")
    assert result.out.replace(fleet.plan.id[:12], "PLAN-ID") == dedent("""\
        Plan: 2 clusters, 1 changed (1 update), 1 unchanged, 0 unreachable

          dev-1  dev  changed    1 update
          dev-2  dev  unchanged

        web
            ~ Deployment shop-web/web (dev-1)
                  ~ spec.template.spec.containers[name=web].image: nginx:1.26 -> nginx:1.27

        Plan PLAN-ID of fleet shop at 3f2a1c9d0b7e.
        """)
    assert (result.code, result.err) == (0, "")


@pytest.mark.parametrize(
    ("clusters", "flags", "code"),
    [
        ([cluster("a")], [], 0),
        ([cluster("a", change(Op.CREATE))], [], 0),
        ([cluster("a")], ["--detailed-exitcode"], 0),
        ([cluster("a", change(Op.CREATE))], ["--detailed-exitcode"], 2),
        ([cluster("a", change(Op.CREATE)), cluster("b", failed=GONE)], ["--detailed-exitcode"], 4),
        ([cluster("a", failed=GONE)], [], 4),
        ([cluster("a", failed=failure("401", ExitCode.AUTH))], [], 3),
        ([cluster("a", failed=failure("401", ExitCode.AUTH)), cluster("b")], [], 4),
        ([cluster("a", failed=failure("other cluster", ExitCode.REFUSED)), cluster("b")], [], 5),
        ([cluster("a", failed=failure("slow", ExitCode.TIMEOUT))], [], 9),
        ([cluster("a", change(Op.CONFLICT))], [], 1),
        ([cluster("a", change(Op.DENIED)), cluster("b")], [], 4),
    ],
)
@pytest.mark.parametrize("verb", ["plan", "preview", "diff", "drift"])
def test_exit_codes(
    cli: Cli, fleet: Fleet, verb: str, clusters: list[ClusterPlan], flags: list[str], code: int
) -> None:
    fleet.plan = plan_of(*clusters)
    assert cli(verb, *flags).code == code


def test_selection_and_file_reach_the_operation(cli: Cli, fleet: Fleet) -> None:
    args = [
        "-f",
        "x/fleet.yaml",
        "--parallel",
        "3",
        "-e",
        "dev",
        "-e",
        "prod",
        "-c",
        "a",
        "--app",
        "web",
        "-l",
        "t=1",
    ]
    for verb in ("plan", "diff", "drift", "status", "doctor", "apply"):
        assert cli(verb, *args).code == 0
    selection = Selection(environments=("dev", "prod"), clusters=("a",), apps=("web",), selectors=("t=1",))
    assert set(fleet.selections) == {selection}
    assert fleet.applied[0]["selection"] == selection
    assert set(fleet.opened) == {(Path("x/fleet.yaml"), 3)}
    cli("plan")
    assert fleet.opened[-1] == (Path("fleet.yaml"), 8)


def test_outputs_to_stdout_and_files(cli: Cli, fleet: Fleet, tmp_path: Path) -> None:
    fleet.plan = example()
    result = cli("plan", "-o", "json", "-o", "yaml=plan.yaml", "-o", f"text={tmp_path / 'plan.txt'}")
    assert json.loads(result.out)["kind"] == "Plan"
    assert yaml.safe_load((tmp_path / "plan.yaml").read_text()) == json.loads(result.out)
    assert (tmp_path / "plan.txt").read_text().startswith("Plan: 3 clusters")
    only_file = cli("plan", "-o", "json=plan.json", "--color", "always")
    assert "Plan: 3 clusters" in only_file.out
    assert "\x1b[" in only_file.out
    assert json.loads((tmp_path / "plan.json").read_text())["exitCode"] == 4


def test_an_output_that_cannot_be_written(cli: Cli, fleet: Fleet) -> None:
    fleet.plan = example()
    result = cli("plan", "--progress", "none", "-o", "json=no/such/folder.json")
    assert result.code == 1
    assert result.err == dedent("""\
        error[FLT-6403]: the json output cannot be written: No such file or directory
          at no/such/folder.json
          hint: check the folder and its permissions
        """)


@pytest.mark.parametrize(
    ("verb", "marker"),
    [
        ("plan", "plan:shop"),
        ("apply", "apply:shop"),
        ("diff", "diff:shop"),
        ("drift", "drift:shop"),
        ("status", "status:shop"),
        ("doctor", "doctor"),
    ],
)
def test_markdown_begins_with_its_marker(cli: Cli, fleet: Fleet, verb: str, marker: str) -> None:
    fleet.plan = plan_of(cluster("dev-1"))
    result = cli(verb, "-o", "markdown")
    assert (result.code, result.out.splitlines()[0]) == (0, f"<!-- fleet-{marker} -->")


def test_a_step_of_a_github_job(cli: Cli, fleet: Fleet, tmp_path: Path) -> None:
    fleet.plan = plan_of(cluster("dev-1", change(Op.DENIED, WEB, reason="no\n::set-output name=a::b")))
    (tmp_path / "out").write_text("before=1\n")
    files = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), "GITHUB_OUTPUT": str(tmp_path / "out")}
    job = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(tmp_path)}
    result = cli("plan", "-f", "shop/fleet.yaml", "-o", "github", "--progress", "none", **files, **job)
    expected = "::error file=shop/apps/web/web.yaml,line=7,col=1,title=FLT-5020::denied Deployment"
    assert (result.code, result.err) == (1, "")
    assert expected in result.out
    assert (tmp_path / "summary").read_text().startswith("<!-- fleet-plan:shop -->")
    outputs = f"before=1\nchanged=false\nexit_code=1\nplan_id={fleet.plan.id}\n"
    assert (tmp_path / "out").read_text() == outputs
    text = cli("plan", **job).out
    assert "    : :set-output" in text
    fleet.error = FleetError("broken")
    failed = cli("plan", "-o", "github", **files, **job)
    assert "::error title=FLT-0001::broken\n" in failed.out
    assert (tmp_path / "out").read_text() == outputs + "changed=false\nexit_code=1\n"


def test_apply_in_a_github_job(cli: Cli, fleet: Fleet) -> None:
    fleet.plan = plan_of(cluster("dev-1", change(Op.CREATE)))
    result = cli("apply", "--yes", "-o", "github", "--progress", "none")
    assert (result.code, result.err) == (0, "")
    assert "::group::web: 1 change\n" in result.out
    assert "Apply: 1 cluster, 1 done" in result.out


def test_show_unchanged(cli: Cli, fleet: Fleet) -> None:
    fleet.plan = plan_of(cluster("dev-1", change(Op.KEEP, SERVICE)))
    assert "Service" not in cli("plan").out
    assert "= Service shop-web/web (dev-1)" in cli("plan", "--show-unchanged").out
    assert json.loads(cli("plan", "-o", "json").out)["clusters"][0]["changes"] == []
    shown = json.loads(cli("plan", "--show-unchanged", "-o", "json").out)
    assert shown["clusters"][0]["changes"][0]["op"] == "keep"


@pytest.mark.parametrize("verb", ["plan", "diff", "drift", "apply"])
@pytest.mark.parametrize("output", ["text", "json", "yaml", "ndjson", "markdown", "github"])
def test_secret_values_are_in_no_output(cli: Cli, fleet: Fleet, verb: str, output: str) -> None:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"password": CANARY}}
    diff = FieldDiff(path="/data/password", old=CANARY, new=CANARY)
    leaking = replace(change(Op.UPDATE, SECRET, diff), live=body, result=body)
    fleet.plan = plan_of(cluster("dev-1", leaking, replace(leaking, op=Op.CREATE, live=None)))
    result = cli(verb, "-o", output, *(["--yes"] if verb == "apply" else []))
    assert result.code == 0
    assert CANARY not in result.out + result.err


def test_apply_without_a_terminal_needs_yes(cli: Cli, fleet: Fleet) -> None:
    fleet.plan = plan_of(cluster("dev-1", change(Op.CREATE)), cluster("dev-2"))
    result = cli("apply", "--progress", "none")
    assert result.code == 64
    assert result.err == dedent("""\
        error[FLT-6401]: there are changes for 1 cluster and no terminal to ask on
          hint: add --yes to apply without a question
        """)
    assert "Plan: 2 clusters, 1 changed (1 create)" in result.out
    assert fleet.applied == []


def test_apply_with_yes(cli: Cli, fleet: Fleet) -> None:
    fleet.plan = plan_of(cluster("dev-1", change(Op.CREATE)))
    result = cli("apply", "--yes", "--timeout", "1h1m1s", "--progress", "none")
    assert result.code == 0
    assert result.out.replace(fleet.plan.id[:12], "PLAN-ID") == dedent("""\
        Plan: 1 cluster, 1 changed (1 create), 0 unchanged, 0 unreachable

          dev-1  dev  changed  1 create

        web
            + Deployment shop-web/web (dev-1)

        Plan PLAN-ID of fleet shop at 3f2a1c9d0b7e.

        Apply: 1 cluster, 1 done

          dev-1  dev  done  nothing to write

        Applied plan PLAN-ID of fleet shop at 3f2a1c9d0b7e.
        """)
    assert fleet.applied == [
        {"plan": fleet.plan.id, "wait": True, "timeout": 3661.0, "selection": Selection()}
    ]


def test_apply_with_json_keeps_the_plan_off_stdout(cli: Cli, fleet: Fleet) -> None:
    fleet.plan = plan_of(cluster("dev-1", change(Op.CREATE)))
    result = cli("up", "-y", "--no-wait", "-o", "json")
    assert json.loads(result.out)["kind"] == "ApplyResult"
    assert "Plan: 1 cluster" in result.err
    assert fleet.applied[0]["wait"] is False


@pytest.mark.parametrize(
    ("answer", "code", "applied"), [("y\n", 0, 1), ("YES\n", 0, 1), ("n\n", 1, 0), ("", 1, 0)]
)
def test_apply_asks_on_a_terminal(cli: Cli, fleet: Fleet, answer: str, code: int, applied: int) -> None:
    fleet.plan = plan_of(cluster("dev-1", change(Op.CREATE)))
    result = cli("apply", "--progress", "none", stdin=answer)
    assert (result.code, len(fleet.applied)) == (code, applied)
    assert result.err.startswith("Apply this plan to 1 cluster? [y/N] ")


def test_an_empty_plan_asks_nothing_and_waits_for_nothing(cli: Cli, fleet: Fleet) -> None:
    fleet.plan = plan_of(cluster("dev-1", change(Op.KEEP)))
    result = cli("apply", "--progress", "none")
    assert result.code == 0
    assert result.out.count("\n") == 6
    assert "No changes: every cluster is as desired." in result.out
    assert fleet.applied[0]["wait"] is False


def test_an_empty_plan_with_an_unreachable_cluster_is_partial(cli: Cli, fleet: Fleet) -> None:
    fleet.plan = plan_of(cluster("dev-1"), cluster("prod-1", failed=GONE))
    result = cli("apply", "-o", "json")
    assert result.code == 4
    assert [c["exitCode"] for c in json.loads(result.out)["clusters"]] == [0, 4]


def test_unreachable_clusters_do_not_stop_the_others(cli: Cli, fleet: Fleet) -> None:
    fleet.plan = plan_of(cluster("dev-1", change(Op.CREATE)), cluster("prod-1", failed=GONE))
    result = cli("apply", "--yes")
    assert result.code == 4
    assert "Apply: 2 clusters, 1 done, 1 unreachable" in result.out


def test_conflicts_fail_their_cluster_only(cli: Cli, fleet: Fleet) -> None:
    fleet.plan = plan_of(
        cluster("dev-1", change(Op.CONFLICT, SERVICE, reason="belongs to fleet other"), change(Op.CREATE)),
        cluster("dev-2", change(Op.CREATE)),
    )
    result = cli("apply", "--yes")
    assert result.code == 4
    assert "conflict: belongs to fleet other" in result.out


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([1, 1], 1), ([9, 9], 9), ([3, 3], 3), ([1, 0], 4), ([9, 1], 4), ([8, 0], 8), ([5, 9], 5)],
)
def test_exit_codes_of_apply(cli: Cli, fleet: Fleet, codes: list[int], expected: int) -> None:
    fleet.plan = plan_of(*(cluster(f"dev-{n}", change(Op.CREATE)) for n in range(len(codes))))

    def report(plan: ClusterPlan) -> ClusterReport:
        code = ExitCode(codes[int(plan.cluster.removeprefix("dev-"))])
        return ClusterReport(cluster=plan.cluster, environment="dev", exit_code=code)

    fleet.report = report
    assert cli("apply", "--yes").code == expected


@pytest.mark.parametrize("timeout", ["10", "0s", "1d", "m", "-5m", "ten"])
def test_timeouts_need_a_unit(cli: Cli, fleet: Fleet, timeout: str) -> None:
    result = cli("apply", f"--timeout={timeout}")
    assert result.code == 64
    assert "is not a duration like 90s, 10m or 1h30m" in result.err
    assert fleet.opened == []


def test_status_and_doctor(cli: Cli, fleet: Fleet) -> None:
    assert cli("status").out == "Fleet shop: 0 clusters; 0 targets, 0 synced, 0 healthy\n"
    failed = DoctorCheck(
        name="x", result=CheckResult.FAILED, message="m", cluster="a", exit_code=ExitCode.AUTH
    )
    fleet.diagnosis = Diagnosis(checks=(failed,))
    assert cli("doctor").code == 3
    assert json.loads(cli("doctor", "-o", "json").out)["exitCode"] == 3


def test_plain_progress_is_on_stderr_with_a_time(cli: Cli, fleet: Fleet) -> None:
    fleet.plan = plan_of(cluster("dev-1"))
    result = cli("plan", "--progress", "plain")
    timestamp, rest = result.err.split(" ", 1)
    assert rest == "dev-1: preview started\n"
    assert len(timestamp) == len("2026-11-21T01:02:03Z")
