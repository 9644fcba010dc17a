"""Whether a plan deletes more than it may. Nobody means to empty a cluster: a folder that moved, a bad merge of
fleet.yaml or a selector that matches nothing does. So a plan is judged as a whole before anything is written."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from fleetmgr.errors import Problem, Where
from fleetmgr.model.change import Change, ClusterPlan, Op, Plan, Refusal
from fleetmgr.model.enumeration import counted
from fleetmgr.model.limits import Allowance, AppLimits, ClusterLimits
from fleetmgr.model.objects import ObjectRef

OVER_BUDGET = "FLT-5002"
EMPTIED = "FLT-5003"
APPS_VANISH = "FLT-5004"

FLOOR = 10
"""So many deletes on one cluster are never too many where nobody says otherwise; for apps that vanish it is one."""
PART = 10
"""Per cent of what is owned."""

_GENERATED = re.compile(r"(.+)-([a-z0-9]{10})")
_KUSTOMIZE = re.compile(r"[bcdfghkmt2456789]{10}")
"""The alphabet of kustomize's hashes (kustomize api/hasher, ``encode``)."""
_NO_OBJECTS = frozenset({Op.UNPROVEN, Op.HOOK})
"""What says nothing of whether an app still has objects."""
_HASHED_KINDS = frozenset({"ConfigMap", "Secret"})


def refusals(
    plan: Plan, limits: Mapping[str, ClusterLimits], *, allowed: Allowance | None = None
) -> tuple[Refusal, ...]:
    """What an apply of ``plan`` would be refused for, by cluster in the plan's order; ``limits`` by cluster.

    ``allowed`` is what the command line says yes to: it replaces every limit, emptiness included.
    """
    found: list[Refusal] = []
    for part in plan.clusters:
        if losses(part.changes):
            found += _judged(part, limits[part.cluster]) if allowed is None else _given(part, allowed)
    return tuple(found)


def _given(part: ClusterPlan, allowed: Allowance) -> Iterator[Refusal]:
    lost = losses(part.changes)
    if len(lost) > allowed.of(sum(part.owned.values())):
        yield _over(part.cluster, None, lost, sum(part.owned.values()), allowed)


def _judged(part: ClusterPlan, limits: ClusterLimits) -> Iterator[Refusal]:
    lost = losses(part.changes)
    owned = sum(part.owned.values())
    emptied = list(_emptied(part))
    there = {app for app, number in part.owned.items() if number}
    stays = {c.app for c in part.changes if c.op not in _NO_OBJECTS and not _goes(c)}
    remaining = {*there, *stays} - {app for app, _ in emptied}
    if emptied and not remaining and not all(_may_be_empty(limits, app) for app, _ in emptied):
        yield _empty_entry(part, lost)
        return
    yield from _empty_apps(part, limits, emptied)
    own = {app: of.max_deletes for app, of in limits.apps.items() if of.max_deletes}
    for app, allowed in own.items():
        mine = [change for change in lost if change.app == app]
        if len(mine) > allowed.of(part.owned.get(app, 0)):
            yield _over(part.cluster, app, mine, part.owned.get(app, 0), allowed)
    counts = lost if limits.binding else [change for change in lost if change.app not in own]
    allowed = min(limits.max_deletes, key=lambda a: a.of(owned), default=_built_in(owned))
    if len(counts) > allowed.of(owned):
        yield _over(part.cluster, None, counts, owned, allowed)


