"""Patches of overlays: read, checked, matched to objects, before kustomize gets them.

kustomize ignores a patch whose target matches nothing, and a list item without its merge key makes it drop
the whole list. Both are errors here, at the place in the overlay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import orjson
from msgspec import Struct
from msgspec.structs import replace

from fleetmgr.errors import InvalidInput, Problem
from fleetmgr.model.artifact import PLAIN_MARK
from fleetmgr.model.jsontypes import Json, JsonObject, is_array, is_object, object_at
from fleetmgr.model.objects import ref_of
from fleetmgr.model.selector import SelectorError, parse_selector
from fleetmgr.model.target import Patch, PatchTarget
from fleetmgr.rendering.documents import Document, Slot
from fleetmgr.rendering.kinds import is_built_in
from fleetmgr.rendering.variables import substitute
from fleetmgr.rendering.yaml_reader import read_yaml

BAD_PATCH = "FLT-1313"
UNMATCHED_PATCH = "FLT-1314"

_MERGE_KEYS = {
    **dict.fromkeys(("containers", "initContainers", "ephemeralContainers", "volumes", "env"), ("name",)),
    **dict.fromkeys(("imagePullSecrets", "resourceClaims", "secrets", "webhooks"), ("name",)),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "ports": ("containerPort", "port"),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey",),
    "ownerReferences": ("uid",),
}
"""``patchMergeKey`` of k8s.io/api's types; Services merge ``ports`` by port, containers by containerPort."""
_DIRECTIVES = ("delete", "merge", "replace")
_MAX_NAMES = 8


class Ready(Struct, frozen=True, kw_only=True):
    """A patch as kustomize takes it: an entry of ``patches``."""

    entry: JsonObject
    source: Patch


def whole_variable(text: str) -> bool:
    """Whether ``text`` is nothing but one variable."""
    return text.startswith("${") and text.endswith("}") and text.count("${") == 1 and text.count("}") == 1


def marked(value: Json, document: Document, *, all_plain: bool = False) -> Json:
    """A copy of ``value`` with the variables that take their own type marked."""
    slots = tuple(slot for slot in document.slots if (slot.plain or all_plain) and whole_variable(slot.text))
    return substitute(value, slots, tuple(slot.text.replace("${", PLAIN_MARK) for slot in slots))


def ready_patches(
    patch: Patch, bodies: Sequence[JsonObject]
) -> tuple[tuple[Ready, ...], tuple[Problem, ...]]:
    """The entries of ``patch`` for objects ``bodies``, or what is wrong with it."""
    try:
        documents = [d for d in read_yaml(patch.text.encode(), name="") if d.value is not None]
    except InvalidInput as error:
        inner = error.problems[0]
        line = f" (line {inner.where.line} of the patch)" if inner.where and inner.where.line else ""
        return (), (_problem(patch, f"the patch is no YAML: {inner.message}{line}"),)
    if not documents:
        return (), (_problem(patch, "the patch is empty"),)
    ready: list[Ready] = []
    problems: list[Problem] = []
    for document in documents:
        try:
            ready.append(Ready(entry=_entry(patch, document, bodies), source=patch))
        except _Fault as fault:
            problems.append(_problem(patch, fault.message, fault.hint, code=fault.code))
    return tuple(ready), tuple(problems)


class _Fault(Exception):
    def __init__(self, message: str, hint: str | None = None, *, code: str = BAD_PATCH) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


def _problem(patch: Patch, message: str, hint: str | None = None, *, code: str = BAD_PATCH) -> Problem:
    return Problem(message=message, where=patch.where, hint=hint, code=code)


def _entry(patch: Patch, document: Document, bodies: Sequence[JsonObject]) -> JsonObject:
    value = document.value
    if is_array(value):
        if patch.target is None:
            raise _Fault("a JSON6902 patch needs a target", "add `target: {kind: ..., name: ...}`")
        _matching(patch.target, bodies)
        wrapped = Document(index=0, value={"": value}, line=1, column=1, slots=_below(document))
        operations = marked({"": value}, wrapped, all_plain=patch.structured)[""]
        return {"target": _target(patch.target), "patch": orjson.dumps(operations).decode()}
    if not is_object(value):
        raise _Fault("a patch is a mapping (strategic merge) or a list (JSON6902)")
    matches = _matching(patch.target, bodies) if patch.target else _named(value, bodies)
    if is_built_in(ref_of(matches[0]).group):
        _check(value, "")
    body = marked(value, document, all_plain=patch.structured)
    entry: JsonObject = {"patch": orjson.dumps(_complete(body, matches[0])).decode()}
    return entry | ({"target": _target(patch.target)} if patch.target else {})


