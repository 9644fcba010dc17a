"""Everything that one cluster entry's preview has read; up and status work from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

from msgspec import field
from msgspec.structs import replace

from fleetmgr.engine.inventory import Parent, key_text
from fleetmgr.engine.ownership import Ownership, ownership
from fleetmgr.engine.record import Record
from fleetmgr.engine.rerun import marked
from fleetmgr.engine.scoping import without_namespace
from fleetmgr.errors import FleetError
from fleetmgr.model.applyset import FLEET_LABEL, PART_OF_LABEL, SYSTEM_NAMESPACE, app_id
from fleetmgr.model.consent import NO_CONSENT, Consent
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.objects import GroupKind, ObjectKey, ObjectRef, Origin, ref_of
from fleetmgr.model.ordering import ordering_of
from fleetmgr.model.resource import Hook, Resource, ResourceOptions, Stack, StackApp
from fleetmgr.model.verify import Verify
from fleetmgr.operations.embedded.entry import NAMESPACES, Entry, meet
from fleetmgr.operations.embedded.live import in_parallel, read_live
from fleetmgr.ports.cluster import ClusterClient, Discovery
from fleetmgr.ports.cluster_errors import AccessDenied
from fleetmgr.veiled import Veiled

if TYPE_CHECKING:
    from fleetmgr.ports.pulumi import PulumiStack

CRD = GroupKind("apiextensions.k8s.io", "CustomResourceDefinition")


class Scene(Veiled, frozen=True, kw_only=True):
    """``stack`` holds every app of the entry; ``apps`` are the selected ones (removed apps included)."""

    VEILED = frozenset({"live", "autoscalers", "pulumi"})

    client: ClusterClient
    entry: Entry
    stack: Stack
    resources: dict[ObjectKey, Resource]
    """Desired objects of all apps, namespace as the cluster's scope says."""
    hooks: dict[ObjectKey, Hook]
    """Of all apps; those of an app that is gone from Git are what its record kept for its removal."""
    apps: frozenset[str]
    discovery: Discovery
    parents: dict[str, Parent]
    ids: dict[str, str]
    live: dict[ObjectKey, JsonObject]
    namespaces: frozenset[str]
    """Those that exist, of the ones desired objects live in."""
    first_contact: bool
    adopt: bool = False
    """Every app adopts in this run, whatever its own policy."""
    force: bool = False
    """``--force``: fields that others hold are taken and immutable objects are replaced, whatever asks first."""
    verify: Verify = Verify.AUTO
    """Which objects the server is asked about."""
    extra_fields: bool = False
    """Live fields that are not in Git are listed."""
    consent: Consent = NO_CONSENT
    """What has been said yes to for this run."""
    removing: bool = False
    """The selected apps are destroyed: Git names none of them here, and what guards a prune does not hold."""
    formerly: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """What apps need that are destroyed, as fleet.yaml says it."""
    uid: str = ""
    """kube-system's, at first contact where it may be read."""
    pulumi: PulumiStack | None = None
    """The Pulumi stack of this entry, where Pulumi performs what is decided here; None: we do."""
    autoscalers: dict[str, tuple[JsonObject, ...]] = field(default_factory=dict[str, tuple[JsonObject, ...]])
    """Autoscalers of the cluster by namespace, as far as somebody has asked for them."""

    @property
    def selector(self) -> str:
        """Labels that everything of this entry carries."""
        return inventory_selector(self.entry, self.ids)

    def record(self, app: str) -> Record | None:
        """What the cluster remembers of an app's last apply."""
        parent = self.parents.get(app)
        return parent.record if parent else None

    def stack_app(self, name: str) -> StackApp | None:
        """The app in fleet.yaml, None when it was removed."""
        return next((a for a in self.stack.apps if a.name == name), None)

    def needs(self, app: str) -> tuple[str, ...]:
        """Apps that an app depends on; for one that is gone, as its last apply has left it."""
        current, record = self.stack_app(app), self.record(app)
        if current is not None:
            return current.depends_on
        return (record.depends_on if record is not None else ()) or self.formerly.get(app, ())

    def adopts(self, app: str) -> bool:
        """Whether existing objects of other tools are taken over for an app."""
        current = self.stack_app(app)
        return self.adopt or (current is not None and current.adopt)

    def whose(self, live: JsonObject) -> Ownership:
        """Whose a live object is."""
        text = key_text(ref_of(live).key)
        recorded = (app for app, p in self.parents.items() if p.record and text in p.record.objects)
        return ownership(live, manager=self.entry.manager, ids=self.ids, recorded=next(recorded, None))

    def selected(self) -> list[Resource]:
        """Desired objects of the selected apps."""
        return [r for r in self.resources.values() if r.app in self.apps]


def read_scene(
    client: ClusterClient,
    entry: Entry,
    stack: Stack,
    *,
    apps: frozenset[str] | None,
    adopt: bool = False,
    force: bool = False,
) -> Scene:
    """Meet the cluster, then read what the selected apps (None = all, removed ones too) desire and own.

    Raises WrongCluster, TwoOwners and ClusterError.
    """
    contact = meet(client, entry)
    discovery = client.discover()
    known = {*(a.name for a in stack.apps), *contact.parents}
    chosen = frozenset(known if apps is None else known & apps)
    resources = _by_key(entry, marked(_in_scope(stack.resources, discovery), stack.apps))
    hooks = _hooks(stack, contact.parents, discovery)
    wanted = [r.ref for r in resources.values() if r.app in chosen]
    homes = {
        r.namespace for r in (*wanted, *(h.resource.ref for h in hooks.values() if h.resource.app in chosen))
    }
    parents = [parent for app, parent in contact.parents.items() if app in chosen]
    ids = {app_id(entry.fleet, entry.cluster, app.name): app.name for app in stack.apps}
    ids = {**contact.ids, **ids}
    live = read_live(
        client,
        discovery,
        selector=inventory_selector(entry, ids),
        wanted=wanted,
        members={kind for parent in parents for kind in parent.group_kinds},
        namespaces={n for parent in parents for n in parent.namespaces},
    )
    return Scene(
        client=client,
        entry=entry,
        stack=stack,
        resources=resources,
        hooks=hooks,
        apps=chosen,
        discovery=discovery,
        parents=contact.parents,
        ids=ids,
        live=live,
        namespaces=_existing(client, homes - {""}, live),
        first_contact=contact.first,
        adopt=adopt,
        force=force,
        uid=contact.uid,
    )


