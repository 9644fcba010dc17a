"""A fleet as loaded: the models, the files they came from, and where each value was written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from fleetmgr.errors import Where
from fleetmgr.spec.yaml_tree import Key, Place
from fleetmgr.veiled import Veiled

if TYPE_CHECKING:
    from fleetmgr.spec.fleet import Cluster, Fleet
    from fleetmgr.spec.overlay import Overlay

SECTIONS = ("environments", "clusters", "apps")
"""The lists of a Fleet whose items have names and may come from included files."""


class Item(Struct, frozen=True):
    """An item of a named list: its name ("" when it has none that is usable) and its node."""

    name: str
    place: Place


class Places:
    """Logical path -> node. Positions are looked up when a message needs one, never before."""

    def __init__(self, root: Place) -> None:
        """``root`` is the document of fleet.yaml."""
        self.root = root
        self.items: dict[str, list[Item]] = {}
        self.overlays: dict[tuple[str, str], Place] = {}
        self._by_name: dict[tuple[str, str], Place] = {}

    def add(self, section: str, items: list[Item]) -> None:
        """The items of a section, includes followed."""
        self.items[section] = items
        for item in items:
            self._by_name.setdefault((section, item.name), item.place)

    def find(self, *path: Key) -> Place:
        """The deepest node on ``path``: ("apps", "web", "source"), ("apps", 3, ...), or
        ("overlays", ENVIRONMENT, APP, ...) for an overlay file."""
        if len(path) > 1 and path[0] in self.items:
            place = self._item(str(path[0]), path[1])
            if place is not None:
                return place.walk(*path[2:])
        if len(path) > 2 and path[0] == "overlays":  # noqa: PLR2004 - overlays, environment, app
            place = self.overlays.get((str(path[1]), str(path[2])))
            if place is not None:
                return place.walk(*path[3:])
        return self.root.walk(*path)

    def _item(self, section: str, key: Key) -> Place | None:
        if isinstance(key, str):
            return self._by_name.get((section, key))
        items = self.items[section]
        return items[key].place if key < len(items) else None


class LoadedFleet(Veiled, frozen=True, kw_only=True, eq=False):
    """One load, equal only to itself, so that what is derived from it can be cached.

    ``files`` are ours (fleet.yaml, included files, overlay files), relative to ``root``, sorted.

    ``overlays`` are the overlay files by (environment, app).
    """

    VEILED = frozenset({"places"})

    fleet: Fleet
    root: Path
    files: tuple[str, ...]
    overlays: Mapping[tuple[str, str], Overlay]
    places: Places

    def where(self, *path: Key) -> Where:
        """file:line:column of a logical path; of the nearest parent that was written when it was not.

        Items of environments, clusters and apps go by name: ``where("apps", "web", "source", "path")``;
        overlay files by ``where("overlays", environment, app, ...)``.
        """
        return self.places.find(*path).where()

    def kubeconfig(self, cluster: Cluster, *, home: Path) -> Path | None:
        """The entry's kubeconfig file: ``~`` is ``home``, anything else relative to fleet.yaml."""
        written = cluster.access.kubeconfig
        if written is None:
            return None
        if written == "~" or written.startswith("~/"):
            return home / written[2:]
        return self.root / written
