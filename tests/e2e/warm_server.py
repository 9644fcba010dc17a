"""A process that has imported all of fleetmgr and forks for each command line that it is asked to run.

Two thirds of the time of a short ``fleet`` run are imports; a fork has them already and is a process of its own
otherwise: folder, environment, arguments, output, exit code. Run with the number of the socket to serve.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import threading
import traceback
from typing import NoReturn, TypedDict

import fleetmgr
from fleetmgr.cli.main import main

LENGTH = 4
FILES = 3


def serve(asked: socket.socket) -> None:
    """Until the other side is gone: a length and three files (output, errors, where the exit code goes), then as much
    JSON: arguments, folder, environment."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended children need no wait
    while True:
        length, files, _, _ = socket.recv_fds(asked, LENGTH, FILES)
        if not length:
            return
        request = b""
        while len(request) < int.from_bytes(length):
            request += asked.recv(int.from_bytes(length) - len(request))
        if os.fork() == 0:
            asked.close()
            become(json.loads(request), files)
        for file in files:
            os.close(file)


class Request(TypedDict):
    """A command line."""

    arguments: list[str]
    folder: str
    environment: dict[str, str]


def become(request: Request, files: list[int]) -> NoReturn:
    """Run the command line as a process that was started for it."""
    code: object = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        out, err, reply = files
        os.set_inheritable(reply, False)
        for file, number in ((os.open(os.devnull, os.O_RDONLY), 0), (out, 1), (err, 2)):
            os.dup2(file, number)
        os.chdir(request["folder"])
        os.environ.clear()  # noqa: TID251 - as a new process has it
        os.environ.update(request["environment"])  # noqa: TID251 - as a new process has it
        sys.argv = request["arguments"]
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
        except BaseException:  # noqa: BLE001 - as the interpreter does
            traceback.print_exc()
        for thread in threading.enumerate():
            if not thread.daemon and thread is not threading.current_thread():
                thread.join()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os.write(reply, str(code if isinstance(code, int) else 1).encode())
    finally:
        os._exit(0)


def preload() -> None:
    """Import everything, so that no child has to."""
    for module in pkgutil.walk_packages(fleetmgr.__path__, "fleetmgr."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    sys.path.pop(0)  # this folder
    preload()
    with socket.socket(fileno=int(sys.argv[1])) as served:
        serve(served)
