"""Documents that kustomize gave: where they came from, and which variables were written without quotes.

kustomize keeps neither lines nor quotes. The origin is read from the annotation that it was asked for, and
the marks of unquoted variables are taken out again.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from fleetmgr.model.artifact import PLAIN_MARK
from fleetmgr.model.jsontypes import Json, JsonObject, is_object, object_at
from fleetmgr.model.objects import NO_DOCUMENT
from fleetmgr.rendering.documents import Document, Slot

ORIGIN_ANNOTATION = "config.kubernetes.io/origin"
_TREE = "../tree/"


class Settled(Struct, frozen=True, kw_only=True):
    """A document without our marks; ``file`` is the one that it was written in, "" when nobody knows."""

    document: Document
    file: str


def settled(document: Document) -> Settled:
    """``document`` as its source means it. Its value may be changed in place: nobody else has it yet."""
    value = document.value
    if not is_object(value):
        return Settled(document=document, file="")
    slots = unmarked(value, document.slots)
    file = _origin(value)
    return Settled(
        document=Document(index=NO_DOCUMENT, value=value, line=1, column=1, slots=slots), file=file
    )


def unmarked(value: Json, slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """The slots with their marks read and removed, in ``value`` as well."""
    found: list[Slot] = []
    for slot in slots:
        plain = slot.text.startswith(PLAIN_MARK) and slot.text.count("${") == 1
        text = slot.text.replace(PLAIN_MARK, "${")
        if text != slot.text:
            node: Json = value
            for part in slot.path[:-1]:
                node = node[part]
            node[slot.path[-1]] = text
        found.append(replace(slot, text=text, plain=plain, line=1, column=1))
    return tuple(found)


def _origin(value: JsonObject) -> str:
    """The file of the annotation, which is taken off."""
    annotations = object_at(value, "metadata", "annotations")
    told = annotations.pop(ORIGIN_ANNOTATION, None)
    if told is not None and not annotations:
        del value["metadata"]["annotations"]
    for line in str(told or "").splitlines():
        name, _, path = line.partition(": ")
        if name in ("path", "configuredIn"):
            return path.strip().strip("'\"").removeprefix(_TREE)
    return ""
