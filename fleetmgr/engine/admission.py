"""Webhooks that come with an app, and the objects of the same app that they are to see: those are written after.

Matching follows the API server's (k8s.io/api admissionregistration/v1 Rule, NamespaceSelector, ObjectSelector). What
cannot be known here, such as labels of a namespace that is on the cluster, counts as matching: coming later does no
harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from fleetmgr.model.jsontypes import JsonArray, JsonObject, array_at, is_object, object_at
from fleetmgr.model.objects import ObjectKey, ObjectRef
from fleetmgr.model.resource import Resource
from fleetmgr.model.webhooks import WEBHOOK_GROUP, WEBHOOK_KINDS, services_of, strict_webhooks

_FIRST = frozenset({"Namespace", "CustomResourceDefinition", *WEBHOOK_KINDS})
_NAME_OF_NAMESPACE = "kubernetes.io/metadata.name"


def seen_by(
    resources: Sequence[Resource], plural_of: Callable[[ObjectRef], str]
) -> Mapping[ObjectKey, tuple[ObjectKey, ...]]:
    """Objects of one app, each with the webhook configurations of the app that are to see it.

    Built-in kinds in the namespace of a webhook's own Service are what it runs on: they never wait for it.
    """
    configurations = [r for r in resources if r.ref.group == WEBHOOK_GROUP and r.ref.kind in WEBHOOK_KINDS]
    if not configurations:
        return {}
    found: dict[ObjectKey, tuple[ObjectKey, ...]] = {}
    for resource in resources:
        keys = tuple(c.ref.key for c in configurations if _sees(c.inputs, resource, plural_of(resource.ref)))
        if keys and resource.ref.kind not in _FIRST:
            found[resource.ref.key] = keys
    return found


def _sees(configuration: JsonObject, resource: Resource, plural: str) -> bool:
    own = {namespace for namespace, _ in services_of(configuration)}
    if resource.ref.namespace in own and _is_built_in(resource.ref):
        return False
    return any(_matches(hook, resource, plural) for hook in strict_webhooks(configuration))


def _is_built_in(ref: ObjectRef) -> bool:
    return "." not in ref.group or ref.group.endswith(".k8s.io")


def _matches(hook: JsonObject, resource: Resource, plural: str) -> bool:
    labels = object_at(resource.inputs, "metadata", "labels")
    known = {_NAME_OF_NAMESPACE: resource.ref.namespace}
    return (
        any(_rule_matches(rule, resource.ref, plural) for rule in array_at(hook, "rules") if is_object(rule))
        and _selects(object_at(hook, "objectSelector"), labels, all_known=True)
        and _selects(object_at(hook, "namespaceSelector"), known, all_known=False)
    )


def _rule_matches(rule: JsonObject, ref: ObjectRef, plural: str) -> bool:
    scope = rule.get("scope", "*")
    return (
        _has(array_at(rule, "apiGroups"), ref.group)
        and _has(array_at(rule, "resources"), plural, f"{plural}/*")
        and bool({"*", "CREATE", "UPDATE"} & set(map(str, array_at(rule, "operations"))))
        and scope in {"*", "Namespaced" if ref.namespace else "Cluster"}
    )


def _has(listed: JsonArray, *names: str) -> bool:
    return "*" in listed or "*/*" in listed or any(name in listed for name in names)


def _selects(selector: JsonObject, labels: Mapping[str, object], *, all_known: bool) -> bool:
    """Whether a LabelSelector may match; a label that is not ``all_known`` may have any value."""
    for key, value in object_at(selector, "matchLabels").items():
        if (key in labels or all_known) and labels.get(key) != value:
            return False
    expressions: Iterable[JsonObject] = (e for e in array_at(selector, "matchExpressions") if is_object(e))
    return all(_holds(e, labels) for e in expressions if all_known or str(e.get("key")) in labels)


def _holds(expression: JsonObject, labels: Mapping[str, object]) -> bool:
    key, values = str(expression.get("key")), array_at(expression, "values")
    match expression.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels
