"""What a webhook configuration says, as far as several steps must agree on it."""

from __future__ import annotations

from collections.abc import Iterator

from fleetmgr.model.jsontypes import JsonObject, array_at, is_object, object_at

WEBHOOK_GROUP = "admissionregistration.k8s.io"
WEBHOOK_KINDS = frozenset({"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"})


def strict_webhooks(configuration: JsonObject) -> Iterator[JsonObject]:
    """Webhooks without which the API server refuses what they are to see (``failurePolicy: Fail``, the default)."""
    for hook in array_at(configuration, "webhooks"):
        if is_object(hook) and hook.get("failurePolicy", "Fail") == "Fail":
            yield hook


def services_of(configuration: JsonObject) -> tuple[tuple[str, str], ...]:
    """(namespace, name) of the Services behind strict webhooks; one that is reached by a URL has none."""
    found: dict[tuple[str, str], None] = {}
    for hook in strict_webhooks(configuration):
        service = object_at(hook, "clientConfig", "service")
        if service:
            found[str(service.get("namespace")), str(service.get("name"))] = None
    return tuple(found)
