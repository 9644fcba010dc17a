"""Names for the shell's completion: from fleet.yaml only, never from a cluster, and never an error.

A shell waits for this at every Tab, so no model is loaded: names are picked out of the parser's events, which is
safe for any text (nothing is built from it) and takes a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

_LARGEST = 4 * 1024 * 1024
"""Bytes of a file; larger ones are refused when they are loaded, too."""
_NAME, _INCLUDE = "name", "include"
_STARTS = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
_ENDS = (yaml.SequenceEndEvent, yaml.MappingEndEvent)


def names_of(file: Path, section: str) -> list[str]:
    """Sorted names of ``environments``, ``clusters`` or ``apps``; what cannot be read gives none."""
    names: set[str] = set()
    patterns: list[str] = []
    for path, value in _scalars(file):
        match path:
            case [str(key), int(), str(part)] if key == section and part == _NAME:
                names.add(value)
            case [str(key), int(), str(part), *_] if key == section and part == _INCLUDE:
                patterns.append(value)
            case _:
                pass
    for included in _matching(file.parent, patterns):
        names |= {value for path, value in _scalars(included) if _names_an_item(path)}
    return sorted(names)


def _names_an_item(path: list[str | int]) -> bool:
    """Whether a scalar of an included file (an item, or a list of them) is a name."""
    match path:
        case [str(key)] | [int(), str(key)]:
            return key == _NAME
        case _:
            return False


def _matching(root: Path, patterns: list[str]) -> Iterator[Path]:
    for pattern in patterns:
        try:
            yield from (path for path in root.glob(pattern) if path.is_file())
        except (OSError, ValueError, NotImplementedError):
            continue


def _scalars(file: Path) -> Iterator[tuple[list[str | int], str]]:
    """Every scalar value of a file with its path of keys and indices, until something is wrong with it."""
    try:
        with file.open("rb") as stream:
            text = stream.read(_LARGEST + 1)
        if len(text) <= _LARGEST:
            yield from _walk(text)
    except (OSError, yaml.YAMLError, UnicodeError):
        return


def _walk(text: bytes) -> Iterator[tuple[list[str | int], str]]:
    path: list[str | int | None] = []
    """For each open collection: its index (list), its key (map), or None where a map's next key is due."""
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, _ENDS):
            path.pop()
            _advance(path)
        elif isinstance(event, _STARTS):
            path.append(0 if isinstance(event, yaml.SequenceStartEvent) else None)
        elif isinstance(event, yaml.ScalarEvent) and path and path[-1] is None:
            path[-1] = event.value
        elif isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent)):
            if isinstance(event, yaml.ScalarEvent) and None not in path:
                yield [key for key in path if key is not None], event.value
            _advance(path)


def _advance(path: list[str | int | None]) -> None:
    """A value has ended: on to the next index, or to the next key."""
    if path:
        path[-1] = path[-1] + 1 if isinstance(path[-1], int) else None
