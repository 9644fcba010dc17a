"""``environments/<env>/<app>.yaml``: found, read and matched to an environment and an app.

Only ``*.yaml`` and ``*.yml`` count; notes and hidden files may lie beside them. A file or folder that
matches nothing is an error, because an overlay with a slip in its name would silently do nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fleetmgr.errors import Problem, Where
from fleetmgr.spec.files import Files
from fleetmgr.spec.plain import Json
from fleetmgr.spec.suggest import suggest
from fleetmgr.spec.yaml_tree import Place

FOLDER = "environments"
MATCHES_NOTHING = "FLT-1009"
_SUFFIXES = (".yaml", ".yml")


def read_overlays(
    files: Files, environments: Sequence[str], apps: Sequence[str]
) -> dict[tuple[str, str], tuple[Place, Json]]:
    """Overlay files by (environment, app), in name order; problems go to ``files.problems``."""
    found: dict[tuple[str, str], tuple[Place, Json]] = {}
    for entry in _entries(files.root / FOLDER):
        name = f"{FOLDER}/{entry.name}"
        if not entry.is_dir():
            if entry.suffix in _SUFFIXES and name not in files.names:
                hint = (
                    f"an overlay is {FOLDER}/ENVIRONMENT/APP.yaml; list it under `include:` if it is a part"
                )
                _lost(files, name, "matches nothing", hint)
        elif entry.name not in environments:
            hint = suggest(entry.name, environments, what="environments")
            _lost(files, name, f"folder matches no environment: there is no `{entry.name}`", hint)
        elif files.inside(name):
            _read_folder(files, entry, apps, found)
    return found


def _read_folder(
    files: Files, folder: Path, apps: Sequence[str], found: dict[tuple[str, str], tuple[Place, Json]]
) -> None:
    for entry in _entries(folder):
        name = f"{FOLDER}/{folder.name}/{entry.name}"
        key = (folder.name, entry.stem)
        if entry.is_dir() or entry.suffix not in _SUFFIXES or name in files.names:
            continue
        if entry.stem not in apps:
            hint = suggest(entry.stem, apps, what="apps")
            _lost(files, name, f"overlay matches no app: there is no `{entry.stem}`", hint)
        elif key in found:
            first = found[key][0].file
            _lost(
                files, name, f"a second overlay of `{key[1]}` in `{key[0]}`, the first is {first}", "keep one"
            )
        elif files.inside(name):
            place, data = files.read(name)
            if place is not None:
                found[key] = (place, data)


def _entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if not p.name.startswith("."))


def _lost(files: Files, name: str, message: str, hint: str) -> None:
    files.problems.append(Problem(message=message, where=Where(file=name), hint=hint, code=MATCHES_NOTHING))