def _built_in(owned: int) -> Allowance:
    return Allowance(number=max(FLOOR, owned * PART // 100), said_by="built-in")


def losses(changes: Sequence[Change]) -> list[Change]:
    """Deletes and replaces, without the deletes of what comes back under a new hash and those that wait for a
    confirmation."""
    spare: dict[tuple[str, str, str, str], Counter[str]] = defaultdict(Counter)
    for change in changes:
        base = _base(change.ref)
        if base and change.op is Op.CREATE:
            spare[change.app, change.ref.kind, change.ref.namespace, base]["any"] += 1
        elif base and change.op in (Op.KEEP, Op.UPDATE) and _KUSTOMIZE.fullmatch(change.ref.name[-10:]):
            spare[change.app, change.ref.kind, change.ref.namespace, base]["kustomize"] += 1
    return [
        change
        for change in changes
        if change.op is Op.REPLACE or (_goes(change) and not _succeeded(change, spare))
    ]


def _goes(change: Change) -> bool:
    return change.op is Op.DELETE and change.needs is None


def _base(ref: ObjectRef) -> str:
    """``settings`` of ConfigMap ``settings-b2m9k2t5h4``; "" for what has no hash in its name."""
    match = _GENERATED.fullmatch(ref.name) if not ref.group and ref.kind in _HASHED_KINDS else None
    return match[1] if match else ""


def _succeeded(change: Change, spare: Mapping[tuple[str, str, str, str], Counter[str]]) -> bool:
    """Takes a successor of ``change`` for it. One that is there already counts for a hash of kustomize only: names
    that merely end in ten letters are other people's data."""
    base = _base(change.ref)
    left = spare.get((change.app, change.ref.kind, change.ref.namespace, base)) if base else None
    if left is None:
        return False
    kind = "any" if left["any"] else "kustomize"
    if not left[kind] or (kind == "kustomize" and not _KUSTOMIZE.fullmatch(change.ref.name[-10:])):
        return False
    left[kind] -= 1
    return True


def _emptied(part: ClusterPlan) -> Iterator[tuple[str, list[Change]]]:
    """Apps that lose everything and get nothing, with what they lose."""
    by_app: dict[str, list[Change]] = defaultdict(list)
    for change in part.changes:
        if change.op not in _NO_OBJECTS:
            by_app[change.app].append(change)
    for app, changes in by_app.items():
        if all(map(_goes, changes)):
            yield app, changes


def _may_be_empty(limits: ClusterLimits, app: str) -> bool:
    return limits.apps.get(app, AppLimits(allow_empty=limits.allow_empty)).allow_empty


def _empty_entry(part: ClusterPlan, lost: Sequence[Change]) -> Refusal:
    apps = sorted({change.app for change in lost})
    of = f"{'app' if len(apps) == 1 else 'apps'} {', '.join(apps)}"
    message = f"everything that we own there would be deleted: {counted(len(lost), 'object')} of {of}"
    hint = (
        f"if the cluster is to be emptied, say so: --max-deletes {len(lost)}; if not, look at what fleet.yaml and "
        "the sources have lost"
    )
    return _refusal(EMPTIED, part.cluster, None, lost, message, hint)


def _empty_apps(
    part: ClusterPlan, limits: ClusterLimits, emptied: Sequence[tuple[str, list[Change]]]
) -> Iterator[Refusal]:
    """Apps in Git that render nothing any more, each; apps that are gone from Git, if there are many."""
    gone: list[tuple[str, list[Change]]] = []
    for app, changes in emptied:
        if app in part.removed:
            gone.append((app, changes))
        elif not _may_be_empty(limits, app):
            message = f"app {app} would become empty: its source renders nothing any more, and all its "
            message += f"{counted(len(changes), 'object')} would be deleted"
            hint = (
                f"look at what its source has lost; if this is meant: --max-deletes {len(losses(part.changes))}, "
                "or limits: {allowEmpty: true} in the app"
            )
            yield _refusal(EMPTIED, part.cluster, app, changes, message, hint)
    had = sum(1 for number in part.owned.values() if number)
    if len(gone) > max(1, had * PART // 100) and not limits.allow_empty:
        lost = [change for _, changes in gone for change in changes]
        names = sorted(app for app, _ in gone)
        message = f"{len(gone)} of {had} apps would go at once, with {counted(len(lost), 'object')}: {', '.join(names)}"
        hint = (
            "look at what fleet.yaml and the placements have lost; if this is meant: --max-deletes "
            f"{len(losses(part.changes))}, or remove one app at a time"
        )
        yield _refusal(APPS_VANISH, part.cluster, None, lost, message, hint)


def _over(cluster: str, app: str | None, lost: Sequence[Change], owned: int, allowed: Allowance) -> Refusal:
    counts = Counter(change.op for change in lost)
    what = " and ".join(f"{counts[op]} {op.value}" for op in (Op.DELETE, Op.REPLACE) if counts[op])
    whose = f"app {app} owns" if app else "we own"
    if allowed.said_by == "built-in":
        rule = f"{allowed} (the built-in budget: {FLOOR}, or {PART} % of them)"
    else:
        rule = f"{allowed} that {allowed.said_by} allows"
    message = f"{what} of the {counted(owned, 'object')} that {whose} there: more than the {rule}"
    hint = f"look at what is deleted; if it is meant, say how much: --max-deletes {len(lost)}"
    return _refusal(OVER_BUDGET, cluster, app, lost, message, hint)


def _refusal(
    code: str, cluster: str, app: str | None, lost: Sequence[Change], message: str, hint: str
) -> Refusal:
    problem = Problem(message=message, where=Where(cluster=cluster), hint=hint, code=code)
    return Refusal(cluster=cluster, app=app, problem=problem, objects=tuple(change.ref for change in lost))
