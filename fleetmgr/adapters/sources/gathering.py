"""Follows a kustomization through everything that it names: files of its own tree, resolved and checked, and,
for the hosts that the app allows, files and repositories of others.

What is fetched becomes part of the tree that kustomize gets: a file beside the kustomization that names it, a
repository below ``.remote/``. The kustomization's text is changed at exactly the address, so everything else in
it stays as written.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import yaml
from msgspec import Struct

from fleetmgr.adapters.sources.kustomization import (
    NAMES,
    Entry,
    Kustomization,
    check_plugin,
    read_kustomization,
)
from fleetmgr.adapters.sources.local import MAX_FILE, MAX_FILES, MAX_TREE
from fleetmgr.adapters.sources.refusals import (
    PluginDenied,
    SourceEscapes,
    SourceNotFound,
    SourceTooLarge,
    SpecialFile,
)
from fleetmgr.adapters.sources.remote_base import Remote
from fleetmgr.adapters.sources.trees import CommitTree, Kind, Tree
from fleetmgr.adapters.sources.walk import ROOT, resolve, source_path, walk
from fleetmgr.errors import FleetError, Problem
from fleetmgr.model.artifact import PLAIN_MARK
from fleetmgr.model.target import RemoteHost
from fleetmgr.ports.remotes import RemoteFiles, RemoteRepositories
from fleetmgr.spec.yaml_guard import MANIFEST_LIMITS, scan

_MOUNT = ".remote"
_DEEPEST = 8
_MOST_LINES = 10_000
# A value that is nothing but one variable, unquoted; kustomize keeps no quotes.
_PLAIN_VARIABLE = re.compile(rb"((?::|-)[ \t]+)\$\{([^{}\n]*\}[ \t]*(?:[ \t]#[^\n]*)?\r?)$", re.MULTILINE)
_UNSAFE = re.compile(r"[^A-Za-z0-9._/-]")


class Remotes(Struct, frozen=True, kw_only=True):
    """What can be fetched from outside."""

    files: RemoteFiles
    repositories: RemoteRepositories


class Bound(Struct, frozen=True, kw_only=True):
    """What one source may fetch; no hosts: nothing."""

    remotes: Remotes
    hosts: tuple[RemoteHost, ...]


class Label(Struct, frozen=True, kw_only=True):
    """How files of a tree are named in messages: ``remote`` is the address of the repository that holds them."""

    revision: str | None
    remote: str = ""

    def shown(self, path: PurePosixPath) -> str:
        """``apps/web/x.yaml``, with ``@commit`` where it is not the working tree."""
        told = f"{self.remote}//{path}" if self.remote else str(path)
        return f"{told}@{self.revision[:12]}" if self.revision else told


class _Spent(Struct, kw_only=True):
    """What all trees of one source have cost so far."""

    bytes: int = 0
    files: int = 0


class _Recorded:
    """A Tree that remembers the links that were followed: the copy has them too."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.links: dict[str, str] = {}

    def kind(self, path: PurePosixPath) -> Kind:
        return self._tree.kind(path)

    def link(self, path: PurePosixPath) -> str:
        target = self._tree.link(path)
        self.links[str(path)] = target
        return target

    def children(self, path: PurePosixPath) -> list[str]:
        return self._tree.children(path)

    def size(self, path: PurePosixPath) -> int:
        return self._tree.size(path)

    def read(self, path: PurePosixPath) -> bytes:
        return self._tree.read(path)


