"""A Target is app x cluster: what one cluster is to get of one app, with every layer folded in."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from fleetmgr.errors import Where
from fleetmgr.model.jsontypes import Json
from fleetmgr.model.policy import Policy


class RemoteHost(Struct, frozen=True, kw_only=True):
    """A host (``name`` or ``name:port``) that a source may fetch from. ``private``: also where its name leads inside
    the network; ``insecure``: also without TLS."""

    host: str
    private: bool = False
    insecure: bool = False


class FetchRequest(Struct, frozen=True, kw_only=True):
    """What to read of a source. Hashable: each distinct request is fetched and parsed once.

    ``path`` is relative to the repository ("." = its root); ``revision`` None is the working tree, else a
    commit, tag or branch of this repository. ``include``/``exclude`` are globs relative to ``path``.
    """

    type: str
    path: str
    revision: str | None = None
    recurse: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    allow_remote: tuple[RemoteHost, ...] = ()


class OwnedNamespace(Struct, frozen=True, kw_only=True):
    """``namespace: {name, labels, annotations}`` of an app: the Namespace is a Resource of that app."""

    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()


class PatchTarget(Struct, frozen=True, kw_only=True):
    """Which objects a patch changes: anchored regular expressions and selectors; None says nothing."""

    group: str | None = None
    version: str | None = None
    kind: str | None = None
    name: str | None = None
    namespace: str | None = None
    label_selector: str | None = None
    annotation_selector: str | None = None


class Patch(Struct, frozen=True, kw_only=True):
    """One entry of ``patches``. ``text`` is YAML: mappings are strategic merge patches, lists JSON6902.

    ``structured``: it was written as data and not as a text, so a value that is nothing but one variable takes
    the variable's type, as everywhere in fleet.yaml.
    """

    target: PatchTarget | None
    text: str
    structured: bool
    where: Where


class Overlay(Struct, frozen=True, kw_only=True):
    """What the layers change about a source, already folded (later layer wins). Values are read-only.

    ``namespace`` overrides every object's namespace (as kustomize); the app's own namespace only fills in.
    ``images`` maps an image name to ``tag``, ``name:tag`` or ``@sha256:...``; ``replicas`` maps workload
    names as the source renders them.
    """

    namespace: str | None = None
    images: Mapping[str, str] = field(default_factory=dict[str, str])
    replicas: Mapping[str, int] = field(default_factory=dict[str, int])
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])
    name_prefix: str = ""
    name_suffix: str = ""
    patches: tuple[Patch, ...] = ()

    def source_name(self, name: str) -> str:
        """``name`` as the source renders it, without prefix and suffix."""
        return name.removeprefix(self.name_prefix).removesuffix(self.name_suffix)


class Target(Struct, frozen=True, kw_only=True):
    """One app on one cluster entry. Sorted by (cluster order, app order) in a fleet."""

    fleet: str
    cluster: str
    environment: str
    app: str
    namespace: str
    create_namespace: bool
    owned_namespace: OwnedNamespace | None
    source: FetchRequest
    substitute: bool
    overlay: Overlay
    exclude: tuple[tuple[str, str], ...]
    """(kind, name) pairs left out; name "" = every object of the kind."""
    variables: Mapping[str, Json]
    """Roots of ``${...}``: cluster, environment, app, fleet (objects) and vars (the layered vars)."""
    depends_on: tuple[str, ...]
    policy: Policy
    timeout: float
    """Seconds that an apply waits for this app to be Healthy."""
    where: Where
    """The app's entry in fleet.yaml."""
    source_where: Where
    """Where the path was written that ``source.path`` came from."""
    adopt: bool = False
    """Whether existing objects that other tools made are taken over."""
    overlay_where: Mapping[str, Where] = field(default_factory=dict[str, Where])
    """Where each overlay entry was set: keys like ``images.nginx``, ``replicas.web``, ``namespace``."""

    @property
    def name(self) -> str:
        """``app@cluster``, as ``fleet explain`` takes it."""
        return f"{self.app}@{self.cluster}"
