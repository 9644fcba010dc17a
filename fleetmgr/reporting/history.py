"""``fleet history``: what was applied when, by whom, at which revision, and how it went; newest first."""

from __future__ import annotations

from collections.abc import Sequence

from fleetmgr.model.enumeration import counted
from fleetmgr.model.history import AppMemory, ClusterMemory, History, PastRun
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.memory import DONE, RunResult
from fleetmgr.model.verdict import Verdict
from fleetmgr.reporting.clusters import cluster_data
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.github import Section, Workflow, problem_annotation
from fleetmgr.reporting.markdown import Row, code, document, heading, marker, note, table
from fleetmgr.reporting.plan_text import short_revision
from fleetmgr.reporting.problems import API_VERSION, failure_lines
from fleetmgr.reporting.style import PLAIN, Paint
from fleetmgr.reporting.table import columns
from fleetmgr.reporting.wording import code_name, names

_TITLES = ("WHEN", "APP", "RESULT", "REVISION", "BY", "OBJECTS", "PLAN", "WHERE")
_RESULT = _TITLES.index("RESULT")
_ID = 12


def history_text(history: History, runs: Sequence[PastRun], *, paint: Paint = PLAIN) -> str:
    """A line a run, with the reason below it where it did not go well."""
    lines = [paint("bold", _headline(history, runs)), *_table(runs, paint)]
    for cluster in history.clusters:
        if cluster.failure is not None:
            head = f"{visible(cluster.cluster)}: {paint('red', code_name(cluster.failure.exit_code))}"
            lines += ["", head, *(f"    {text}" for text in failure_lines(cluster.failure, paint))]
    return "\n".join(lines) + "\n"


def _headline(history: History, runs: Sequence[PastRun]) -> str:
    failed = sum(1 for cluster in history.clusters if cluster.failure is not None)
    of = f"App {visible(history.app)} of fleet" if history.app else "Fleet"
    missing = f", {failed} not read" if failed else ""
    found = counted(len(runs), "run") if runs else "nothing was applied, as far as is remembered"
    return f"{of} {visible(history.fleet)}: {counted(len(history.clusters), 'cluster')}{missing}; {found}"


def _table(runs: Sequence[PastRun], paint: Paint) -> list[str]:
    if not runs:
        return []

    def hue(row: int, column: int, text: str) -> str:
        if row == 0:
            return paint("dim", text)
        well = runs[row - 1].run.outcome == DONE
        return paint("green" if well else "red", text) if column == _RESULT else text

    shown = columns([_TITLES, *(_row(past) for past in runs)], paint=hue)
    lines = ["", shown[0]]
    for line, past in zip(shown[1:], runs, strict=True):
        lines += [line, *(f"    {text}" for text in run_notes(past.run))]
    return lines


def _row(past: PastRun) -> tuple[str, ...]:
    run = past.run
    where = names([cluster for cluster, _ in past.clusters])
    same = "same " if len(past.clusters) > 1 else ""
    cells = (
        run.at,
        past.app,
        run.outcome,
        _revisions(run),
        run.actor or "-",
        counts_text(run),
        run.plan_id[:_ID] or "-",
    )
    on = f"{same}on {counted(len(past.clusters), 'cluster')}: {where}" if same else where
    return (*(visible(cell) for cell in cells), on)


def _revisions(run: RunResult) -> str:
    """``1f2e3d4c5b6a``; with the fleet's own where the app's source is pinned at another one."""
    shown = short_revision(run.revision) or "-"
    of_fleet = run.fleet_revision if run.fleet_revision != run.revision else ""
    return f"{shown} (fleet {short_revision(of_fleet)})" if of_fleet else shown


def counts_text(run: RunResult) -> str:
    """``2 update, 1 failed``."""
    return ", ".join(f"{number} {visible(what)}" for what, number in run.counts.items()) or "-"


def run_notes(run: RunResult) -> list[str]:
    """Why it did not go well, and why uncommitted files were applied."""
    notes = [visible(run.reason)] if run.reason else []
    return notes + ([f"uncommitted files: {visible(run.dirty_reason)}"] if run.dirty_reason else [])


def run_data(run: RunResult) -> JsonObject:
    """One run; optional keys only where they say something."""
    data: JsonObject = {
        "at": run.at,
        "outcome": run.outcome,
        "planId": run.plan_id,
        "revision": run.revision,
        "actor": run.actor,
        "counts": dict(run.counts),
    }
    optional = {
        "reason": run.reason,
        "dirtyReason": run.dirty_reason,
        "fleetRevision": run.fleet_revision if run.fleet_revision != run.revision else "",
    }
    return data | {key: text for key, text in optional.items() if text}


def history_data(history: History, runs: Sequence[PastRun], verdict: Verdict) -> JsonObject:
    """Kind ``History``."""
    return {
        "apiVersion": API_VERSION,
        "kind": "History",
        "fleet": history.fleet,
        "app": history.app,
        "exitCode": int(verdict.exit_code),
        "reason": verdict.reason,
        "summary": {
            "clusters": len(history.clusters),
            "unreachable": sum(1 for c in history.clusters if c.failure is not None),
            "runs": len(runs),
        },
        "runs": [
            {"app": p.app, **run_data(p.run), "clusters": [{"name": n, "at": at} for n, at in p.clusters]}
            for p in runs
        ],
        "clusters": [_cluster_data(cluster, verdict) for cluster in history.clusters],
    }


def _cluster_data(cluster: ClusterMemory, verdict: Verdict) -> JsonObject:
    return {
        **cluster_data(cluster, verdict),
        "apps": [_app_data(app) for app in cluster.apps],
    }


def _app_data(app: AppMemory) -> JsonObject:
    return {
        "name": app.app,
        "revision": app.revision,
        "appliedAt": app.applied_at,
        "healthySince": app.healthy_since,
    }


def history_markdown(history: History, runs: Sequence[PastRun]) -> str:
    """A row a run."""
    rows = [
        Row(
            cells=tuple(code(cell) for cell in _row(past)),
            state=past.run.outcome,
            quiet=past.run.outcome == DONE,
        )
        for past in runs
    ]
    reasons = [f"{p.run.at} {p.app}: {text}" for p in runs for text in run_notes(p.run)]
    failures = [
        f"{c.cluster}: {line}"
        for c in history.clusters
        if c.failure
        for line in failure_lines(c.failure, PLAIN)
    ]
    return document(
        [
            marker("history", history.fleet),
            heading(_headline(history, runs)),
            *table(tuple(title.capitalize() for title in _TITLES), rows, noun="run"),
            *note("Why", reasons),
            *note("Without a result", failures),
        ],
        [],
        whole="everything is in the log of this run or in the file of `-o json=FILE`.",
    )


def history_workflow(history: History, runs: Sequence[PastRun]) -> Workflow:
    """For the log of a job; a cluster that cannot be read is an annotation."""
    lines = history_text(history, runs).rstrip("\n").split("\n")
    failed = [(c.cluster, c.failure) for c in history.clusters if c.failure is not None]
    return Workflow(
        sections=(Section(title="", lines=tuple(lines)),),
        annotations=tuple(
            problem_annotation(failure.problem, "warning", about=name) for name, failure in failed
        ),
    )
