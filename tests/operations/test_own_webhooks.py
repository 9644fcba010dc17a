"""A webhook and what it is to see, in one app: first the webhook, then somebody behind it, then the rest."""

from __future__ import annotations

from typing import Any

import yaml

from fleetmgr.errors import ExitCode
from fleetmgr.ports.cluster import ApiResource
from tests.operations.worlds import App, SettlingClock, World, config, deployment, outcomes, service

SLICES = ApiResource(
    group="discovery.k8s.io", version="v1", kind="EndpointSlice", plural="endpointslices", namespaced=True
)
HOOK: dict[str, Any] = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "check"},
    "webhooks": [
        {
            "name": "check.shop.example",
            "clientConfig": {"service": {"namespace": "hooks", "name": "hook"}},
            "rules": [{"apiGroups": [""], "operations": ["CREATE"], "resources": ["configmaps"]}],
        }
    ],
}


def in_hooks(text: str) -> str:
    body = yaml.safe_load(text)
    body["metadata"]["namespace"] = "hooks"
    return yaml.safe_dump(body)


def world() -> World:
    made = World()
    namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: hooks}}"
    server = [namespace, in_hooks(service("hook")), in_hooks(deployment("hook"))]
    made.apps["web"] = App(manifests=[config("seen"), yaml.safe_dump(HOOK), *server])
    return made


def test_what_a_webhook_is_to_see_is_written_once_somebody_is_behind_it() -> None:
    made = world()
    behind: list[bool] = []

    def look(verb: str, name: str) -> None:
        if (verb, name) == ("apply", "ConfigMap/seen"):
            slices = made.cluster.list(SLICES, namespace="hooks")
            behind.append(any(body.get("endpoints") for body in slices))

    made.cluster.before = look
    assert made.apply().exit_code is ExitCode.OK
    written = made.cluster.written()
    assert written.index("ValidatingWebhookConfiguration/check") < written.index("ConfigMap/seen")
    assert behind == [True]
    assert made.ops() == set()


def test_nobody_behind_a_webhook_keeps_what_it_is_to_see_back() -> None:
    made = world()
    made.clock = SettlingClock(made.cluster, works=False)
    report = made.apply(timeout=5)
    assert report.exit_code is ExitCode.TIMEOUT
    assert outcomes(report)["ConfigMap/seen"] == "skipped"
