"""What holds the apps of one cluster up: their order (``waiting``) against what is to be written and how it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from fleetmgr.model.change import Change, Op
from fleetmgr.model.enumeration import counted
from fleetmgr.model.health import Health, HealthStatus
from fleetmgr.model.objects import ObjectKey, ObjectRef
from fleetmgr.model.order import AppOrder, OrderStep
from fleetmgr.model.ordering import Phase
from fleetmgr.model.report import ObjectHealth
from fleetmgr.model.waiting import AppWaiting, Wait, WaitKind, WaitState, worst_wait

_WELL = frozenset({HealthStatus.HEALTHY, HealthStatus.SUSPENDED})
"""As the gates of an apply: what is suspended holds nothing back."""
_BLOCKED = frozenset({Op.CONFLICT, Op.DENIED})


class AppNow(Struct, frozen=True, kw_only=True):
    """What is known of one app: ``changes`` of an apply, health of its objects, and ``runs``: the health of hooks
    that are on the cluster as runs of this very change."""

    changes: tuple[Change, ...]
    health: Health
    objects: tuple[ObjectHealth, ...]
    runs: Mapping[tuple[str, ObjectKey], Health] = field(default_factory=dict[tuple[str, ObjectKey], Health])

    @property
    def writes(self) -> tuple[Change, ...]:
        """What an apply sends; deletes that nobody has confirmed are not sent."""
        return tuple(c for c in self.changes if c.due)

    @property
    def blocked(self) -> tuple[Change, ...]:
        """What cannot be written: it fails the app."""
        return tuple(c for c in self.changes if c.op in _BLOCKED)

    @property
    def unconfirmed(self) -> tuple[Change, ...]:
        """Deletes that wait for somebody's yes."""
        return tuple(c for c in self.changes if c.op.writes and c.needs is not None)


def held_up(orders: tuple[AppOrder, ...], now: Mapping[str, AppNow]) -> tuple[AppWaiting, ...]:
    """Every app of ``orders`` (dependencies first) that ``now`` knows, with what it waits for."""
    found: dict[str, AppWaiting] = {}
    for order in orders:
        if order.app in now:
            found[order.app] = _waiting(order, now, found)
    return tuple(found.values())


def _waiting(order: AppOrder, now: Mapping[str, AppNow], before: Mapping[str, AppWaiting]) -> AppWaiting:
    own = now[order.app]
    pending = len(own.writes) + len(own.unconfirmed)
    needed = [_dependency(now[app], before[app]) for app in order.after if app in before]
    inside = [*_objects(own), *_confirmations(own), *_steps(order, own)]
    health = [] if pending else list(_health(order.app, own))
    counted = [*needed, *inside] if pending else [*inside, *health]
    return AppWaiting(
        app=order.app,
        health=own.health,
        pending=pending,
        state=worst_wait(wait.state for wait in counted),
        order=order,
        waits=(*needed, *inside, *health),
    )


def _dependency(own: AppNow, waiting: AppWaiting) -> Wait:
    """The wait for an app: what it lacks itself or, where that is worse, what it waits for in turn."""
    state, why = _lack(own)
    further = [w for w in waiting.waits if w.kind is WaitKind.APP]
    worse = max(further, key=lambda w: list(WaitState).index(w.state), default=None)
    if worse is not None and worst_wait([state, worse.state]) is not state:
        state, why = worse.state, f"waits for app {worse.on} in turn"
    return Wait(kind=WaitKind.APP, on=waiting.app, state=state, why=why)


def _lack(own: AppNow) -> tuple[WaitState, str]:
    """What keeps an app from being written and Healthy."""
    ill = own.health.status not in _WELL
    how = (
        f"{own.health.status.value}: {own.health.message}" if own.health.message else own.health.status.value
    )
    if own.blocked:
        return WaitState.STUCK, f"cannot be written: {_named(own.blocked[0])}"
    if own.writes:
        number = "1 change is" if len(own.writes) == 1 else f"{len(own.writes)} changes are"
        return WaitState.IN_ORDER, f"{number} written first{f' (now {how})' if ill else ''}"
    if ill:
        return _of_health(own.health), how
    return WaitState.CLEAR, how


def _of_health(health: Health) -> WaitState:
    """A Degraded app fails an apply at once; anything else is waited for until the timeout."""
    return WaitState.STUCK if health.status is HealthStatus.DEGRADED else WaitState.WAITING