class TwoOwners(FleetError):
    """Two Resources are one object of this cluster, which rendering could not know: the cluster serves their kind for
    the whole cluster, and they name different namespaces."""

    code: ClassVar[str] = "FLT-1312"


def _by_key(entry: Entry, resources: Iterable[Resource]) -> dict[ObjectKey, Resource]:
    found: dict[ObjectKey, Resource] = {}
    for resource in resources:
        other = found.setdefault(resource.ref.key, resource)
        if other is not resource:
            raise TwoOwners(
                f"{resource.ref.short} is in app {other.app} ({other.origin}) and in app {resource.app}: this cluster "
                "serves its kind for the whole cluster, whatever namespace is named",
                where=resource.origin.where(obj=resource.ref.short, cluster=entry.cluster),
                hint="an object has one owner: take it out of one place, or name it in that app's `exclude`",
            )
    return found


def inventory_selector(entry: Entry, ids: Iterable[str]) -> str:
    """Labels that everything of an entry carries. Where entries share an API server, by the ids of this entry's
    apps: a LIST by the fleet alone would bring everything of all of them, for each of them."""
    fleet = f"{FLEET_LABEL}={entry.fleet}"
    known = ",".join(sorted(ids))
    return f"{fleet},{PART_OF_LABEL} in ({known})" if entry.shares_with and known else fleet


def _in_scope(resources: Iterable[Resource], discovery: Discovery) -> Iterable[Resource]:
    """Rendering takes kinds that it does not know for namespaced; the cluster knows better."""
    for resource in resources:
        served = discovery.find(*resource.ref[:3])
        namespaced = served is None or served.namespaced or not resource.ref.namespace
        yield resource if namespaced else without_namespace(resource)


def _hooks(stack: Stack, parents: Mapping[str, Parent], discovery: Discovery) -> dict[ObjectKey, Hook]:
    here = {app.name for app in stack.apps}
    kept = {
        app: parent.record.hooks.removal
        for app, parent in parents.items()
        if app not in here and parent.record is not None and parent.record.hooks is not None
    }
    if not stack.hooks and not kept:
        return {}
    hooks = [*stack.hooks, *(_remembered(app, body) for app in kept for body in kept[app])]
    scoped = zip(_in_scope((hook.resource for hook in hooks), discovery), hooks, strict=True)
    return {resource.ref.key: replace(hook, resource=resource) for resource, hook in scoped}


_ON_THE_CLUSTER = Origin(file="(what the cluster remembers)", line=1)


def _remembered(app: str, body: JsonObject) -> Hook:
    resource = Resource(
        type="",
        name="",
        inputs=body,
        options=ResourceOptions(),
        ref=ref_of(body),
        app=app,
        origin=_ON_THE_CLUSTER,
    )
    return Hook(resource=resource, ordering=ordering_of(body))


def _existing(client: ClusterClient, names: set[str], live: dict[ObjectKey, JsonObject]) -> frozenset[str]:
    """Namespaces that exist. One that holds a live object needs no question."""
    certain = {key.namespace for key in live if key.namespace}
    certain |= {key.name for key in live if key.kind == "Namespace" and not key.group}
    asked = sorted(names - certain)
    found = in_parallel(lambda name: exists(client, name), asked)
    return frozenset(certain | {n for n, there in zip(asked, found, strict=True) if there})


def exists(client: ClusterClient, namespace: str) -> bool:
    """Whether a namespace is there. Where we may not look it is taken to be: the server says so if it is not,
    and who works in one namespace only is rarely allowed to see Namespaces."""
    try:
        return client.get(NAMESPACES, namespace="", name=namespace) is not None
    except AccessDenied:
        return True


def ensure_system_namespace(client: ClusterClient, manager: str) -> None:
    """Make ``fleetmgr-system`` where it is not. Raises ClusterError."""
    if not exists(client, SYSTEM_NAMESPACE):
        body: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM_NAMESPACE}}
        client.apply(NAMESPACES, body, manager=manager, force=False, dry_run=False)


def bare_namespace(name: str, *, fleet: str) -> JsonObject:
    """A namespace that is nobody's resource. Its one annotation gives our manager an entry: it proves later that we
    made it."""
    metadata: JsonObject = {"name": name, "annotations": {FLEET_LABEL: fleet}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def plural_of(scene: Scene, ref: ObjectRef) -> str:
    """How the API names a kind in URLs; as a CRD of this entry says where the cluster does not serve it yet."""
    served = scene.discovery.find(*ref[:3])
    if served is not None:
        return served.plural
    for resource in scene.resources.values():
        names = object_at(resource.inputs, "spec", "names")
        if resource.ref.kind == CRD.kind and names.get("kind") == ref.kind:
            return str(names.get("plural"))
    return f"{ref.kind.lower()}s"


def namespace_ref(name: str) -> ObjectRef:
    """The Namespace object."""
    return ObjectRef("", "v1", "Namespace", "", name)
