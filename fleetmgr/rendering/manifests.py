"""Documents -> Manifests: which documents are Kubernetes objects, which are not, and which are broken.

A folder also holds workflows, charts' values and kustomizations: those are skipped and listed, one warning
a file. A document that says it is an object and cannot be applied is an error. All problems of all files
are kept, so that one run shows them together.
"""

from __future__ import annotations

from msgspec import Struct

from fleetmgr.errors import InvalidInput, Problem, Where
from fleetmgr.model.artifact import Artifact, SourceFile
from fleetmgr.model.jsontypes import Json, JsonObject, array_at, child, is_array, is_object
from fleetmgr.model.objects import Origin
from fleetmgr.rendering.documents import Document, PathPart, Slot
from fleetmgr.rendering.hook_names import with_hook_name
from fleetmgr.rendering.json_reader import read_json
from fleetmgr.rendering.kustomized import settled
from fleetmgr.rendering.locate import field_position
from fleetmgr.rendering.yaml_reader import read_yaml
from fleetmgr.veiled import Veiled

NO_NAME = "FLT-1304"
GENERATE_NAME = "FLT-1305"
BAD_SHAPE = "FLT-1306"
SKIPPED = "FLT-1350"

_KUSTOMIZE = "kustomize.config.k8s.io/"
_LISTED_REASONS = 3


class ParsedManifest(Veiled, frozen=True, kw_only=True):
    """One object as written: ``slots`` are its strings with ``${``, paths relative to ``body``.

    ``body`` is shared by every target that renders it and never changed.
    """

    VEILED = frozenset({"body"})

    body: JsonObject
    origin: Origin
    slots: tuple[Slot, ...] = ()


