"""Adoption: what of an object's ``managedFields`` becomes ours, and what an apply then removes.

Server-side apply removes a field only if the applier held it before. What kubectl, Helm and others set is held
by their entries, so it would stay for ever once Git stops naming it. Their entries are therefore moved into ours
first (as client-go's csaupgrade does for kubectl, sigs.k8s.io/structured-merge-diff/v6/merge/update.go ``prune``
then decides what goes). Entries of subresources and of controllers never move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from functools import reduce

from msgspec import Struct
from msgspec.structs import replace

from fleetmgr.engine.fieldset import APPLY, UPDATE, find_key, follow, unescape
from fleetmgr.model.applyset import FLEET_LABEL, PART_OF_LABEL
from fleetmgr.model.change import FieldDiff
from fleetmgr.model.jsontypes import Json, JsonObject, array_at, is_array, is_object, object_at
from fleetmgr.model.resource import PULUMI_ANNOTATIONS

BEFORE_FIRST_APPLY = "before-first-apply"
_MANAGERS = frozenset(
    {
        BEFORE_FIRST_APPLY,
        "argocd-application-controller",
        "argocd-controller",
        "flux-client-side-apply",
        "helm",
        "helm-controller",
        "kubectl",
        "kustomize-controller",
        "pulumi-kubernetes",
        "pulumi-resource-kubernetes",
    }
)
_PREFIXES = ("kubectl-", "pulumi-kubernetes-")
_STAY = frozenset({"kubectl-rollout", "kubectl-debug"})
"""What these wrote is a moment's wish (``restartedAt``); to remove it would restart pods once more."""
_NEVER = frozenset({"f:finalizers", "f:ownerReferences"})
"""Of metadata: others rely on them, whoever wrote them."""
_CLUSTER_DOMAINS = (".kubernetes.io", ".k8s.io")
_MARKS = ("/metadata/labels", "/metadata/annotations")
_LAST_APPLIED = "f:kubectl.kubernetes.io/last-applied-configuration"


class Kept(StrEnum):
    """Which fields that Git does not name stay, because the server refuses to lose them. They are nobody's then."""

    NOTHING = "nothing"
    SPEC = "spec"
    """Everything outside metadata (the storageClassName of a claim that Git leaves to the default)."""
    EVERYTHING = "everything"


class Takeover(Struct, frozen=True, kw_only=True):
    """``managers`` whose entries move, sorted; ``fields`` their union with what we hold ourselves; ``others`` the
    fieldsets that stay with others; ``rest`` their entries, as they are."""

    managers: tuple[str, ...]
    fields: JsonObject
    others: tuple[JsonObject, ...]
    rest: tuple[JsonObject, ...]
    time: str

    @property
    def writers(self) -> tuple[str, ...]:
        """Others who wrote the object itself and keep what they wrote, sorted."""
        return tuple(sorted({str(raw.get("manager")) for raw in self.rest if not raw.get("subresource")}))

    def held(self, kept: Kept, desired: JsonObject) -> JsonObject:
        """The fieldset that becomes ours."""
        if kept is Kept.NOTHING:
            return self.fields
        named = _named(self.fields, desired)
        if kept is Kept.SPEC and "f:metadata" in self.fields:
            return {**named, "f:metadata": self.fields["f:metadata"]}
        return named

    def entries(self, manager: str, api_version: str, fields: JsonObject) -> list[JsonObject]:
        """``managedFields`` after the move: one Apply entry of ours, then the others'."""
        ours: JsonObject = {
            "manager": manager,
            "operation": APPLY,
            "apiVersion": api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": fields,
        }
        return [ours | ({"time": self.time} if self.time else {}), *self.rest]


def earlier(manager: str) -> bool:
    """Whether a field manager is a tool that makes objects for people, so that its entry moves at an adoption."""
    return manager not in _STAY and (manager in _MANAGERS or manager.startswith(_PREFIXES))


def takeover(live: JsonObject, manager: str) -> Takeover:
    """What an adoption of ``live`` by ``manager`` moves."""
    ours, others = written_by(raw_entries(live), lambda name: name == manager)
    moved, rest = written_by(others, earlier)
    fields = united(object_at(raw, "fieldsV1") for raw in ours)
    fields = united([fields, *(_movable(str(raw["manager"]), object_at(raw, "fieldsV1")) for raw in moved)])
    return Takeover(
        managers=tuple(sorted({str(raw["manager"]) for raw in moved})),
        fields=fields,
        others=tuple(object_at(raw, "fieldsV1") for raw in rest),
        rest=tuple(rest),
        time=max((str(raw.get("time") or "") for raw in (*moved, *ours)), default=""),
    )


