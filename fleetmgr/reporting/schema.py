"""JSON Schemas (draft 2020-12) of everything that ``-o json`` prints, one for each kind.

Built from the enums of the model, so that a new op or status is in them at once; strict, so that a field that
appears, vanishes or changes its type without its schema fails a test. ``docs/reference/schemas`` holds them as
files; a change that would break a reader needs a new apiVersion.
"""

from __future__ import annotations

from collections.abc import Mapping

from fleetmgr.model.jsontypes import JsonObject, is_array, is_object
from fleetmgr.reporting.problems import API_VERSION
from fleetmgr.reporting.schemas import (
    applies,
    events,
    files,
    kept,
    locks,
    machine,
    plans,
    problems,
    rollouts,
    statuses,
    waiting,
)
from fleetmgr.reporting.schemas.definitions import DEFINITIONS
from fleetmgr.reporting.schemas.parts import TEXT, TIME, Kind, mapping

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_KINDS: Mapping[str, Kind] = {
    "Plan": plans.PLAN,
    "PlanFile": plans.PLAN_FILE,
    "History": kept.HISTORY,
    "FleetAdoption": kept.FLEET_ADOPTION,
    "Rollouts": rollouts.ROLLOUTS,
    "Rollout": rollouts.ROLLOUT,
    "Drift": plans.DRIFT,
    "Diff": plans.DIFF,
    "ApplyResult": applies.APPLY_RESULT,
    "Status": statuses.STATUS,
    "AppStatus": statuses.APP_STATUS,
    "Diagnosis": machine.DIAGNOSIS,
    "Validation": problems.VALIDATION,
    "Explanation": files.EXPLANATION,
    "WaitingFor": waiting.WAITING_FOR,
    "Error": problems.ERROR,
    "Edit": files.EDIT,
    "Unlock": locks.UNLOCK,
    "Init": files.INIT,
    "SandboxStatus": machine.SANDBOX_STATUS,
    "SandboxDown": machine.SANDBOX_DOWN,
    "Version": machine.VERSION,
}
EVENT = "event"


def _slug(kind: str) -> str:
    """``ApplyResult`` -> ``apply-result``."""
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in kind).removeprefix("-")


OUTPUT_KINDS: Mapping[str, str] = {**{_slug(kind): kind for kind in _KINDS}, EVENT: "Event"}
"""Names of the schemas (``--kind``, and their files) and the ``kind`` of the documents."""


def output_schema(name: str) -> JsonObject:
    """The schema of one of ``OUTPUT_KINDS``; ``event`` is that of the lines of ``-o ndjson`` before the last."""
    kind = OUTPUT_KINDS[name]
    body: JsonObject
    if name == EVENT:
        of_clusters = {event: {"cluster": TEXT, **keys} for event, keys in events.OF_CLUSTERS.items()}
        body = {
            "oneOf": [
                _document(event, {"time": TIME, **keys}, events.OPTIONAL.get(event, {}))
                for event, keys in {**of_clusters, **events.OF_ROLLOUTS}.items()
            ]
        }
    else:
        body = _document(kind, *_KINDS[kind])
    used = _used(body, {})
    return {
        "$schema": _DIALECT,
        "title": f"{kind} of {API_VERSION}",
        **body,
        **({"$defs": {key: used[key] for key in sorted(used)}} if used else {}),
    }


def _document(
    kind: str, required: Mapping[str, JsonObject], optional: Mapping[str, JsonObject]
) -> JsonObject:
    head: dict[str, JsonObject] = {"apiVersion": {"const": API_VERSION}, "kind": {"const": kind}}
    return mapping({**head, **required}, optional)


def _used(node: object, found: dict[str, JsonObject]) -> dict[str, JsonObject]:
    """The shared definitions that ``node`` refers to, and those that they refer to."""
    if is_object(node):
        for key, value in node.items():
            if key == "$ref":
                name = str(value).rpartition("/")[2]
                if name not in found:
                    found[name] = DEFINITIONS[name]
                    _used(DEFINITIONS[name], found)
            else:
                _used(value, found)
    elif is_array(node):
        for item in node:
            _used(item, found)
    return found
