"""``fleet rollout``: what the clusters remember of rollouts, and what people ask of them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from fleetmgr.errors import UsageError
from fleetmgr.expansion import clusters as selected_clusters
from fleetmgr.model.change import ClusterFailure
from fleetmgr.model.rollout_history import (
    RolloutCluster,
    RolloutHistory,
    RolloutRequest,
    RolloutStatus,
    RolloutStep,
    RolloutView,
    UnheardCluster,
)
from fleetmgr.model.selection import Selection
from fleetmgr.operations.revision import revision_of
from fleetmgr.operations.rollouts.memory import Heard, Shelf, ask_all
from fleetmgr.operations.rollouts.remembered import to_resume
from fleetmgr.operations.walk import Walk
from fleetmgr.rollout.record import RolloutRecord, merged
from fleetmgr.rollout.state import Request, State

_ENDED_BY = {"Abort": RolloutStatus.ABORTED, "Supersede": RolloutStatus.SUPERSEDED}
_STATUS = {"Pause": RolloutStatus.PAUSED, "Abort": RolloutStatus.ABORTED}


class Asked(Struct, frozen=True, kw_only=True):
    """A request that was written down: where, and of which rollout. ``running``: a run may be at work, and sees it
    within seconds."""

    rollout: RolloutView
    clusters: tuple[str, ...]
    running: bool
    unheard: tuple[UnheardCluster, ...]


def rollouts(walk: Walk, selection: Selection) -> RolloutHistory:
    """What the selected clusters remember, asked all at once; who does not answer is told."""
    shelves = _shelves(walk, selection)
    heard = ask_all(shelves, lambda _, shelf: shelf.all())
    return RolloutHistory(
        fleet=walk.loaded.fleet.name,
        rollouts=tuple(view_of(record) for record in merged(heard.copies()).values()),
        asked=tuple(name for name in shelves if name in heard.records),
        unheard=_unheard(walk, heard),
    )


def chosen(history: RolloutHistory, rollout: str | None) -> RolloutView:
    """The rollout of that id, or the newest. Raises UsageError."""
    found = next((r for r in history.rollouts if rollout in (None, r.id)), None)
    if found is None:
        raise UsageError(
            f"no cluster that answers knows rollout {rollout}" if rollout else "there was no rollout yet",
            hint="`fleet rollout list` shows them; one environment at once is none",
        )
    return found


def ask(walk: Walk, kind: str, rollout: str | None, why: str) -> Asked:
    """Have a rollout paused (``Pause``) or ended (``Abort``): written to every cluster that remembers it and can be
    reached. Raises UsageError where there is none that this could be asked of."""
    shelves = _shelves(walk, Selection())
    known = merged(ask_all(shelves, lambda _, shelf: shelf.all()).copies())
    record = next((r for r in known.values() if rollout == r.id or (rollout is None and not r.over)), None)
    if record is None or record.over:
        told = f"rollout {rollout} is over" if record is not None else "there is no rollout under way"
        raise UsageError(told, hint="`fleet rollout list` shows them")
    request = Request(kind=kind, who=walk.actor, why=why, at=walk.clock.now())
    running = record.status is RolloutStatus.RUNNING
    asked = replace(record, requests=(*record.requests, request))
    if not running:  # nobody is at work who could take it in
        status = _STATUS[kind]
        told = f"{status.value} by {request.who}: {why}"
        asked = replace(asked, status=status, why=told, counter=record.counter + 1)

    def write(_: str, shelf: Shelf) -> tuple[RolloutRecord, ...]:
        return (shelf.write(asked),) if shelf.read(asked.id) is not None else ()

    heard = ask_all(shelves, write)
    return Asked(
        rollout=view_of(asked),
        clusters=tuple(name for name in shelves if heard.records.get(name)),
        running=running,
        unheard=_unheard(walk, heard),
    )


def resumable(walk: Walk, rollout: str | None) -> RolloutRecord:
    """The rollout to go on with: that one, or the newest that is not over.

    Raises UsageError where there is none, OtherRevision (exit 6) where it is of another revision than these files.
    """
    known = merged(ask_all(_shelves(walk, Selection()), lambda _, shelf: shelf.all()).copies())
    name = rollout or next((r.id for r in known.values() if not r.over), None)
    if name is None:
        raise UsageError("there is no rollout to go on with", hint="`fleet rollout list` shows them")
    return to_resume(known, name, revision_of(walk.repository))


def view_of(record: RolloutRecord) -> RolloutView:
    """A record for people: asked for from outside counts as soon as it is written."""
    ended = next((r for r in record.requests if r.kind in _ENDED_BY), None)
    status, why = record.status, record.why
    if ended is not None and not status.over:
        status, why = _ENDED_BY[ended.kind], f"{ended.who}: {ended.why}"
    asked = sorted({*record.requests, *record.state.requests}, key=lambda r: (r.at, r.kind))
    return RolloutView(
        id=record.id,
        plan_id=record.plan_id,
        revision=record.revision,
        actor=record.actor,
        started_at=record.started_at,
        updated_at=record.updated_at,
        status=status,
        why=why,
        steps=_steps(record.state, done=status is RolloutStatus.DONE),
        requests=tuple(
            RolloutRequest(kind=r.kind.lower(), who=r.who, why=r.why, at=r.at.strftime("%Y-%m-%dT%H:%M:%SZ"))
            for r in asked
        ),
    )


def _steps(state: State, *, done: bool) -> tuple[RolloutStep, ...]:
    return tuple(
        RolloutStep(
            environment=step.environment,
            wave=step.wave,
            state="done" if done or number < state.step else "current" if number == state.step else "to come",
            clusters=tuple(
                RolloutCluster(
                    cluster=name, phase=state.members[name].phase.value, message=state.members[name].message
                )
                for name in step.members
            ),
            soak=step.soak,
        )
        for number, step in enumerate(state.plan.steps)
    )


def _shelves(walk: Walk, selection: Selection) -> Mapping[str, Shelf]:
    fleet = walk.loaded.fleet.name
    return {
        c.name: Shelf(lambda name=c.name: walk.connector.connect(name), fleet=fleet, cluster=c.name)
        for c in selected_clusters(walk.loaded, selection)
    }


def _unheard(walk: Walk, heard: Heard) -> tuple[UnheardCluster, ...]:
    return tuple(
        UnheardCluster(
            cluster=c.name,
            environment=c.environment,
            failure=ClusterFailure(
                problem=heard.failures[c.name].problem(), exit_code=heard.failures[c.name].exit_code
            ),
        )
        for c in walk.loaded.fleet.clusters
        if c.name in heard.failures
    )
