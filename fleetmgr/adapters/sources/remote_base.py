"""Addresses in kustomizations, split as kustomize splits them.

Source: kustomize api/internal/git/repospec.go (``NewRepoSpecFromURL``). Stricter in two ways: only https (http
where the host is allowed without TLS), and a repository needs its revision (``?ref=``), because a branch that
moves would change a plan without a commit.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

_SHORT = (
    (re.compile(r"^gh:", re.IGNORECASE), "https://github.com/"),
    (re.compile(r"^github\.com[/:]", re.IGNORECASE), "https://github.com/"),
)
_FILES = (".yaml", ".yml", ".json")
_FORGES = frozenset({"github.com", "gitlab.com", "bitbucket.org"})


class Remote(Struct, frozen=True, kw_only=True):
    """A file (``revision`` ""), or ``path`` in the repository ``url`` at ``revision``. ``host`` is for people."""

    url: str
    host: str
    revision: str = ""
    path: str = "."

    @property
    def is_file(self) -> bool:
        """Whether it is one file and no repository."""
        return not self.revision


class NoRemote(ValueError):
    """Why an address cannot be used, for people."""


def remote(address: str) -> Remote:
    """``address`` of a kustomization, split. Raises NoRemote."""
    text = address.strip()
    marked = text.lower().startswith("git::")
    text = text[len("git::") :] if marked else text
    for short, full in _SHORT:
        text = short.sub(full, text)
    try:
        parts = urlsplit(text)
        named = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""
    except ValueError:
        raise NoRemote("is no address") from None
    if parts.scheme not in ("https", "http") or not named:
        raise NoRemote("is no https address; nothing else is fetched")
    asked = parse_qs(parts.query)
    revision = next((asked[key][0] for key in ("ref", "version") if asked.get(key)), "")
    if not (marked or revision or _is_repository(parts.path, named)):
        return Remote(url=text, host=named)
    if not revision:
        raise NoRemote("has no revision; pin it with ?ref=")
    repository, path = _split(parts.path)
    if ".." in PurePosixPath(path).parts:
        raise NoRemote("leaves its repository")
    url = parts._replace(path=repository, query="", fragment="").geturl()
    return Remote(url=url, host=named, revision=revision, path=path or ".")


def _is_repository(path: str, host: str) -> bool:
    if "//" in path or ".git/" in path or path.endswith(".git"):
        return True
    return host.lower() in _FORGES and not path.lower().endswith(_FILES)


def _split(path: str) -> tuple[str, str]:
    """Where the repository ends: at ``//``, behind ``.git``, else behind owner and name."""
    if "//" in path:
        repository, _, inside = path.partition("//")
        return repository, inside.strip("/")
    if ".git/" in path or path.endswith(".git"):
        repository, _, inside = path.partition(".git")
        return f"{repository}.git", inside.strip("/")
    owner, name, *inside = [part for part in path.split("/") if part] + ["", ""]
    return f"/{owner}/{name}", "/".join(part for part in inside if part)
