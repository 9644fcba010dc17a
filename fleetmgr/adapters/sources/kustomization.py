"""Which files a kustomization reads, found before kustomize runs: local ones, and addresses of allowed hosts.

kustomize fetches what looks like an address and runs what a plugin names. So its files are read here first,
as strictly as it would read them leniently: a field that is not known, in any spelling, is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from fleetmgr.adapters.sources.refusals import PluginDenied, RemoteDenied
from fleetmgr.adapters.sources.remote_base import NoRemote, Remote, remote
from fleetmgr.errors import InvalidInput, Problem
from fleetmgr.model.jsontypes import Json, JsonObject, is_array, is_object
from fleetmgr.spec.yaml_tree import Key, Place, read

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
DEPRECATED_FIELDS = "FLT-1354"
UNKNOWN_FIELD = "FLT-1213"

_ROOTS = ("resources", "bases", "components")
_FILES = ("crds", "configurations")
_PLUGINS = ("generators", "transformers", "validators")
_GENERATORS = ("configMapGenerator", "secretGenerator")
_HELM = ("helmCharts", "helmChartInflationGenerator", "helmGlobals")
_PATCHES = ("patches", "patchesJson6902", "replacements")
_DEPRECATED = {
    "bases": "resources",
    "commonLabels": "labels",
    "imageTags": "images",
    "patchesStrategicMerge": "patches",
    "patchesJson6902": "patches",
    "vars": "replacements",
}
_PLAIN = (
    *("apiVersion", "kind", "metadata", "namespace", "namePrefix", "nameSuffix", "labels", "commonLabels"),
    *("commonAnnotations", "images", "imageTags", "replicas", "generatorOptions", "vars", "sortOptions"),
    *("buildMetadata", "openapi", "patchesStrategicMerge"),
)
KNOWN = frozenset((*_PLAIN, *_ROOTS, *_FILES, *_PLUGINS, *_GENERATORS, *_HELM, *_PATCHES))
# What kustomize's NewRepoSpecFromURL and its HTTP loader take for an address.
_REMOTE = re.compile(r"://|^git::|^gh:|^[^/]*@[^/]*:|^(?:git::)?github\.com[/:]|[?&]ref=", re.IGNORECASE)
_READS = frozenset({"path", "paths", "files", "env", "envs"})


class Entry(Struct, frozen=True, kw_only=True):
    """A file or folder that a kustomization names. ``manifest`` files are YAML that kustomize parses; a
    ``plugin`` is the configuration of a generator or transformer; a ``secret`` becomes part of a Secret; a
    ``remote`` one is at an address."""

    path: str
    place: Place
    manifest: bool = True
    plugin: bool = False
    secret: bool = False
    remote: Remote | None = None


class Kustomization(Struct, frozen=True, kw_only=True):
    """One kustomization file: what it names, what is deprecated in it, and texts that no message may show."""

    entries: tuple[Entry, ...]
    warnings: tuple[Problem, ...]
    secrets: tuple[str, ...]


def read_kustomization(content: bytes, *, name: str, remotes: bool = False) -> Kustomization:
    """A kustomization file that messages call ``name``; ``remotes``: addresses may be named at all.

    Raises InvalidInput for what it cannot be sure about, RemoteDenied and PluginDenied.
    """
    problems: list[Problem] = []
    root, data = read(content, name=name, problems=problems)
    if root is None or data is None:
        return Kustomization(entries=(), warnings=(), secrets=())
    if not is_object(data):
        problems.append(root.problem("a kustomization is a mapping", code=UNKNOWN_FIELD))
    else:
        problems += _unknown(root, data)
    if problems or not is_object(data):
        raise InvalidInput(tuple(problems))
    reader = _Reader(root, data, remotes=remotes)
    entries = tuple(reader.entries())
    return Kustomization(entries=entries, warnings=tuple(_deprecated(root, data)), secrets=reader.secrets())


def _unknown(root: Place, data: JsonObject) -> Iterator[Problem]:
    for field in data:
        if field not in KNOWN:
            message = f"`{field[:80]}` is no field of a kustomization that fleetmgr knows"
            yield root.key(field).problem(message, code=UNKNOWN_FIELD, hint="check its spelling and its case")


def _deprecated(root: Place, data: JsonObject) -> Iterator[Problem]:
    found = [field for field in data if field in _DEPRECATED]
    if found:
        told = ", ".join(f"`{field}` (use `{_DEPRECATED[field]}`)" for field in found)
        yield root.key(found[0]).problem(f"deprecated in kustomize: {told}", code=DEPRECATED_FIELDS)


class _Reader:
    """Walks the fields that name files. kustomize takes nested keys in any case, so they are folded here."""

    def __init__(self, root: Place, data: JsonObject, *, remotes: bool) -> None:
        self._root = root
        self._data = data
        self._remotes = remotes

    def entries(self) -> Iterator[Entry]:
        self._deny_plugins()
        for field in (*_ROOTS, *_FILES, "patchesStrategicMerge"):
            for index, value in enumerate(_listed(self._data.get(field))):
                inline = field == "patchesStrategicMerge" and isinstance(value, str) and "\n" in value
                if not inline:
                    yield self._entry(value, field, index)
        for field in _PATCHES:
            for index, value in enumerate(_listed(self._data.get(field))):
                for key, path in _folded(value, "path"):
                    yield self._entry(path, field, index, key)
        for key, path in _folded(self._data.get("openapi"), "path"):
            yield self._entry(path, "openapi", key)
        yield from self._generated()
        yield from self._plugins()

    def secrets(self) -> tuple[str, ...]:
        """The literals of Secret generators."""
        found: list[str] = []
        for generator in _listed(self._data.get("secretGenerator")):
            for _, literals in _folded(generator, "literals"):
                found += [text for text in _listed(literals) if isinstance(text, str)]
        return tuple(part for text in found for part in (text, text.partition("=")[2]) if part)

    def _entry(self, path: Json, *at: Key) -> Entry:
        place = self._root.walk(*at)
        if not isinstance(path, str):
            raise InvalidInput((place.problem("must be the path of a file", code=UNKNOWN_FIELD),))
        if not _REMOTE.search(path):
            return Entry(path=path, place=place)
        if not self._remotes or at[0] not in _ROOTS or "\n" in path:
            allowed = (
                "only resources, bases and components may be" if self._remotes else "no host is allowed to be"
            )
            raise RemoteDenied(
                f"`{path[:200]}` is not in this repository; {allowed} fetched",
                where=place.where(),
                hint="copy it into the repository, or name its host in `source.allowRemote`",
            )
        try:
            return Entry(path=path, place=place, remote=remote(path))
        except NoRemote as error:
            raise RemoteDenied(f"`{path[:200]}` {error}", where=place.where()) from None

    def _generated(self) -> Iterator[Entry]:
        for field in _GENERATORS:
            for index, generator in enumerate(_listed(self._data.get(field))):
                for name in ("files", "envs", "env"):
                    for key, value in _folded(generator, name):
                        for number, text in enumerate(_listed(value) if is_array(value) else [value]):
                            path = text.partition("=")[2] or text if isinstance(text, str) else text
                            at = (field, index, key, number) if is_array(value) else (field, index, key)
                            self._entry(text, *at)
                            secret = field == "secretGenerator"
                            yield replace(self._entry(path, *at), manifest=False, secret=secret)

    def _deny_plugins(self) -> None:
        for field in _HELM:
            if field in self._data:
                raise PluginDenied(
                    f"`{field}` makes kustomize run helm, which is not done",
                    where=self._root.key(field).where(),
                    hint="render the chart into the repository",
                )

    def _plugins(self) -> Iterator[Entry]:
        for field in _PLUGINS:
            for index, value in enumerate(_listed(self._data.get(field))):
                if isinstance(value, str) and "\n" not in value:
                    yield replace(self._entry(value, field, index), plugin=True)
                elif isinstance(value, str):
                    check_plugin(value.encode(), self._root.walk(field, index))


def check_plugin(content: bytes, place: Place) -> None:
    """Refuse a generator or transformer that is not built into kustomize, or that reads further files."""
    for part in re.split(rb"^---\s*$", content, flags=re.MULTILINE):
        problems: list[Problem] = []
        root, data = read(part, name=place.file, problems=problems)
        if problems:
            raise InvalidInput(tuple(problems))
        if root is None:
            continue
        reads = is_object(data) and _READS & {key.lower() for key in data}
        if (
            not is_object(data)
            or data.get("apiVersion") != "builtin"
            or "helm" in str(data.get("kind")).lower()
            or reads
        ):
            raise PluginDenied(
                "a plugin of kustomize may only be one that is built in and reads no files",
                where=place.where(),
                hint="use the fields of the kustomization itself",
            )


def _listed(value: Json) -> list[Json]:
    return value if is_array(value) else []


def _folded(value: Json, name: str) -> list[tuple[str, Json]]:
    """Every spelling of ``name`` in a mapping, with its value."""
    if not is_object(value):
        return []
    return [(key, found) for key, found in value.items() if key.lower() == name and found is not None]
