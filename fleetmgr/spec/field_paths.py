"""Paths to fields of objects as people write them in ``ignoreDifferences``: JSON pointers and a part of jq.

Of jq exactly what leads from an object to fields of it: names, items, ``[]`` and ``select`` with a condition that
looks at one value. A path visits every part of an object at most once a step, so its cost is bounded by its own
length times the size of the object (docs/decisions/0012-ignored-fields.md says why this is not libjq).
"""

from __future__ import annotations

import re
from functools import lru_cache

from fleetmgr.spec.jq_reader import read
from fleetmgr.spec.path_steps import BadPath, FieldPath, Key, Segment

LONGEST = 500
"""Characters of a path."""
_IDENTITY = {("apiVersion",), ("kind",), ("metadata",), ("metadata", "name"), ("metadata", "namespace")}


@lru_cache(maxsize=1024)
def pointer(text: str) -> FieldPath:
    """A JSON pointer (RFC 6901). Raises BadPath."""
    if not text.startswith("/"):
        hint = (
            "a jq-like path belongs into `jqPathExpressions`"
            if text.startswith(".")
            else "such as /spec/replicas"
        )
        raise BadPath("must begin with `/`", hint=hint)
    if len(text) > LONGEST:
        raise BadPath(f"is longer than {LONGEST} characters")
    raw = text[1:].split("/")
    if any(re.search(r"~(?![01])", part) for part in raw):
        raise BadPath("has a `~` that is neither ~0 (for ~) nor ~1 (for /)")
    steps = tuple(Segment(part.replace("~1", "/").replace("~0", "~")) for part in raw)
    return _allowed(FieldPath(text, steps))


@lru_cache(maxsize=1024)
def jq_path(text: str) -> FieldPath:
    """A path of jq. Raises BadPath for what is no jq, and for jq that is no plain path."""
    if len(text) > LONGEST:
        raise BadPath(f"is longer than {LONGEST} characters")
    return _allowed(FieldPath(text, read(text)))


def _allowed(path: FieldPath) -> FieldPath:
    """Not what makes an object this object: without it nothing can be applied."""
    names: list[str] = []
    for step in path.steps:
        if not isinstance(step, (Key, Segment)):
            break
        names.append(step.name if isinstance(step, Key) else step.text)
    if len(names) < len(path.steps) and (not names or names == ["metadata"]):
        raise BadPath("must begin with the name of a field", hint="such as .spec or .metadata.labels")
    if not names or tuple(names[:2]) in _IDENTITY or names[0] in {"apiVersion", "kind"}:
        raise BadPath("names what makes the object this object, which is always sent")
    return path
