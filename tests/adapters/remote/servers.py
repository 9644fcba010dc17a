"""Loopback servers: plain files, and Git repositories through Git's own http-backend."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

Answer = tuple[int, Mapping[str, str], bytes]


class Site:
    """What a server answers, by path, and what it was asked."""

    def __init__(self, answers: Mapping[str, Answer], repositories: Path | None) -> None:
        self.answers: Mapping[str, Answer] = dict(answers)
        self.repositories = repositories
        self.asked: list[str] = []
        self.port = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


class _Server(ThreadingHTTPServer):
    told: Site


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _answer(self, body: bytes) -> None:
        server = self.server
        assert isinstance(server, _Server)
        told = server.told
        told.asked.append(self.path)
        path = urlsplit(self.path).path
        if path in told.answers:
            self._send(*told.answers[path])
        elif told.repositories is not None:
            self._send(*_backend(told.repositories, self.command, self.path, self.headers, body))
        else:
            self._send(404, {}, b"")

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's
        """Quiet."""


@contextmanager
def site(answers: Mapping[str, Answer] | None = None, repositories: Path | None = None) -> Generator[Site]:
    """A server on loopback while the block runs."""
    told = Site(answers or {}, repositories)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.told = told
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _backend(root: Path, method: str, target: str, headers: Message, body: bytes) -> Answer:
    """One request through ``git http-backend`` (CGI)."""
    get = headers.get
    parts = urlsplit(target)
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "http-backend"],
        input=body,
        capture_output=True,
        check=True,
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(root),
            "GIT_PROJECT_ROOT": str(root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": method,
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "CONTENT_TYPE": get("Content-Type") or "",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": get("Content-Encoding") or "",
            "GIT_PROTOCOL": get("Git-Protocol") or "",
        },
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    found = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
    status = int(found.pop("Status", "200").split()[0])
    return status, found, content
