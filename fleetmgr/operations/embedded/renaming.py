"""Taking over what another fleet of ours holds on one cluster entry: the same objects under another fleet's name.

In an order in which a crash at any point loses track of nothing, and running again goes on from there: first our
marker and parents (both fleets then list the members), then each object, and the other fleet's parents and marker
last. Of an object change the labels that say whose it is and the name in managedFields: nothing restarts.
"""

from __future__ import annotations

from collections.abc import Iterable

from fleetmgr.engine.fieldset import entries
from fleetmgr.engine.inventory import Parent, marker_body, parent_body
from fleetmgr.engine.ownership import Owner, ownership
from fleetmgr.engine.renaming import relabelled, renamed_entries
from fleetmgr.errors import FleetError, Where
from fleetmgr.model.applyset import (
    FLEET_LABEL,
    PART_OF_LABEL,
    SYSTEM_NAMESPACE,
    key_name,
    marker_name,
    parent_name,
)
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.objects import ObjectKey, ref_of
from fleetmgr.model.resource import field_manager
from fleetmgr.operations.embedded.entry import CONFIG_MAPS, NAMESPACES, SECRETS, Contact, Entry, meet
from fleetmgr.operations.embedded.live import in_parallel, read_live
from fleetmgr.operations.embedded.write import TRIES
from fleetmgr.ports.cluster import ApiResource, ClusterClient, Discovery
from fleetmgr.ports.cluster_errors import AccessDenied, ObjectConflict
from fleetmgr.veiled import Veiled


class LeftBehind(FleetError):
    """Objects of the other fleet appeared or changed while they were taken over."""

    code = "FLT-2055"


class Holdings(Veiled, frozen=True, kw_only=True):
    """What the fleet ``before`` holds on an entry, and what of it has our name already."""

    VEILED = frozenset({"objects", "namespaces"})

    client: ClusterClient
    entry: Entry
    before: Entry
    known: bool
    """Whether the cluster knows the other fleet, or us already."""
    old: Contact
    new: Contact
    discovery: Discovery
    objects: dict[ObjectKey, JsonObject]
    """Objects still to be taken over."""
    namespaces: tuple[JsonObject, ...]
    """Those that ``createNamespace`` made."""

    @property
    def apps(self) -> tuple[str, ...]:
        """Apps whose memory is still the other fleet's, or that have objects left with it."""
        return tuple(sorted(self.old.parents))

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return not (self.old.parents or self.objects or self.namespaces or not self.old.first)


def holdings(client: ClusterClient, entry: Entry, before: Entry) -> Holdings:
    """Look at an entry. Raises WrongCluster for the cluster of another entry of either fleet, and ClusterError."""
    old, new = meet(client, before), meet(client, entry)
    discovery = client.discover()
    parents = [*old.parents.values(), *new.parents.values()]
    kinds = {kind for parent in parents for kind in parent.group_kinds}
    spaces = {name for parent in parents for name in parent.namespaces}
    found: dict[ObjectKey, JsonObject] = {}
    if old.parents:
        either = f"{FLEET_LABEL} in ({before.fleet},{entry.fleet})"
        found = read_live(client, discovery, selector=either, wanted=(), members=kinds, namespaces=spaces)
    ids = old.ids
    mine = {key: live for key, live in found.items() if _theirs(live, before, ids)}
    return Holdings(
        client=client,
        entry=entry,
        before=before,
        known=not (old.first and not old.parents and new.first),
        old=old,
        new=new,
        discovery=discovery,
        objects=mine,
        namespaces=tuple(_namespaces(client, before, spaces)) if old.parents else (),
    )


def _theirs(live: JsonObject, before: Entry, ids: dict[str, str]) -> bool:
    """Proven to be the other fleet's on this entry; or half taken over by a run that was killed: our labels are on it,
    the other's name is in managedFields."""
    manager = before.manager
    if ownership(live, manager=manager, ids=ids).owner is Owner.OURS:
        return True
    ours = object_at(live, "metadata", "labels").get(FLEET_LABEL) != before.fleet
    return ours and any(e.manager == manager and not e.subresource for e in entries(live))


def _namespaces(client: ClusterClient, before: Entry, names: Iterable[str]) -> Iterable[JsonObject]:
    for name in sorted(names):
        try:
            live = client.get(NAMESPACES, namespace="", name=name)
        except AccessDenied:
            continue
        if live is None or PART_OF_LABEL in object_at(live, "metadata", "labels"):
            continue
        if any(e.manager == before.manager and not e.subresource for e in entries(live)):
            yield live