def raw_entries(live: JsonObject) -> list[JsonObject]:
    """``managedFields`` as they are."""
    return [raw for raw in array_at(live, "metadata", "managedFields") if is_object(raw)]


def written_by(
    entries: Iterable[JsonObject], who: Callable[[str], bool]
) -> tuple[list[JsonObject], list[JsonObject]]:
    """Entries of managedFields of those managers that wrote the object itself, no subresource; and all others."""
    ours: list[JsonObject] = []
    rest: list[JsonObject] = []
    for raw in entries:
        main = not raw.get("subresource") and raw.get("operation") in (APPLY, UPDATE)
        (ours if main and who(str(raw.get("manager", ""))) else rest).append(raw)
    return ours, rest


def united(fieldsets: Iterable[JsonObject]) -> JsonObject:
    """Fieldsets as one."""
    return reduce(union, fieldsets, {})


def _movable(manager: str, fields: JsonObject) -> JsonObject:
    """Without what must stay. Who wrote ``before-first-apply`` is unknown, so what the cluster's own parts are
    known to write (annotations of their domains, status) stays as well."""
    metadata = object_at(fields, "f:metadata")
    kept: JsonObject = {k: v for k, v in metadata.items() if k not in _NEVER}
    result: JsonObject = {k: v for k, v in fields.items() if k not in ("f:metadata", "f:status")}
    annotations = kept.get("f:annotations")
    if manager == BEFORE_FIRST_APPLY and is_object(annotations):
        kept["f:annotations"] = {
            k: v for k, v in annotations.items() if k == _LAST_APPLIED or not of_the_cluster(k)
        }
    return result | ({"f:metadata": kept} if kept else {})


def of_the_cluster(key: str) -> bool:
    """Whether an annotation (or its field) is one of Kubernetes' own."""
    domain, slash, _ = key.removeprefix("f:").partition("/")
    return bool(slash) and f".{domain}".endswith(_CLUSTER_DOMAINS)


def union(one: JsonObject, other: JsonObject) -> JsonObject:
    """Two fieldsets as one. A field that is a member of one and has children in the other is both."""
    result = dict(one)
    for key, below in other.items():
        mine = result.get(key)
        if not is_object(mine) or not is_object(below):
            result[key] = below
        elif mine and below:
            result[key] = union(mine, below)
        elif mine or below:
            result[key] = {".": {}, **mine, **below}
    return result


def _named(fields: JsonObject, desired: Json) -> JsonObject:
    """The part of a fieldset that ``desired`` names too."""
    kept: JsonObject = {}
    for key, below in fields.items():
        if key == ".":
            kept[key] = below
            continue
        found, value = follow(key, desired)
        if found:
            kept[key] = _named(below, value) if is_object(below) and below else below
    return kept


def pruned(
    body: JsonObject, fields: JsonObject, desired: JsonObject, others: Sequence[JsonObject]
) -> JsonObject:
    """``body`` without what ``fields`` holds, ``desired`` does not name and none of ``others`` holds too: what a
    server-side apply of ``desired`` removes. Defaults that the server then fills in are not known here."""
    result = _pruned(body, fields, desired, others)
    return result if is_object(result) else body


_ABSENT: Json = None


def _pruned(value: Json, fields: JsonObject, desired: Json, others: Sequence[JsonObject]) -> Json:
    if not is_object(value) and not is_array(value):
        return value
    result: Json = dict(value) if is_object(value) else list(value)
    for key, below in fields.items():
        at = find_key(key, result)
        if key == "." or at is None:
            continue
        found, wanted = follow(key, desired)
        theirs = [o[key] for o in others if is_object(o.get(key))]
        if found or theirs:
            if is_object(below) and below:
                result[at] = _pruned(result[at], below, wanted if found else _ABSENT, theirs)
        else:
            del result[at]
    return result


_BOOKKEEPING = frozenset({PART_OF_LABEL, FLEET_LABEL, *PULUMI_ANNOTATIONS})


def without_bookkeeping(diff: Sequence[FieldDiff]) -> tuple[FieldDiff, ...]:
    """A diff without our own labels and annotations, which come with every adoption and differ from cluster to
    cluster."""
    return tuple(shown for field in diff for shown in _without_bookkeeping(field))


def _without_bookkeeping(field: FieldDiff) -> Iterator[FieldDiff]:
    parent, _, key = field.path.rpartition("/")
    if parent in _MARKS and unescape(key) in _BOOKKEEPING:
        return
    if field.path in _MARKS and field.old is None and is_object(field.new):
        rest: JsonObject = {k: v for k, v in field.new.items() if k not in _BOOKKEEPING}
        if rest:
            yield replace(field, new=rest)
        return
    yield field
