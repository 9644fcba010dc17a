"""What was started, on disk after every change, so that any later call can find and stop it."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any, cast

from msgspec import Struct
from msgspec.structs import replace

from fleetmgr.adapters.sandbox.errors import SandboxStateBroken
from fleetmgr.adapters.sandbox.files import write_private
from fleetmgr.adapters.sandbox.layout import Layout
from fleetmgr.errors import Where

VERSION = 1


class Entry(Struct, frozen=True, kw_only=True):
    """One component: its remembered ports, and the process if one was started.

    ``started`` identifies the process together with ``pid`` (see processes.identity): a
    reused pid has another start.
    """

    ports: tuple[int, ...]
    pid: int | None = None
    started: str | None = None


class Contents(Struct, frozen=True, kw_only=True):
    """All that is remembered. ``stopped``: clusters that were stopped on purpose."""

    clusters: tuple[str, ...] = ()
    stopped: frozenset[str] = frozenset()
    entries: Mapping[str, Entry]


class Ledger:
    """Thread-safe; every change is written before the call returns."""

    def __init__(self, layout: Layout, contents: Contents) -> None:
        """Use ``open_ledger``."""
        self._layout = layout
        self._contents = contents
        self._lock = threading.Lock()

    @property
    def contents(self) -> Contents:
        """The present contents, immutable."""
        return self._contents

    def entry(self, key: str) -> Entry | None:
        """What is known about a component."""
        return self._contents.entries.get(key)

    def put(self, key: str, entry: Entry) -> None:
        """Remember a component's ports and process."""
        with self._lock:
            entries = {**self._contents.entries, key: entry}
            self._save(replace(self._contents, entries=entries))

    def set_clusters(self, clusters: tuple[str, ...], stopped: frozenset[str]) -> None:
        """Remember which clusters there are, and which of them are stopped on purpose."""
        with self._lock:
            self._save(replace(self._contents, clusters=clusters, stopped=stopped))

    def ports(self) -> frozenset[int]:
        """Every port that some component remembers."""
        entries = self._contents.entries.values()
        return frozenset(port for entry in entries for port in entry.ports)

    def _save(self, contents: Contents) -> None:
        write_private(self._layout.ledger, json.dumps(_encode(contents), indent=1))
        self._contents = contents


def open_ledger(layout: Layout) -> Ledger:
    """The ledger as last written, or an empty one; raises SandboxStateBroken."""
    try:
        text = layout.ledger.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Ledger(layout, Contents(entries={}))
    try:
        return Ledger(layout, _decode(json.loads(text)))
    except (ValueError, KeyError, TypeError) as error:
        raise SandboxStateBroken(
            f"the sandbox's record cannot be read: {error}",
            where=Where(file=str(layout.ledger)),
            hint=f"remove that file and run: fleet sandbox down --name {layout.name}",
        ) from error


def _encode(contents: Contents) -> dict[str, object]:
    return {
        "version": VERSION,
        "clusters": list(contents.clusters),
        "stopped": sorted(contents.stopped),
        "components": {
            key: {"ports": list(entry.ports), "pid": entry.pid, "started": entry.started}
            for key, entry in contents.entries.items()
        },
    }


def _decode(document: Any) -> Contents:
    if document["version"] != VERSION:
        raise ValueError(f"version {document['version']!r} is not {VERSION}")
    components = cast("dict[str, dict[str, Any]]", document["components"])
    return Contents(
        clusters=tuple(str(name) for name in document["clusters"]),
        stopped=frozenset(str(name) for name in document["stopped"]),
        entries={
            key: Entry(
                ports=tuple(int(port) for port in value["ports"]),
                pid=None if value["pid"] is None else int(value["pid"]),
                started=None if value["started"] is None else str(value["started"]),
            )
            for key, value in components.items()
        },
    )
