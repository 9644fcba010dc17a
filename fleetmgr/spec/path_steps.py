"""The parts of a path to fields of an object, as ``field_paths`` reads them and the engine follows them."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from fleetmgr.spec.plain import Json


class BadPath(ValueError):
    """It is no path, or none of the kind that is understood. ``hint`` says what to write instead."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        """``message`` continues "the path ..."."""
        super().__init__(message)
        self.hint = hint


class Key(Struct, frozen=True):
    """The value of a map's key."""

    name: str


class Index(Struct, frozen=True):
    """An item of a list; negative counts from the end."""

    number: int


class Segment(Struct, frozen=True):
    """A segment of a JSON pointer: a key, the number of an item, or ``[name=main]`` as our own diffs write it."""

    text: str


class Each(Struct, frozen=True):
    """Every item of a list, every value of a map."""


class Select(Struct, frozen=True):
    """The value itself, where ``condition`` holds of it."""

    condition: Condition


Step: TypeAlias = Key | Index | Segment | Each | Select


class FieldPath(Struct, frozen=True):
    """``text`` as written, and the steps from the object to the fields."""

    text: str
    steps: tuple[Step, ...]


class Constant(Struct, frozen=True):
    """A literal."""

    value: Json


class Get(Struct, frozen=True):
    """``.a.b[0]``; None where there is nothing."""

    path: tuple[str | int, ...]


class Call(Struct, frozen=True):
    """A function or an operator of ``arguments``; functions look at the value as well."""

    name: str
    arguments: tuple[Condition, ...] = ()


Condition: TypeAlias = Constant | Get | Call
