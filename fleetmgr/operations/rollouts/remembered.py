"""Earlier rollouts of a fleet, and what they mean for the run that begins: go on, take over, or keep out."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from fleetmgr.errors import ExitCode, FleetError, Refused, UsageError
from fleetmgr.model.change import Plan
from fleetmgr.model.rollout_history import RolloutStatus
from fleetmgr.model.selection import Selection
from fleetmgr.operations.rollouts.journal import Journal
from fleetmgr.operations.rollouts.memory import Shelf, ask_all
from fleetmgr.operations.walk import Walk
from fleetmgr.rollout.record import RolloutRecord, merged
from fleetmgr.rollout.state import Request, State


class RolloutPaused(Refused):
    """A person has paused this very rollout."""

    code: ClassVar[str] = "FLT-5037"
    exit_code: ClassVar[ExitCode] = ExitCode.APPROVAL


class OtherRevision(FleetError):
    """The rollout is of another revision than these files."""

    code: ClassVar[str] = "FLT-2043"
    exit_code: ClassVar[ExitCode] = ExitCode.STALE


class Earlier(Struct, frozen=True, kw_only=True):
    """``going_on``: the rollout that this run continues; ``taken_over``: unfinished ones that it ends."""

    going_on: RolloutRecord | None = None
    taken_over: tuple[RolloutRecord, ...] = ()


def shelves_of(walk: Walk, plan: Plan) -> dict[str, Shelf]:
    """The shelf of every cluster that the plan could look at."""
    fleet = walk.loaded.fleet.name
    parts = [part for part in plan.clusters if part.failure is None and part.cluster in walk.scenes]
    return {
        part.cluster: Shelf(
            lambda client=walk.scenes[part.cluster].client: client, fleet=fleet, cluster=part.cluster
        )
        for part in parts
    }


def earlier(walk: Walk, plan: Plan, selection: Selection, shelves: Mapping[str, Shelf]) -> Earlier:
    """Raises RolloutPaused (exit 7) where a person has paused a rollout of this revision, OtherRevision (exit 6)
    where the one to resume is of another, UsageError where there is none to resume."""
    known = merged(ask_all(shelves, lambda _, shelf: shelf.all()).copies())
    wanted = walk.pace.resume
    if wanted:
        return Earlier(going_on=to_resume(known, wanted, plan.revision))
    open_ones = [record for record in known.values() if not record.over]
    ours = [r for r in open_ones if _overlaps(r, plan, selection)]
    same = [r for r in ours if _committed(plan) and r.revision == plan.revision]
    paused = next((r for r in same if paused_by(r) is not None), None)
    if paused is not None:
        raise _paused(paused)
    going_on = next((r for r in same if r.selection == selection), None)
    return Earlier(going_on=going_on, taken_over=tuple(r for r in ours if r is not going_on))


def paused_by(record: RolloutRecord) -> Request | None:
    """The pause that holds a rollout, if one does."""
    if record.status is RolloutStatus.PAUSED:
        return record.state.paused or Request(
            kind="Pause", who=record.actor, why=record.why, at=record.state.seen.wall
        )
    asked = [r for r in record.requests if r.kind in ("Pause", "Resume")]
    return asked[-1] if asked and asked[-1].kind == "Pause" else None


def _paused(record: RolloutRecord) -> RolloutPaused:
    pause = paused_by(record)
    who = f" by {pause.who}{f': {pause.why}' if pause.why else ''}" if pause is not None else ""
    return RolloutPaused(
        f"rollout {record.id} of this revision was paused{who}",
        hint=f"`fleet rollout resume {record.id}` goes on, `fleet rollout abort {record.id} --reason ...` ends it",
    )


def to_resume(known: Mapping[str, RolloutRecord], wanted: str, revision: str) -> RolloutRecord:
    """The rollout of id ``wanted``. Raises UsageError where there is none or it is over, and OtherRevision."""
    record = known.get(wanted)
    if record is None:
        raise UsageError(
            f"no cluster that answers knows rollout {wanted}",
            hint="`fleet rollout list` shows them",
        )
    if record.over:
        raise UsageError(
            f"rollout {wanted} is over: {record.status.value}", hint="`fleet apply` begins a new one"
        )
    if record.revision != revision:
        raise OtherRevision(
            f"rollout {wanted} is of revision {record.revision or '(none)'}, these files are "
            f"{revision or 'in no commit'}",
            hint=f"`git checkout {record.revision.removesuffix('+dirty')}` and resume, or `fleet apply` to roll out "
            "what is here instead: it takes over",
        )
    return record


def _committed(plan: Plan) -> bool:
    return bool(plan.revision) and not plan.revision.endswith("+dirty")


def _overlaps(record: RolloutRecord, plan: Plan, selection: Selection) -> bool:
    """Whether both change the same clusters, and not different apps of them."""
    here = {part.cluster for part in plan.clusters}
    apart = record.selection.apps and selection.apps and not set(record.selection.apps) & set(selection.apps)
    changed = (name for step in record.state.plan.steps for name in step.clusters)
    return not apart and any(name in here for name in changed)


def take_over(walk: Walk, found: Earlier, shelves: Mapping[str, Shelf], by: str) -> None:
    """Newest commit wins: end the rollouts that this one takes over, wherever they are remembered; one that still
    runs sees it within seconds."""
    if not found.taken_over:
        return
    request = Request(kind="Supersede", who=walk.actor, why=by, at=walk.clock.now())
    ask_all(
        shelves,
        lambda _, shelf: [
            shelf.write(
                replace(
                    record,
                    counter=record.counter + 1,
                    status=RolloutStatus.SUPERSEDED,
                    why=f"superseded by {by}",
                    requests=(*record.requests, request),
                )
            )
            for record in found.taken_over
            if shelf.read(record.id) is not None
        ],
    )


def journal_of(  # noqa: PLR0913 - what a record holds
    walk: Walk,
    state: State,
    found: Earlier,
    selection: Selection,
    *,
    rollout: str,
    shelves: Mapping[str, Shelf],
    aside: Executor,
) -> Journal:
    """The journal of a new rollout called ``rollout``, or of the one that is continued."""
    now = walk.clock.now()
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    record = RolloutRecord(
        id=rollout,
        fleet=walk.loaded.fleet.name,
        counter=0,
        plan_id=state.plan.plan_id,
        revision=state.plan.revision,
        actor=walk.actor,
        started_at=at,
        updated_at=at,
        status=RolloutStatus.RUNNING,
        state=state,
        selection=selection,
    )
    if found.going_on is not None:
        before = found.going_on
        record = replace(
            before,
            plan_id=record.plan_id,
            actor=walk.actor,
            updated_at=at,
            status=RolloutStatus.RUNNING,
            state=state,
            requests=(*before.requests, Request(kind="Resume", who=walk.actor, why=walk.pace.reason, at=now)),
        )
    return Journal(record, shelves, clock=walk.clock, aside=aside)


def new_id(walk: Walk, plan: Plan) -> str:
    """Sorts by time; may be part of an object's name."""
    return f"{walk.clock.now():%Y%m%d-%H%M%S}-{plan.id[:8]}"
