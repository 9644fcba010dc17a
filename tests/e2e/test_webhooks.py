"""Real admission webhooks, namespaces that do not go, and CRDs with their objects in one plan."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.fleets import Fleet, paths

pytestmark = pytest.mark.e2e

SETTINGS = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: '%s'}}"


class Admission(ThreadingHTTPServer):
    """A webhook server: ``answer`` says what becomes of an AdmissionReview's request; None is an error of its own."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        key, certificate = folder / "key.pem", folder / "cert.pem"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-keyout", str(key), "-out", str(certificate), "-subj", "/CN=127.0.0.1"),
                *("-addext", "subjectAltName=IP:127.0.0.1"),
            ],
            check=True,
            capture_output=True,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.authority = base64.b64encode(certificate.read_bytes()).decode()
        self.answer: Callable[[dict[str, Any]], dict[str, Any] | None]
        self.answer = lambda request: {"allowed": bool(request)}

    @property
    def client_config(self) -> dict[str, str]:
        """Where an API server finds it."""
        return {"url": f"https://127.0.0.1:{self.server_address[1]}/admit", "caBundle": self.authority}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        assert isinstance(server, Admission)
        said = server.answer(review["request"])
        if said is None:
            self.send_error(500)
            return
        response = {"uid": review["request"]["uid"], **said}
        body = json.dumps(
            {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
        )
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        del format, args


@pytest.fixture
def admission(tmp_path: Path) -> Iterator[Admission]:
    """A running webhook server that allows everything."""
    server = Admission(tmp_path)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def fleet(fleets: Callable[..., Fleet]) -> Iterator[Fleet]:
    """One cluster, app ``web``; its webhooks go with it."""
    made = fleets()
    made.save()
    yield made
    for kind in ("validatingwebhookconfigurations", "mutatingwebhookconfigurations"):
        made.kubectl("delete", kind, made.ns, "--ignore-not-found")


def register(fleet: Fleet, admission: Admission, kind: str, **more: Any) -> None:
    """Let the cluster ask the server about ConfigMaps of the fleet's namespace."""
    webhook = {
        "name": "check.example.com",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "timeoutSeconds": 1,
        "clientConfig": admission.client_config,
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": fleet.ns}},
        "rules": [
            {
                "apiGroups": [""],
                "apiVersions": ["v1"],
                "operations": ["CREATE", "UPDATE"],
                "resources": ["configmaps"],
            }
        ],
        **more,
    }
    body = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}WebhookConfiguration",
        "metadata": {"name": fleet.ns},
        "webhooks": [webhook],
    }
    fleet.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(body))
    probe = SETTINGS.replace("settings", "probe") % "1"
    seen = threading.Event()

    def allow(request: dict[str, Any]) -> dict[str, Any]:
        seen.set()
        return {"allowed": bool(request)}

    admission.answer = allow
    eventually(lambda: _probed(fleet, probe, seen))


def _probed(fleet: Fleet, probe: str, seen: threading.Event) -> bool:
    context = fleet.sandbox.contexts[0]
    fleet.sandbox.try_kubectl(context, "-n", fleet.ns, "create", "--dry-run=server", "-f", "-", stdin=probe)
    return seen.is_set()


