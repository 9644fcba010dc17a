"""The cyclic garbage collector stands still while resources are registered: Pulumi's SDK makes many small objects
that live until the program ends, and going through them again and again takes two thirds of its time."""

from __future__ import annotations

import gc
import threading
from collections.abc import Generator
from contextlib import contextmanager


class _Pause:
    """Counts the runs that want it, which may be side by side."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs = 0
        self._was_on = False

    def begin(self) -> None:
        with self._lock:
            if self._runs == 0:
                self._was_on = gc.isenabled()
                gc.disable()
            self._runs += 1

    def end(self) -> None:
        with self._lock:
            self._runs -= 1
            if self._runs == 0 and self._was_on:
                gc.enable()


_PAUSE = _Pause()


@contextmanager
def paused() -> Generator[None]:
    """No cyclic collection inside; what the collector was set to before holds again after the last of several runs."""
    _PAUSE.begin()
    try:
        yield
    finally:
        _PAUSE.end()