class Gathering:
    """One tree and, behind it, those that its kustomizations name."""

    def __init__(
        self, tree: Tree, label: Label, bound: Bound | None, *, spent: _Spent | None = None, depth: int = 0
    ) -> None:
        """``files`` and ``links`` fill as kustomizations are followed."""
        self.tree = _Recorded(tree)
        self.label = label
        self.files: dict[str, bytes] = {}
        self.warnings: list[Problem] = []
        self.secrets: list[str] = []
        self._plain = tree
        self._bound = bound
        self._spent = spent or _Spent()
        self._depth = depth
        self._visited: set[PurePosixPath] = set()
        self._mounted: dict[str, bytes] = {}
        self._mounted_links: dict[str, str] = {}

    @property
    def links(self) -> dict[str, str]:
        """Links that were followed, with their targets as written."""
        return {**self.tree.links, **self._mounted_links}

    @property
    def read(self) -> tuple[str, ...]:
        """Files and links of the tree itself; what was fetched from elsewhere is not among them."""
        return tuple(sorted({*(self.files.keys() - self._mounted.keys()), *self.tree.links}))

    def gather(self, path: PurePosixPath) -> tuple[PurePosixPath, PurePosixPath]:
        """The real folder of the source and the name of its kustomization file."""
        if path.name in NAMES:
            path = path.parent
        folder = resolve(self.tree, path)
        kind = self.tree.kind(folder)
        if kind is not Kind.FOLDER:
            told = "is not there" if kind is Kind.MISSING else "is no folder"
            raise SourceNotFound(f"path `{path}` {told}", hint="check `source.path`")
        todo = [folder]
        while todo:
            here = todo.pop()
            if here not in self._visited:
                self._visited.add(here)
                todo += self._kustomization(here)
        name = next(n for n in NAMES if str(folder / n) in self.files)
        self.files.update(self._mounted)
        return folder, folder / name

    def _kustomization(self, folder: PurePosixPath) -> list[PurePosixPath]:
        """Reads the kustomization of a folder and all its files; the folders that it names."""
        # A link anywhere in the folder that leaves the repository refuses all of it, used or not.
        walk(self._plain, folder, recurse=folder != ROOT)
        names = [folder / n for n in NAMES if self.tree.kind(folder / n) is not Kind.MISSING]
        if not names:
            raise SourceNotFound(
                f"`{folder}` has no {NAMES[0]}",
                hint="add one; plain manifests have `type: manifests`",
            )
        folders: list[PurePosixPath] = []
        for name in names:
            content = self._file(resolve(self.tree, name), name)
            found = read_kustomization(
                content,
                name=self.label.shown(name),
                remotes=self._bound is not None and bool(self._bound.hosts),
            )
            self.warnings += found.warnings
            self.secrets += found.secrets
            folders += self._entries(folder, found)
            fetched = [(e, self._fetched(folder, e, e.remote)) for e in found.entries if e.remote is not None]
            if fetched:
                self.files[str(resolve(self.tree, name))] = _with_paths(content, fetched)
        return folders

    def _entries(self, folder: PurePosixPath, found: Kustomization) -> list[PurePosixPath]:
        folders: list[PurePosixPath] = []
        for entry in found.entries:
            if entry.remote is not None:
                continue
            real = self._resolved(folder, entry)
            kind = self.tree.kind(real)
            if kind is Kind.FOLDER and entry.plugin:
                message = f"`{entry.path}`: a plugin of kustomize is not read from a folder"
                raise PluginDenied(message, where=entry.place.where(), hint="name its file")
            if kind is Kind.FOLDER:
                folders.append(real)
                continue
            if kind is Kind.MISSING:
                raise SourceNotFound(f"`{entry.path}` is not there", where=entry.place.where())
            content = self._file(real, real)
            if entry.manifest:
                self._manifest(real, content, entry)
            elif entry.secret:
                self.secrets += _values(content)
        return folders

    def _resolved(self, folder: PurePosixPath, entry: Entry) -> PurePosixPath:
        if entry.path.startswith(("/", "~")) or "\0" in entry.path:
            raise SourceEscapes(f"`{entry.path[:200]}` leaves the repository", where=entry.place.where())
        try:
            return resolve(self.tree, folder / entry.path)
        except SourceEscapes as error:
            raise SourceEscapes(error.message, where=entry.place.where(), hint=error.hint) from None

    def _manifest(self, real: PurePosixPath, content: bytes, entry: Entry) -> None:
        if entry.plugin:
            check_plugin(content, entry.place)
            return
        if real.suffix == ".json":
            return
        scan(content, name=self.label.shown(real), limits=MANIFEST_LIMITS)
        self.files[str(real)] = _PLAIN_VARIABLE.sub(rb"\1" + PLAIN_MARK.encode() + rb"\2", content)

    def _file(self, real: PurePosixPath, name: PurePosixPath) -> bytes:
        if str(real) in self.files:
            return self.files[str(real)]
        if self.tree.kind(real) is not Kind.FILE:
            raise SpecialFile(f"`{name}` is no plain file")
        self._spend(str(name), self.tree.size(real))
        content = self.files[str(real)] = self.tree.read(real)
        return content

    def _spend(self, name: str, size: int) -> None:
        self._spent.bytes += size
        self._spent.files += 1
        if size > MAX_FILE or self._spent.bytes > MAX_TREE or self._spent.files > MAX_FILES:
            raise SourceTooLarge(f"`{name}`: more or larger files than a source may have")

    def _fetched(self, folder: PurePosixPath, entry: Entry, remote: Remote) -> str:
        """Fetches an address into the tree; the path that the kustomization is to name instead."""
        assert self._bound is not None  # noqa: S101 - without it no address is an entry
        try:
            if remote.is_file:
                return self._fetched_file(folder, remote, self._bound)
            return self._fetched_repository(folder, entry, remote, self._bound)
        except FleetError as error:
            if error.where is None:
                error.where = entry.place.where()
            raise

    def _fetched_file(self, folder: PurePosixPath, remote: Remote, bound: Bound) -> str:
        content = bound.remotes.files.read(remote.url, bound.hosts)
        self._spend(remote.url, len(content))
        scan(content, name=remote.url, limits=MANIFEST_LIMITS)
        # kustomize reads files of the kustomization's own folder only.
        inside = f"{_MOUNT}/{_safe(remote.host)}/{_digest(remote.url)}.yaml"
        self._mounted[str(folder / inside)] = _PLAIN_VARIABLE.sub(
            rb"\1" + PLAIN_MARK.encode() + rb"\2", content
        )
        return inside

    def _fetched_repository(self, folder: PurePosixPath, entry: Entry, remote: Remote, bound: Bound) -> str:
        if self._depth >= _DEEPEST:
            raise SourceTooLarge(
                f"`{entry.path[:200]}`: repositories name each other more than {_DEEPEST} times in a row"
            )
        repository, commit = bound.remotes.repositories.fetch(remote.url, remote.revision, bound.hosts)
        below = Gathering(
            CommitTree(repository, commit, recurse=True),
            Label(revision=commit, remote=remote.url),
            bound,
            spent=self._spent,
            depth=self._depth + 1,
        )
        inside, _ = below.gather(source_path(remote.path))
        mount = PurePosixPath(_MOUNT, _safe(remote.host), f"{_digest(remote.url)}@{commit[:12]}")
        self._mounted.update({str(mount / path): content for path, content in below.files.items()})
        self._mounted_links.update({str(mount / path): target for path, target in below.links.items()})
        self.warnings += below.warnings
        self.secrets += below.secrets
        return posixpath.relpath(str(mount / inside), str(folder))


