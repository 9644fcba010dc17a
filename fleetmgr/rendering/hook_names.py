"""A fixed name for a hook that asks the server for one.

Argo CD makes a new object at every sync of a hook with ``generateName``. We name it after its phases instead: the
object of an earlier run can be found, is deleted before the next one, and never piles up.
"""

from __future__ import annotations

from fleetmgr.model.jsontypes import JsonObject, child, object_at
from fleetmgr.model.ordering import read_ordering


def with_hook_name(value: JsonObject) -> JsonObject:
    """``migrate-`` of a PreSync hook becomes ``migrate-presync``; everything else is returned as it is."""
    prefix = child(value, "metadata", "generateName")
    if not isinstance(prefix, str) or not prefix or child(value, "metadata", "name"):
        return value
    phases = read_ordering(value)[0].phases
    if not phases:
        return value
    metadata = {k: v for k, v in object_at(value, "metadata").items() if k != "generateName"}
    metadata["name"] = prefix + "-".join(phase.lower() for phase in phases)
    return {**value, "metadata": metadata}
