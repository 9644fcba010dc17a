"""Free TCP ports on loopback."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Container

HOST = "127.0.0.1"
# Below Linux's ephemeral range (32768..): an outgoing connection never takes one of these.
FIRST, LAST = 20_000, 29_999


def is_free(port: int) -> bool:
    """Whether a server could listen there now (a socket in TIME_WAIT does not matter)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose(count: int, *, taken: Container[int]) -> tuple[int, ...]:
    """``count`` different free ports outside ``taken``; raises OSError when there are none."""
    chosen: list[int] = []
    size = LAST - FIRST + 1
    start = secrets.randbelow(size)
    for step in range(size):
        port = FIRST + (start + step) % size
        if port not in taken and is_free(port):
            chosen.append(port)
        if len(chosen) == count:
            return tuple(chosen)
    raise OSError(f"no {count} free ports between {FIRST} and {LAST}")
