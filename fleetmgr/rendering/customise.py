"""What only kustomize itself can change with kustomize's semantics: patches, and names with all references.

The objects of a source go through it as one flat resource file, each with a number by which its origin is
known again. Everything else of an overlay is native (``overlays``) and comes after, as in kustomize's order.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from msgspec.structs import replace

from fleetmgr.errors import Problem
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.objects import Origin, ref_of
from fleetmgr.model.target import Overlay
from fleetmgr.ports.kustomizer import KustomizeFailed, Kustomizer, KustomizeTree
from fleetmgr.rendering.documents import Document
from fleetmgr.rendering.kustomized import settled
from fleetmgr.rendering.manifests import ParsedManifest, ParsedSource
from fleetmgr.rendering.strategic import BAD_PATCH, Ready, marked, ready_patches
from fleetmgr.rendering.yaml_reader import read_yaml

_NUMBER = "fleetmgr.dev/number"
_FOLDER = "overlay"


def needs_kustomize(overlay: Overlay) -> bool:
    """Whether ``overlay`` has fields that go through kustomize."""
    return bool(overlay.name_prefix or overlay.name_suffix or overlay.patches)


def customise(parsed: ParsedSource, overlay: Overlay, kustomizer: Kustomizer) -> ParsedSource:
    """``parsed`` with the patches, prefix and suffix of ``overlay``; what is wrong is among its problems."""
    bodies = [manifest.body for manifest in parsed.manifests]
    twice = len({ref_of(body) for body in bodies}) < len(bodies)
    if parsed.problems or twice or not bodies:  # told better by others, or nothing to change
        lost = [] if bodies else [p for patch in overlay.patches for p in ready_patches(patch, ())[1]]
        return replace(parsed, problems=(*parsed.problems, *lost))
    ready: list[Ready] = []
    problems: list[Problem] = []
    for patch in overlay.patches:
        good, bad = ready_patches(patch, bodies)
        ready += good
        problems += bad
    if problems:
        return replace(parsed, problems=(*parsed.problems, *problems))
    resources = b"\n---\n".join(_numbered(m, i) for i, m in enumerate(parsed.manifests)) + b"\n"
    try:
        built = kustomizer.build(_tree(resources, overlay, ready))
    except KustomizeFailed as error:
        return replace(parsed, problems=(_told(error, resources, overlay, ready, kustomizer),))
    manifests = [
        _manifest(document, parsed, overlay) for document in read_yaml(built, name="") if document.value
    ]
    return replace(parsed, manifests=tuple(manifests))


def _tree(resources: bytes, overlay: Overlay, patches: Sequence[Ready]) -> KustomizeTree:
    kustomization: JsonObject = {
        "resources": ["objects.yaml"],
        "namePrefix": overlay.name_prefix,
        "nameSuffix": overlay.name_suffix,
        "patches": [patch.entry for patch in patches],
    }
    return KustomizeTree(
        folder=_FOLDER,
        files={
            f"{_FOLDER}/kustomization.yaml": orjson.dumps(kustomization),
            f"{_FOLDER}/objects.yaml": resources,
        },
    )


def _numbered(manifest: ParsedManifest, number: int) -> bytes:
    document = Document(index=0, value=manifest.body, line=1, column=1, slots=manifest.slots)
    body: JsonObject = marked(manifest.body, document)
    metadata = object_at(body, "metadata")
    annotations = {**object_at(metadata, "annotations"), _NUMBER: str(number)}
    return orjson.dumps({**body, "metadata": {**metadata, "annotations": annotations}})


def _manifest(document: Document, parsed: ParsedSource, overlay: Overlay) -> ParsedManifest:
    made = settled(document).document
    body: JsonObject = made.value
    annotations = object_at(body, "metadata", "annotations")
    number = annotations.pop(_NUMBER, None)
    if number is not None and not annotations:
        del body["metadata"]["annotations"]
    origin = _origin(number, parsed, overlay)
    slots = tuple(replace(slot, line=origin.line, column=origin.column) for slot in made.slots)
    return ParsedManifest(body=body, origin=origin, slots=slots)


def _origin(number: str | None, parsed: ParsedSource, overlay: Overlay) -> Origin:
    """The object's own; of one whose metadata a patch replaced, the patch's."""
    if number is not None:
        return parsed.manifests[int(number)].origin
    where = overlay.patches[0].where
    return Origin(file=where.file or "fleet.yaml", line=where.line or 1, column=where.column or 1)


def _told(
    error: KustomizeFailed,
    resources: bytes,
    overlay: Overlay,
    patches: Sequence[Ready],
    kustomizer: Kustomizer,
) -> Problem:
    """The failure at the first patch without which there is none; it is rare, so it may cost a few runs."""
    for count in range(1, len(patches) + 1):
        try:
            kustomizer.build(_tree(resources, overlay, patches[:count]))
        except KustomizeFailed as first:
            where = patches[count - 1].source.where
            return Problem(message=first.message, where=where, code=BAD_PATCH)
    where = next((patch.where for patch in overlay.patches), None)
    return Problem(message=error.message, where=where, code=BAD_PATCH)