def _named(change: Change) -> str:
    return (
        f"{change.ref.short}: {change.reason}" if change.reason else f"{change.ref.short}: {change.op.value}"
    )


def _objects(own: AppNow) -> Iterator[Wait]:
    for change in own.blocked:
        yield Wait(
            kind=WaitKind.OBJECT,
            on=change.ref.short,
            state=WaitState.STUCK,
            why=change.reason or change.op.value,
            hint="`fleet plan` says more",
        )


def _confirmations(own: AppNow) -> Iterator[Wait]:
    if own.unconfirmed:
        number = len(own.unconfirmed)
        yield Wait(
            kind=WaitKind.CONFIRMATION,
            on=counted(number, "delete"),
            state=WaitState.STUCK,
            why="nobody has confirmed it" if number == 1 else "nobody has confirmed them",
            hint="`fleet apply --confirm-deletes` does",
            objects=tuple(c.ref for c in own.unconfirmed),
        )


def _health(app: str, own: AppNow) -> Iterator[Wait]:
    if own.health.status not in _WELL:
        why = own.health.message or own.health.status.value
        yield Wait(kind=WaitKind.HEALTH, on=app, state=_of_health(own.health), why=why)


class _Step(Struct, frozen=True, kw_only=True):
    """A step of the order with what of it is to be done, and what of it is not well though nothing changes it."""

    step: OrderStep
    todo: tuple[ObjectRef, ...]
    hooks: tuple[ObjectRef, ...]
    ill: tuple[ObjectHealth, ...]


def _steps(order: AppOrder, own: AppNow) -> Iterator[Wait]:
    """Each step with something to do, behind the last one before it that is not done and well."""
    before: _Step | None = None
    for step in order.steps:
        here = _here(step, own)
        if before is not None and (here.todo or here.hooks):
            yield _behind(before, here, own)
        if here.todo or here.hooks or here.ill:
            before = here


def _here(step: OrderStep, own: AppNow) -> _Step:
    todo = {c.ref.key for c in own.writes if c.hook is None and c.op is not Op.DELETE}
    due = {c.ref.key for c in own.writes if c.hook is not None and c.hook.phase == step.phase}
    members = {ref.key for ref in step.members}
    return _Step(
        step=step,
        todo=tuple(ref for ref in step.members if ref.key in todo),
        hooks=tuple(ref for ref in step.hooks if ref.key in due),
        ill=tuple(
            o
            for o in own.objects
            if o.ref.key in members and o.ref.key not in todo and o.health.status not in _WELL
        ),
    )


def _behind(before: _Step, here: _Step, own: AppNow) -> Wait:
    state, why = _undone(before, own)
    named = before.step
    if before.hooks:
        kind, on = WaitKind.HOOK, f"{named.phase} {', '.join(ref.short for ref in before.hooks)}"
    elif (named.phase, named.wave) == (here.step.phase, here.step.wave):
        refs = [*before.todo, *(o.ref for o in before.ill)]
        kind, on = WaitKind.DEPENDS_ON, ", ".join(ref.short for ref in refs)
    elif here.step.phase == Phase.POST_SYNC:
        kind, on = WaitKind.SYNC_WAVE, "the whole app"
    else:
        kind, on = WaitKind.SYNC_WAVE, f"wave {named.wave}"
    return Wait(kind=kind, on=on, state=state, why=why, objects=(*here.todo, *here.hooks))


def _undone(step: _Step, own: AppNow) -> tuple[WaitState, str]:
    ill = max(step.ill, key=lambda o: o.health.status is HealthStatus.DEGRADED, default=None)
    if ill is not None:
        told = f"{ill.ref.short} is {ill.health.status.value}"
        return _of_health(ill.health), f"{told}: {ill.health.message}" if ill.health.message else told
    for ref in step.hooks:
        run = own.runs.get((step.step.phase, ref.key))
        if run is not None and run.status is HealthStatus.DEGRADED:
            return WaitState.IN_ORDER, f"{ref.short} failed and runs again: {run.message}"
        if run is not None and run.status not in _WELL:
            return WaitState.WAITING, f"{ref.short} runs now"
    if step.hooks:
        return WaitState.IN_ORDER, "runs first"
    return WaitState.IN_ORDER, f"{', '.join(ref.short for ref in step.todo[:3])} must be Healthy first"
