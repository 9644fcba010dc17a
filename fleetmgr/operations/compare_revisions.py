"""``fleet diff BASE..HEAD``: what two revisions render, compared object by object. No cluster is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from fleetmgr.errors import InvalidInput, UsageError
from fleetmgr.expansion import clusters as selected_clusters
from fleetmgr.expansion.select import EmptySelection, UnknownSelection
from fleetmgr.model.change import Change, ClusterPlan, ClusterStatus, Op, Plan
from fleetmgr.model.objects import ObjectKey
from fleetmgr.model.resource import Resource
from fleetmgr.model.selection import Selection
from fleetmgr.operations.render import render
from fleetmgr.planner.build import build
from fleetmgr.ports.source_fetcher import SourceFetcher

if TYPE_CHECKING:
    from fleetmgr.spec import LoadedFleet


class Revision(Struct, frozen=True, kw_only=True):
    """A fleet as it is at ``name``: a shortened commit, or ``working tree``."""

    name: str
    loaded: LoadedFleet
    fetcher: SourceFetcher


class _Rendered(Struct, frozen=True, kw_only=True):
    """The selected objects of one cluster."""

    environment: str
    objects: Mapping[ObjectKey, Resource]


def parse_range(text: str) -> tuple[str, str]:
    """``BASE..HEAD`` in its two parts; HEAD is "" for the working tree. Raises UsageError."""
    base, dots, head = text.partition("..")
    if not dots or not base or head.startswith("."):
        raise UsageError(
            f"`{text}` is no range of revisions",
            hint="write BASE..HEAD, such as origin/main..HEAD, or BASE.. for the working tree",
        )
    return base, head


def compare(base: Revision, head: Revision, selection: Selection) -> Plan:
    """The differences as a Plan: create, update and delete say what enters, changes and leaves.

    Raises InvalidInput, with the revision's name, when one of them cannot be rendered, and UsageError for a
    selection that neither of them has.
    """
    before, after = _rendered(base, selection), _rendered(head, selection)
    if before is None and after is None:
        selected_clusters(head.loaded, selection)
    old, new = before or {}, after or {}
    plans = [_cluster(name, old.get(name), new.get(name)) for name in dict.fromkeys((*new, *old))]
    revision = f"{base.name}..{head.name}"
    plan = build(head.loaded.fleet.name, revision, plans, partial=not selection.everything)
    return replace(plan, compared=(base.name, head.name))


def _rendered(revision: Revision, selection: Selection) -> dict[str, _Rendered] | None:
    """By cluster; None when the selection names nothing of this revision."""
    try:
        chosen = selected_clusters(revision.loaded, selection)
        stacks = list(render(revision.loaded, revision.fetcher, chosen))
    except (UnknownSelection, EmptySelection):
        return None
    except InvalidInput as error:
        raise told_at(error, revision.name) from None
    return {
        stack.cluster: _Rendered(
            environment=stack.environment,
            objects={
                resource.ref.key: resource
                for resource in stack.everything()
                if not selection.apps or resource.app in selection.apps
            },
        )
        for stack in stacks
    }


def told_at(error: InvalidInput, name: str) -> InvalidInput:
    """The problems with the revision that they are of."""
    return InvalidInput(tuple(replace(p, message=f"at {name}: {p.message}") for p in error.problems))


def _cluster(name: str, old: _Rendered | None, new: _Rendered | None) -> ClusterPlan:
    before: Mapping[ObjectKey, Resource] = old.objects if old else {}
    after: Mapping[ObjectKey, Resource] = new.objects if new else {}
    changes = [
        change
        for key in {**before, **after}
        if (change := _change(before.get(key), after.get(key))) is not None
    ]
    changes.sort(key=lambda change: (change.app, change.ref))
    known = new or old
    return ClusterPlan(
        cluster=name,
        environment=known.environment if known else "",
        status=ClusterStatus.CHANGED if changes else ClusterStatus.UNCHANGED,
        changes=tuple(changes),
    )


def _change(old: Resource | None, new: Resource | None) -> Change | None:
    shown = new or old
    if shown is None or (old and new and old.inputs == new.inputs):
        return None
    return Change(
        op=Op.CREATE if old is None else Op.DELETE if new is None else Op.UPDATE,
        app=shown.app,
        ref=shown.ref,
        origin=shown.origin,
        live=old.inputs if old else None,
        result=new.inputs if new else None,
    )
