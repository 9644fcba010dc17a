"""``requiredVersion``: the release part of PEP 440 specifiers, which is all that our versions have."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

_CLAUSE = re.compile(r"\s*(>=|<=|==|!=|~=|>|<)\s*([0-9]+(?:\.[0-9]+)*)(\.\*)?\s*")
_RELEASE = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_Release = tuple[int, ...]
_COMPARE: dict[str, Callable[[_Release, _Release], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}
_WIDTH = 8


def satisfies(version: str, specifier: str) -> bool:
    """Whether ``version`` is within ``specifier`` (``>=0.3,<2``, ``~=1.4``, ``==1.*``).

    Pre-release suffixes of ``version`` are not looked at. Raises ValueError for text that is no specifier.
    """
    found = _RELEASE.match(version)
    if found is None:
        raise ValueError(version)
    ours = _release(found.group())
    return all(_holds(ours, clause) for clause in specifier.split(","))


def _holds(ours: _Release, clause: str) -> bool:
    match = _CLAUSE.fullmatch(clause)
    if match is None or len(match[2]) > _WIDTH * _WIDTH:
        raise ValueError(clause)
    sign, text, star = match.groups()
    length = text.count(".") + 1
    theirs = _release(text)
    if length > _WIDTH or (star and sign not in ("==", "!=")) or (sign == "~=" and length == 1):
        raise ValueError(clause)
    if sign == "~=":
        return ours >= theirs and ours[: length - 1] == theirs[: length - 1]
    if star:
        return _COMPARE[sign](ours[:length], theirs[:length])
    return _COMPARE[sign](ours, theirs)


def _release(text: str) -> _Release:
    """Padded with zeros, so that 1.0 equals 1."""
    numbers = tuple(int(part) for part in text.split("."))
    return numbers + (0,) * (_WIDTH - len(numbers))
