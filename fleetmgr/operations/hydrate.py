"""``fleet render``: the objects that every cluster would get, as manifests in a stable order. Offline."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from msgspec import Struct

from fleetmgr.errors import FleetError, Problem, Refused, UsageError, Where
from fleetmgr.expansion import clusters as selected_clusters
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.selection import Selection
from fleetmgr.operations.render import render
from fleetmgr.ports.source_fetcher import SourceFetcher
from fleetmgr.veiled import Veiled

if TYPE_CHECKING:
    from fleetmgr.spec import LoadedFleet

MARKER = ".fleetmgr-rendered"
_UNFIT = re.compile(r"[^a-z0-9.-]")


class ForeignFolder(Refused):
    """The folder to render into holds files that are not ours."""

    code = "FLT-5014"


class NotWritten(FleetError):
    """A manifest could not be written."""

    code = "FLT-6430"


class Hydrated(Veiled, frozen=True, kw_only=True):
    """One object of one app on one cluster."""

    VEILED = frozenset({"body"})

    cluster: str
    app: str
    ref: ObjectRef
    body: JsonObject


class Hydration(Struct, frozen=True, kw_only=True):
    """Everything that was selected, by cluster and app in the fleet's order, and remarks on it."""

    objects: tuple[Hydrated, ...]
    warnings: tuple[Problem, ...]
    clusters: frozenset[str]
    apps: frozenset[str] | None
    """The selected ones; None is every app."""
    whole: bool
    """Nothing was selected: clusters that are not here are gone from the fleet."""

    def covers(self, cluster: str, app: str) -> bool:
        """Whether all objects of ``app`` on ``cluster`` are here."""
        return self.whole or (cluster in self.clusters and (self.apps is None or app in self.apps))


def hydrate(loaded: LoadedFleet, fetcher: SourceFetcher, selection: Selection) -> Hydration:
    """The selected objects. Raises as ``render`` does, and UsageError for a selection that names nothing."""
    objects: list[Hydrated] = []
    warnings: list[Problem] = []
    chosen = selected_clusters(loaded, selection)
    for stack in render(loaded, fetcher, chosen):
        warnings += stack.warnings
        objects += [
            Hydrated(cluster=stack.cluster, app=resource.app, ref=resource.ref, body=resource.inputs)
            for resource in stack.everything()
            if not selection.apps or resource.app in selection.apps
        ]
    return Hydration(
        objects=tuple(objects),
        warnings=tuple(dict.fromkeys(warnings)),
        clusters=frozenset(cluster.name for cluster in chosen),
        apps=frozenset(selection.apps) or None,
        whole=selection.everything,
    )


def write_manifests(folder: Path, hydration: Hydration, text: Callable[[Hydrated], str]) -> int:
    """Write each object to ``folder``/CLUSTER/APP/KIND-NAMESPACE-NAME.yaml; the number of files.

    What an earlier call wrote for the same clusters and apps and is no longer there is removed; nothing else
    ever is. Raises ForeignFolder for a folder with files and no marker of ours, and NotWritten.
    """
    paths = dict(zip(_paths(hydration.objects), hydration.objects, strict=True))
    before = _written_before(folder)
    gone = {path for path in before - paths.keys() if hydration.covers(*path.parts[:2])}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _mark(folder, before | paths.keys())
        for path, hydrated in paths.items():
            _write(folder, path, text(hydrated), private=hydrated.ref.kind == "Secret")
        for path in gone:
            (folder / path).unlink(missing_ok=True)
        _mark(folder, (before | paths.keys()) - gone)
    except OSError as error:
        where = Where(file=str(error.filename or folder))
        raise NotWritten(f"cannot be written: {error.strerror or error}", where=where) from None
    return len(paths)


def _paths(objects: Sequence[Hydrated]) -> Iterator[PurePosixPath]:
    """A path each: kind, namespace and name where that is unique, else with a digest behind."""
    plain = [PurePosixPath(h.cluster, h.app, _file_name(h.ref)) for h in objects]
    count = Counter(plain)
    for path, hydrated in zip(plain, objects, strict=True):
        digest = hashlib.sha256(str(hydrated.ref.key).encode()).hexdigest()[:8]
        name = path.name if count[path] == 1 else f"{path.name}-{digest}"
        yield path.with_name(f"{name}.yaml")


def _file_name(ref: ObjectRef) -> str:
    parts = (ref.kind.lower(), ref.namespace, ref.name)
    return "-".join(_UNFIT.sub("_", part) for part in parts if part)


def _written_before(folder: Path) -> set[PurePosixPath]:
    if not folder.exists():
        return set()
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder")
    try:
        lines = (folder / MARKER).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        if any(folder.iterdir()):
            raise ForeignFolder(
                f"{folder} holds files that `fleet render` did not write",
                hint="name an empty or a new folder",
            ) from None
        return set()
    return {path for path in map(PurePosixPath, lines) if _ours(path)}


def _ours(path: PurePosixPath) -> bool:
    """Whether a line of the marker is a path that we would write: an edited marker must not remove others'."""
    return len(path.parts) == len(("cluster", "app", "file")) and not {"..", "/"} & set(path.parts)


def _mark(folder: Path, paths: set[PurePosixPath]) -> None:
    text = "".join(f"{path}\n" for path in sorted(map(str, paths)))
    (folder / MARKER).write_text(text, encoding="utf-8")


def _write(folder: Path, relative: PurePosixPath, text: str, *, private: bool) -> None:
    path = folder / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ForeignFolder(f"{path} leads out of {folder}", hint="remove the link")
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.touch(mode=0o600 if private else 0o644)
    path.write_text(text, encoding="utf-8")
