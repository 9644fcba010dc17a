"""A small API server on loopback that answers from a script, the ways that real ones fail included."""

from __future__ import annotations

import gzip
import ssl
import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

from fleetmgr.model.jsontypes import Json, JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One scripted answer. ``fault``: ``cut`` stops in the middle of the body, ``reset`` before any answer,
    ``chunk`` in the middle of a chunked body."""

    status: int = 200
    body: Json = None
    headers: tuple[tuple[str, str], ...] = ()
    fault: str = ""
    compressed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    groups: tuple[str, ...] = ()


@dataclass(slots=True)
class Script:
    """``replies`` are used up in order; ``route`` answers what is left over."""

    replies: deque[Reply] = field(default_factory=deque[Reply])
    route: Callable[[Seen], Reply] | None = None
    seen: list[Seen] = field(default_factory=list[Seen])
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def say(self, *replies: Reply) -> None:
        """Answer the next requests with these."""
        self.replies.extend(replies)

    def next(self, seen: Seen) -> Reply:
        with self.lock:
            self.seen.append(seen)
            if self.replies:
                return self.replies.popleft()
        assert self.route is not None, f"nothing scripted for {seen.method} {seen.path}"
        return self.route(seen)


def failure(
    code: int,
    reason: str,
    message: str,
    *,
    causes: tuple[JsonObject, ...] = (),
    headers: tuple[tuple[str, str], ...] = (),
) -> Reply:
    """A Kubernetes Status."""
    status: JsonObject = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
        "details": {"causes": list(causes)},
    }
    return Reply(status=code, body=status, headers=headers)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Script

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        seen = Seen(
            method=self.command,
            path=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=orjson.loads(raw) if raw else None,
            groups=tuple(self.headers.get_all("Impersonate-Group") or ()),
        )
        self._send(self.script.next(seen))

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):  # every method is answered alike
            return self._answer
        raise AttributeError(name)

    def _send(self, reply: Reply) -> None:
        if reply.fault == "reset":
            self.close_connection = True
            return
        body = reply.body if isinstance(reply.body, bytes) else orjson.dumps(reply.body)
        if reply.compressed:
            body = gzip.compress(body)
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        if reply.compressed:
            self.send_header("Content-Encoding", "gzip")
        if reply.fault == "chunk":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(f"{len(body):x}\r\n".encode() + body[: len(body) // 2])
            self.close_connection = True
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if reply.fault == "cut" else body)
        self.close_connection = self.close_connection or bool(reply.fault)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        del format, args


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        del request, client_address  # clients that hang up are a part of these tests


@contextmanager
def serving(tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Generator[Script]:
    """A running server; ``script.url`` is where."""
    script = Script()
    server = _Server((host, 0), type("Handler", (_Handler,), {"script": script}))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    script.url = f"{'https' if tls else 'http'}://{host}:{server.server_port}"
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
