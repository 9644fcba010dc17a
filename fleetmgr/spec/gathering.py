"""What fleet.yaml and the files that it names hold, before anything is said about it: no model is needed for that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from fleetmgr.errors import InvalidInput, Problem, UsageError, Where
from fleetmgr.spec.files import CODE, Files
from fleetmgr.spec.foreign import refuse_foreign
from fleetmgr.spec.includes import flatten
from fleetmgr.spec.loaded import SECTIONS, Places
from fleetmgr.spec.overlay_files import read_overlays
from fleetmgr.spec.plain import Json, is_list
from fleetmgr.spec.yaml_tree import Place


class FleetNotFound(UsageError):
    """There is no fleet.yaml where it was looked for."""

    code: ClassVar[str] = "FLT-6412"


class Gathered(Struct, frozen=True, kw_only=True):
    """Plain data of all files. ``problems`` are those of the files so far; whoever checks the data adds to them."""

    data: dict[str, Json]
    """fleet.yaml with its includes followed."""
    overlays: Mapping[tuple[str, str], Json]
    """Overlay files by (environment, app)."""
    places: Places
    root: Path
    files: tuple[str, ...]
    problems: list[Problem]


def gather(path: Path) -> Gathered:
    """Read the files of the fleet whose fleet.yaml is ``path``.

    Raises InvalidInput when a file cannot be read at all, when it is no YAML or belongs to another product, and
    FleetNotFound when there is no such file.
    """
    try:
        if not path.exists():
            hint = "run this where fleet.yaml is, name it with -f, or start one with `fleet init`"
            raise FleetNotFound(f"there is no {path}", hint=hint)
        return _gather(path)
    except OSError as error:
        where = Where(file=str(error.filename or path))
        message = f"cannot be read: {error.strerror or error}"
        raise InvalidInput((Problem(message=message, where=where, code=CODE),)) from None


def _gather(path: Path) -> Gathered:
    problems: list[Problem] = []
    files = Files(path.parent.resolve(), path.name, problems)
    root, data = files.read(path.name)
    if root is None:
        raise InvalidInput(tuple(problems))
    refuse_foreign(root, data)
    places, flat = Places(root), dict(data)
    for section in SECTIONS:
        listed = flat.get(section)
        if is_list(listed):
            flat[section], items = flatten(listed, root.walk(section), files)
            places.add(section, items)
    overlays = _overlays(files, places)
    return Gathered(
        data=flat,
        overlays=overlays,
        places=places,
        root=files.root,
        files=tuple(sorted(files.names)),
        problems=problems,
    )


def _overlays(files: Files, places: Places) -> Mapping[tuple[str, str], Json]:
    names = {s: [i.name for i in places.items.get(s, ()) if i.name] for s in SECTIONS}
    raw: dict[tuple[str, str], tuple[Place, Json]] = read_overlays(
        files, names["environments"], names["apps"]
    )
    places.overlays = {key: place for key, (place, _) in raw.items()}
    return {key: data for key, (_, data) in raw.items()}
