"""Durations in words, as fleet.yaml writes them."""

from __future__ import annotations

_UNITS = ((3600, "h"), (60, "m"), (1, "s"))


def span(seconds: float) -> str:
    """``5400.0`` -> ``1h30m``; parts of a second are shown below one second only."""
    if 0 < seconds < 1:
        return f"{round(seconds * 1000)}ms"
    rest, parts = int(seconds), list[str]()
    for size, unit in _UNITS:
        number, rest = divmod(rest, size)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"
