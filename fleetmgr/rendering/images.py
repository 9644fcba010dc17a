"""Image references: ``[registry[:port]/]path[:tag][@digest]``, and what an overlay makes of one."""

from __future__ import annotations

from collections.abc import Mapping

from fleetmgr.model.jsontypes import Json, JsonArray, JsonObject, is_object

_CONTAINER_LISTS = ("containers", "initContainers", "ephemeralContainers")


def split_image(reference: str) -> tuple[str, str]:
    """(name, rest): ``reg:5000/a/b:1@sha256:x`` -> ("reg:5000/a/b", ":1@sha256:x")."""
    name = reference.partition("@")[0]
    slash = name.rfind("/")
    colon = name.find(":", slash + 1)
    name = name[:colon] if colon >= 0 else name
    return name, reference[len(name) :]


def new_image(current: str, change: str) -> str:
    """``current`` under an overlay's ``change``.

    ``@sha256:...`` replaces tag and digest; ``:tag`` or a word without ``/``, ``:`` and ``@`` is a tag;
    everything else is a whole reference, which keeps the current tag and digest when it has none itself.
    """
    name, rest = split_image(current)
    if change.startswith(("@", ":")):
        return name + change
    if not any(mark in change for mark in "/:@"):
        return f"{name}:{change}"
    _, new_rest = split_image(change)
    return change if new_rest else change + rest


def change_images(
    body: JsonObject, images: Mapping[str, str], seen: set[str], matched: set[str]
) -> JsonObject:
    """``body`` with every container's image changed that ``images`` names (as kustomize: the name without
    tag and digest, exactly). Lists called containers, initContainers and ephemeralContainers count, in
    any kind. ``seen`` collects the names that exist, ``matched`` those that were changed.
    """
    changed = _walk(body, images, seen, matched)
    return changed if is_object(changed) else body


def _walk(value: Json, images: Mapping[str, str], seen: set[str], matched: set[str]) -> Json:
    """The same object where nothing changed: this runs over every object of every cluster."""
    if isinstance(value, list):
        return _walk_list(value, images, seen, matched)  # pyright: ignore[reportUnknownArgumentType] - JSON
    copy: JsonObject | None = None
    for key, item in value.items():
        if not isinstance(item, (dict, list)):
            continue
        new: Json = _walk(item, images, seen, matched)
        if key in _CONTAINER_LISTS and isinstance(new, list):
            new = _containers(new, images, seen, matched)  # pyright: ignore[reportUnknownArgumentType] - JSON
        if new is not item:
            copy = dict(value) if copy is None else copy
            copy[key] = new
    return value if copy is None else copy


def _walk_list(items: JsonArray, images: Mapping[str, str], seen: set[str], matched: set[str]) -> JsonArray:
    copy: JsonArray | None = None
    for index, item in enumerate(items):
        if isinstance(item, (dict, list)):
            new: Json = _walk(item, images, seen, matched)
            if new is not item:
                copy = list(items) if copy is None else copy
                copy[index] = new
    return items if copy is None else copy


def _containers(items: JsonArray, images: Mapping[str, str], seen: set[str], matched: set[str]) -> JsonArray:
    result: JsonArray = []
    for item in items:
        image = item.get("image") if is_object(item) else None
        if is_object(item) and isinstance(image, str):
            name = split_image(image)[0]
            seen.add(name)
            if name in images:
                matched.add(name)
                result.append({**item, "image": new_image(image, images[name])})
                continue
        result.append(item)
    return result if any(a is not b for a, b in zip(result, items, strict=True)) else items
