"""What a value of fleet.yaml looks like, told without pydantic: every run needs these, hardly one builds a model."""

from __future__ import annotations

import re
from typing import Any, TypeAlias, TypeGuard

API_VERSION = "fleetmgr.dev/v1"
DNS_LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_LABEL_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_LABEL_KEY = re.compile(rf"(?:(?=.{{1,253}}/){_SUBDOMAIN}/)?{_LABEL_NAME}")
_LABEL_VALUE = re.compile(rf"({_LABEL_NAME})?")

Json: TypeAlias = Any

_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|m|s)")


def seconds(duration: str) -> float:
    """``1h30m`` -> 5400.0, for text that matches ``DURATION`` (the units of Go's time.ParseDuration that
    people use)."""
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(duration))


def is_label_key(text: str) -> bool:
    """Whether ``text`` is a qualified name: ``tier``, ``example.com/tier`` (apimachinery IsQualifiedName)."""
    return _LABEL_KEY.fullmatch(text) is not None


def is_label_value(text: str) -> bool:
    """Whether ``text`` may be a label's value (apimachinery IsValidLabelValue)."""
    return _LABEL_VALUE.fullmatch(text) is not None


def is_map(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether ``value`` is a map (its keys are strings by construction)."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether ``value`` is a list."""
    return isinstance(value, list)
