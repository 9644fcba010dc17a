"""What an apply did, for people: one line a cluster, then only what did not go well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from msgspec.structs import replace

from fleetmgr.errors import ExitCode, Problem, Where
from fleetmgr.model.change import Op, Verb
from fleetmgr.model.enumeration import counted
from fleetmgr.model.health import HealthStatus
from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.report import ClusterReport, ObjectResult, Outcome, Report
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.plan_text import short_revision
from fleetmgr.reporting.problems import failure_lines, problem_lines
from fleetmgr.reporting.style import HEALTH_COLOURS, PLAIN, Paint
from fleetmgr.reporting.table import columns
from fleetmgr.reporting.wording import code_name, ended, names

PAST = {
    Op.CREATE: "created",
    Op.UPDATE: "updated",
    Op.REPLACE: "replaced",
    Op.DELETE: "deleted",
    Op.ADOPT: "adopted",
    Op.MOVE: "moved",
    Op.HOOK: "run as hooks",
}
PAST_VERBS = {Verb.APPLY: "applied", Verb.DESTROY: "destroyed"}
_WELL = frozenset({HealthStatus.HEALTHY, HealthStatus.SUSPENDED})


def report_text(report: Report, *, paint: Paint = PLAIN) -> str:
    """The whole text."""
    lines = [paint("bold", report_headline(report)), "", *_cluster_lines(report, paint)]
    for title, found in (
        ("Failed", _failed(report)),
        ("Not written", _blocked(report)),
        ("Waiting for a confirmation", _waiting(report)),
    ):
        if found:
            lines += ["", paint("bold", title)]
            for (ref, problem), clusters in found.items():
                lines += _problem_block(ref, problem, clusters, paint)
    lines += _not_tried(report)
    ill = [line for cluster in report.clusters for line in _ill(cluster, paint)]
    if ill:
        lines += ["", paint("bold", "Not healthy"), *ill]
    if report.stopped is not None:
        lines += ["", *problem_lines(report.stopped.problem, paint=paint)]
    lines += ["", *_warnings(report)]
    if report.partial:
        stayed = "has stayed" if report.verb is Verb.DESTROY else "was neither pruned nor advanced"
        lines.append(f"Partial: what was not selected {stayed}.")
    if report.rollout is not None and report.stopped is not None:
        lines.append(f"Rollout {visible(report.rollout.id)} is {report.rollout.status.value}.")
    at = f" at {visible(short_revision(report.revision))}" if report.revision else ""
    plan = f"plan {report.plan_id[:12]} of fleet {visible(report.fleet)}{at}"
    whole = all(cluster.exit_code is ExitCode.OK for cluster in report.clusters)
    past = PAST_VERBS[report.verb]
    lines.append(f"{past.capitalize()} {plan}." if whole else f"Not everything was {past} of {plan}.")
    return "\n".join(lines) + "\n"


def report_headline(report: Report) -> str:
    """``Apply: 3 clusters, 2 done, 1 unreachable; 2 created, 3 updated``."""
    states = Counter(ended(cluster) for cluster in report.clusters)
    done = states.pop(code_name(ExitCode.OK), 0)
    counts = _past(result for cluster in report.clusters for result in cluster.results)
    ends = [f"{done} done", *(f"{number} {state}" for state, number in sorted(states.items()))]
    headline = (
        f"{report.verb.value.capitalize()}: {counted(len(report.clusters), 'cluster')}, {', '.join(ends)}"
    )
    return f"{headline}; {counts}" if counts else headline


def _past(results: Iterator[ObjectResult]) -> str:
    counts = Counter(result.op for result in results if result.outcome is Outcome.DONE)
    return ", ".join(f"{counts[op]} {PAST[op]}" for op in PAST if counts[op])


def _cluster_lines(report: Report, paint: Paint) -> list[str]:
    if not report.clusters:
        return ["  (no clusters selected)"]
    rows = [[visible(c.cluster), visible(c.environment), ended(c), report_note(c)] for c in report.clusters]

    def colour(row: int, column: int, text: str) -> str:
        cluster = report.clusters[row]
        state = "green" if cluster.exit_code is ExitCode.OK else "red" if cluster.begun else "yellow"
        return paint(state, text) if column == 2 else text  # noqa: PLR2004 - the state column

    lines: list[str] = []
    table = columns(rows, indent="  ", paint=colour)
    for cluster, line in zip(report.clusters, table, strict=True):
        lines.append(line)
        if cluster.failure is not None:
            lines += [f"      {text}" for text in failure_lines(cluster.failure, paint)]
    return lines


def report_note(cluster: ClusterReport) -> str:
    """What an apply did on one cluster, in a few words."""
    outcomes = Counter(result.outcome for result in cluster.results)
    parts = [_past(iter(cluster.results))]
    parts += [
        f"{outcomes[outcome]} {outcome.value}"
        for outcome in (Outcome.FAILED, Outcome.SKIPPED, Outcome.WAITING)
        if outcomes[outcome]
    ]
    if cluster.rolled_back:
        parts.append(f"rolled back to {visible(cluster.rolled_back)}")
    text = ", ".join(part for part in parts if part)
    if not text and cluster.exit_code is ExitCode.OK:
        text = "nothing to write"
    return f"{text} in {cluster.seconds:.1f} s" if cluster.seconds else text


def _failed(report: Report) -> dict[tuple[ObjectRef, Problem], list[str]]:
    return _by_problem(report, Outcome.FAILED)


def _blocked(report: Report) -> dict[tuple[ObjectRef, Problem], list[str]]:
    return _by_problem(report, Outcome.SKIPPED)


def _waiting(report: Report) -> dict[tuple[ObjectRef, Problem], list[str]]:
    return _by_problem(report, Outcome.WAITING)


def _not_tried(report: Report) -> list[str]:
    """Writes that were left out because something before them failed: counted by reason."""
    reasons: dict[str, list[str]] = {}
    for cluster in report.clusters:
        for result in cluster.results:
            if result.outcome is Outcome.SKIPPED and result.op.writes:
                why = result.problem.message if result.problem else "something before it failed"
                reasons.setdefault(why, []).append(cluster.cluster)
    return [
        line
        for why, clusters in reasons.items()
        for line in (
            "",
            f"Not tried ({names(tuple(dict.fromkeys(clusters)))}): {counted(len(clusters), 'object')}: {visible(why)}",
        )
    ]


def _by_problem(report: Report, outcome: Outcome) -> dict[tuple[ObjectRef, Problem], list[str]]:
    """Equal problems of one object on several clusters are told once, with the place in the files."""
    found: dict[tuple[ObjectRef, Problem], list[str]] = {}
    for cluster in report.clusters:
        for result in cluster.results:
            tried = outcome is not Outcome.SKIPPED or not result.op.writes
            if result.outcome is outcome and result.problem is not None and tried:
                problem = replace(result.problem, where=_in_files(result.problem.where))
                found.setdefault((result.ref, problem), []).append(cluster.cluster)
    return found


def _in_files(where: Where | None) -> Where | None:
    """``where`` without the cluster and the object, which are told beside it."""
    return replace(where, cluster=None, object=None) if where is not None else None


def _problem_block(ref: ObjectRef, problem: Problem, clusters: list[str], paint: Paint) -> list[str]:
    same = f"same on {counted(len(clusters), 'cluster')}: " if len(clusters) > 1 else ""
    head = f"  {visible(ref.short)} ({same}{names(clusters)})"
    return [head, *(f"      {line}" for line in problem_lines(problem, paint=paint))]


def _ill(cluster: ClusterReport, paint: Paint) -> list[str]:
    return [
        f"  {visible(app.app)} on {visible(cluster.cluster)}: {paint(HEALTH_COLOURS[app.status], app.status.value)}"
        + (f": {visible(app.message)}" if app.message else "")
        for app in cluster.health
        if app.status not in _WELL
    ]


def _warnings(report: Report) -> list[str]:
    found: dict[str, list[str]] = {}
    for cluster in report.clusters:
        for warning in cluster.warnings:
            found.setdefault(warning, []).append(cluster.cluster)
    return [f"Warning ({names(clusters)}): {visible(text)}" for text, clusters in found.items()]
