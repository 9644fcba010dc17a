"""Answers that should be JSON objects: anything else is no answer, and never an empty one."""

from __future__ import annotations

import orjson

from fleetmgr.adapters.kube.calls import Answer, Call
from fleetmgr.adapters.kube.redaction import cut
from fleetmgr.errors import Where
from fleetmgr.model.jsontypes import Json, JsonObject, is_array, is_object
from fleetmgr.ports.cluster_errors import Unreachable


def object_in(answer: Answer, call: Call, cluster: str) -> JsonObject:
    """The JSON object in ``answer``. Raises Unreachable."""
    try:
        body: Json = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        body = None
    if not is_object(body):
        raise _no_answer("the answer is not a complete JSON object", call, cluster)
    return body


def list_in(answer: Answer, call: Call, cluster: str) -> tuple[JsonObject, list[JsonObject]]:
    """The list's metadata and items. Raises Unreachable when it is no Kubernetes list."""
    kind = answer.headers.get("content-type", "")
    if kind and "json" not in kind:
        raise _no_answer(f"the answer is {cut(kind, 60)}, not JSON", call, cluster)
    body = object_in(answer, call, cluster)
    if body.get("kind") == "Status":
        raise _no_answer("the server answers success with an error inside", call, cluster)
    items: Json = body.get("items", ())
    if items is None:  # a nil slice of an aggregated API server
        items = []
    metadata = body.get("metadata")
    is_list = str(body.get("kind") or "").endswith("List") and is_object(metadata)
    if not is_list or not is_array(items) or not all(is_object(item) for item in items):
        raise _no_answer("the answer is not a Kubernetes list", call, cluster)
    return metadata or {}, items


def _no_answer(message: str, call: Call, cluster: str) -> Unreachable:
    return Unreachable(
        f"cannot {call.verb} {call.subject} on {cluster}: {message}",
        cluster=cluster,
        where=Where(cluster=cluster, object=call.object),
        hint="is something between here and the API server that answers in its place?",
    )
