"""When an object of an app is written, as its annotations say it: hook, wave, what it depends on.

The annotations are those of Argo CD, Helm and cli-utils, so that who migrates need not write them anew:

- ``argocd.argoproj.io/sync-wave``; without it a Helm hook's ``helm.sh/hook-weight``
  (argo-cd gitops-engine/pkg/sync/syncwaves/waves.go)
- ``argocd.argoproj.io/hook`` and ``hook-delete-policy``; without them ``helm.sh/hook`` and its delete policy
  (gitops-engine/pkg/sync/hook/{hook,delete_policy}.go and hook/helm/type.go)
- ``config.kubernetes.io/depends-on`` (sigs.k8s.io/cli-utils pkg/object/dependson/strings.go)

Other than Argo CD, what cannot be read is an error, never a silent 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from fleetmgr.model.jsontypes import JsonObject, child, is_object
from fleetmgr.model.objects import ObjectKey

WAVE = "argocd.argoproj.io/sync-wave"
HOOK = "argocd.argoproj.io/hook"
HOOK_POLICY = "argocd.argoproj.io/hook-delete-policy"
HELM_HOOK = "helm.sh/hook"
HELM_WEIGHT = "helm.sh/hook-weight"
HELM_POLICY = "helm.sh/hook-delete-policy"
DEPENDS_ON = "config.kubernetes.io/depends-on"

_KNOWN = frozenset({WAVE, HOOK, HOOK_POLICY, HELM_HOOK, HELM_WEIGHT, HELM_POLICY, DEPENDS_ON})

Member = TypeVar("Member", bound=StrEnum)


class Phase(StrEnum):
    """When a hook runs. Order = the order in which they come; the last three are on occasions of their own."""

    PRE_SYNC = "PreSync"
    SYNC = "Sync"
    POST_SYNC = "PostSync"
    SYNC_FAIL = "SyncFail"
    PRE_DELETE = "PreDelete"
    POST_DELETE = "PostDelete"


IN_TURN = tuple(Phase)
REMOVAL = (Phase.PRE_DELETE, Phase.POST_DELETE)
"""Phases of an app that leaves."""


class DeletePolicy(StrEnum):
    """When a hook's object is deleted. An object that is in the way of a new run always is."""

    SUCCEEDED = "HookSucceeded"
    FAILED = "HookFailed"
    BEFORE_CREATION = "BeforeHookCreation"


class Ordering(Struct, frozen=True, kw_only=True):
    """``phases`` is None for a member of the app, () for an object that is never written (``Skip``, Helm's tests)."""

    phases: tuple[Phase, ...] | None = None
    wave: int = 0
    policies: frozenset[DeletePolicy] = frozenset({DeletePolicy.BEFORE_CREATION})
    depends_on: tuple[ObjectKey, ...] = ()


def after(ordering: Ordering, keys: tuple[ObjectKey, ...]) -> Ordering:
    """``ordering`` with more that must be there before."""
    return replace(ordering, depends_on=(*ordering.depends_on, *keys)) if keys else ordering


PLAIN = Ordering()
"""Nothing is said."""


class Fault(Struct, frozen=True, kw_only=True):
    """What is wrong with one annotation."""

    annotation: str
    message: str
    hint: str


_SKIP = "Skip"
_ARGO_PHASES: Mapping[str, Phase] = {phase.value: phase for phase in Phase}
_HELM_PHASES: Mapping[str, Phase | None] = {
    "pre-install": Phase.PRE_SYNC,
    "pre-upgrade": Phase.PRE_SYNC,
    "post-install": Phase.POST_SYNC,
    "post-upgrade": Phase.POST_SYNC,
    "pre-delete": Phase.PRE_DELETE,
    "post-delete": Phase.POST_DELETE,
    "pre-rollback": None,
    "post-rollback": None,
    "test": None,
    "test-success": None,
    "test-failure": None,
}
"""None: Helm runs these on occasions that do not exist here."""
_CRD_INSTALL = "crd-install"
_HELM_POLICIES: Mapping[str, DeletePolicy] = {
    "hook-succeeded": DeletePolicy.SUCCEEDED,
    "hook-failed": DeletePolicy.FAILED,
    "before-hook-creation": DeletePolicy.BEFORE_CREATION,
}
_ARGO_POLICIES: Mapping[str, DeletePolicy] = {policy.value: policy for policy in DeletePolicy}