def _below(document: Document) -> tuple[Slot, ...]:
    return tuple(replace(slot, path=("", *slot.path)) for slot in document.slots)


def _target(target: PatchTarget) -> JsonObject:
    fields = {
        "group": target.group,
        "version": target.version,
        "kind": target.kind,
        "name": target.name,
        "namespace": target.namespace,
        "labelSelector": target.label_selector,
        "annotationSelector": target.annotation_selector,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _matching(target: PatchTarget, bodies: Sequence[JsonObject]) -> list[JsonObject]:
    """The objects of a target, by kustomize's rules (api/types/selector.go: anchored, empty says nothing)."""
    shown = orjson.dumps(_target(target)).decode()
    try:
        found = [body for body in bodies if _matches(target, body)]
    except re.error as error:
        raise _Fault(f"target {shown}: no regular expression: {error}") from None
    except SelectorError as error:
        raise _Fault(f"target {shown}: {error}") from None
    if not found:
        raise _Fault(f"target {shown} matches no object", _there(bodies), code=UNMATCHED_PATCH)
    return found


def _matches(target: PatchTarget, body: JsonObject) -> bool:
    ref = ref_of(body)
    for pattern, text in (
        (target.group, ref.group),
        (target.version, ref.version),
        (target.kind, ref.kind),
        (target.name, ref.name),
        (target.namespace, ref.namespace),
    ):
        if pattern and not re.fullmatch(pattern, text):
            return False
    for selector, key in ((target.label_selector, "labels"), (target.annotation_selector, "annotations")):
        if selector and not parse_selector(selector).matches(_texts(object_at(body, "metadata", key))):
            return False
    return True


def _texts(values: Mapping[str, Json]) -> dict[str, str]:
    return {key: str(value) for key, value in values.items()}


def _named(value: JsonObject, bodies: Sequence[JsonObject]) -> list[JsonObject]:
    ref = ref_of(value)
    if not ref.kind or not ref.name or not ref.version:
        hint = "add them, or a target"
        raise _Fault("a strategic merge patch without target needs apiVersion, kind and metadata.name", hint)
    found = [
        body
        for body in bodies
        if (other := ref_of(body)).key.group_kind == ref.key.group_kind
        and other.name == ref.name
        and ref.namespace in ("", other.namespace)
    ]
    if not found:
        message = f"the patch is for {ref.short}, and there is no such object"
        raise _Fault(message, _there(bodies), code=UNMATCHED_PATCH)
    return found


def _there(bodies: Sequence[JsonObject]) -> str:
    names = sorted({f"{body.get('kind')}/{ref_of(body).name}" for body in bodies})
    more = ", ..." if len(names) > _MAX_NAMES else ""
    return f"there are: {', '.join(names[:_MAX_NAMES])}{more}" if names else "there are none"


def _complete(patch: JsonObject, match: JsonObject) -> JsonObject:
    """kustomize wants every strategic merge patch to name an object, also when the target says which."""
    metadata = object_at(patch, "metadata")
    full = {"apiVersion": match["apiVersion"], "kind": match["kind"], **patch}
    return full | {"metadata": {"name": object_at(match, "metadata").get("name"), **metadata}}


def _check(value: Json, path: str) -> None:
    for fault in _faults(value, path):
        raise _Fault(fault, "name the item, or say `$patch: replace` to replace the list")


def _faults(value: Json, path: str) -> Iterator[str]:
    if is_object(value):
        directive = value.get("$patch")
        if directive is not None and directive not in _DIRECTIVES:
            yield f"`{path or 'the patch'}`: `$patch` is one of {', '.join(_DIRECTIVES)}"
        for key, below in value.items():
            place = f"{path}.{key}" if path else key
            if is_array(below):
                yield from _list_faults(below, key, place)
            else:
                yield from _faults(below, place)


def _list_faults(items: Sequence[Json], name: str, path: str) -> Iterator[str]:
    keys = _MERGE_KEYS.get(name, ())
    for index, item in enumerate(items):
        if is_object(item):
            if keys and item.get("$patch") != "replace" and not any(key in item for key in keys):
                told = " or ".join(f"`{key}`" for key in keys)
                yield f"`{path}[{index}]` has no {told}, the key by which `{name}` is merged"
            yield from _faults(item, f"{path}[{index}]")
