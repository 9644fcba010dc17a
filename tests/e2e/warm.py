"""Running ``fleet`` without paying for its imports each time: see warm_server. FLEET_E2E_COLD=1 starts a new
interpreter for each run instead."""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

SERVER = Path(__file__).with_name("warm_server.py")
COLD = os.environ.get("FLEET_E2E_COLD") == "1"  # noqa: TID251 - a switch of the test run


def run(
    arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str] | None
) -> subprocess.CompletedProcess[str]:
    """``subprocess.run`` of a ``fleet`` command line: no terminal, nothing to read, output captured as text."""
    given = dict(os.environ) if environment is None else dict(environment)  # noqa: TID251 - as a child inherits it
    if COLD:
        return subprocess.run(
            arguments,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env=given,
        )
    return _server().run(arguments, folder, given)


class Server:
    """The other side of warm_server."""

    def __init__(self) -> None:
        self._asking, served = socket.socketpair()
        self._lock = threading.Lock()
        with served:
            self._process = subprocess.Popen(
                [sys.executable, str(SERVER), str(served.fileno())],
                pass_fds=[served.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def run(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """One command line, in a process of its own."""
        request = json.dumps(
            {"arguments": list(arguments), "folder": str(folder), "environment": dict(environment)}
        ).encode()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            reading, writing = os.pipe()
            with os.fdopen(reading, "rb") as reply:
                try:
                    with self._lock:
                        files = [out.fileno(), err.fileno(), writing]
                        socket.send_fds(self._asking, [len(request).to_bytes(4)], files)
                        self._asking.sendall(request)
                finally:
                    os.close(writing)
                code = reply.read()  # until the process is gone
            texts: list[str] = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode())
        return subprocess.CompletedProcess(list(arguments), int(code or b"-9"), *texts)

    def close(self) -> None:
        """Let it end."""
        self._asking.close()
        self._process.wait()


_STARTING = threading.Lock()
_STARTED: list[Server] = []


def _server() -> Server:
    """The one of this test run."""
    with _STARTING:
        if not _STARTED:
            _STARTED.append(Server())
            atexit.register(_STARTED[0].close)
        return _STARTED[0]
