"""Which objects of an app its own webhooks are to see."""

from __future__ import annotations

from typing import Any

import pytest

from fleetmgr.engine.providers import provided_in_app
from fleetmgr.model.objects import Origin, ref_of
from fleetmgr.model.resource import Resource, ResourceOptions
from fleetmgr.model.webhooks import services_of

SERVICE = {"service": {"namespace": "hooks", "name": "hook"}}
RULE = {
    "apiGroups": ["shop.example"],
    "apiVersions": ["v1"],
    "operations": ["CREATE"],
    "resources": ["widgets"],
}


def resource(api_version: str, kind: str, name: str, namespace: str = "", **content: Any) -> Resource:
    labels = content.pop("labels", {})
    metadata = {"name": name, "labels": labels, **({"namespace": namespace} if namespace else {})}
    body = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}
    return Resource(
        type=f"kubernetes:{api_version}:{kind}",
        name=name,
        app="web",
        ref=ref_of(body),
        inputs=body,
        origin=Origin(file="a.yaml", line=1),
        options=ResourceOptions(),
    )


def hook(**more: Any) -> Resource:
    webhook = {"name": "a.b.c", "clientConfig": SERVICE, "rules": [RULE], **more}
    kind = "ValidatingWebhookConfiguration"
    return resource("admissionregistration.k8s.io/v1", kind, "check", webhooks=[webhook])


def sees(configuration: Resource, other: Resource) -> bool:
    return other.ref.key in provided_in_app([configuration, other], lambda ref: f"{ref.kind.lower()}s")


WIDGET = resource("shop.example/v1", "Widget", "w", "shop", labels={"tier": "a"})


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, True),
        ({"failurePolicy": "Ignore"}, False),
        ({"rules": [{**RULE, "apiGroups": ["*"], "resources": ["*"]}]}, True),
        ({"rules": [{**RULE, "resources": ["gadgets"]}]}, False),
        ({"rules": [{**RULE, "operations": ["DELETE"]}]}, False),
        ({"rules": [{**RULE, "scope": "Cluster"}]}, False),
        ({"objectSelector": {"matchLabels": {"tier": "a"}}}, True),
        ({"objectSelector": {"matchLabels": {"tier": "b"}}}, False),
        ({"objectSelector": {"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}}, False),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}}, False),
        ({"namespaceSelector": {"matchLabels": {"team": "unknown"}}}, True),
    ],
)
def test_what_a_webhook_sees(more: dict[str, Any], expected: bool) -> None:
    assert sees(hook(**more), WIDGET) is expected


def test_what_a_webhook_runs_on_does_not_wait_for_it() -> None:
    everything = hook(rules=[{**RULE, "apiGroups": ["*"], "resources": ["*"]}])
    assert not sees(everything, resource("apps/v1", "Deployment", "hook", "hooks"))
    assert sees(everything, resource("apps/v1", "Deployment", "web", "shop"))
    assert sees(everything, resource("shop.example/v1", "Widget", "w", "hooks"))
    assert not sees(everything, resource("v1", "Namespace", "shop"))
    assert not sees(everything, everything)


def test_services_of_a_configuration() -> None:
    assert services_of(hook().inputs) == (("hooks", "hook"),)
    assert services_of(hook(clientConfig={"url": "https://example.com"}).inputs) == ()
    assert services_of(hook(failurePolicy="Ignore").inputs) == ()
