"""``- include: clusters/*.yaml`` in a list becomes the items of those files."""

from __future__ import annotations

from fleetmgr.spec.files import CODE, Files
from fleetmgr.spec.loaded import Item
from fleetmgr.spec.plain import Json, is_list, is_map
from fleetmgr.spec.yaml_tree import Place


def flatten(data: list[Json], place: Place, files: Files) -> tuple[list[Json], list[Item]]:
    """The items of one list with includes followed, and where each stands. A file is read once a list."""
    values: list[Json] = []
    items: list[Item] = []
    seen: set[str] = set()
    for index, value in enumerate(data):
        here = place.walk(index)
        if is_map(value) and "include" in value:
            for name in _included(value, here, files):
                if name not in seen:
                    seen.add(name)
                    _append_file(name, here, files, values, items)
        else:
            values.append(value)
            items.append(Item(_name_of(value), here))
    return values, items


def _included(value: dict[str, Json], here: Place, files: Files) -> list[str]:
    patterns = value["include"]
    if isinstance(patterns, str):
        patterns = [patterns]
    if len(value) > 1 or not is_list(patterns) or not all(isinstance(p, str) and p for p in patterns):
        message = "an include is `- include: GLOB` or `- include: [GLOB, ...]` and nothing else"
        files.problems.append(here.problem(message, code=CODE))
        return []
    at = here.walk("include")
    return [name for i, p in enumerate(patterns) for name in files.matching(str(p), by=at.walk(i))]


def _append_file(name: str, here: Place, files: Files, values: list[Json], items: list[Item]) -> None:
    place, data = files.read(name, by=here)
    if place is None:
        return
    found = [(data, place)]
    if is_list(data):
        found = [(value, place.walk(i)) for i, value in enumerate(data)]
    for value, at in found:
        if is_map(value) and "include" in value:
            message = "an included file cannot include others"
            files.problems.append(at.problem(message, code=CODE, hint="list them in fleet.yaml"))
        else:
            values.append(value)
            items.append(Item(_name_of(value), at))


def _name_of(value: Json) -> str:
    name = value.get("name") if is_map(value) else None
    return name if isinstance(name, str) else ""
