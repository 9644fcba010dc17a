"""``include`` and ``exclude`` patterns: relative to the source's path, ``/`` separates.

``*`` and ``?`` stay inside one segment, ``**`` spans any number of segments (none too). A pattern matches the
whole relative path: ``*.yaml`` is the files directly there, ``**/*.yaml`` those at any depth.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether any pattern matches ``path``."""
    return any(_compiled(pattern).fullmatch(path) for pattern in patterns)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    segments = [s for s in pattern.split("/") if s not in ("", ".")]
    parts: list[str] = []
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if segment == "**":
            # Equal neighbours are folded: each one more would multiply the ways to match.
            if index and segments[index - 1] == "**":
                continue
            parts.append(".*" if all(s == "**" for s in segments[index:]) else "(?:.*/)?")
        else:
            parts.append(_segment(segment) + ("" if last else "/"))
    return re.compile("".join(parts), re.DOTALL)


def _segment(segment: str) -> str:
    folded = re.sub(r"\*+", "*", segment)
    return "".join("[^/]*" if c == "*" else "[^/]" if c == "?" else re.escape(c) for c in folded)