def eventually(check: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end
        time.sleep(0.3)  # noqa: TID251 - another program changes what is looked at


def applied(fleet: Fleet, value: str = "1") -> None:
    fleet.manifests(settings=SETTINGS % value)
    fleet.apply()


def test_a_denial_is_shown_with_its_words_and_never_tried_again(fleet: Fleet, admission: Admission) -> None:
    applied(fleet)
    asked: list[str] = []

    def deny(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request["name"])
        return {"allowed": False, "status": {"code": 403, "message": "settings are frozen until Monday"}}

    register(fleet, admission, "Validating")
    admission.answer = deny
    fleet.manifests(settings=SETTINGS % "2")
    change = fleet.plan(code=1).change("ConfigMap/settings")
    assert change["op"] == "denied"
    assert "settings are frozen until Monday" in change["reason"]
    assert asked == ["settings"]
    assert "settings are frozen until Monday" in fleet.apply(code=1).text
    assert fleet.get("configmap", "settings")["data"] == {"a": "1"}


def test_a_mutation_is_planned_and_does_not_come_back(fleet: Fleet, admission: Admission) -> None:
    applied(fleet)
    patch = [{"op": "add", "path": "/metadata/labels/injected", "value": "yes"}]
    encoded = base64.b64encode(json.dumps(patch).encode()).decode()
    register(fleet, admission, "Mutating")
    admission.answer = lambda request: {"allowed": bool(request), "patchType": "JSONPatch", "patch": encoded}
    fleet.assert_settled()
    fleet.manifests(settings=SETTINGS % "2")
    change = fleet.plan().change("ConfigMap/settings")
    assert set(paths(change)) == {"/data/a", "/metadata/labels/injected"}
    fleet.apply()
    assert fleet.get("configmap", "settings")["metadata"]["labels"]["injected"] == "yes"
    fleet.assert_settled()
    fleet.manifests(settings=SETTINGS % "3")
    assert paths(fleet.plan().change("ConfigMap/settings")) == ["/data/a"]


def test_a_mutation_of_what_git_says_is_no_endless_change(fleet: Fleet, admission: Admission) -> None:
    patch = [{"op": "replace", "path": "/data/a", "value": "theirs"}]
    encoded = base64.b64encode(json.dumps(patch).encode()).decode()
    fleet.manifests(settings=SETTINGS % "0")
    fleet.apply()
    register(fleet, admission, "Mutating")
    admission.answer = lambda request: {"allowed": bool(request), "patchType": "JSONPatch", "patch": encoded}
    fleet.manifests(settings=SETTINGS % "1")
    change = fleet.plan().change("ConfigMap/settings")
    assert change["diff"] == [{"path": "/data/a", "old": "0", "new": "theirs"}]
    fleet.apply()
    assert fleet.get("configmap", "settings")["data"] == {"a": "theirs"}
    fleet.assert_settled()


def test_a_webhook_that_does_not_answer_leaves_the_plan_unverified(
    fleet: Fleet, admission: Admission
) -> None:
    applied(fleet)
    register(fleet, admission, "Validating")
    released = threading.Event()
    admission.answer = lambda request: {"allowed": released.wait(20) and bool(request)}
    fleet.assert_settled()
    fleet.manifests(settings=SETTINGS % "2")
    answer = fleet.plan()
    change = answer.change("ConfigMap/settings")
    assert (change["op"], change["unverified"]) == ("update", True)
    assert "check.example.com" in change["reason"]
    assert change["diff"] == [{"path": "/data/a", "old": "1", "new": "2"}]
    failed = fleet.apply(code=1)
    assert "check.example.com" in failed.text
    assert fleet.get("configmap", "settings")["data"] == {"a": "1"}
    released.set()
    fleet.apply()
    fleet.assert_settled()


def test_a_webhook_that_fails_for_a_while_is_asked_again_as_often_as_the_fleet_says(
    fleet: Fleet, admission: Admission
) -> None:
    fleet.defaults = {"retry": {"limit": 3, "backoff": "10ms", "factor": 1}}
    fleet.apps = [fleet.app("web", retry={"limit": 2})]
    fleet.save()
    applied(fleet)
    register(fleet, admission, "Validating")
    asked: list[str] = []
    failing = 2

    def fail(request: dict[str, Any]) -> dict[str, Any] | None:
        if request["dryRun"]:
            return {"allowed": True}
        asked.append(request["name"])
        return None if len(asked) <= failing else {"allowed": True}

    admission.answer = fail
    fleet.manifests(settings=SETTINGS % "2")
    assert ("update", "ConfigMap/settings", "done") in fleet.apply().results()
    assert asked == ["settings"] * 3
    fleet.assert_settled()

    asked.clear()
    failing = 100
    fleet.manifests(settings=SETTINGS % "3")
    assert "check.example.com" in fleet.apply(code=1).text
    assert asked == ["settings"] * 3, "the app allows two more"
    fleet.apps = [fleet.app("web", retry={"limit": 0})]
    fleet.save()
    asked.clear()
    fleet.apply(code=1)
    assert asked == ["settings"]
    assert fleet.get("configmap", "settings")["data"] == {"a": "2"}


def test_a_namespace_that_does_not_go_is_denied_and_the_others_go_on(fleet: Fleet) -> None:
    other = f"{fleet.ns}-other"
    fleet.namespaces.add(other)
    fleet.apps.append({**fleet.app("api"), "namespace": other})
    fleet.save()
    held = "{apiVersion: v1, kind: ConfigMap, metadata: {name: held, finalizers: [example.com/hold]}}"
    fleet.manifests("web", settings=SETTINGS % "1")
    fleet.manifests("api", settings=SETTINGS % "1")
    fleet.apply()
    fleet.kubectl("create", "-f", "-", stdin=held)
    fleet.kubectl("delete", "namespace", fleet.ns, "--wait=false")
    try:
        eventually(
            lambda: "example.com/hold" in json.dumps(fleet.get("namespace", fleet.ns).get("status", {}))
        )
        eventually(lambda: not fleet.get("configmap", "settings"))
        fleet.manifests("api", settings=SETTINGS % "2")
        answer = fleet.plan(code=1)
        denied = next(c for c in answer.changes() if c["op"] == "denied")
        assert denied["object"]["namespace"] == fleet.ns
        assert f"namespace {fleet.ns} is being deleted" in denied["reason"]
        assert "NamespaceContentRemaining" in denied["reason"]
        assert "example.com/hold" in denied["reason"]
        fleet.apply(code=1)
        assert fleet.get("configmap", "settings", namespace=other)["data"] == {"a": "2"}
    finally:
        fleet.kubectl("patch", "configmap", "held", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')


def test_a_crd_and_its_objects_in_one_plan(fleet: Fleet) -> None:
    kind = f"Gear{fleet.ns[1:]}"
    plural, group = f"{kind.lower()}s", "sim.example.com"

    def write(spec: dict[str, Any], **properties: Any) -> None:
        inside = {
            "size": {"type": "string", "enum": ["s", "m"]},
            "mode": {"type": "string", "default": "auto"},
        }
        schema = {
            "type": "object",
            "properties": {
                "spec": {"type": "object", "required": ["size"], "properties": {**inside, **properties}}
            },
        }
        version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
        names = {"plural": plural, "kind": kind}
        definition = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
        }
        gear = {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": "mine"}, "spec": spec}
        fleet.manifests(crd=yaml.safe_dump(definition), gear=yaml.safe_dump(gear))

    try:
        write({"size": "xl", "colour": "red"})
        denied = fleet.plan(code=1).change(f"{kind}/mine")
        assert denied["op"] == "denied"
        assert "spec.size: Unsupported value" in denied["reason"]
        assert "spec.colour: field not declared in schema" in denied["reason"]
        write({"size": "s"})
        planned = fleet.plan().change(f"{kind}/mine")
        assert (planned["op"], planned["unverified"]) == ("create", True)
        assert "checked against its schema" in planned["reason"]
        assert "mode: auto" in fleet.run("diff").out
        fleet.apply()
        fleet.assert_settled()
        write({"size": "s", "colour": "red"}, colour={"type": "string"})
        planned = fleet.plan().change(f"{kind}/mine")
        assert (planned["op"], planned["unverified"]) == ("update", True)
        fleet.apply()
        assert fleet.get(f"{plural}.{group}", "mine")["spec"]["colour"] == "red"
        fleet.assert_settled()
    finally:
        fleet.kubectl("delete", "crd", f"{plural}.{group}", "--wait=false", "--ignore-not-found")
