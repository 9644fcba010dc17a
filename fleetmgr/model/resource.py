"""A Resource is one Pulumi Kubernetes resource declaration; a Stack is all of one cluster entry.

The identity scheme is frozen (docs/decisions/0003-resource-identity.md): the Pulumi name is
``<namespace>/<name>`` (``<name>`` when cluster-scoped), the parent one component ``fleetmgr:index:App`` per
app; app, environment and overlay never appear in the name, so an object that moves keeps its identity.
"""

from __future__ import annotations

from msgspec import Struct

from fleetmgr.errors import Problem
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import ObjectRef, Origin
from fleetmgr.model.ordering import Ordering
from fleetmgr.model.policy import Policy
from fleetmgr.model.urn import APP_TYPE
from fleetmgr.veiled import Veiled

PATCH_MANAGER_ANNOTATION = "pulumi.com/patchFieldManager"
SKIP_AWAIT_ANNOTATION = "pulumi.com/skipAwait"
PROPAGATION_ANNOTATION = "pulumi.com/deletionPropagationPolicy"
"""``background`` on workloads, of which the provider does not await the delete either (metadata/overrides.go,
``allowsSkipAwaitWithDelete``): it would replace one that is still there, and change what is going away."""
PULUMI_ANNOTATIONS = (PATCH_MANAGER_ANNOTATION, SKIP_AWAIT_ANNOTATION, PROPAGATION_ANNOTATION)


def field_manager(fleet: str) -> str:
    """The server-side apply manager of both engines: one a fleet, so that two fleets conflict loudly."""
    return f"fleetmgr:{fleet}"


class ResourceOptions(Struct, frozen=True, kw_only=True):
    """Pulumi resource options that we use. ``aliases`` are type tokens of the other API versions, ``former_names``
    names that the same object may have been registered under; ``depends_on`` and ``deleted_with`` are Resources of
    the same Stack as ``(type token, name)``. ``ignore_changes`` are Pulumi property paths, ``timeout`` seconds.

    Rendering fills in what follows from the objects alone, ``engine.registering`` the rest."""

    aliases: tuple[str, ...] = ()
    former_names: tuple[str, ...] = ()
    depends_on: tuple[tuple[str, str], ...] = ()
    deleted_with: tuple[str, str] | None = None
    protect: bool = False
    retain_on_delete: bool = False
    ignore_changes: tuple[str, ...] = ()
    timeout: float | None = None


class Resource(Veiled, frozen=True, kw_only=True):
    """``inputs`` is the complete canonical object (apiVersion and kind included), camelCase, plain JSON."""

    VEILED = frozenset({"inputs"})

    type: str
    name: str
    inputs: JsonObject
    options: ResourceOptions
    ref: ObjectRef
    app: str
    origin: Origin

    def urn(self, *, project: str, stack: str) -> str:
        """The URN exactly as the Pulumi engine computes it (``model.urn``)."""
        return f"urn:pulumi:{stack}::{project}::{APP_TYPE}${self.type}::{self.name}"

    def former_identities(self) -> tuple[tuple[str, str], ...]:
        """Every (type, name) but its own that the object may have been registered under."""
        types, names = (self.type, *self.options.aliases), (self.name, *self.options.former_names)
        return tuple((t, n) for n in names for t in types if (t, n) != (self.type, self.name))

    def former_urns(self, *, project: str, stack: str) -> tuple[str, ...]:
        """The same as URNs."""
        above = f"urn:pulumi:{stack}::{project}::{APP_TYPE}$"
        return tuple(f"{above}{token}::{name}" for token, name in self.former_identities())


class Hook(Veiled, frozen=True, kw_only=True):
    """An object that is no member of its app: it is created for a phase of an apply, waited for and cleaned up.

    ``resource`` is rendered like a member's; ``ordering.phases`` is never None, and () when nothing ever runs it.
    """

    VEILED = frozenset({"resource"})

    resource: Resource
    ordering: Ordering


class StackApp(Struct, frozen=True, kw_only=True):
    """One app of a Stack: what the engine must know besides its Resources."""

    name: str
    namespace: str
    create_namespace: bool
    depends_on: tuple[str, ...]
    policy: Policy
    timeout: float
    revision: str | None
    """Full commit id that the source was read at; None = working tree."""
    artifact_digest: str
    render_digest: str
    adopt: bool = False
    """Whether existing objects that other tools made are taken over."""


class Stack(Veiled, frozen=True, kw_only=True):
    """All Resources of one cluster entry: Pulumi project = fleet, stack = cluster.

    ``apps`` are in dependency order (a dependency comes first); ``resources`` sorted by (app order, type,
    name), each object at most once. ``warnings`` are problems that do not stop a run (duplicate list keys,
    skipped files).
    """

    VEILED = frozenset({"resources"})

    fleet: str
    cluster: str
    environment: str
    apps: tuple[StackApp, ...]
    resources: tuple[Resource, ...]
    hooks: tuple[Hook, ...] = ()
    """Never among the resources; sorted like them."""
    warnings: tuple[Problem, ...] = ()

    def everything(self) -> tuple[Resource, ...]:
        """What Git holds, hooks included: for showing it, not for keeping it so."""
        return (*self.resources, *(hook.resource for hook in self.hooks)) if self.hooks else self.resources
