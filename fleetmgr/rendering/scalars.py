"""What an unquoted YAML scalar means to Kubernetes.

``kubectl`` reads manifests with sigs.k8s.io/yaml: go-yaml v2 resolves the scalar, then everything becomes
JSON. That is neither YAML 1.1 as PyYAML has it (sexagesimal numbers, dates) nor YAML 1.2 (``0644`` is octal
here, ``y`` is true). Source: go.yaml.in/yaml/v2 ``resolve.go``, sigs.k8s.io/yaml ``yaml.go``.
"""

from __future__ import annotations

import math
import re
import struct

from fleetmgr.model.jsontypes import Json

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_NOT_JSON = frozenset(
    {".nan", ".NaN", ".NAN"}
    | {sign + word for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF") if sign != "" or word}
)
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_DOT_FLOAT = re.compile(r"\.[0-9]+(?:[eE][-+]?[0-9]+)?")
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?")
_INT64 = 2**63
_UINT64 = 2**64
_SMALLEST_PLAIN, _LARGEST_PLAIN = -4, 6
_MAX_DIGITS = 4000  # Python refuses longer ones; Go reads them as floats that overflow, so as strings


class NotJson(ValueError):
    """The scalar is a number that JSON cannot hold."""


def resolve(text: str) -> Json:
    """The JSON value of a plain scalar; raises NotJson for infinities and not-a-number."""
    value = _resolve(text)
    return json_number(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def resolve_key(text: str) -> str | None:
    """A plain mapping key as sigs.k8s.io/yaml spells it (``on`` -> "true", ``1.20`` -> "1.2", ``1e6`` ->
    "1e+06"); None when it cannot be a key. Raises NotJson."""
    value = _resolve(text)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _short_float(value)
    return None if value is None else str(value)


def _resolve(text: str) -> str | bool | float | None:
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first == ".":
        if text in _NOT_JSON:
            raise NotJson(text)
        return _as_float(text, text) if _DOT_FLOAT.fullmatch(text) else text
    if first in "0123456789+-":
        return _resolve_number(text)
    return text


def _resolve_number(text: str) -> str | float:
    if text in _NOT_JSON:
        raise NotJson(text)
    if _TIMESTAMP.fullmatch(text) or len(text) > _MAX_DIGITS:
        return text
    plain = text.replace("_", "")
    if match := _INTEGER.fullmatch(plain):
        number = _integer(match)
        if -_INT64 <= number < _UINT64 and not (match[1] == "+" and number >= _INT64):
            return number
    return _as_float(plain, text) if _FLOAT.fullmatch(plain) else text


def _integer(match: re.Match[str]) -> int:
    sign, hexadecimal, binary, octal, decimal = match.groups()
    if hexadecimal:
        number = int(hexadecimal, 16)
    elif binary:
        number = int(binary, 2)
    elif octal:
        number = int(octal, 8)
    else:
        number = int(decimal)
    return -number if sign == "-" else number


def _as_float(digits: str, text: str) -> str | float:
    """``digits`` as a number; ``text`` itself where a 64-bit float would overflow (Go: range error)."""
    number = float(digits)
    return text if math.isinf(number) else number


def json_number(number: float) -> int | float:
    """As Go's JSON decoder sees it after a round trip: whole numbers of 64 bits are integers (1.0 is 1,
    1e3 is 1000), larger ones floats."""
    if isinstance(number, int):
        return number if -_INT64 <= number < _INT64 else float(number)
    return int(number) if number.is_integer() and -_INT64 <= number < _INT64 else number


def _short_float(value: float) -> str:
    """The shortest text that gives the same 32-bit float (Go: FormatFloat(f, 'g', -1, 32))."""
    try:
        target = struct.pack("f", value)
    except OverflowError:
        return "+Inf" if value > 0 else "-Inf"
    (value,) = struct.unpack("f", target)
    digits, text = 0, f"{value:.0e}"
    while struct.pack("f", float(text)) != target:
        digits += 1
        text = f"{value:.{digits}e}"
    exponent = int(text.partition("e")[2])
    if not _SMALLEST_PLAIN <= exponent < _LARGEST_PLAIN:
        return text
    return f"{float(text):.{max(digits - exponent, 0)}f}"
