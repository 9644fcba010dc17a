"""A proxy on loopback in front of a real API server that fails on command.

It ends TLS itself, passes everything on (credentials, watches, server warnings) and, where a fault matches, answers
as servers and networks do when they fail: refuse, hang, 429, 500, 503, slow, cut off, half a body, something that
is no JSON, 401, 410.
"""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import urllib3
from urllib3.response import BaseHTTPResponse

HTML = b"<html><body>Sign in</body></html>"
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host", "te", "upgrade"})


@dataclass(slots=True, kw_only=True)
class Fault:
    """What goes wrong with requests of ``verb`` (``list``, ``watch``, ``get``, ``patch``, ...; "" = any) whose path
    matches ``path``: ``how`` is ``status``, ``reset``, ``lost`` (done, but the answer is lost), ``cut`` (the
    connection breaks in the body), ``half`` (half the body, and nothing broken), ``text`` (no JSON), ``slow``,
    ``hang``. ``times`` None = always; the first ``after`` that match pass."""

    how: str
    verb: str = ""
    path: str = ""
    times: int | None = 1
    after: int = 0
    status: int = 0
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"
    seconds: float = 0.0
    hits: int = 0

    def matches(self, verb: str, path: str) -> bool:
        """Whether it strikes now."""
        if (self.verb and verb != self.verb) or not re.search(self.path, path):
            return False
        if self.after:
            self.after -= 1
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        self.hits += 1
        return True


def status(code: int, reason: str, message: str, **more: Any) -> Fault:
    """A Kubernetes Status instead of an answer."""
    body: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "reason": reason,
        "message": message,
        "code": code,
    }
    return Fault(how="status", status=code, body=body, **more)


@dataclass(slots=True)
class Proxy:
    """``url`` is where it listens, ``authority`` the PEM file that it proves itself with; ``seen`` every request
    as (verb, path) in order."""

    upstream: str
    pool: urllib3.PoolManager
    certificate: Path
    key: Path
    url: str = ""
    page_size: int | None = None
    """Serve lists in pages of so many items, whatever the client asks for."""
    token: tuple[str, str, int] | None = None
    """A token that is taken for another one so many times, then refused."""
    faults: list[Fault] = field(default_factory=list[Fault])
    seen: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    lock: threading.Lock = field(default_factory=threading.Lock)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def authority(self) -> Path:
        """The certificate is its own authority."""
        return self.certificate

    def fail(self, *faults: Fault) -> None:
        """Let these happen from now on."""
        with self.lock:
            self.faults.extend(faults)

    def heal(self) -> None:
        """Pass everything on again."""
        with self.lock:
            self.faults.clear()
            self.seen.clear()

    def counted(self, verb: str, path: str = "") -> int:
        """How many requests of a verb came."""
        return sum(1 for v, p in self.seen if v == verb and re.search(path, p))

    def authorization(self, sent: str) -> str:
        """The header to pass on."""
        with self.lock:
            if self.token is None or sent != f"Bearer {self.token[0]}" or not self.token[2]:
                return sent
            short, real, left = self.token
            self.token = (short, real, left - 1)
            return f"Bearer {real}"

    def strikes(self, verb: str, path: str) -> Fault | None:
        """The fault that this request meets."""
        with self.lock:
            self.seen.append((verb, path))
            return next((fault for fault in self.faults if fault.matches(verb, path)), None)


def _verb(method: str, path: str) -> str:
    if method != "GET":
        return {"PATCH": "patch", "DELETE": "delete", "POST": "create", "PUT": "update"}.get(method, method)
    bare, _, query = path.partition("?")
    if "watch=true" in query:
        return "watch"
    parts = bare.strip("/").split("/")
    parts = parts[2:] if parts[0] == "api" else parts[3:] if parts[0] == "apis" else []
    if parts[:1] == ["namespaces"] and len(parts) > 2:
        parts = parts[2:]
    return "list" if len(parts) == 1 else "get" if parts else "discover"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy

    def _answer(self) -> None:
        verb = _verb(self.command, self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else None
        fault = self.proxy.strikes(verb, self.path)
        match fault.how if fault else "":
            case "reset":
                self.close_connection = True
                return
            case "hang":
                self.proxy.released.wait(120)
                self.close_connection = True
                return
            case "status" if fault is not None:
                self._send(fault.status, orjson.dumps(fault.body), fault.headers, fault.content_type)
                return
            case "text" if fault is not None:
                self._send(200, HTML, (), "text/html")
                return
            case "slow" if fault is not None:
                time.sleep(fault.seconds)  # noqa: TID251 - a slow server takes real time
            case _:
                pass
        self._pass_on(body, fault)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _pass_on(self, body: bytes | None, fault: Fault | None) -> None:
        path = self.path
        if self.proxy.page_size is not None:
            path = re.sub(r"limit=\d+", f"limit={self.proxy.page_size}", path)
        headers = urllib3.HTTPHeaderDict()
        for name, value in self.headers.items():
            if name.lower() not in _HOP:
                headers.add(
                    name, self.proxy.authorization(value) if name.lower() == "authorization" else value
                )
        answer = self.proxy.pool.request(
            self.command,
            self.proxy.upstream + path,
            body=body,
            headers=headers,
            preload_content=False,
            decode_content=False,
            retries=False,
            timeout=urllib3.Timeout(connect=5, read=120),
        )
        try:
            if "watch=true" in path:
                self._stream(answer)
            else:
                self._relay(answer, fault)
        finally:
            answer.release_conn()

    def _relay(self, answer: BaseHTTPResponse, fault: Fault | None) -> None:
        body = answer.read(decode_content=False)
        how = fault.how if fault else ""
        if how == "lost":
            self.close_connection = True
            return
        kept = [(n, v) for n, v in answer.headers.items() if n.lower() not in {*_HOP, "content-type"}]
        shown = body[: len(body) // 2] if how in {"cut", "half"} else body
        length = len(shown) if how == "half" else len(body)
        self._send(
            answer.status,
            shown,
            tuple(kept),
            answer.headers.get("content-type", "application/json"),
            length=length,
        )
        if how == "cut":
            self.close_connection = True

    def _stream(self, answer: BaseHTTPResponse) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("content-type", "application/json"))
        if "content-encoding" in answer.headers:
            self.send_header("Content-Encoding", answer.headers["content-encoding"])
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while chunk := answer.read1(1 << 16, decode_content=False):
            self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _send(
        self,
        code: int,
        body: bytes,
        headers: tuple[tuple[str, str], ...],
        content_type: str,
        *,
        length: int | None = None,
    ) -> None:
        self.send_response(code)
        self.send_header("Content-Type", content_type)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        del format, args


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        del request, client_address  # clients that hang up are a part of these tests


@contextmanager
def proxying(upstream: str, authority: Path, folder: Path) -> Generator[Proxy]:
    """A running proxy in front of ``upstream``, whose certificate ``authority`` (PEM) proves."""
    certificate, key = _certificate(folder)
    pool = urllib3.PoolManager(maxsize=32, ca_certs=str(authority))
    proxy = Proxy(upstream=upstream, pool=pool, certificate=certificate, key=key)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": proxy}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    proxy.url = f"https://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
        pool.clear()


def _certificate(folder: Path) -> tuple[Path, Path]:
    openssl = shutil.which("openssl")
    assert openssl is not None, "no openssl program to make a certificate with"
    certificate, key = folder / "proxy.pem", folder / "proxy.key"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=proxy"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key
