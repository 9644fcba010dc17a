"""Text from clusters and repositories is shown, never obeyed: no escape sequence reaches a terminal."""

from __future__ import annotations


def visible(text: str) -> str:
    """``text`` on one line, every control, bidi, zero-width or exotic space character written out.

    ``\\x1b``, ``\\u202e`` and ``\\n`` are shown as these characters; printable text of any script stays.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def visible_lines(text: str) -> list[str]:
    """The same for text of several lines (split at ``\\n`` only)."""
    return [visible(line) for line in text.rstrip("\n").split("\n")]


def cut(text: str, limit: int) -> str:
    """At most ``limit`` characters, saying how many there were when some are left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}... ({len(text)} characters)"
