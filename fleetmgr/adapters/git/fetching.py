"""Other repositories, for bases of kustomizations: one commit of each, in a bare repository of our cache.

Git asks only by https, follows no redirect, runs no hook, no filter, no submodule and asks nobody anything. The
user's credential helpers work. What was fetched by a full commit id is never asked for again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import git
from git.exc import GitCommandError

from fleetmgr.adapters.git.location import bare
from fleetmgr.adapters.git.repository import ENVIRONMENT, SAFE_CONFIG, GitRepository, plausible
from fleetmgr.model.target import RemoteHost
from fleetmgr.ports.remotes import RemoteFailed, RemoteRefused
from fleetmgr.ports.repository import Repository

TIMEOUT = 120.0
"""Seconds for one fetch."""
_FULL_ID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class Address(Protocol):
    """Where a URL may be asked."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def ip(self) -> str: ...


class BareRepository(GitRepository):
    """A repository without a working tree, read as every other."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is the repository itself."""
        self._root = folder
        self._open(bare(folder))


class FetchedRepositories:
    """Implements ports.remotes.RemoteRepositories."""

    def __init__(
        self,
        cache: Path,
        check: Callable[[str, Sequence[RemoteHost]], Address],
        lock: Callable[[Path], AbstractContextManager[Any]],
    ) -> None:
        """``cache`` holds a folder a repository; ``check`` says where a URL may be asked; ``lock`` keeps two runs
        from making one folder at the same time."""
        self._cache = cache
        self._check = check
        self._lock = lock
        self._known: dict[tuple[str, str], str] = {}

    def fetch(self, url: str, revision: str, hosts: Sequence[RemoteHost]) -> tuple[Repository, str]:
        """As the port says."""
        address = self._check(url, hosts)
        if not plausible(revision):
            raise RemoteRefused(f"`{revision[:80]}` is no revision")
        folder = self._cache / hashlib.sha256(url.encode()).hexdigest()[:32]
        with self._lock(folder.with_suffix(".lock")):
            if not (folder / "HEAD").exists():
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                git.Repo.init(folder, bare=True)
            repository = BareRepository(folder)
            commit = self._known.get((url, revision)) or (_present(repository, revision))
            if commit is None:
                _fetch(folder, url, revision, address)
                commit = repository.resolve(_ref(revision))
            self._known[url, revision] = commit
        return repository, commit


def _present(repository: GitRepository, revision: str) -> str | None:
    return repository.known(revision) if _FULL_ID.fullmatch(revision) else None


def _ref(revision: str) -> str:
    return f"refs/fleetmgr/{hashlib.sha256(revision.encode()).hexdigest()[:32]}"


def _fetch(folder: Path, url: str, revision: str, address: Address) -> None:
    shown = urlsplit(url)._replace(query="").geturl()
    settings = (
        *(s for s in SAFE_CONFIG if not s.startswith("protocol.")),
        "protocol.allow=never",
        f"protocol.{urlsplit(url).scheme}.allow=always",
        "http.followRedirects=false",
        f"http.curloptResolve={address.host}:{address.port}:{address.ip}",
        "fetch.fsckObjects=true",
        "core.askPass=",
        "gc.auto=0",
    )
    options = [part for setting in settings for part in ("-c", setting)]
    command = [
        "git",
        *options,
        "fetch",
        "--quiet",
        "--depth=1",
        "--no-tags",
        "--no-recurse-submodules",
        "--force",
    ]
    caller = git.Git(folder)
    held = bare(folder).environment()
    caller.update_environment(**held, **{k: v for k, v in ENVIRONMENT.items() if k != "GIT_NO_LAZY_FETCH"})
    try:
        caller.execute(
            [*command, "--end-of-options", url, f"{revision}:{_ref(revision)}"],
            kill_after_timeout=TIMEOUT,
        )
    except GitCommandError as error:  # Git's own words may hold credentials
        raise RemoteFailed(
            f"{shown} at `{revision[:80]}` cannot be fetched (git ended with {error.status})",
            hint="check the address, the revision and your credentials with `git ls-remote`",
        ) from None
