"""Resource quantities in the form that the API server stores them in.

The server parses ``1000m`` and answers ``1``: a manifest that keeps its own spelling differs from live for
ever. Source: k8s.io/apimachinery ``pkg/api/resource`` (``ParseQuantity``, ``CanonicalizeBytes``).
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from fleetmgr.model.jsontypes import Json

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SUFFIX = {power: suffix for suffix, power in _DECIMAL.items()}
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_QUANTITY = re.compile(r"([+-]?)([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2}|[KMGTPE]i|[numkMGTPE]?)")
_NANO = Fraction(1, 10**9)
_CAP = 2**63 - 1
_MAX_LENGTH = 64
_STEP = 1024
_MAX_FAST_DIGITS = 18
_NANO_POWER = -9


def canonical_quantity(value: Json) -> Json:
    """``"1000m"`` -> ``"1"``, ``0.5`` -> ``"500m"``, ``"1024Mi"`` -> ``"1Gi"``, ``1000`` -> ``"1k"``.

    What is no quantity, or too large for one, is given back as it is: the server says what it thinks.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return value
    form = _canonical_text(str(value))
    return value if form is None else form


@lru_cache(maxsize=4096)
def _canonical_text(value: str) -> str | None:
    """None where ``value`` is no quantity."""
    text = value.strip()
    match = _QUANTITY.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if match is None:
        return None
    sign, digits, suffix = match.groups()
    if _kept(digits, suffix):
        return text
    amount, form = _amount(Fraction(digits if digits[-1] != "." else digits[:-1]), suffix)
    if amount > _CAP:
        if form != "binary":
            return None
        amount = Fraction(_CAP)  # as the server caps it
    amount = -(-amount // _NANO) * _NANO  # rounds up to a nano, as the server does
    if amount == 0:
        return "0"
    return ("-" if sign == "-" else "") + _format(amount, form)


def _kept(digits: str, suffix: str) -> bool:
    """Whether the server keeps the spelling: it takes a few forms (``1.500``, ``+1``, ``1E3``) for canonical
    by a quick look, and so must we (``ParseQuantity``: "if the number is in canonical form, reuse")."""
    whole, _, fraction = digits.partition(".")
    whole = whole.lstrip("0") or "0"
    if suffix in _BINARY and suffix:
        digits_left = 15 - len(whole) - 3 * _BINARY.index(suffix) - 1
        return not fraction and digits_left >= 0 and int(whole) % 8 != 0
    exponent = _DECIMAL[suffix] if suffix in _DECIMAL else int(suffix[1:])
    scale = exponent - len(fraction)
    shifted = whole + fraction
    if len(shifted) > _MAX_FAST_DIGITS or scale < _NANO_POWER:
        return False
    return scale % 3 == 0 and not shifted.endswith("000") and shifted[0] != "0"


def _amount(number: Fraction, suffix: str) -> tuple[Fraction, str]:
    """The value, and how it wants to be written: "decimal", "binary" or "exponent"."""
    if suffix in _BINARY and suffix:
        return number * _STEP ** _BINARY.index(suffix), "binary"
    if suffix in _DECIMAL:
        return number * Fraction(10) ** _DECIMAL[suffix], "decimal"
    return number * Fraction(10) ** int(suffix[1:]), "exponent"


def _format(amount: Fraction, form: str) -> str:
    if form == "binary" and amount >= _STEP and amount.denominator == 1:
        number, power = int(amount), 0
        while number % _STEP == 0 and power < len(_BINARY) - 1:
            number //= _STEP
            power += 1
        return f"{number}{_BINARY[power]}"
    number, exponent = int(amount / _NANO), -9
    while number % 1000 == 0 and exponent < _DECIMAL["E"]:
        number //= 1000
        exponent += 3
    if form == "exponent":
        return f"{number}e{exponent}" if exponent else str(number)
    return f"{number}{_SUFFIX[exponent]}"
