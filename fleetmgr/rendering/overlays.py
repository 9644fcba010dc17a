"""What environments and clusters change about an object: images, replicas, namespace, labels, annotations.

Modelled on kustomize: ``images`` match the name without tag, ``namespace`` moves every namespaced object
and the references to what moves with it (subjects that are service accounts, services of webhooks and
APIServices); it renames no Namespace. ``labels`` go on objects and their pod templates, never into
selectors, which cannot change; ``annotations`` on objects only, so that they restart nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from fleetmgr.model.jsontypes import Json, JsonObject, child, is_array, is_object
from fleetmgr.model.target import Overlay
from fleetmgr.rendering.images import change_images

_SCALED = frozenset({"Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"})
_BINDINGS = frozenset({"ClusterRoleBinding", "RoleBinding"})
_WEBHOOKS = frozenset({"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"})
_TEMPLATES = (("spec", "template"), ("spec", "jobTemplate", "spec", "template"))


class Neighbours(Struct, frozen=True):
    """Names of the objects of one source that others refer to across namespaces."""

    service_accounts: frozenset[str]
    services: frozenset[str]


class Usage(Struct):
    """What an overlay could name and what it did name, over the objects of one target."""

    images: set[str] = field(default_factory=set[str])
    matched_images: set[str] = field(default_factory=set[str])
    replicas: set[str] = field(default_factory=set[str])
    matched_replicas: set[str] = field(default_factory=set[str])

    def add(self, other: Usage) -> None:
        """Another object's usage."""
        self.images |= other.images
        self.matched_images |= other.matched_images
        self.replicas |= other.replicas
        self.matched_replicas |= other.matched_replicas


def apply_overlay(body: JsonObject, overlay: Overlay, neighbours: Neighbours, usage: Usage) -> JsonObject:
    """``body`` (whose metadata is a mapping) with everything but its own namespace changed."""
    if overlay.images:
        body = change_images(body, overlay.images, usage.images, usage.matched_images)
    if overlay.replicas:
        body = _replicas(body, overlay, usage)
    if overlay.labels:
        body = _labels(body, overlay.labels)
    if overlay.annotations:
        body = _set(body, ("metadata", "annotations"), _merged(body, "annotations", overlay.annotations))
    if overlay.namespace:
        body = _references(body, overlay.namespace, neighbours)
    return body


def _set(body: JsonObject, path: tuple[str, ...], value: Json) -> JsonObject:
    """A copy of ``body`` with ``value`` at ``path``; only the path is copied."""
    head, *rest = path
    inner = body.get(head)
    if rest:
        value = _set(inner if is_object(inner) else {}, tuple(rest), value)
    return {**body, head: value}


def _merged(body: JsonObject, key: str, added: Mapping[str, str]) -> JsonObject:
    present = child(body, "metadata", key)
    return {**(present if is_object(present) else {}), **added}


def _replicas(body: JsonObject, overlay: Overlay, usage: Usage) -> JsonObject:
    if body.get("kind") not in _SCALED:
        return body
    name = overlay.source_name(str(child(body, "metadata", "name")))
    usage.replicas.add(name)
    if name not in overlay.replicas:
        return body
    usage.matched_replicas.add(name)
    return _set(body, ("spec", "replicas"), overlay.replicas[name])


def _labels(body: JsonObject, labels: Mapping[str, str]) -> JsonObject:
    body = _set(body, ("metadata", "labels"), _merged(body, "labels", labels))
    for path in _TEMPLATES:
        template = child(body, *path)
        if is_object(template) and is_object(child(template, "spec")):
            body = _set(body, (*path, "metadata", "labels"), _merged(template, "labels", labels))
    return body


def _references(body: JsonObject, namespace: str, neighbours: Neighbours) -> JsonObject:
    kind = body.get("kind")
    if kind in _BINDINGS:
        return _map_items(body, "subjects", lambda subject: _subject(subject, namespace, neighbours))
    if kind in _WEBHOOKS:
        return _map_items(body, "webhooks", lambda hook: _client(hook, namespace, neighbours))
    if kind == "APIService" and child(body, "spec", "service", "name") in neighbours.services:
        return _set(body, ("spec", "service", "namespace"), namespace)
    if kind == "CustomResourceDefinition" and is_object(child(body, "spec", "conversion", "webhook")):
        webhook = child(body, "spec", "conversion", "webhook")
        return _set(body, ("spec", "conversion", "webhook"), _client(webhook, namespace, neighbours))
    return body


def _map_items(body: JsonObject, key: str, change: Callable[[JsonObject], JsonObject]) -> JsonObject:
    items = body.get(key)
    if not is_array(items):
        return body
    return {**body, key: [change(item) if is_object(item) else item for item in items]}


def _subject(subject: JsonObject, namespace: str, neighbours: Neighbours) -> JsonObject:
    name = subject.get("name")
    moves = name == "default" or name in neighbours.service_accounts
    return (
        {**subject, "namespace": namespace} if subject.get("kind") == "ServiceAccount" and moves else subject
    )


def _client(hook: JsonObject, namespace: str, neighbours: Neighbours) -> JsonObject:
    if child(hook, "clientConfig", "service", "name") not in neighbours.services:
        return hook
    return _set(hook, ("clientConfig", "service", "namespace"), namespace)
