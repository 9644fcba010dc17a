"""The cases of agreement.yaml as data: any engine is held to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fleetmgr.model.jsontypes import Json, is_array, is_object

_FILE = Path(__file__).with_name("agreement.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case; agreement.yaml says what its parts mean."""

    name: str
    before: dict[str, str]
    after: dict[str, str]
    changes: dict[str, str]
    apps: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    others: tuple[tuple[str, ...], ...] = ()
    consent: tuple[str, ...] = ()
    live: dict[str, dict[str, Any] | None] = field(default_factory=dict[str, dict[str, Any] | None])
    same: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    refused: bool = False
    """Something of it is refused, so that an apply of the whole fleet does not end well."""
    beyond_plain: str = ""
    """Why plain ``pulumi up`` does something else."""


def cases() -> list[Case]:
    """All of them."""
    found: list[Case] = []
    for document in yaml.safe_load(_FILE.read_text(encoding="utf-8")):
        parts = {key: value for key, value in document.items() if key != "case"}
        for key in ("same", "new", "order", "consent"):
            parts[key] = tuple(parts.get(key, ()))
        parts["others"] = tuple(tuple(command) for command in parts.get("others", ()))
        found.append(Case(name=document["case"], **parts))
    return found


def within(part: Json, whole: Json) -> bool:
    """Whether ``whole`` has everything that ``part`` names; lists item by item."""
    if is_object(part) and is_object(whole):
        return all(key in whole and within(value, whole[key]) for key, value in part.items())
    if is_array(part) and is_array(whole):
        return len(part) == len(whole) and all(within(a, b) for a, b in zip(part, whole, strict=True))
    return part == whole
