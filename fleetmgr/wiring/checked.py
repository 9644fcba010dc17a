"""A fleet that was checked before is not checked again: pydantic alone takes longer to import than most plans to make.

Kept below ``XDG_CACHE_HOME/fleetmgr/checked``, one file for each content of a fleet's files: names of models and
fields, defaults, keys of maps, and no value that the files hold (docs/decisions/0024-checked-fleets.md).
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

from fleetmgr import __version__
from fleetmgr.spec import kept
from fleetmgr.spec.gathering import Gathered, gather
from fleetmgr.wiring.machine import xdg

if TYPE_CHECKING:
    from fleetmgr.spec import LoadedFleet

FORMAT = "fleetmgr-checked-1"
MOST_ENTRIES = 256
_DIGEST = 32


def load_checked(file: Path) -> LoadedFleet:
    """As ``spec.load``, which it asks whenever there is any doubt; only fleets without a problem are kept.

    Environment: XDG_CACHE_HOME.
    """
    gathered = gather(file)
    if gathered.problems:
        return _check(gathered)
    try:
        key = _key(gathered)
    except (kept.Unkeepable, OSError):
        return _check(gathered)
    path = xdg("XDG_CACHE_HOME", Path.home() / ".cache") / "fleetmgr" / "checked" / key
    found = _read(path, gathered)
    if found is not None:
        return found
    loaded = _check(gathered)
    with suppress(OSError, kept.Unkeepable):  # a cache that cannot be written costs time, nothing else
        _keep(path, loaded, gathered)
    return loaded


def _check(gathered: Gathered) -> LoadedFleet:
    loader = importlib.import_module("fleetmgr.spec.loader")
    return cast("Callable[[Gathered], LoadedFleet]", loader.checked)(gathered)


def _key(gathered: Gathered) -> str:
    digest = hashlib.sha256()
    for part in (FORMAT, __version__, sys.version, *_rules()):
        digest.update(part.encode() + b"\0")
    digest.update(kept.data_of(gathered))
    return digest.hexdigest()


def _rules() -> Iterable[str]:
    """What the checks are made of: an installation that somebody works on keeps its version while it changes."""
    folder = Path(kept.__file__).parent
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name.endswith(".py"):
            status = entry.stat()
            yield f"{entry.name} {status.st_mtime_ns} {status.st_size}"
    for library in ("pydantic", "pydantic_core", "cel"):
        found = find_spec(library)
        if found is not None and found.origin is not None:
            yield f"{found.origin} {Path(found.origin).stat().st_mtime_ns}"


def _read(path: Path, gathered: Gathered) -> LoadedFleet | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, body = content[:_DIGEST], content[_DIGEST:]
    if digest != _seal(path.name, body):
        return None
    try:
        return kept.thaw(body, gathered)
    except ValueError:
        return None


def _keep(path: Path, loaded: LoadedFleet, gathered: Gathered) -> None:
    """Written whole or not at all, readable by this user only, and only if it gives the very same fleet back."""
    body = kept.freeze(loaded, gathered)
    again = kept.thaw(body, gathered)
    if _described(again) != _described(loaded):
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".new-{os.getpid()}-{os.urandom(8).hex()}")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(_seal(path.name, body) + body)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    _forget_oldest(path.parent)


def _described(loaded: LoadedFleet) -> object:
    return kept.plain(loaded.fleet), {key: kept.plain(overlay) for key, overlay in loaded.overlays.items()}


def _forget_oldest(folder: Path) -> None:
    entries = sorted(os.scandir(folder), key=lambda entry: entry.stat().st_mtime_ns)
    for entry in entries[: max(len(entries) - MOST_ENTRIES, 0)]:
        Path(entry.path).unlink(missing_ok=True)


def _seal(name: str, body: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\0" + body).digest()