def take_over(found: Holdings, *, now: str) -> None:
    """Make it ours. Raises LeftBehind when something is left (running again goes on), and ClusterError."""
    client, entry = found.client, found.entry
    if found.new.first:
        body = marker_body(fleet=entry.fleet, cluster=entry.cluster, since=now)
        client.apply(CONFIG_MAPS, body, manager=entry.manager, force=True, dry_run=False)
    for app, parent in sorted(found.old.parents.items()):
        _write_parent(found, app, parent)
    work = [(live, _served(found, live)) for live in (*found.objects.values(), *found.namespaces)]
    in_parallel(lambda item: _rename(found, *item), work)
    left = holdings(client, entry, found.before)
    if left.objects or left.namespaces:
        first = ref_of(next(iter((*left.objects.values(), *left.namespaces))))
        raise LeftBehind(
            f"{len(left.objects) + len(left.namespaces)} objects of fleet {found.before.fleet} appeared meanwhile, "
            f"{first.short} is one",
            where=Where(cluster=entry.cluster, object=str(first)),
            hint="run it again: it goes on from here",
        )
    _forget(found)


def _write_parent(found: Holdings, app: str, parent: Parent) -> None:
    mine = found.new.parents.get(app)
    kinds, spaces = parent.group_kinds, parent.namespaces
    if mine is not None:
        kinds, spaces = kinds | mine.group_kinds, spaces | mine.namespaces
    record = mine.record if mine is not None and mine.record is not None else parent.record
    body = parent_body(
        fleet=found.entry.fleet,
        cluster=found.entry.cluster,
        app=app,
        keys=(),
        before=Parent(app=app, group_kinds=kinds, namespaces=spaces, record=record),
        record=record,
    )
    found.client.apply(CONFIG_MAPS, body, manager=found.entry.manager, force=True, dry_run=False)


def _served(found: Holdings, live: JsonObject) -> ApiResource:
    served = found.discovery.find(*ref_of(live)[:3])
    if served is None:  # it was listed a moment ago
        raise LeftBehind(f"the cluster does not serve {ref_of(live).kind} any more")
    return served


def _rename(found: Holdings, live: JsonObject, served: ApiResource) -> None:
    """Labels first, then managedFields: in between the object is nobody's to prune."""
    ref = ref_of(live)
    before, entry = found.before, found.entry
    for attempt in range(TRIES):
        current = found.client.get(served, namespace=ref.namespace, name=ref.name)
        if current is None:
            return
        try:
            labels = relabelled(current, before.fleet, entry.fleet, before.cluster, found.old.ids)
            if labels:
                current = _patch(found, served, current, labels)
            fields = renamed_entries(current, field_manager(before.fleet), field_manager(entry.fleet))
            if fields is not None:
                change: JsonObject = {"op": "add", "path": "/metadata/managedFields", "value": fields}
                _patch(found, served, current, [change])
        except ObjectConflict:
            if attempt == TRIES - 1:
                raise
            continue
        return


def _patch(
    found: Holdings, served: ApiResource, current: JsonObject, operations: list[JsonObject]
) -> JsonObject:
    ref = ref_of(current)
    fence: JsonObject = {
        "op": "replace",
        "path": "/metadata/resourceVersion",
        "value": object_at(current, "metadata")["resourceVersion"],
    }
    return found.client.patch(
        served,
        namespace=ref.namespace,
        name=ref.name,
        operations=[*operations, fence],
        manager=found.entry.manager,
    )


def _forget(found: Holdings) -> None:
    """The other fleet's parents and key, its marker last: while it is there, a run knows that it is not finished."""
    before = found.before
    names = [parent_name(before.fleet, before.cluster, app) for app in sorted(found.old.parents)]
    doomed = [(SECRETS, key_name(before.fleet, before.cluster))]
    doomed += [(CONFIG_MAPS, name) for name in (*names, marker_name(before.fleet, before.cluster))]
    for resource, name in doomed:
        try:
            live = found.client.get(resource, namespace=SYSTEM_NAMESPACE, name=name)
        except AccessDenied:
            if resource is SECRETS:
                continue
            raise
        if live is not None:
            uid = str(object_at(live, "metadata")["uid"])
            found.client.delete(resource, namespace=SYSTEM_NAMESPACE, name=name, uid=uid)
