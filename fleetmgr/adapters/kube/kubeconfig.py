"""Reads kubeconfig files as client-go does: a list is merged, the first file that sets a name wins.

Semantics: k8s.io/client-go/tools/clientcmd (loader.go, overrides aside). Every scalar is read as text, so that a
token or name of digits stays what was written.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from pathlib import Path

import yaml

from fleetmgr.adapters.kube.access import AccessFault, AccessSettings, Environment
from fleetmgr.errors import InvalidInput
from fleetmgr.model.jsontypes import Json, JsonObject, child, is_array, is_object
from fleetmgr.spec import yaml_guard
from fleetmgr.veiled import Veiled

KUBECONFIG_LIMITS = yaml_guard.Limits(size=16 << 20, expanded=64 << 20, byte_order_mark=True)
_NOTHING = ("", "null", "~")
_LISTED = 8


class Entry(Veiled, frozen=True, kw_only=True):
    """One named cluster, user or context, and the file that it stands in."""

    VEILED = frozenset({"body"})

    name: str
    body: JsonObject
    file: Path

    def text(self, key: str) -> str:
        """The text at ``key``, "" where there is none. Raises AccessFault for a list or map."""
        value = self.body.get(key, "")
        if not isinstance(value, str):
            raise AccessFault(f"`{key}` of `{self.name}` must be text", file=str(self.file))
        return "" if value in _NOTHING else value

    def flag(self, key: str) -> bool:
        """The boolean at ``key``, false where there is none."""
        value = self.text(key)
        if value.lower() not in {"", "true", "false"}:
            raise AccessFault(f"`{key}` of `{self.name}` must be true or false", file=str(self.file))
        return value.lower() == "true"

    def path(self, key: str) -> Path | None:
        """The file named at ``key``; a relative one lies beside the kubeconfig."""
        value = self.text(key)
        return self.file.parent / value if value else None


class Kubeconfig(Veiled, frozen=True, kw_only=True):
    """Several files merged. ``files`` are those that were read."""

    VEILED = frozenset({"clusters", "users", "contexts"})

    files: tuple[Path, ...]
    clusters: dict[str, Entry]
    users: dict[str, Entry]
    contexts: dict[str, Entry]
    current_context: str

    @property
    def source(self) -> str:
        """The files, for messages."""
        return ", ".join(str(file) for file in self.files)

    def context(self, name: str | None) -> Entry:
        """The context ``name``, or the current one. Raises AccessFault that says which exist."""
        wanted = name or self.current_context
        if not wanted:
            raise AccessFault(
                f"{self.source} sets no current-context and the cluster entry names no context",
                hint=f"set access.context to one of: {_names(self.contexts)}",
                file=str(self.files[0]),
            )
        return self._find("context", self.contexts, wanted)

    def cluster_of(self, context: Entry) -> Entry:
        """The cluster that ``context`` names."""
        return self._named_by(context, "cluster", self.clusters)

    def user_of(self, context: Entry) -> Entry | None:
        """The user that ``context`` names; None for anonymous access."""
        return self._named_by(context, "user", self.users) if context.text("user") else None

    def _named_by(self, context: Entry, kind: str, among: dict[str, Entry]) -> Entry:
        name = context.text(kind)
        if not name:
            raise AccessFault(f"context `{context.name}` names no {kind}", file=str(context.file))
        try:
            return self._find(kind, among, name)
        except AccessFault as fault:
            message = f"context `{context.name}`: {fault.message}"
            raise AccessFault(message, hint=fault.hint, file=str(context.file)) from None

    def _find(self, kind: str, among: dict[str, Entry], name: str) -> Entry:
        if name in among:
            return among[name]
        near = difflib.get_close_matches(name, among, n=1)
        hint = f"did you mean `{near[0]}`? " if near else ""
        raise AccessFault(
            f"no {kind} `{name}` in {self.source}",
            hint=f"{hint}there are: {_names(among)}",
            file=str(self.files[0]),
        )


def kubeconfig_files(settings: AccessSettings, environment: Environment) -> tuple[Path, ...]:
    """The files that ``settings`` mean, in order of precedence, present ones only. Raises AccessFault for none."""
    home = Path(environment.get("HOME") or "/")
    if settings.kubeconfig:
        path = _expanded(settings.kubeconfig, home)
        if not path.exists():
            raise AccessFault(f"kubeconfig {path} does not exist", file=str(path))
        return (path,)
    listed = [part for part in environment.get("KUBECONFIG", "").split(":") if part]
    candidates = [_expanded(part, home) for part in listed] or [home / ".kube" / "config"]
    present = tuple(path for path in dict.fromkeys(candidates) if path.exists())
    if not present:
        raise AccessFault(
            f"no kubeconfig: {', '.join(map(str, candidates))} does not exist",
            hint="set access.kubeconfig of the cluster, or KUBECONFIG",
        )
    return present


def load_kubeconfig(files: Iterable[Path]) -> Kubeconfig:
    """Read and merge ``files``. Raises AccessFault naming the file, never showing what it holds."""
    paths = tuple(files)
    merged: dict[str, dict[str, Entry]] = {"clusters": {}, "users": {}, "contexts": {}}
    current = ""
    for path in paths:
        document = _read(path)
        for section, found in merged.items():
            for entry in _entries(document, section, path):
                found.setdefault(entry.name, entry)
        value = document.get("current-context")
        if not current and isinstance(value, str) and value not in _NOTHING:
            current = value
    return Kubeconfig(files=paths, current_context=current, **merged)


def typed_extension(cluster: Entry, name: str) -> Json:
    """A cluster's extension with YAML's own types, as a credential plugin expects it; None where there is none."""
    try:
        document: Json = yaml.load(cluster.file.read_bytes(), Loader=yaml.CSafeLoader)
    except (OSError, yaml.YAMLError, ValueError):
        raise AccessFault("the kubeconfig cannot be read again", file=str(cluster.file)) from None
    for item in _objects(child(document, "clusters")):
        if str(item.get("name")) == cluster.name:
            for extension in _objects(child(item, "cluster", "extensions")):
                if extension.get("name") == name:
                    return extension.get("extension")
    return None


def _objects(value: Json) -> list[JsonObject]:
    return [item for item in value if is_object(item)] if is_array(value) else []


def _read(path: Path) -> JsonObject:
    text = reading(path, "kubeconfig", Path.read_bytes)
    try:
        yaml_guard.scan(text, name=str(path), limits=KUBECONFIG_LIMITS)
        document: Json = yaml.load(text, Loader=yaml.CBaseLoader)  # noqa: S506 - builds only text, lists and maps
    except InvalidInput as error:
        place = error.where
        file = f"{place.file}:{place.line}:{place.column}" if place else str(path)
        raise AccessFault(
            f"the kubeconfig cannot be read: {error.message}", file=file, hint=error.hint
        ) from None
    except yaml.YAMLError:
        raise AccessFault("the kubeconfig is not valid YAML", file=str(path)) from None
    if document is None or document in _NOTHING:
        return {}
    if not is_object(document):
        raise AccessFault("the file is no kubeconfig: it holds no map", file=str(path))
    kind = document.get("kind", "Config")
    if kind not in {"Config", *_NOTHING}:
        raise AccessFault(f"the file is no kubeconfig: its kind is `{kind!s:.40}`", file=str(path))
    return document


def reading(path: Path, what: str, read: Callable[[Path], bytes]) -> bytes:
    """``read(path)``, with an AccessFault instead of an OSError."""
    try:
        return read(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise AccessFault(f"cannot read {what} {path}: {reason}", file=str(path)) from None


def _entries(document: JsonObject, section: str, path: Path) -> Iterable[Entry]:
    listed: Json = document.get(section, [])
    if listed in _NOTHING:
        return
    singular = section[:-1]
    if not is_array(listed):
        raise AccessFault(f"`{section}` of the kubeconfig must be a list", file=str(path))
    seen: set[str] = set()
    for item in listed:
        name = item.get("name") if is_object(item) else None
        body = item.get(singular) if is_object(item) else None
        if not isinstance(name, str) or not name:
            raise AccessFault(f"an item of `{section}` has no name", file=str(path))
        if name in seen:
            raise AccessFault(f"{singular} `{name}` is listed twice", file=str(path))
        seen.add(name)
        yield Entry(name=name, body=body if is_object(body) else {}, file=path)


def _expanded(text: str, home: Path) -> Path:
    path = home / text[2:] if text.startswith("~/") else Path(text)
    return path.absolute()


def _names(among: Iterable[str]) -> str:
    names = sorted(among)
    more = f", and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more if names else "none"