def ordering_of(body: JsonObject) -> Ordering:
    """What an object that has been rendered (and so has no faults) says."""
    return read_ordering(body)[0]


def read_ordering(body: JsonObject) -> tuple[Ordering, tuple[Fault, ...]]:
    """What ``body`` says about its order, and what of it cannot be read."""
    annotations = child(body, "metadata", "annotations")
    if not is_object(annotations) or _KNOWN.isdisjoint(annotations):
        return PLAIN, ()
    return _Reading(annotations).read()


class _Reading:
    """One object's annotations, and what is wrong with them."""

    def __init__(self, annotations: JsonObject) -> None:
        self._annotations = annotations
        self._faults: list[Fault] = []

    def read(self) -> tuple[Ordering, tuple[Fault, ...]]:
        phases = self._phases()
        ordering = Ordering(
            phases=phases, wave=self._wave(phases), policies=self._policies(), depends_on=self._depends_on()
        )
        return ordering, tuple(self._faults)

    def _items(self, annotation: str) -> list[str]:
        text = str(self._annotations.get(annotation) or "")
        return [item for item in (part.strip() for part in text.split(",")) if item]

    def _phases(self) -> tuple[Phase, ...] | None:
        if HOOK in self._annotations:
            items = self._items(HOOK)
            if _SKIP in items:
                return ()
            return self._members(HOOK, items, _ARGO_PHASES)
        items = [item for item in self._items(HELM_HOOK) if item != _CRD_INSTALL]
        if not items:
            return None
        return self._members(HELM_HOOK, items, _HELM_PHASES)

    def _members(
        self, annotation: str, items: list[str], known: Mapping[str, Member | None]
    ) -> tuple[Member, ...]:
        found: dict[Member, None] = {}
        for item in items:
            if item not in known:
                self._fault(annotation, f"`{item}` is not known", f"one of {', '.join(known)}")
            elif (member := known[item]) is not None:
                found[member] = None
        return tuple(found)

    def _policies(self) -> frozenset[DeletePolicy]:
        for annotation, known in ((HOOK_POLICY, _ARGO_POLICIES), (HELM_POLICY, _HELM_POLICIES)):
            items = self._items(annotation)
            if items:
                return frozenset(self._members(annotation, items, known))
        return PLAIN.policies

    def _wave(self, phases: tuple[Phase, ...] | None) -> int:
        annotation = WAVE if WAVE in self._annotations else HELM_WEIGHT
        if annotation not in self._annotations or (annotation == HELM_WEIGHT and phases is None):
            return 0
        text = self._annotations[annotation]
        try:
            return int(str(text))
        except ValueError:
            self._fault(
                annotation, f"`{text}` is no whole number", 'write a number in quotes: "-1", "0", "5"'
            )
            return 0

    def _depends_on(self) -> tuple[ObjectKey, ...]:
        keys: dict[ObjectKey, None] = {}
        for item in self._items(DEPENDS_ON):
            key = _key(item)
            if key is None:
                hint = "GROUP/namespaces/NAMESPACE/KIND/NAME, or GROUP/KIND/NAME where it has no namespace"
                self._fault(DEPENDS_ON, f"`{item}` names no object", hint)
            else:
                keys[key] = None
        return tuple(keys)

    def _fault(self, annotation: str, message: str, hint: str) -> None:
        self._faults.append(Fault(annotation=annotation, message=message, hint=hint))


def _key(text: str) -> ObjectKey | None:
    """``apps/namespaces/shop/Deployment/web``; the core group is empty: ``/namespaces/shop/Service/web``."""
    match text.split("/"):
        case [group, "namespaces", namespace, kind, name] if namespace and kind and name:
            return ObjectKey(group, kind, namespace, name)
        case [group, kind, name] if kind and name:
            return ObjectKey(group, kind, "", name)
        case _:
            return None
