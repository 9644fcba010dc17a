"""``fleet explain --waiting``: what waits for what, as a short tree with the worst first, and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fleetmgr.model.enumeration import counted
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.order import AppOrder, OrderStep
from fleetmgr.model.verdict import Verdict
from fleetmgr.model.waiting import AppWaiting, ClusterWaiting, FleetWaiting, Wait, WaitKind, WaitState
from fleetmgr.reporting.clusters import cluster_data
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.plan_text import short_revision
from fleetmgr.reporting.problems import API_VERSION, failure_lines
from fleetmgr.reporting.style import PLAIN, Paint
from fleetmgr.reporting.wording import code_name, names

_SHOWN = 3
_WORST_FIRST = tuple(reversed(WaitState))
_HELD = (WaitState.WAITING, WaitState.STUCK)
"""Not over by an apply alone."""
_COLOURS = {WaitState.STUCK: "red", WaitState.WAITING: "yellow", WaitState.IN_ORDER: "cyan"}
_SAID = {
    WaitState.CLEAR: "nothing to wait for",
    WaitState.IN_ORDER: "goes in order",
    WaitState.WAITING: "waiting",
    WaitState.STUCK: "stuck",
}
_WHAT = {
    WaitKind.APP: "app",
    WaitKind.HOOK: "hook",
    WaitKind.SYNC_WAVE: "sync wave",
    WaitKind.DEPENDS_ON: "objects",
    WaitKind.HEALTH: "its own health",
    WaitKind.OBJECT: "object",
    WaitKind.CONFIRMATION: "confirmation",
    WaitKind.REFUSAL: "guard",
    WaitKind.ENVIRONMENT: "environment",
    WaitKind.WAVE: "wave",
    WaitKind.WINDOW: "window",
    WaitKind.ROLLOUT: "rollout",
    WaitKind.LOCK: "lock",
}


def waiting_text(found: FleetWaiting, *, whole: bool = False, paint: Paint = PLAIN) -> str:
    """Clusters that wait for the same once; ``whole``: with what is clear, and the order of each app."""
    at = f" at {visible(short_revision(found.revision))}" if found.revision else ""
    lines = [f"Fleet {visible(found.fleet)}{at}: {_summary(found)}"]
    groups: dict[tuple[str, ...], list[ClusterWaiting]] = {}
    for cluster in sorted(found.clusters, key=_rank):
        groups.setdefault(tuple(_cluster(cluster, whole=whole, paint=paint)), []).append(cluster)
    for body, clusters in groups.items():
        first = clusters[0]
        if first.failure is None and not body:
            continue
        said = code_name(first.failure.exit_code) if first.failure is not None else _SAID[first.state]
        colour = "red" if first.failure is not None else _COLOURS.get(first.state, "green")
        lines += ["", f"{names([c.cluster for c in clusters])}: {paint(colour, said)}", *body]
    return "\n".join(lines) + "\n"


def _summary(found: FleetWaiting) -> str:
    """``1 app of 4 is stuck, 1 waits; 1 cluster unreachable``."""
    apps = [app for cluster in found.clusters for app in cluster.apps]
    failed = sum(c.failure is not None for c in found.clusters)
    parts = [
        f"{number} {verb}"
        for state, verb in (
            (WaitState.STUCK, "stuck"),
            (WaitState.WAITING, "waiting"),
            (WaitState.IN_ORDER, "to go in order"),
        )
        if (number := sum(app.state is state for app in apps))
    ]
    told = f"{', '.join(parts)} of {counted(len(apps), 'app')}" if parts else "no app waits for anything"
    held = [c for c in found.clusters if any(w.state in _HELD for w in c.waits)]
    told += f"; {counted(len(held), 'cluster')} held up" if held else ""
    return f"{told}; {counted(failed, 'cluster')} could not be read" if failed else told


def _rank(cluster: ClusterWaiting) -> tuple[bool, int]:
    return cluster.failure is None, _WORST_FIRST.index(cluster.state)


def _cluster(cluster: ClusterWaiting, *, whole: bool, paint: Paint) -> Iterator[str]:
    if cluster.failure is not None:
        yield from (f"    {line}" for line in failure_lines(cluster.failure, paint))
        return
    for wait in _sorted(cluster.waits):
        yield from _wait(wait, "  ", paint)
    apps = {app.app: app for app in cluster.apps}
    for app in sorted(cluster.apps, key=lambda a: _WORST_FIRST.index(a.state)):
        if whole or _worth_telling(app):
            yield from _app(app, apps, whole=whole, paint=paint)
    yield from (f"  note: {visible(note)}" for note in cluster.notes)


def _worth_telling(app: AppWaiting) -> bool:
    """What goes by itself at the next apply is the order, and no news."""
    if app.state is not WaitState.CLEAR:
        return True
    return any(wait.state in _HELD for wait in app.waits)


def _app(app: AppWaiting, apps: dict[str, AppWaiting], *, whole: bool, paint: Paint) -> Iterator[str]:
    state = paint(_COLOURS.get(app.state, "green"), _SAID[app.state])
    to_write = counted(app.pending, "change") if app.pending else "nothing to write"
    later = not app.pending and any(w.state is not WaitState.CLEAR and _needs(w) for w in app.waits)
    note = "; its next change would wait:" if later else ""
    yield f"  {visible(app.app)}: {state} ({app.health.status.value}, {to_write}){note}"
    yield from _waits(app, apps, "    ", whole=whole, paint=paint)
    if whole:
        yield from _order(app.order)


def _needs(wait: Wait) -> bool:
    return wait.kind is WaitKind.APP


def _waits(
    app: AppWaiting, apps: dict[str, AppWaiting], indent: str, *, whole: bool, paint: Paint
) -> Iterator[str]:
    """What an app waits for, and below each other app what that waits for in turn."""
    for wait in _sorted(app.waits):
        if wait.state is WaitState.CLEAR and not whole:
            continue
        yield from _wait(wait, indent, paint)
        if wait.kind is WaitKind.APP and wait.on in apps:
            further = [w for w in apps[wait.on].waits if w.kind is WaitKind.APP]
            if any(w.state is not WaitState.CLEAR for w in further):
                yield from _waits(apps[wait.on], apps, f"{indent}  ", whole=False, paint=paint)


def _sorted(waits: Sequence[Wait]) -> list[Wait]:
    return sorted(waits, key=lambda w: _WORST_FIRST.index(w.state))


def _wait(wait: Wait, indent: str, paint: Paint) -> Iterator[str]:
    what, on = _WHAT[wait.kind], f" {visible(wait.on)}"
    if wait.kind is WaitKind.HEALTH:
        on = ""
    elif wait.kind is WaitKind.SYNC_WAVE:
        what = "sync" if wait.on.startswith("wave ") else ""
    who = f"{_refs(wait.objects)}: " if wait.objects and wait.kind is not WaitKind.REFUSAL else ""
    until = f" (until {wait.until})" if wait.until else ""
    colour = _COLOURS.get(wait.state, "dim")
    yield f"{indent}{who}waits for{f' {what}' if what else ''}{paint(colour, on)}: {visible(wait.why)}{until}"
    if wait.hint and wait.state in _HELD:
        yield f"{indent}  hint: {visible(wait.hint)}"


def _refs(refs: Sequence[ObjectRef]) -> str:
    shown = ", ".join(visible(ref.short) for ref in refs[:_SHOWN])
    return shown if len(refs) <= _SHOWN else f"{shown} and {len(refs) - _SHOWN} more"


def _order(order: AppOrder) -> Iterator[str]:
    """In which order an apply goes through the app."""
    if order.needed_by:
        yield f"    needed by {names(order.needed_by)}"
    for number, step in enumerate(order.steps, 1):
        after = f" (waits for {step.waits_for})" if step.waits_for else ""
        yield f"    {number}. {step.phase}, wave {step.wave}: {_refs((*step.members, *step.hooks))}{after}"


def waiting_data(found: FleetWaiting, verdict: Verdict) -> JsonObject:
    """Kind ``WaitingFor`` (``Waiting`` is an event)."""
    return {
        "apiVersion": API_VERSION,
        "kind": "WaitingFor",
        "fleet": found.fleet,
        "revision": found.revision,
        "at": found.at,
        "exitCode": int(verdict.exit_code),
        "reason": verdict.reason,
        "summary": {
            "clusters": len(found.clusters),
            "unread": sum(c.failure is not None for c in found.clusters),
            **{
                state.value: sum(app.state is state for c in found.clusters for app in c.apps)
                for state in WaitState
            },
        },
        "clusters": [_cluster_data(cluster, verdict) for cluster in found.clusters],
    }


def _cluster_data(cluster: ClusterWaiting, verdict: Verdict) -> JsonObject:
    data: JsonObject = {
        **cluster_data(cluster, verdict),
        "state": cluster.state.value,
        "waits": [_wait_data(wait) for wait in cluster.waits],
        "apps": [_app_data(app) for app in cluster.apps],
    }
    return data | ({"notes": list(cluster.notes)} if cluster.notes else {})


def _app_data(app: AppWaiting) -> JsonObject:
    return {
        "name": app.app,
        "state": app.state.value,
        "health": {"status": app.health.status.value, "message": app.health.message},
        "pending": app.pending,
        "dependsOn": list(app.order.after),
        "neededBy": list(app.order.needed_by),
        "waits": [_wait_data(wait) for wait in app.waits],
        "steps": [_step_data(step) for step in app.order.steps],
    }


def _step_data(step: OrderStep) -> JsonObject:
    return {
        "phase": step.phase,
        "wave": step.wave,
        "objects": [str(ref) for ref in step.members],
        "hooks": [str(ref) for ref in step.hooks],
        "waitsFor": step.waits_for,
    }


def _wait_data(wait: Wait) -> JsonObject:
    data: JsonObject = {
        "kind": wait.kind.value,
        "on": wait.on,
        "state": wait.state.value,
        "why": wait.why,
        "objects": [str(ref) for ref in wait.objects],
    }
    data |= {"hint": wait.hint} if wait.hint else {}
    return data | ({"until": wait.until} if wait.until else {})
