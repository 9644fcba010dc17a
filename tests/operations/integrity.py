"""What ``pulumi stack import`` checks of a state before it takes it (pkg/resource/deploy/snapshot.go,
``VerifyIntegrity``), ported line by line; and that its URNs are those of the stack."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

ROOT = "pulumi:pulumi:Stack"


class BrokenState(Exception):
    """An import would refuse it."""


def verify(document: dict[str, Any], *, project: str, stack: str) -> None:
    """Raise BrokenState for the first thing that is wrong."""
    manifest = document["deployment"]["manifest"]
    _require(document["version"] == 3, "version")
    version = manifest["version"]
    magic = hashlib.sha256(version.encode()).hexdigest() if version else ""
    _require(manifest["magic"] == magic, "magic cookie mismatch")
    urns: set[str] = set()
    providers: set[str] = set()
    for entry in document["deployment"]["resources"]:
        urn = entry.get("urn")
        _require(urn, "missing urn")
        _require(urn.startswith(f"urn:pulumi:{stack}::{project}::"), f"{urn} is of another stack")
        _require(entry.get("type"), f"{urn} misses its type")
        _require(entry["custom"] or not entry.get("id"), f"{urn} is no custom resource and has an id")
        if entry["type"].startswith("pulumi:providers:"):
            _require(entry.get("id"), f"{urn} is not referenceable")
            providers.add(f"{urn}::{entry['id']}")
        if entry.get("provider"):
            _require(entry["provider"] in providers, f"{urn} refers to unknown provider")
        for referred in _references(entry):
            _require(referred in urns, f"{urn} refers to {referred}, which does not come before it")
        if entry.get("parent"):
            above = _qualified(entry["parent"])
            expected = entry["type"] if above == ROOT else f"{above}${entry['type']}"
            _require(_qualified(urn) == expected, f"{urn} does not match its parent")
        _require(urn not in urns, f"duplicate resource {urn}")
        urns.add(urn)


def _references(entry: dict[str, Any]) -> Iterator[str]:
    yield from (entry[key] for key in ("parent", "deletedWith") if entry.get(key))
    yield from entry.get("dependencies", [])
    for urns in entry.get("propertyDependencies", {}).values():
        yield from urns
    yield from entry.get("replaceWith", [])


def _qualified(urn: str) -> str:
    return urn.split("::", 3)[2]


def _require(holds: object, what: str) -> None:
    if not holds:
        raise BrokenState(what)
