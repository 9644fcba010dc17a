"""Which tools keep an eye on a live object, and how each is made to forget it without deleting anything.

After an adoption the other tool still believes that the object is its own: ``helm uninstall`` or the deletion of
an Argo CD Application would delete it. Marks are read as the tools write them: Helm
(pkg/action/validate.go), Argo CD (util/argo/resource_tracking.go), Flux (pkg/ssa owner labels), Pulumi.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from fleetmgr.engine.fieldset import entries
from fleetmgr.model.applyset import FLEET_LABEL, PART_OF_LABEL
from fleetmgr.model.jsontypes import JsonObject, array_at, is_object, object_at
from fleetmgr.model.objects import ref_of

_ARGO_TRACKING = "argocd.argoproj.io/tracking-id"
_ARGO_MANAGERS = frozenset({"argocd-controller", "argocd-application-controller"})
_INSTANCE_LABELS = ("argocd.argoproj.io/instance", "app.kubernetes.io/instance")


class Tracker(Struct, frozen=True, kw_only=True):
    """``who`` continues "made by ..."; ``forget`` is what to do once it no longer has other objects to care for."""

    who: str
    forget: str


def trackers(live: JsonObject) -> tuple[Tracker, ...]:
    """Every tool that has left its mark on an object; () when there is none to tell."""
    return tuple(found for find in (_argo, _flux, _helm, _pulumi) for found in find(live))


def refusal(live: JsonObject) -> str | None:
    """Why nobody may adopt this object here; None when it may be. A copy of our own label is no reason: callers
    ask about objects that ``ownership`` has judged to be not ours."""
    labels = object_at(live, "metadata", "labels")
    if labels.get(FLEET_LABEL):
        return f"only fleet {labels[FLEET_LABEL]!s} itself can let go of it"
    if labels.get(PART_OF_LABEL):
        return "it belongs to another ApplySet, which would prune it"
    for owner in array_at(live, "metadata", "ownerReferences"):
        if is_object(owner) and owner.get("controller"):
            return f"{owner.get('kind')!s} {owner.get('name')!s} controls it"
    return None


def _argo(live: JsonObject) -> Iterator[Tracker]:
    metadata = object_at(live, "metadata")
    tracking = str(object_at(metadata, "annotations").get(_ARGO_TRACKING) or "")
    name, _, rest = tracking.partition(":")
    ref = ref_of(live)
    if name and rest == f"{ref.group}/{ref.kind}:{ref.namespace}/{ref.name}":
        yield _application(name.replace("_", "/", 1))
        return
    by_argo = any(e.manager in _ARGO_MANAGERS and not e.subresource for e in entries(live))
    labels = object_at(metadata, "labels")
    named = next((str(labels[key]) for key in _INSTANCE_LABELS if labels.get(key)), None)
    if by_argo and not tracking:
        yield (
            _application(named)
            if named
            else Tracker(
                who="an Argo CD Application",
                forget="delete that Application without its objects: argocd app delete NAME --cascade=false",
            )
        )


def _application(name: str) -> Tracker:
    return Tracker(
        who=f"Argo CD Application {name}",
        forget=f"argocd app set {name} --sync-policy none && argocd app delete {name} --cascade=false",
    )


def _flux(live: JsonObject) -> Iterator[Tracker]:
    labels = object_at(live, "metadata", "labels")
    for kind, prefix in (("kustomization", "kustomize"), ("helmrelease", "helm")):
        name = labels.get(f"{prefix}.toolkit.fluxcd.io/name")
        if name:
            namespace = labels.get(f"{prefix}.toolkit.fluxcd.io/namespace") or "flux-system"
            at = f"{kind} {name!s} --namespace {namespace!s}"
            word = "Kustomization" if kind == "kustomization" else "HelmRelease"
            yield Tracker(
                who=f"Flux {word} {namespace!s}/{name!s}",
                forget=f"flux suspend {at} && flux delete {at} (one that is suspended deletes nothing)",
            )


def _helm(live: JsonObject) -> Iterator[Tracker]:
    annotations = object_at(live, "metadata", "annotations")
    release = annotations.get("meta.helm.sh/release-name")
    if release:
        own = object_at(live, "metadata").get("namespace") or "default"
        namespace = annotations.get("meta.helm.sh/release-namespace") or own
        yield Tracker(
            who=f"Helm release {release!s} in namespace {namespace!s}",
            forget="delete its record, not the release (helm uninstall would delete the objects): "
            f"kubectl --namespace {namespace!s} delete secret --selector owner=helm,name={release!s}",
        )


def _pulumi(live: JsonObject) -> Iterator[Tracker]:
    if any(e.manager.startswith("pulumi-") and not e.subresource for e in entries(live)):
        yield Tracker(
            who="a Pulumi stack",
            forget="take it out of that stack's state: pulumi state delete URN",
        )
