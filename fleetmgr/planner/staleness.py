"""Whether what was planned is still true: the saved plan against the same plan made now, object by object."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from fleetmgr.errors import Problem, Where
from fleetmgr.model.change import Change, ClusterPlan, FieldDiff, Op
from fleetmgr.model.jsontypes import Json
from fleetmgr.model.objects import ObjectKey
from fleetmgr.model.saved_plan import Binding, SavedCluster, SavedPlan

STALE = "FLT-2045"
_AGAIN = "plan again and look at what changed"
_LONGEST_VALUE = 60


def differences(saved: SavedPlan, now: SavedPlan) -> list[Problem]:
    """Everything that is not as it was planned, by cluster and object; values of Secrets are never named.

    Clusters that could not be looked at, then or now, are passed over: they are not applied to.
    """
    found: list[Problem] = []
    plans = {part.cluster: part for part in now.plan.clusters}
    bound = {part.name: part for part in now.clusters}
    bound_then = {part.name: part for part in saved.clusters}
    for part in saved.plan.clusters:
        current = plans.get(part.cluster)
        if part.failure is not None or (current is not None and current.failure is not None):
            continue
        if current is None or part.cluster not in bound or part.cluster not in bound_then:
            found.append(
                _problem(f"cluster {part.cluster} is no longer selected", Where(cluster=part.cluster))
            )
            continue
        found += _cluster(part, current, bound_then[part.cluster], bound[part.cluster])
    return found


def _problem(message: str, where: Where) -> Problem:
    return Problem(message=message, where=where, hint=_AGAIN, code=STALE)


def _cluster(
    then: ClusterPlan, now: ClusterPlan, saved: SavedCluster, bound: SavedCluster
) -> Iterator[Problem]:
    name = then.cluster
    if saved.key_id != bound.key_id:
        yield _problem(
            "its key for digests of Secrets cannot be read, or is another one: Secrets cannot be compared",
            Where(cluster=name),
        )
        return
    if then.first_contact != now.first_contact:
        said = "somebody has applied to it since" if then.first_contact else "its marker is gone"
        yield _problem(f"it is not the cluster that was planned for: {said}", Where(cluster=name))
        return
    if then.engine != now.engine:
        yield _problem(
            f"it was planned for the {then.engine} engine, not for {now.engine}", Where(cluster=name)
        )
        return
    before, after = _touched(then), _touched(now)
    changed: set[str] = set()
    bindings = ({b.key: b for b in saved.bindings}, {b.key: b for b in bound.bindings})
    for key in sorted({*before, *after}):
        problems = list(_object(name, before.get(key), after.get(key), _both(key, bindings)))
        if problems:
            changed.add((before.get(key) or after[key]).app)
        yield from problems
    yield from _apps(name, saved, bound, changed)


def _touched(part: ClusterPlan) -> dict[ObjectKey, Change]:
    return {change.ref.key: change for change in part.changes if change.op is not Op.KEEP}


def _both(
    key: ObjectKey, bindings: tuple[Mapping[ObjectKey, Binding], Mapping[ObjectKey, Binding]]
) -> tuple[Binding, Binding]:
    none = Binding(key=key)
    return bindings[0].get(key, none), bindings[1].get(key, none)


def _object(
    cluster: str, then: Change | None, now: Change | None, bindings: tuple[Binding, Binding]
) -> Iterator[Problem]:
    shown = then or now
    if shown is None:
        return
    where = Where(cluster=cluster, object=str(shown.ref))
    if then is None:
        yield _problem(f"{shown.ref.short}: {shown.op.value} is not in the saved plan", where)
        return
    if now is None:
        yield _problem(f"{shown.ref.short}: {shown.op.value} was planned, now it is as desired", where)
        return
    if (then.op, then.app) != (now.op, now.app):
        planned, current = (f"{c.op.value} for app {c.app}" for c in (then, now))
        yield _problem(f"{shown.ref.short}: {planned} was planned, now it would be {current}", where)
        return
    yield from _content(cluster, then, now, bindings)


def _content(cluster: str, then: Change, now: Change, bindings: tuple[Binding, Binding]) -> Iterator[Problem]:
    where = Where(cluster=cluster, object=str(then.ref))
    planned, current = bindings
    if planned.uid != current.uid:
        yield _problem(f"{then.ref.short} was replaced by another object of this name", where)
        return
    fields = list(_fields(then, now))
    for path, message in fields:
        yield _problem(
            f"{then.ref.short}: {message}", Where(cluster=cluster, object=str(then.ref), field=path)
        )
    if fields:
        return
    if planned.version != current.version:
        yield _problem(f"{then.ref.short} was written since (resourceVersion)", where)
    elif planned.digest != current.digest or _how(then) != _how(now):
        yield _problem(
            f"{then.ref.short}: what is desired, or what differs from it, is not what was planned", where
        )


def _how(change: Change) -> tuple[object, ...]:
    return change.adoption, change.replacement, change.forced


def _fields(then: Change, now: Change) -> Iterator[tuple[str, str]]:
    before = {d.path: d for d in then.diff}
    after = {d.path: d for d in now.diff}
    secret = (then.ref.group, then.ref.kind) == ("", "Secret")
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if old == new:
            continue
        if old is None:
            yield path, "would be changed now, and was not planned to be"
        elif new is None:
            yield path, "was planned to be changed, and needs no change now"
        elif secret or old.sensitive or new.sensitive:
            yield path, "is not what was planned"
        else:
            yield path, _moved(old, new)


def _moved(old: FieldDiff, new: FieldDiff) -> str:
    parts: list[str] = []
    if old.old != new.old:
        parts.append(f"is {_value(new.old)} on the cluster now, was {_value(old.old)}")
    if old.new != new.new:
        parts.append(f"would become {_value(new.new)}, was planned to become {_value(old.new)}")
    return " and ".join(parts) or "is not what was planned"


def _value(value: Json) -> str:
    text = "absent" if value is None else json.dumps(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _apps(cluster: str, saved: SavedCluster, bound: SavedCluster, changed: set[str]) -> Iterator[Problem]:
    then, now = ({app.name: app for app in part.apps} for part in (saved, bound))
    for name in sorted({*then, *now} - changed):
        old, new = then.get(name), now.get(name)
        where = Where(cluster=cluster)
        if old is None or new is None:
            said = "is not in the saved plan" if old is None else "is no longer there"
            yield _problem(f"app {name} {said}", where)
        elif old.render != new.render:
            yield _problem(f"app {name}: what it renders is not what was planned with", where)
        elif old.last != new.last:
            at = new.last.partition(" ")[0]
            said = f"was applied at {at}, after the plan was made" if at else "has lost its record"
            yield _problem(f"app {name} {said}", where)