class ParsedSource(Struct, frozen=True, kw_only=True):
    """All objects of an Artifact in file order; ``problems`` stop a render, ``warnings`` do not."""

    manifests: tuple[ParsedManifest, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def parse_artifact(artifact: Artifact) -> ParsedSource:
    """Every file of the artifact."""
    manifests: list[ParsedManifest] = []
    problems: list[Problem] = []
    warnings: list[Problem] = list(artifact.warnings)
    for source in sorted(artifact.files, key=lambda f: f.path):
        reader = _FileReader(source, artifact.revision, kustomized=artifact.request.type == "kustomize")
        reader.read()
        manifests += reader.manifests
        problems += reader.problems
        warnings += reader.skipped()
    return ParsedSource(manifests=tuple(manifests), problems=tuple(problems), warnings=tuple(warnings))


class _FileReader:
    """Collects what one file gives."""

    def __init__(self, source: SourceFile, revision: str | None, *, kustomized: bool) -> None:
        self.manifests: list[ParsedManifest] = []
        self.problems: list[Problem] = []
        self._source = source
        self._revision = revision
        self._kustomized = kustomized
        self._reasons: list[str] = []
        self._name = f"{source.path}@{revision[:12]}" if revision else source.path

    def read(self) -> None:
        # The display name carries the revision; the suffix that tells JSON from YAML is the path's.
        name = self._source.path
        try:
            read = read_json if name.endswith(".json") else read_yaml
            documents = read(self._source.content, name=name)
        except InvalidInput as error:
            self.problems += [self._at_revision(problem) for problem in error.problems]
            return
        for document in documents:
            if document.value is not None:
                self._document(document)
        if not self._kustomized and all(document.value is None for document in documents):
            self._reasons.append("the file is empty")

    def skipped(self) -> list[Problem]:
        """The warning about what was left out, if anything was."""
        if not self._reasons:
            return []
        more = len(self._reasons) - _LISTED_REASONS
        reasons = "; ".join(dict.fromkeys(self._reasons[:_LISTED_REASONS])) + (
            f"; {more} more" if more > 0 else ""
        )
        return [
            Problem(
                message=f"skipped, no Kubernetes object: {reasons}",
                where=Where(file=self._name),
                hint="move the file, or name it in the source's `exclude`",
                code=SKIPPED,
            )
        ]

    def _at_revision(self, problem: Problem) -> Problem:
        where = problem.where
        if where is None or not self._revision:
            return problem
        place = Where(file=self._name, line=where.line, column=where.column)
        return Problem(message=problem.message, where=place, hint=problem.hint, code=problem.code)

    def _document(self, document: Document) -> None:
        file = self._source.path
        if self._kustomized:
            made = settled(document)
            document, file = made.document, made.file or file
        value = document.value
        origin = Origin(
            file=file,
            line=document.line,
            column=document.column,
            revision=self._revision,
            document=document.index,
        )
        if not is_object(value):
            self._reasons.append(f"line {origin.line}: the document is no mapping")
            return
        reason = _no_object(value)
        if reason is None:
            self._object(value, origin, document.slots, ())
        elif is_object(value.get("metadata")) and ("kind" in value or "apiVersion" in value):
            self._problem(origin, reason, "every object has apiVersion and kind", BAD_SHAPE)
        else:
            self._reasons.append(f"line {origin.line}: {reason}")

    def _object(
        self, value: JsonObject, origin: Origin, slots: tuple[Slot, ...], path: tuple[PathPart, ...]
    ) -> None:
        if str(value["kind"]).endswith("List") and is_array(value.get("items")):
            self._list(value, origin, slots, path)
            return
        value = with_hook_name(value)
        fault = _fault(value)
        if fault is not None:
            self._problem(origin, *fault)
            return
        depth = len(path)
        own = tuple(
            Slot(path=s.path[depth:], text=s.text, plain=s.plain, line=s.line, column=s.column)
            for s in slots
            if s.path[:depth] == path
        )
        self.manifests.append(ParsedManifest(body=value, origin=origin, slots=own))

    def _list(
        self, value: JsonObject, origin: Origin, slots: tuple[Slot, ...], path: tuple[PathPart, ...]
    ) -> None:
        for index, item in enumerate(array_at(value, "items")):
            place = f"{origin.item}.items[{index}]" if origin.item else f"items[{index}]"
            position = None
            if not self._kustomized:
                position = field_position(self._source.content, origin.document, place)
            line, column = position or (origin.line, origin.column)
            item_origin = Origin(
                file=origin.file,
                line=line,
                column=column,
                revision=origin.revision,
                document=origin.document,
                item=place,
            )
            if not is_object(item):
                self._problem(item_origin, "an item of a List must be an object", None, BAD_SHAPE)
                continue
            full = _typed_item(value, item)
            reason = _no_object(full)
            if reason is not None:
                self._problem(item_origin, reason, "every object has apiVersion and kind", BAD_SHAPE)
            else:
                self._object(full, item_origin, slots, (*path, "items", index))

    def _problem(self, origin: Origin, message: str, hint: str | None, code: str) -> None:
        self.problems.append(Problem(message=message, where=origin.where(), hint=hint, code=code))


def _typed_item(outer: JsonObject, item: JsonObject) -> JsonObject:
    """Items of a typed list (``ConfigMapList``) may leave out what the list's own kind says."""
    kind = str(outer["kind"]).removesuffix("List")
    if not kind or ("kind" in item and "apiVersion" in item):
        return item
    return {"apiVersion": outer["apiVersion"], "kind": kind, **item}


def _no_object(value: JsonObject) -> str | None:
    """Why a mapping is no Kubernetes object; None when it is one."""
    api_version, kind = value.get("apiVersion"), value.get("kind")
    if not isinstance(api_version, str) or not api_version:
        return "it has no apiVersion"
    if not isinstance(kind, str) or not kind:
        return "it has no kind"
    if api_version.startswith(_KUSTOMIZE):
        return f"a {kind} is input for kustomize"
    return None


def _fault(value: JsonObject) -> tuple[str, str | None, str] | None:
    """(message, hint, code) of what makes an object impossible to apply by name."""
    kind = value["kind"]
    metadata: Json = value.get("metadata")
    if metadata is not None and not is_object(metadata):
        return f"{kind}: metadata must be a mapping", None, BAD_SHAPE
    name = child(value, "metadata", "name")
    if name is None or name == "":
        if child(value, "metadata", "generateName"):
            hint = "give it a fixed metadata.name; a run that must happen again gets a new one"
            return f"{kind}: generateName makes a new object at every apply", hint, GENERATE_NAME
        return f"{kind}: metadata.name is missing", "add metadata.name", NO_NAME
    return _metadata_fault(value)


def _metadata_fault(value: JsonObject) -> tuple[str, str | None, str] | None:
    kind = value["kind"]
    for key in ("name", "namespace"):
        text = child(value, "metadata", key)
        if text is not None and not isinstance(text, str):
            return f"{kind}: metadata.{key} must be a string", "quote it", BAD_SHAPE
    for key in ("labels", "annotations"):
        pairs = child(value, "metadata", key)
        if pairs is not None and not is_object(pairs):
            return f"{kind}: metadata.{key} must be a mapping", None, BAD_SHAPE
    return None
