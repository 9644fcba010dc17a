"""One piece of work on many clusters at a time, bounded: a failing cluster is a result, the others finish."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


def across(
    work: Callable[[In], Out], items: Sequence[In], *, parallel: int, stop: threading.Event
) -> list[Out]:
    """``work`` on each item, at most ``parallel`` at once, results in the order of ``items``.

    ``work`` turns expected failures into results itself; anything that it raises is a bug and ends the run,
    after the others finished. A signal sets ``stop``, which ``work`` looks at, and is raised again once
    nothing is being written any more.
    """
    if not items:
        return []
    workers = max(1, min(parallel, len(items)))
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="cluster") as pool:
        running = [pool.submit(work, item) for item in items]
        try:
            wait(running)
        except BaseException:  # Ctrl-C and SIGTERM are no Exceptions
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        return [future.result() for future in running]
