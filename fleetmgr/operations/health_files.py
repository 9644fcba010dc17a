"""``fleet health``: how the objects in files are, offline, by the same rules as on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from fleetmgr.errors import FleetError, InvalidInput, Problem, Where
from fleetmgr.health.custom import NONE, CustomRules
from fleetmgr.health.rules import health_of
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import Json, JsonObject, array_at, is_object, object_at
from fleetmgr.rendering.json_reader import read_json
from fleetmgr.rendering.yaml_reader import read_yaml

_SUFFIXES = frozenset({".yaml", ".yml", ".json"})
STDIN = "-"
"""Reads standard input instead of a file."""


class JudgedObject(Struct, frozen=True, kw_only=True):
    """One object of a file and how it is."""

    file: str
    kind: str
    namespace: str
    name: str
    health: Health


class NoSuchInput(FleetError):
    """A file that cannot be read."""

    code = "FLT-1032"


def health_of_files(
    paths: Sequence[str], *, stdin: Callable[[], bytes], custom: CustomRules = NONE
) -> list[JudgedObject]:
    """Every object of the files, folders (all YAML and JSON below) and standard input, in that order.

    Documents that are no Kubernetes objects are left out. Raises NoSuchInput, and InvalidInput with every problem
    of every file that is no YAML or JSON.
    """
    judged: list[JudgedObject] = []
    problems: list[Problem] = []
    for name, content in _contents(paths, stdin):
        read = read_json if name.endswith(".json") else read_yaml
        try:
            documents = read(content, name=name)
        except InvalidInput as error:
            problems += error.problems
            continue
        for document in documents:
            judged += [_judged(name, body, custom) for body in _objects(document.value)]
    if problems:
        raise InvalidInput(tuple(problems))
    return judged


def _judged(file: str, body: JsonObject, custom: CustomRules) -> JudgedObject:
    metadata = object_at(body, "metadata")
    return JudgedObject(
        file=file,
        kind=str(body.get("kind")),
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata.get("name") or ""),
        health=health_of(body, custom),
    )


def _objects(value: Json) -> Iterator[JsonObject]:
    """The object of a document, or those of a List (``kubectl get -o yaml``)."""
    if not is_object(value) or not isinstance(value.get("kind"), str) or "apiVersion" not in value:
        return
    if value["kind"].endswith("List") and isinstance(value.get("items"), list):
        for item in array_at(value, "items"):
            yield from _objects(item)
        return
    yield value


def _contents(paths: Sequence[str], stdin: Callable[[], bytes]) -> Iterator[tuple[str, bytes]]:
    for given in paths:
        if given == STDIN:
            yield STDIN, stdin()
            continue
        for path in _files(Path(given)):
            try:
                yield str(path), path.read_bytes()
            except OSError as error:
                raise _unreadable(path, error.strerror or str(error)) from None


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.rglob("*") if p.suffix in _SUFFIXES and p.is_file())
    if not found:
        raise _unreadable(path, "the folder holds no YAML or JSON file")
    return found


def _unreadable(path: Path, why: str) -> NoSuchInput:
    return NoSuchInput(
        f"cannot be read: {why}", where=Where(file=str(path)), hint="name a file, a folder, or - for stdin"
    )
