"""The repository around fleet.yaml, read with Git itself.

Nothing here changes the repository or runs what it brings along: only plumbing that reads objects, with
hooks, filters, pagers, prompts and optional locks off, and revisions never where Git expects an option.
Only wiring imports this module, and only when a command needs it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from fleetmgr.adapters.git.calling import Git
from fleetmgr.adapters.git.committed import differing, left_out
from fleetmgr.adapters.git.location import Location, located
from fleetmgr.errors import FleetError
from fleetmgr.ports.repository import TreeEntry

SAFE_CONFIG = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.quotePath=false",
    "protocol.allow=never",
)
ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_PAGER": "cat",
}
_LINK = "120000"
_BLOB = "blob"
_FULL_ID = (40, 64)


class RevisionNotFound(FleetError):
    """A revision that this repository does not have."""

    code = "FLT-1204"


class PathNotInCommit(FleetError):
    """A path that a commit does not have."""

    code = "FLT-1205"


class GitFailed(FleetError):
    """Git itself could not read the repository. ``status`` is its exit status."""

    code = "FLT-1206"

    def __init__(self, message: str, *, status: int = 128) -> None:
        """The message never holds Git's output: it may hold credentials of a remote."""
        super().__init__(message, hint="run `git status` here: it tells more")
        self.status = status


