"""A webhook server of the tests' own, that control planes ask."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:  # conftest imports this module
    from tests.e2e.fleets import Fleet

PROBED = "{apiVersion: v1, kind: ConfigMap, metadata: {name: probe}, data: {a: '1'}}"


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


@contextmanager
def serving(folder: Path) -> Generator[Admission]:
    """A running webhook server that allows everything."""
    server = Admission(folder)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def patching(*operations: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """An answer that allows everything, with this JSON patch."""
    encoded = base64.b64encode(json.dumps(operations).encode()).decode()
    return lambda request: {"allowed": bool(request), "patchType": "JSONPatch", "patch": encoded}


def configuration(fleet: Fleet, admission: Admission, kind: str, **more: Any) -> dict[str, Any]:
    """That a cluster asks the server about ConfigMaps of the fleet's namespace."""
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
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}WebhookConfiguration",
        "metadata": {"name": fleet.ns},
        "webhooks": [webhook],
    }


def register(fleet: Fleet, admission: Admission, kind: str, **more: Any) -> None:
    """Have it registered by somebody else, and wait until it is asked."""
    body = configuration(fleet, admission, kind, **more)
    fleet.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(body))
    seen = threading.Event()

    def allow(request: dict[str, Any]) -> dict[str, Any]:
        seen.set()
        return {"allowed": bool(request)}

    admission.answer = allow
    eventually(lambda: _probed(fleet, seen))


def _probed(fleet: Fleet, seen: threading.Event) -> bool:
    context = fleet.sandbox.contexts[0]
    fleet.sandbox.try_kubectl(context, "-n", fleet.ns, "create", "--dry-run=server", "-f", "-", stdin=PROBED)
    return seen.is_set()


def eventually(check: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end
        time.sleep(0.3)  # noqa: TID251 - another program changes what is looked at