def _with_paths(content: bytes, fetched: Sequence[tuple[Entry, str]]) -> bytes:
    """A kustomization with addresses replaced by the paths of what was fetched; all else stays as written."""
    text = content.decode("utf-8-sig")
    nodes = [(entry.place.node, path) for entry, path in fetched]
    for node, path in sorted(nodes, key=lambda found: found[0].start_mark.index, reverse=True):
        assert isinstance(node, yaml.ScalarNode)  # noqa: S101 - an entry is a text
        text = f"{text[: node.start_mark.index]}{path}{text[node.end_mark.index :]}"
    return text.encode()


def _safe(host: str) -> str:
    return _UNSAFE.sub("_", host)


def _digest(url: str) -> str:
    """A name that people recognise and that no other address has."""
    tail = _UNSAFE.sub("_", url.rpartition("://")[2].partition("?")[0].partition("/")[2]).replace("/", "_")
    return f"{tail[-60:].lstrip('._')}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"


def _values(content: bytes) -> list[str]:
    """What of a Secret generator's file an error might quote: its lines, and what is behind `=` in them."""
    lines = content.decode("utf-8", "replace").splitlines()[:_MOST_LINES]
    return [part for line in lines for part in (line.strip(), line.partition("=")[2].strip()) if part[2:]]
