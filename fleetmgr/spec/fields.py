"""The scalar types that several models share, each with the words that explain a value that does not fit."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeAlias, TypeGuard

from pydantic import Field, StrictBool, StrictInt

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
DURATION = r"^([0-9]{1,6}(\.[0-9]{1,6})?(h|ms|m|s)){1,4}$"
HOST = r"^[A-Za-z0-9]([-A-Za-z0-9.]{0,251}[A-Za-z0-9])?(:[0-9]{1,5})?$"
PERCENTAGE = r"^(100|[1-9]?[0-9])%$"
BACKEND = r"^((file|s3|gs|azblob|postgres)://[^\s@]+|https?://[^\s@/]+[^\s@]*)$"
SECRETS_PROVIDER = r"^(default|passphrase|(awskms|azurekeyvault|gcpkms|hashivault)://[^\s]+)$"
_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_LABEL_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_LABEL_KEY = re.compile(rf"(?:(?=.{{1,253}}/){_SUBDOMAIN}/)?{_LABEL_NAME}")
_LABEL_VALUE = re.compile(rf"({_LABEL_NAME})?")

PATTERNS = {
    DNS_LABEL: "a DNS label: at most 63 of a-z, 0-9 and `-`, starting and ending with a letter or digit",
    HOST: "a host such as github.com or git.example:8443",
    DURATION: "a duration such as 30s, 10m or 1h30m",
    PERCENTAGE: "a percentage such as 10%",
    BACKEND: "a URL such as file:///srv/pulumi, s3://bucket/path or https://api.pulumi.com, without credentials",
    SECRETS_PROVIDER: "default, passphrase, or a URL such as awskms://alias/fleet?region=eu-west-1",
}
"""What a pattern means, for messages."""

Json: TypeAlias = Any
Name: TypeAlias = Annotated[str, Field(pattern=DNS_LABEL)]
Duration: TypeAlias = Annotated[str, Field(pattern=DURATION)]
Percentage: TypeAlias = Annotated[str, Field(pattern=PERCENTAGE)]
Bool: TypeAlias = StrictBool
Count: TypeAlias = Annotated[StrictInt, Field(ge=0, le=2**31 - 1)]
CommitRule: TypeAlias = Literal["never", "committed", "pushed"]
StringMap: TypeAlias = dict[str, str]

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
