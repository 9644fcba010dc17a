"""What Pulumi, its provider and its backends say, without secrets, on one line."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping

from fleetmgr.adapters.pulumi.environment import SECRET_NAMES
from fleetmgr.model.jsontypes import is_object
from fleetmgr.model.resource import Resource

HIDDEN = "(hidden)"
_SHORTEST = 4
_SHOWN = 600
_COLOUR = re.compile(r"<\{%.*?%\}>|\x1b\[[0-9;]*m")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")
_QUOTED = re.compile(
    r'((?:Invalid|Unsupported|Duplicate) value: )("(?:[^"\\]|\\.)*"|\S+?(?=: |$))|(&?value\.\w+\{.*\})'
)
_CREDENTIALS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [^-]*-----.*?(-----END [^-]*-----|\Z)", re.DOTALL), HIDDEN),
    (re.compile(r"(?i)([a-z][a-z0-9+.-]*://)[^/\s@]+@"), r"\1"),
    (re.compile(r"(?i)\b(bearer|basic|token)\s+[\w+/=.-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"\bpul-[0-9a-f]{16,}"), HIDDEN),
)


def one_line(text: str, limit: int = _SHOWN) -> str:
    """``text`` without colours, control characters and what looks like a credential, cut to ``limit``."""
    for pattern, replacement in _CREDENTIALS:
        text = pattern.sub(replacement, text)
    line = " ".join(_CONTROL.sub("", _COLOUR.sub("", " ".join(text.split()))).split())
    return line if len(line) <= limit else f"{line[: limit - 3]}..."


class Mask:
    """Hides the values of a run: of its Secrets, plain and as base64, and of the user's own credentials."""

    def __init__(
        self, resources: Iterable[Resource] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        """``resources`` of the Stack that runs; ``environment`` holds the passphrase and the token."""
        own = ((environment or {}).get(name, "") for name in SECRET_NAMES)
        values = {value for value in (*own, *_values(resources)) if len(value) >= _SHORTEST}
        self._values = sorted(values, key=len, reverse=True)

    def text(self, text: str, *, secret: bool = False) -> str:
        """``text`` on one line; ``secret`` where it is about a Secret: servers quote the value that they refuse."""
        for value in self._values:
            text = text.replace(value, HIDDEN)
        if secret:
            text = _QUOTED.sub(lambda match: f"{match[1] or ''}{HIDDEN}", text)
        return one_line(text)


def _values(resources: Iterable[Resource]) -> Iterator[str]:
    for resource in resources:
        if resource.ref.group or resource.ref.kind != "Secret":
            continue
        for field in ("data", "stringData"):
            held = resource.inputs.get(field)
            for value in held.values() if is_object(held) else ():
                yield str(value)
                yield from _decoded(str(value))


def _decoded(value: str) -> Iterator[str]:
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return
    yield text
    yield from (line for line in text.splitlines() if line.strip())