class GitRepository:
    """Read-only; ``root`` is the folder of fleet.yaml, at the top of the repository or below it."""

    def __init__(self, root: Path) -> None:
        """Finds the repository around ``root``; without one, there is only a working tree."""
        self._root = root.resolve()
        self._open(located(self._root))

    def _open(self, location: Location | None) -> None:
        self._program: Git | None = None
        self._prefix = PurePosixPath()
        if location is not None:
            top = location.top or location.folder
            self._prefix = PurePosixPath(self._root.relative_to(top).as_posix())
            self._program = Git(top, {**ENVIRONMENT, **location.environment()})

    @property
    def root(self) -> Path:
        """Folder of fleet.yaml."""
        return self._root

    def head(self) -> str | None:
        """Full commit id of HEAD; None outside Git or before the first commit."""
        return None if self._program is None else self._commit_id("HEAD", unborn=True)

    def dirty(self) -> bool:
        """Whether the working tree differs from HEAD below ``root``; untracked files count, ignored ones and
        submodules do not."""
        if self._program is None:
            return False
        arguments = ("--porcelain", "--untracked-files=normal", "--ignore-submodules=all", "--no-renames")
        found = self._git("status", *arguments, "--", str(self._root), settings=self._no_filters())
        return bool(found.strip())

    def uncommitted(self, files: Collection[str], folders: Mapping[str, bool]) -> tuple[str, ...]:
        """As the port says: contents are compared with those of HEAD, so that neither the index, nor what it assumes
        or skips, nor a filter has a say."""
        if self.head() is None:
            return tuple(sorted(name for name in files if (self._root / name).exists()))
        listing = self._list("HEAD", self._prefix, recurse=True)
        committed = {name: (mode, identifier) for mode, name, identifier in listing}
        changed = (name for name in files if differing(self._root, name, committed))
        return tuple(sorted({*changed, *left_out(self._root, folders, committed)}))

    def pushed(self, commit: str) -> bool:
        """As the port says."""
        if self._program is None or not self._git("remote").strip():
            return True
        known = self.known(commit)
        arguments = ("--count=1", f"--contains={known}", "--format=%(refname)", "refs/remotes")
        return known is not None and bool(self._git("for-each-ref", *arguments).strip())

    def _no_filters(self) -> tuple[str, ...]:
        """Settings that keep Git from running the filters that are configured here, to compare contents."""
        try:
            found = self._git(
                "config", "--name-only", "--get-regexp", r"^filter\..*\.(clean|process|required)$"
            )
        except GitFailed:  # there are none
            return ()
        return tuple(
            f"{key}=" if not key.endswith(".required") else f"{key}=false" for key in found.split("\n") if key
        )

    def resolve(self, revision: str) -> str:
        """Full commit id of a commit, tag or branch. Raises RevisionNotFound."""
        found = self.known(revision)
        if found is None:
            reason = (
                "this folder is in no Git repository"
                if self._program is None
                else "no such commit, tag or branch"
            )
            raise RevisionNotFound(
                f"revision `{revision}` is not in the repository: {reason}",
                hint="fetch it first, or write a full commit id",
            )
        return found

    def known(self, revision: str) -> str | None:
        """As ``resolve``; None when there is no such revision."""
        return None if self._program is None or not plausible(revision) else self._commit_id(revision)

    def tree(self, commit: str, path: str, *, recurse: bool) -> tuple[TreeEntry, ...]:
        """Files and links below ``path`` at ``commit``, sorted; submodules are left out.

        ``path`` is relative to ``root``; the paths of entries too. Raises PathNotInCommit.
        """
        resolved = self.resolve(commit)
        if ".." in PurePosixPath(path).parts or path.startswith("/"):
            raise PathNotInCommit(f"path `{path}` leaves the repository")
        inside = self._prefix.joinpath(*PurePosixPath(path).parts)
        listing = self._list(resolved, inside, recurse=recurse)
        if not listing and str(inside) != "." and not self._is_folder(resolved, inside):
            raise PathNotInCommit(f"path `{path}` is not in commit {resolved[:12]}")
        contents = self._contents([identifier for _, _, identifier in listing])
        entries = [
            TreeEntry(path=name, link=content.decode("utf-8", "surrogateescape"))
            if mode == _LINK
            else TreeEntry(path=name, content=content)
            for (mode, name, _), content in zip(listing, contents, strict=True)
        ]
        return tuple(sorted(entries, key=lambda entry: entry.path))

    def moved_on(self, commit: str) -> str | None:
        """RFC 3339 in UTC; a commit that is not in this repository, or not before HEAD, gives None."""
        known = self.known(commit)
        if known is None:
            return None
        lines = self._git("rev-list", "--timestamp", "--ancestry-path", f"{known}..HEAD", "--").splitlines()
        times = [int(line.split()[0]) for line in lines]
        return datetime.fromtimestamp(times[-1], UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if times else None

    def _list(self, commit: str, inside: PurePosixPath, *, recurse: bool) -> list[tuple[str, str, str]]:
        """(mode, path relative to root, object id) of blobs and links."""
        where = (
            []
            if str(inside) == "."
            else ["--", f"{inside}/" if self._is_folder(commit, inside) else str(inside)]
        )
        flags = ["-z", "--full-tree", *(["-r"] if recurse else [])]
        listing: list[tuple[str, str, str]] = []
        for line in self._git("ls-tree", *flags, "--end-of-options", commit, *where).split("\0"):
            meta, _, name = line.partition("\t")
            if name and meta.split()[1] == _BLOB:
                mode, _, identifier = meta.split()
                relative = PurePosixPath(name).relative_to(self._prefix)
                listing.append((mode, str(relative), identifier))
        return listing

    def _is_folder(self, commit: str, inside: PurePosixPath) -> bool:
        try:
            kind = self._git("cat-file", "-t", "--end-of-options", f"{commit}:{inside}")
        except GitFailed:
            return False
        return kind.strip() == "tree"

    def _contents(self, identifiers: list[str]) -> list[bytes]:
        """The objects' raw bytes, through one process."""
        if not identifiers:
            return []
        output = self._git_bytes("cat-file", "--batch", given="".join(f"{i}\n" for i in identifiers).encode())
        contents: list[bytes] = []
        position = 0
        for identifier in identifiers:
            end = output.index(b"\n", position)
            header = output[position:end].split()
            if len(header) != len(("id", "type", "size")):
                raise GitFailed(f"object {identifier} cannot be read")
            size = int(header[2])
            contents.append(output[end + 1 : end + 1 + size])
            position = end + 2 + size
        return contents

    def _commit_id(self, revision: str, *, unborn: bool = False) -> str | None:
        """None when there is no such commit; with ``unborn`` other failures of Git are told."""
        try:
            found = self._git(
                "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
            )
        except GitFailed as error:
            if unborn and error.status != 1:
                raise
            return None
        found = found.strip()
        return found if len(found) in _FULL_ID else None

    def _git(self, command: str, *arguments: str, settings: tuple[str, ...] = ()) -> str:
        return self._git_bytes(command, *arguments, settings=settings).decode("utf-8", "surrogateescape")

    def _git_bytes(
        self, command: str, *arguments: str, settings: tuple[str, ...] = (), given: bytes = b""
    ) -> bytes:
        if self._program is None:
            raise GitFailed("this folder is in no Git repository")
        options = [part for setting in (*SAFE_CONFIG, *settings) for part in ("-c", setting)]
        try:
            answer = self._program.call([*options, command, *arguments], given=given)
        except OSError as error:
            raise GitFailed(f"git cannot be started: {error.strerror or error}") from None
        if answer.status:
            status = abs(answer.status)
            raise GitFailed(f"git {command} failed with status {status}", status=status)
        return answer.output


def plausible(revision: str) -> bool:
    """Names only: no ranges, no searches (``:/text``), nothing that could be read as an option."""
    return (
        bool(revision)
        and not revision.startswith(("-", ":", "^", "@{"))
        and not any(mark in revision for mark in ("..", " ", "\n", "\0", ":"))
    )
