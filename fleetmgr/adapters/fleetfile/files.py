"""fleet.yaml with its included and overlay files: what an edit reads, tries out and writes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from stat import S_IMODE
from typing import ClassVar

from msgspec import Struct

from fleetmgr.adapters.fleetfile.insertion import NotKept, deleted, inserted
from fleetmgr.adapters.fleetfile.writing import Style, block
from fleetmgr.errors import FleetError, InvalidInput, Problem, UsageError, Where
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.ports.fleet_file import Edit, Item
from fleetmgr.spec import LoadedFleet, load
from fleetmgr.spec.files import Files
from fleetmgr.spec.overlay_files import FOLDER
from fleetmgr.spec.plain import Json, is_list, is_map
from fleetmgr.spec.yaml_tree import Place
from fleetmgr.whole_files import write_whole

SECTIONS = ("environments", "clusters", "apps")
_OURS = (".yaml", ".yml")


class EditRefused(FleetError):
    """The file cannot be edited without touching more than the entry, or not be written."""

    code: ClassVar[str] = "FLT-1020"


class ChangedMeanwhile(FleetError):
    """A file is no longer what the edit was made of."""

    code: ClassVar[str] = "FLT-1021"


class _Entry(Struct, frozen=True, kw_only=True):
    """Where an item stands: in which file, in which list of it (None: the document), at which index (None: the
    document is the item)."""

    item: Item
    section: str | None
    index: int | None


class FleetYaml:
    """Implements ``ports.fleet_file.FleetFile``. Files are read once, when first asked for."""

    def __init__(self, path: Path) -> None:
        """``path`` of fleet.yaml; raises UsageError when there is none, InvalidInput when it is no YAML."""
        if not path.is_file():
            raise UsageError(
                f"there is no {path}",
                hint="run this where fleet.yaml is, name it with -f, or start one with `fleet init`",
            )
        self._root = path.parent.resolve()
        self._main = path.name
        self._problems: list[Problem] = []
        self._files = Files(self._root, self._main, self._problems)
        self._texts: dict[str, bytes] = {}
        self._entries: dict[str, list[_Entry]] = {}
        self._patterns: dict[str, list[str]] = {}
        place, data = self._read(self._main)
        if place is None or not is_map(data):
            self._stop("fleet.yaml holds no map")
            return
        for section in SECTIONS:
            self._entries[section] = list(self._follow(section, place, data.get(section)))
        if self._problems:
            self._stop("")

    def items(self, section: str) -> tuple[Item, ...]:
        """As the port."""
        return tuple(entry.item for entry in self._entries[section])

    def overlays(self, *, app: str | None = None, environment: str | None = None) -> tuple[str, ...]:
        """As the port."""
        found = self._root.glob(f"{FOLDER}/{environment or '*'}/{app or '*'}.*")
        names = (p.relative_to(self._root).as_posix() for p in found if p.suffix in _OURS and p.is_file())
        listed = {entry.item.file for entries in self._entries.values() for entry in entries}
        return tuple(sorted(name for name in names if name not in listed))

    def has(self, path: str) -> bool:
        """As the port."""
        return (self._root / path).exists()

    def add(self, section: str, entry: JsonObject, *, after: str | None = None) -> Edit:
        """As the port. Where a section only includes files, a new cluster or app follows their example."""
        entries = self._entries[section]
        if after is not None:
            behind = next(e for e in entries if e.item.name == after)
            if behind.index is None:
                raise EditRefused(
                    f"{behind.item.file} holds `{after}` alone: there is nothing behind it to add to",
                    hint="the order is that of the file names; add a file by hand",
                )
            return self._insert(behind.item.file, behind.section, entry, behind.index + 1)
        here = [e for e in entries if e.item.file == self._main]
        if here or not entries:
            return self._insert(self._main, section, entry, self._length(section))
        last = entries[-1]
        if last.index is not None:
            return self._insert(last.item.file, None, entry, last.index + 1)
        name = str(PurePosixPath(last.item.file).with_name(f"{entry['name']}.yaml"))
        if self.has(name) or not any(PurePosixPath(name).match(p) for p in self._patterns[section]):
            return self._insert(self._main, section, entry, self._length(section))
        text = "".join(f"{line}\n" for line in block(entry, Style()))
        return Edit(file=name, before=None, after=text.encode())

    def remove(self, section: str, name: str) -> Edit:
        """As the port. A file that held nothing else goes with its entry."""
        entry = next(e for e in self._entries[section] if e.item.name == name)
        alone = [e for entries in self._entries.values() for e in entries if e.item.file == entry.item.file]
        if entry.index is None or (entry.section is None and len(alone) == 1):
            return self.delete(entry.item.file)
        index = entry.index
        return self._edit(entry.item, lambda text: deleted(text, entry.section, index))

    def delete(self, file: str) -> Edit:
        """As the port."""
        return Edit(file=file, before=self._bytes(file), after=None)

    def check(self, edits: Sequence[Edit]) -> LoadedFleet:
        """As the port: loads a copy of our files with the edits made."""
        with tempfile.TemporaryDirectory(prefix="fleet-edit-") as folder:
            copy = Path(folder)
            for name in self._ours():
                _copy(self._root / name, copy / name)
            for edit in edits:
                if edit.after is None:
                    _gone(copy, edit.file)
                else:
                    (copy / edit.file).parent.mkdir(parents=True, exist_ok=True)
                    (copy / edit.file).write_bytes(edit.after)
            return load(copy / self._main)

    def write(self, edits: Sequence[Edit]) -> None:
        """As the port: texts before deletions, so that a crash leaves at most an overlay without its app."""
        for edit in edits:
            if self._now(edit.file) != edit.before:
                raise ChangedMeanwhile(
                    "the file was changed while this edit was made; nothing was written",
                    where=Where(file=edit.file),
                    hint="run the command again",
                )
        try:
            for edit in sorted(edits, key=lambda e: e.after is None):
                if edit.after is None:
                    _gone(self._root, edit.file)
                else:
                    _replace((self._root / edit.file).resolve(), edit.after)
        except OSError as error:
            reason = f"cannot be written: {error.strerror or error}"
            raise EditRefused(reason, where=Where(file=str(error.filename))) from None

    def _follow(self, section: str, place: Place, listed: Json) -> Iterator[_Entry]:
        """Entries of a section; what is no list is reported when the fleet is checked."""
        for index, value in enumerate(listed if is_list(listed) else []):
            at = place.walk(section, index)
            if not is_map(value):
                continue
            if "include" not in value:
                yield _entry(value, at, section=section, index=index)
                continue
            patterns = value["include"]
            for pattern in patterns if is_list(patterns) else [patterns]:
                self._patterns.setdefault(section, []).append(str(pattern))
                for name in self._files.matching(str(pattern), by=at):
                    yield from self._included(name)

    def _included(self, name: str) -> Iterator[_Entry]:
        if name in self._texts:
            return
        place, data = self._read(name)
        if place is not None and is_map(data):
            yield _entry(data, place, section=None, index=None)
        elif place is not None and is_list(data):
            for index, value in enumerate(data):
                if is_map(value):
                    yield _entry(value, place.walk(index), section=None, index=index)

    def _read(self, name: str) -> tuple[Place | None, Json]:
        self._texts[name] = self._bytes(name)
        return self._files.read(name)

    def _bytes(self, name: str) -> bytes:
        try:
            return (self._root / name).read_bytes()
        except OSError as error:
            where = Where(file=name)
            raise EditRefused(f"cannot be read: {error.strerror or error}", where=where) from None

    def _now(self, name: str) -> bytes | None:
        path = self._root / name
        return self._bytes(name) if path.exists() else None

    def _length(self, section: str) -> int:
        """Number of items that are written in fleet.yaml, its includes among them."""
        _, data = self._files.read(self._main)
        listed = data.get(section) if is_map(data) else None
        return len(listed) if is_list(listed) else 0

    def _insert(self, file: str, section: str | None, entry: JsonObject, index: int) -> Edit:
        item = Item(name=str(entry["name"]), file=file, line=1, data=entry)
        return self._edit(item, lambda text: inserted(text, section, entry, index))

    def _edit(self, item: Item, change: Callable[[str], str]) -> Edit:
        before = self._texts[item.file]
        text = before.decode()
        try:
            after = _in_its_breaks(text, change)
        except NotKept:
            raise EditRefused(
                f"`{item.name}` cannot be edited here without rewriting more of the file than that entry",
                where=Where(file=item.file, line=item.line),
                hint="edit it by hand; the list or its items are written in an unusual way",
            ) from None
        return Edit(file=item.file, before=before, after=after.encode())

    def _ours(self) -> set[str]:
        overlays = self._root.glob(f"{FOLDER}/*") if (self._root / FOLDER).is_dir() else ()
        files = {p for folder in overlays for p in ([folder] if folder.is_file() else folder.glob("*"))}
        return {*self._texts, *(p.relative_to(self._root).as_posix() for p in files if p.suffix in _OURS)}

    def _stop(self, message: str) -> None:
        problem = Problem(message=message, where=Where(file=self._main, line=1, column=1), code="FLT-1000")
        raise InvalidInput(tuple(self._problems) or (problem,))


def _in_its_breaks(text: str, change: Callable[[str], str]) -> str:
    """``change`` of a text with its own line breaks, which must be of one sort."""
    unix = text.replace("\r\n", "\n")
    breaks = "\n" if unix == text else "\r\n"
    if unix.replace("\n", breaks) != text:
        raise NotKept
    return change(unix).replace("\n", breaks)


def _entry(data: JsonObject, place: Place, *, section: str | None, index: int | None) -> _Entry:
    where = place.where()
    item = Item(name=str(data.get("name", "")), file=where.file or "", line=where.line or 1, data=data)
    return _Entry(item=item, section=section, index=index)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):  # what cannot be read is reported by loading
        shutil.copyfile(source, target)


def _gone(root: Path, file: str) -> None:
    """Delete a file; an overlay folder that is empty then would match nothing, so it goes too."""
    path = root / file
    path.unlink()
    if path.parent.parent.name == FOLDER:
        with suppress(OSError):
            path.parent.rmdir()


def _replace(path: Path, data: bytes) -> None:
    """Write beside the file, then rename: a reader sees the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data, mode=S_IMODE(path.stat().st_mode) if path.exists() else 0o644)
