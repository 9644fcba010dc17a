"""What rendering remembers between stacks: parsed sources and prepared objects.

One cache serves a whole run. An artifact is parsed once; an object is prepared once per set of equal
overlays and variables. Objects with variables are as many as clusters, so only the latest of them are kept:
memory stays flat however many clusters a fleet has.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from fleetmgr.model.artifact import Artifact
from fleetmgr.model.jsontypes import Json, JsonObject, child
from fleetmgr.model.target import Overlay
from fleetmgr.ports.kustomizer import Kustomizer
from fleetmgr.rendering.customise import customise, needs_kustomize
from fleetmgr.rendering.kinds import CustomKind, custom_kind
from fleetmgr.rendering.manifests import ParsedManifest, ParsedSource, parse_artifact
from fleetmgr.rendering.overlays import Neighbours
from fleetmgr.rendering.prepare import Prepared, Setting, prepare
from fleetmgr.rendering.variables import Resolved, disabled, resolve_slots, substitute

_MAX_SHARED = 100_000
_MAX_VARYING = 512


class Source(Struct):
    """A parsed artifact with what its objects say about each other."""

    parsed: ParsedSource
    custom_kinds: tuple[CustomKind, ...]
    neighbours: Neighbours
    shared: dict[tuple[int, int], Prepared] = field(default_factory=dict[tuple[int, int], Prepared])
    varying: dict[tuple[int, int, str], Prepared] = field(
        default_factory=dict[tuple[int, int, str], Prepared]
    )


class ParseCache:
    """Not thread-safe: rendering is a walk of one thread."""

    def __init__(self, kustomizer: Kustomizer | None = None) -> None:
        """An empty cache; ``kustomizer`` is needed for overlays with patches, a prefix or a suffix."""
        self._kustomizer = kustomizer
        self._sources: dict[tuple[str, str | None], Source] = {}
        self._customised: dict[tuple[object, ...], Source] = {}
        self._settings: dict[tuple[object, ...], int] = {}

    def source(self, artifact: Artifact, overlay: Overlay) -> Source:
        """The artifact's objects, parsed at most once; with patches and names once for equal ones."""
        key = (artifact.digest, artifact.revision)
        found = self._sources.get(key)
        if found is None:
            found = self._sources[key] = _source(parse_artifact(artifact))
        if not needs_kustomize(overlay):
            return found
        names = (*key, overlay.name_prefix, overlay.name_suffix, overlay.patches)
        customised = self._customised.get(names)
        if customised is None:
            assert self._kustomizer is not None, "no kustomizer for an overlay that needs one"  # noqa: S101 - wiring
            customised = _source(customise(found.parsed, overlay, self._kustomizer))
            self._customised[names] = customised
        return customised

    def setting_number(self, setting: Setting) -> int:
        """A number that equal settings share (for objects of one source)."""
        key = (setting.fleet, setting.namespace, _overlay_key(setting.overlay), setting.scopes.key)
        return self._settings.setdefault(key, len(self._settings))

    def prepared(
        self, source: Source, index: int, setting: Setting, number: int, resolved: Resolved | None
    ) -> Prepared:
        """Object ``index`` of ``source``; ``number`` is the setting's, ``resolved`` its variables."""
        manifest = source.parsed.manifests[index]
        if resolved is None:
            found = source.shared.get((index, number))
            if found is None:
                _bound(source.shared, _MAX_SHARED)
                found = prepare(manifest.body, manifest.origin, setting)
                source.shared[index, number] = found
            return found
        key = (index, number, repr(resolved.values))
        varied = source.varying.get(key)
        if varied is None:
            _bound(source.varying, _MAX_VARYING)
            body = substitute(manifest.body, manifest.slots, resolved.values)
            varied = source.varying[key] = prepare(body, manifest.origin, setting)
        return varied


def resolve_manifest(
    manifest: ParsedManifest, variables: Mapping[str, Json], *, cluster: str
) -> Resolved | None:
    """The manifest's variables, or None when it has none or asks to be left alone."""
    if not manifest.slots or disabled(manifest.body):
        return None
    return resolve_slots(
        manifest.slots,
        variables,
        origin=manifest.origin,
        secret=manifest.body.get("kind") == "Secret",
        cluster=cluster,
    )


def _bound(memory: dict[tuple[int, int], Prepared] | dict[tuple[int, int, str], Prepared], size: int) -> None:
    if len(memory) >= size:
        memory.clear()


def _overlay_key(overlay: Overlay) -> tuple[object, ...]:
    return (
        overlay.namespace,
        (overlay.name_prefix, overlay.name_suffix),
        tuple(sorted(overlay.images.items())),
        tuple(sorted(overlay.replicas.items())),
        tuple(sorted(overlay.labels.items())),
        tuple(sorted(overlay.annotations.items())),
    )


def _source(parsed: ParsedSource) -> Source:
    bodies = [manifest.body for manifest in parsed.manifests]
    return Source(
        parsed=parsed,
        custom_kinds=tuple(kind for kind in map(custom_kind, bodies) if kind is not None),
        neighbours=Neighbours(
            service_accounts=_names(bodies, "ServiceAccount"), services=_names(bodies, "Service")
        ),
    )


def _names(bodies: list[JsonObject], kind: str) -> frozenset[str]:
    return frozenset(str(child(body, "metadata", "name")) for body in bodies if body.get("kind") == kind)


def namespace_object(name: str, *, labels: Mapping[str, str], annotations: Mapping[str, str]) -> JsonObject:
    """The Namespace that an app owns."""
    metadata = {"name": name, "labels": dict(labels), "annotations": dict(annotations)}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
