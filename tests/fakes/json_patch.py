"""RFC 6902 on plain JSON, for the fake cluster."""

from __future__ import annotations

import copy

from fleetmgr.model.jsontypes import Json, JsonObject, is_array


class PatchFailed(Exception):
    """A ``test`` failed or a path does not exist."""


def patched(body: JsonObject, operations: list[JsonObject]) -> JsonObject:
    """``body`` after ``add``, ``remove``, ``replace`` and ``test`` operations. Raises PatchFailed."""
    result: JsonObject = copy.deepcopy(body)
    for operation in operations:
        *parents, last = [
            part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]
        ]
        node: Json = result
        try:
            for part in parents:
                node = node[int(part)] if is_array(node) else node[part]
            _apply(node, last, operation)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise PatchFailed(f"{operation['op']} {operation['path']}: {error}") from error
    return result


def _apply(node: Json, last: str, operation: JsonObject) -> None:
    op = operation["op"]
    key: Json = (len(node) if last == "-" else int(last)) if is_array(node) else last
    if op == "test":
        if node[key] != operation["value"]:
            raise ValueError("test failed")
    elif op == "remove":
        del node[key]
    elif op == "add" and is_array(node):
        node.insert(key, copy.deepcopy(operation["value"]))
    elif op in {"add", "replace"}:
        if op == "replace" and not is_array(node) and key not in node:
            raise KeyError(key)
        node[key] = copy.deepcopy(operation["value"])
    else:
        raise ValueError(f"operation {op}")
