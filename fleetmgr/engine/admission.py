"""Which webhooks see an object, by what the API server goes by.

Matching follows the API server's (k8s.io/api admissionregistration/v1 Rule, NamespaceSelector, ObjectSelector,
MatchPolicy). What cannot be known here, such as labels of a namespace that is on the cluster or CEL conditions, counts
as matching: waiting for a webhook does no harm, nor does a doubt that is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from fleetmgr.model.jsontypes import JsonArray, JsonObject, array_at, is_object, object_at
from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.resource import Resource
from fleetmgr.model.webhooks import WEBHOOK_GROUP, WEBHOOK_KINDS, services_of, strict_webhooks

CREATE, UPDATE, DELETE = "CREATE", "UPDATE", "DELETE"
_WRITTEN = frozenset({CREATE, UPDATE})
_NAME_OF_NAMESPACE = "kubernetes.io/metadata.name"
_NAMESPACE = "Namespace"


def is_webhook_configuration(ref: ObjectRef) -> bool:
    """Whether an object tells the API server about webhooks."""
    return ref.group == WEBHOOK_GROUP and ref.kind in WEBHOOK_KINDS


def admits(configuration: JsonObject, resource: Resource, plural: str) -> bool:
    """Whether a webhook that the API server cannot do without is to see an object that is written.

    Built-in kinds in the namespace of its own Service are what it runs on: they never wait for it.
    """
    own = {namespace for namespace, _ in services_of(configuration)}
    if resource.ref.namespace in own and is_built_in(resource.ref):
        return False
    return any(sees(hook, resource, plural, _WRITTEN) for hook in strict_webhooks(configuration))


def is_built_in(ref: ObjectRef) -> bool:
    """Whether a kind is one of Kubernetes' own."""
    return "." not in ref.group or ref.group.endswith(".k8s.io")


def sees(
    hook: JsonObject,
    resource: Resource,
    plural: str,
    operations: frozenset[str],
    namespaces: Mapping[str, JsonObject] | None = None,
) -> bool:
    """Whether one webhook of a configuration is asked about any of ``operations`` on an object. ``namespaces`` are the
    labels of those that Git wants, by name."""
    if is_webhook_configuration(resource.ref):  # the API server asks no webhook about webhooks
        return False
    labels = object_at(resource.inputs, "metadata", "labels")
    return any(
        _rule_matches(rule, resource.ref, plural, operations, exact=hook.get("matchPolicy") == "Exact")
        for rule in _rules(hook)
    ) and (
        _selects(object_at(hook, "objectSelector"), labels, all_known=True)
        and _namespace_selected(object_at(hook, "namespaceSelector"), resource, labels, namespaces or {})
    )


def _rules(hook: JsonObject) -> Iterator[JsonObject]:
    return (rule for rule in array_at(hook, "rules") if is_object(rule))


def _rule_matches(
    rule: JsonObject, ref: ObjectRef, plural: str, operations: frozenset[str], *, exact: bool
) -> bool:
    scope = rule.get("scope", "*")
    return (
        _has(array_at(rule, "apiGroups"), ref.group)
        and (not exact or _has(array_at(rule, "apiVersions"), ref.version))
        and _has(array_at(rule, "resources"), plural, f"{plural}/*")
        and bool({"*", *operations} & set(map(str, array_at(rule, "operations"))))
        and scope in {"*", "Namespaced" if ref.namespace else "Cluster"}
    )


def _has(listed: JsonArray, *names: str) -> bool:
    return "*" in listed or "*/*" in listed or any(name in listed for name in names)


def _namespace_selected(
    selector: JsonObject, resource: Resource, labels: JsonObject, namespaces: Mapping[str, JsonObject]
) -> bool:
    """Of a Namespace its own labels count; of anything else without a namespace none do, and it is always seen."""
    ref = resource.ref
    if not ref.namespace and ref.kind != _NAMESPACE:
        return True
    name = ref.namespace or ref.name
    wanted = labels if ref.kind == _NAMESPACE else namespaces.get(name, {})
    return _selects(selector, {**wanted, _NAME_OF_NAMESPACE: name}, all_known=False)


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
