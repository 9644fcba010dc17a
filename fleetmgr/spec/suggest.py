"""Did you mean: the nearest known name, or all of them when none is near."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_SHOWN = 20


def suggest(name: str, known: Iterable[str], *, what: str = "known") -> str:
    """A hint for ``name``: ``did you mean `x`?`` or ``known: a, b, c``."""
    names = list(known)
    folded = {n.lower(): n for n in names}
    near = difflib.get_close_matches(name.lower(), list(folded), n=1, cutoff=0.6)
    if near:
        return f"did you mean `{folded[near[0]]}`?"
    if not names:
        return "there are none"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{what}: {', '.join(names[:_SHOWN])}{more}"
