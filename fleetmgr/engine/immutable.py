"""Fields that cannot be changed in place: read from the server's refusal, and whether the object may be replaced.

The API has no code for "immutable": every kind words it in its own way (kube-apiserver 1.34, apimachinery
``validation.FieldImmutableErrorMsg`` and each kind's ValidateUpdate; tests/engine/data holds its answers), and
transition rules of CRDs say what their authors wrote. So a refusal only makes an object a candidate; a dry run
of its creation shows whether a new one would be accepted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from fleetmgr.model.change import FieldDiff
from fleetmgr.model.objects import GroupKind
from fleetmgr.model.policy import Replace
from fleetmgr.model.refusal import Cause
from fleetmgr.model.replacement import REPLACE_ANNOTATION

JOB = GroupKind("batch", "Job")
STATEFUL_SET = GroupKind("apps", "StatefulSet")
PRECIOUS = frozenset(
    {
        GroupKind("", "Namespace"),
        GroupKind("", "PersistentVolume"),
        GroupKind("", "PersistentVolumeClaim"),
        GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"),
        STATEFUL_SET,
    }
)
"""Kinds whose deletion takes data, other objects or the order of pods with it."""

_WORDS = re.compile(
    r"""immutable
    | (may|must|can) \s? not \s ((be \s)? (changed?|updated?|modif(y|ied)|altered)) \b
    | can't \s be \s (changed|updated|modified)
    | updates \s to \s .* \s are \s forbidden
    | pod \s updates \s may \s not \s change
    | \b oldSelf \b
    | value \s as \s indicated \s by \s `ipFamilies""",
    re.IGNORECASE | re.VERBOSE,
)
_EXCEPT = re.compile(r"(?:other than|except) (.*)")
_QUOTED = re.compile(r"['`]([^'`]+)['`]")
_LONGEST = 4
"""So many fields are named one by one."""


def immutable_fields(causes: Sequence[Cause], message: str, diff: Sequence[FieldDiff]) -> tuple[str, ...]:
    """JSON pointers of the fields that the server does not let change in place; () when it refuses for another
    reason.

    ``diff`` is what desired and live differ in: where the server names no field, or only ``spec``, the fields
    are found there. ``message`` counts only where there are no causes (admission).
    """
    said = causes or (Cause(field="", detail=message.splitlines()[0] if message else ""),)
    found: dict[str, None] = {}
    for cause in said:
        first = cause.detail.splitlines()[0] if cause.detail else ""
        if _WORDS.search(first):
            found.update(dict.fromkeys(_named(cause.field, first, diff)))
    return tuple(found)


def _named(field: str, detail: str, diff: Sequence[FieldDiff]) -> Iterator[str]:
    pointer = _pointer(field)
    exact = [d.path for d in diff if _within(d.path, pointer) or _within(pointer, d.path)]
    if exact and pointer.count("/") > 1:
        yield pointer
        return
    if exact and not _is_whole(pointer):
        yield from exact
        return
    top = pointer.split("/")[1] if pointer else ""
    allowed = _allowed(detail)
    inside = dict.fromkeys(
        part for d in diff if (part := _part(d.path, top)) and part.rpartition("/")[2] not in allowed
    )
    yield from inside or ([pointer] if pointer else [])


def _is_whole(pointer: str) -> bool:
    return pointer in {"", "/spec"}


def _part(path: str, top: str) -> str:
    """``/spec/serviceName`` of ``/spec/serviceName/...`` below ``top``; a field of another part is none."""
    segments = path.split("/")[1:]
    if not segments or segments[0] in {"metadata", "status"}:
        return ""
    if segments[0] == "spec":
        return "/".join(["", *segments[:2]])
    return f"/{segments[0]}" if top in {"", segments[0]} else ""


def _allowed(detail: str) -> frozenset[str]:
    """Names that a message excepts: ``for fields other than 'replicas', 'ordinals', ...``."""
    match = _EXCEPT.search(detail)
    return frozenset(_QUOTED.findall(match.group(1))) if match else frozenset()


def _pointer(field: str) -> str:
    """``spec.clusterIPs[0]`` as a JSON pointer without the index: ``/spec/clusterIPs``."""
    return "".join(f"/{part}" for part in re.sub(r"\[[^\]]*\]", "", field).split(".") if part)


def _within(path: str, pointer: str) -> bool:
    return bool(pointer) and (path == pointer or path.startswith(f"{pointer}/"))


def dotted(fields: Iterable[str]) -> str:
    """``spec.selector and spec.serviceName``, for a sentence."""
    names = [f.strip("/").replace("/", ".").replace("~1", "/").replace("~0", "~") for f in fields]
    if len(names) > _LONGEST:
        names = [*names[: _LONGEST - 1], f"{len(names) - _LONGEST + 1} more fields"]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


class Permission(Struct, frozen=True, kw_only=True):
    """Whether an object may be deleted and created again; ``forced`` when only ``--force`` says so, ``advice``
    what would allow it."""

    given: bool
    forced: bool = False
    advice: str = ""


def may_replace(kind: GroupKind, policy: Replace, annotation: str | None, *, force: bool) -> Permission:
    """Judge by the app's policy, the object's own annotation and ``--force``.

    ``never`` holds, wherever it is said, against ``--force`` too. Otherwise the annotation decides, then
    ``--force``, then the policy; a Job needs nobody's consent unless its annotation asks, and what is PRECIOUS
    never goes by the policy alone.
    """
    own = next((r for r in Replace if r.value == annotation), None)
    if annotation is not None and own is None:
        why = f"its annotation {REPLACE_ANNOTATION}: {annotation} is none of {', '.join(Replace)}"
        return Permission(given=False, advice=why)
    if own is Replace.NEVER:
        return Permission(
            given=False, advice=f"its annotation {REPLACE_ANNOTATION}: never forbids to replace it"
        )
    if policy is Replace.NEVER:
        why = "sync.replace: never forbids to replace it (ask allows it with --force, always by itself)"
        return Permission(given=False, advice=why)
    if own is Replace.ALWAYS or (own is None and _goes_by_itself(kind, policy)):
        return Permission(given=True)
    if force:
        return Permission(given=True, forced=True)
    return Permission(given=False, advice=_advice(kind))


def _goes_by_itself(kind: GroupKind, policy: Replace) -> bool:
    return kind == JOB or (policy is Replace.ALWAYS and kind not in PRECIOUS)


def _advice(kind: GroupKind) -> str:
    annotation = f"the annotation {REPLACE_ANNOTATION}: always on it"
    if kind in PRECIOUS:
        return f"to delete and create it again: `fleet apply --force`, or {annotation} (replace: always is not enough)"
    return f"to delete and create it again: `fleet apply --force`, or sync.replace: always, or {annotation}"
