"""One piece of work on many clusters at a time, bounded: a failing cluster is a result, the others finish."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


def across(work: Callable[[In], Out], items: Sequence[In], *, parallel: int) -> list[Out]:
    """``work`` on each item, at most ``parallel`` at once, results in the order of ``items``.

    ``work`` turns expected failures into results itself; anything that it raises is a bug and ends the run.
    """
    if not items:
        return []
    with ThreadPoolExecutor(
        max_workers=max(1, min(parallel, len(items))), thread_name_prefix="cluster"
    ) as pool:
        return list(pool.map(work, items))
