"""Bringing a cluster back to its previous revision: the fleet as it was then, rendered, planned and applied there.

It is an ordinary apply of an older commit, with the same guards; only what to go back to comes from the memory of
the cluster itself, as it was before this run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from msgspec.structs import replace

from fleetmgr.engine.record import Record
from fleetmgr.errors import ExitCode, FleetError, Where
from fleetmgr.expansion.limits import limits_of
from fleetmgr.model.change import ClusterFailure, ClusterPlan
from fleetmgr.model.event import EventSink
from fleetmgr.model.memory import DONE
from fleetmgr.model.report import ClusterReport
from fleetmgr.operations.embedded.preview import preview
from fleetmgr.operations.embedded.run import UpOptions
from fleetmgr.operations.embedded.scene import Scene, read_scene
from fleetmgr.operations.embedded.up import up
from fleetmgr.operations.entries import entry_of
from fleetmgr.operations.render import render
from fleetmgr.operations.walk import Walk
from fleetmgr.planner.budget import refusals
from fleetmgr.planner.build import build
from fleetmgr.ports.past import PastFleet

if TYPE_CHECKING:
    from fleetmgr.spec import Cluster, LoadedFleet

_SHORT = 12


class NoWayBack(FleetError):
    """A cluster cannot be brought back to its previous revision."""

    code: ClassVar[str] = "FLT-2042"


class Return(Struct, frozen=True, kw_only=True):
    """Where a cluster went back to (commit ids, "" when there was no way), and how that ended."""

    revisions: tuple[str, ...]
    report: ClusterReport

    @property
    def name(self) -> str:
        """For people: ``1f2e3d4c5b6a``."""
        return ", ".join(revision[:_SHORT] for revision in self.revisions)


def bring_back(walk: Walk, before: Scene, part: ClusterPlan, options: UpOptions, sink: EventSink) -> Return:
    """Bring back the apps that this run has changed on one cluster; ``before`` is what it was planned on.

    Never raises FleetError: a cluster that cannot be brought back is a report that says why.
    """
    started = walk.clock.monotonic()
    found: list[tuple[str, ClusterReport]] = []
    try:
        for revision, apps in _ways_back(before, part, options.revision).items():
            found.append((revision, _at(walk, before, revision, apps, options, sink)))
        report = _joined([report for _, report in found])
    except FleetError as error:
        report = ClusterReport(
            cluster=part.cluster,
            environment=part.environment,
            exit_code=error.exit_code,
            failure=ClusterFailure(problem=error.problem(), exit_code=error.exit_code),
        )
    seconds = walk.clock.monotonic() - started
    return Return(revisions=tuple(r for r, _ in found), report=replace(report, seconds=seconds))


def _ways_back(before: Scene, part: ClusterPlan, failing: str) -> Mapping[str, frozenset[str]]:
    """Apps by the revision that they go back to. An app that was never applied here goes where its neighbours go:
    the earlier fleet does not have it, so what it made is pruned as its policy says."""
    changed = sorted({change.app for change in part.changes if change.op.writes} or before.apps)
    found = {app: _previous_commit(before, part, app, failing) for app in changed}
    known = [revision for revision in found.values() if revision]
    if not known:
        raise _no_way(part, "the cluster remembers no earlier revision of what failed")
    ways: dict[str, set[str]] = {}
    for app, revision in found.items():
        ways.setdefault(revision or known[0], set()).add(app)
    return {revision: frozenset(apps) for revision, apps in ways.items()}


def _previous_commit(before: Scene, part: ClusterPlan, app: str, failing: str) -> str | None:
    """The fleet's commit at the last apply of an app that ended well, other than ``failing``; None: there was none.

    There overlays pin the source at what they pinned then. An early record names only the pinned revision, which
    is no commit to read fleet.yaml at. Raises NoWayBack.
    """
    record, current = before.record(app) or Record(), before.stack_app(app)
    runs = [(record.fleet_revision, record.revision or "")]
    runs += [(run.fleet_revision, run.revision) for run in record.results if run.outcome == DONE]
    for commit, shown in runs:
        if shown and not commit and current is not None and current.revision is not None:
            raise _no_way(part, f"app {app} is at a revision of its own, which names no commit of the fleet")
        revision = commit or shown
        if revision and revision != failing:
            return revision
    return None


def _at(
    walk: Walk, before: Scene, revision: str, apps: frozenset[str], options: UpOptions, sink: EventSink
) -> ClusterReport:
    cluster = before.entry.cluster
    past = _past(walk, cluster, revision)
    (stack,) = render(past.loaded, past.fetcher, [_entry(past.loaded, cluster, revision)])
    current = _entry(walk.loaded, cluster, "")
    scene = read_scene(
        before.client,
        entry_of(walk.loaded, current),
        stack,
        apps=apps,
        adopt=before.adopt,
        force=before.force,
    )
    plan = preview(scene)
    made = build(walk.loaded.fleet.name, past.revision, [plan], partial=True)
    refused = refusals(made, {cluster: limits_of(walk.loaded, current)}, allowed=walk.consent.max_deletes)
    if refused:
        raise NoWayBack(
            f"going back to {revision[:_SHORT]} is refused: {refused[0].problem.message}",
            where=Where(cluster=cluster),
            hint=refused[0].problem.hint,
        )
    back = replace(options, plan_id=made.id, revision=past.revision, wait=True)
    return up(scene, plan, back, clock=walk.clock, stop=walk.stop, sink=sink)


def _past(walk: Walk, cluster: str, revision: str) -> PastFleet:
    if walk.past is None or revision.endswith("+dirty"):
        raise NoWayBack(
            f"{revision[:_SHORT]} was applied from files that were in no commit",
            where=Where(cluster=cluster),
            hint="mend it by hand: revert the commit and apply",
        )
    return walk.past.at(revision)


def _entry(loaded: LoadedFleet, name: str, revision: str) -> Cluster:
    found = next((c for c in loaded.fleet.clusters if c.name == name), None)
    if found is None:
        raise NoWayBack(
            f"fleet.yaml at {revision[:_SHORT]} has no cluster {name}",
            where=Where(cluster=name),
            hint="mend it by hand: revert the commit and apply",
        )
    return found


def _no_way(part: ClusterPlan, why: str) -> NoWayBack:
    return NoWayBack(
        why, where=Where(cluster=part.cluster), hint="mend it by hand: revert the commit and apply"
    )


def _joined(reports: list[ClusterReport]) -> ClusterReport:
    """Several applies of one cluster as one report."""
    codes = [report.exit_code for report in reports]
    return replace(
        reports[0],
        exit_code=next((code for code in codes if code is not ExitCode.OK), ExitCode.OK),
        results=tuple(result for report in reports for result in report.results),
        health=tuple(health for report in reports for health in report.health),
        failure=next((report.failure for report in reports if report.failure is not None), None),
        warnings=tuple(sorted({warning for report in reports for warning in report.warnings})),
    )
