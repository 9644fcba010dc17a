"""JSON Schemas (draft 2020-12) of everything that ``-o json`` prints, one for each kind.

Built from the enums of the model, so that a new op or status is in them at once; strict, so that a field that
appears, vanishes or changes its type without its schema fails a test. ``docs/reference/schemas`` holds them as
files; a change that would break a reader needs a new apiVersion.
"""

from __future__ import annotations

from collections.abc import Mapping

from fleetmgr.model.change import ClusterStatus, Confirmation, Left, Op
from fleetmgr.model.health import HealthStatus
from fleetmgr.model.jsontypes import JsonObject, is_array, is_object
from fleetmgr.model.report import CheckResult, Outcome, SyncStatus
from fleetmgr.model.rollout_history import RolloutStatus
from fleetmgr.reporting.problems import API_VERSION
from fleetmgr.reporting.schema_memory import FLEET_ADOPTION, HISTORY, RUN, plan_file
from fleetmgr.reporting.schema_parts import (
    CODE as _CODE,
)
from fleetmgr.reporting.schema_parts import (
    COUNT as _COUNT,
)
from fleetmgr.reporting.schema_parts import (
    ERROR_CODE as _ERROR_CODE,
)
from fleetmgr.reporting.schema_parts import (
    FLAG as _FLAG,
)
from fleetmgr.reporting.schema_parts import (
    OPTIONAL_TEXT as _OPTIONAL_TEXT,
)
from fleetmgr.reporting.schema_parts import (
    SECONDS as _SECONDS,
)
from fleetmgr.reporting.schema_parts import (
    TEXT as _TEXT,
)
from fleetmgr.reporting.schema_parts import (
    TEXTS as _TEXTS,
)
from fleetmgr.reporting.schema_parts import (
    TIME as _TIME,
)
from fleetmgr.reporting.schema_parts import (
    counts as _counts,
)
from fleetmgr.reporting.schema_parts import (
    listed as _list,
)
from fleetmgr.reporting.schema_parts import (
    mapping as _map,
)
from fleetmgr.reporting.schema_parts import (
    one_of as _one_of,
)
from fleetmgr.reporting.schema_parts import (
    ref as _ref,
)
from fleetmgr.reporting.schema_rollout import ROLLOUT
from fleetmgr.reporting.schema_rollouts import REMEMBERED_ROLLOUT, ROLLOUTS

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

_LEFT_TO: Mapping[str, JsonObject] = {"manager": _TEXT, "why": _one_of(Left)}
_DEFS: Mapping[str, JsonObject] = {
    "problem": _map(
        {"code": _ERROR_CODE, "message": _TEXT},
        {"hint": _TEXT, "where": _ref("where")},
    ),
    "where": _map(
        {},
        {"file": _TEXT, "line": _COUNT, "column": _COUNT, "cluster": _TEXT, "object": _TEXT, "field": _TEXT},
    ),
    "object": _map(dict.fromkeys(("group", "version", "kind", "namespace", "name"), _TEXT)),
    "left": {
        "oneOf": [
            _map({"path": _TEXT, "live": {}, "desired": {}, **_LEFT_TO}, {"since": _TEXT}),
            _map({"path": _TEXT, "sensitive": {"const": True}, **_LEFT_TO}, {"since": _TEXT}),
        ]
    },
    "health": _map({"status": _one_of(HealthStatus), "message": _TEXT}),
    "field": {
        "oneOf": [
            _map({"path": _TEXT, "old": {}, "new": {}}),
            _map({"path": _TEXT, "sensitive": {"const": True}}),
        ]
    },
}
_NAMED = {"resource": _TEXT, "object": _ref("object")}
_CLUSTER = {"name": _TEXT, "environment": _TEXT, "exitCode": _CODE}
_RUN = {"fleet": _TEXT, "revision": _TEXT, "partial": _FLAG, "exitCode": _CODE, "reason": _TEXT}
_CHANGE = _map(
    {"op": _one_of(Op), "app": _TEXT, **_NAMED, "diff": _list(_ref("field"))},
    {
        "reason": _TEXT,
        "unverified": {"const": True},
        "drift": {"const": True},
        "driftSince": _TEXT,
        "needsConfirmation": _one_of(Confirmation),
        "writer": _TEXT,
        "takesOver": _TEXTS,
        "immutable": _TEXTS,
        "forced": {"const": True},
        "hook": _map({"phase": _TEXT, "wave": {"type": "integer"}}),
        "left": _list(_ref("left")),
        "origin": _TEXT,
    },
)
_PLAN = {
    "id": _TEXT,
    **_RUN,
    "summary": _counts(
        *("clusters", *(status.value for status in ClusterStatus)),
        *(*(op.value for op in Op), "unverified", "drift", "left"),
    ),
    "clusters": _list(
        _map(
            {**_CLUSTER, "status": _one_of(ClusterStatus), "changes": _list(_CHANGE)},
            {
                "firstContact": {"const": True},
                "warnings": _TEXTS,
                "error": _ref("problem"),
                "owned": {"type": "object", "additionalProperties": _COUNT},
            },
        )
    ),
}
_REFUSALS = {
    **ROLLOUT,
    "refusals": _list(
        _map(
            {"code": _ERROR_CODE, "message": _TEXT, "cluster": _TEXT, "objects": _TEXTS},
            {"hint": _TEXT, "where": _ref("where"), "app": _TEXT},
        )
    ),
}
_DIFF = {
    "id": _TEXT,
    **_RUN,
    "clusters": _list(_map({**_CLUSTER, "status": _one_of(ClusterStatus)}, {"error": _ref("problem")})),
    "changes": _list(
        _map(
            {"op": _one_of(Op), "app": _TEXT, **_NAMED, "clusters": _TEXTS, "patch": _TEXT}, {"reason": _TEXT}
        )
    ),
}
_APPLY = {
    "planId": _TEXT,
    **_RUN,
    "summary": _map(
        {
            **dict.fromkeys(("clusters", "succeeded", "unreachable", "failed", "notBegun"), _COUNT),
            "objects": _counts(*(outcome.value for outcome in Outcome)),
            **{op.value: _COUNT for op in Op if op.writes},
        }
    ),
    "clusters": _list(
        _map(
            {
                **_CLUSTER,
                "seconds": _SECONDS,
                "results": _list(
                    _map(
                        {"op": _one_of(Op), "app": _TEXT, **_NAMED, "outcome": _one_of(Outcome)},
                        {"error": _ref("problem")},
                    )
                ),
                "health": _list(_map({"app": _TEXT, "status": _one_of(HealthStatus), "message": _TEXT})),
            },
            {"begun": _FLAG, "rolledBackTo": _TEXT, "warnings": _TEXTS, "error": _ref("problem")},
        )
    ),
}


def _status(inside: Mapping[str, JsonObject]) -> Mapping[str, JsonObject]:
    """Of a Status; ``inside`` is what a cluster may hold besides."""
    return {
        "fleet": _TEXT,
        "revision": _TEXT,
        "exitCode": _CODE,
        "reason": _TEXT,
        "summary": _map(
            {
                **dict.fromkeys(("clusters", "unreachable", "targets"), _COUNT),
                "sync": _counts(*(sync.value for sync in SyncStatus)),
                "health": _counts(*(health.value for health in HealthStatus)),
            }
        ),
        "clusters": _list(
            _map(
                {
                    **_CLUSTER,
                    "version": _OPTIONAL_TEXT,
                    "apps": _list(
                        _map(
                            {
                                "name": _TEXT,
                                "sync": _one_of(SyncStatus),
                                "health": _ref("health"),
                                "pending": _COUNT,
                                "revision": _OPTIONAL_TEXT,
                                "appliedAt": _OPTIONAL_TEXT,
                                "actor": _OPTIONAL_TEXT,
                                "objects": _list(_map({**_NAMED, "health": _ref("health")})),
                            },
                            {
                                "version": _OPTIONAL_TEXT,
                                "images": _TEXTS,
                                "since": _OPTIONAL_TEXT,
                                "healthySince": _OPTIONAL_TEXT,
                            },
                        )
                    ),
                },
                {"error": _ref("problem"), **inside},
            )
        ),
    }


_POD = _map(
    {
        **dict.fromkeys(("namespace", "name", "owner", "phase", "node", "reason"), _TEXT),
        **dict.fromkeys(("ready", "containers", "restarts"), _COUNT),
        "since": _OPTIONAL_TEXT,
    }
)
_WARNED = _map({**dict.fromkeys(("object", "reason", "message", "last"), _TEXT), "count": _COUNT})
_INSIDE = {"results": _list(_map(*RUN)), "pods": _list(_POD), "warnings": _list(_WARNED), "notes": _TEXTS}
_PROCESS = _map(
    {
        "name": _TEXT,
        "state": {"enum": ["ready", "starting", "dead", "stopped"]},
        "pid": {"type": ["integer", "null"]},
        "port": _COUNT,
        "rss": {"type": ["integer", "null"]},
        "uptime": {"type": ["number", "null"]},
        "log": _TEXT,
    }
)
_SANDBOX = {
    "name": _TEXT,
    "state": {"enum": ["ready", "degraded", "stopped", "absent"]},
    "kubeconfig": _TEXT,
    "shared": _list(_PROCESS),
    "clusters": _list(
        _map(
            {
                "name": _TEXT,
                "state": {"enum": ["ready", "starting", "degraded", "stopped"]},
                "server": _TEXT,
                "processes": _list(_PROCESS),
            }
        )
    ),
}
_DIAGNOSIS = {
    "exitCode": _CODE,
    "reason": _TEXT,
    "summary": _counts(*(result.value for result in CheckResult)),
    "checks": _list(
        _map(
            {"name": _TEXT, "result": _one_of(CheckResult), "message": _TEXT, "exitCode": _CODE},
            {"cluster": _TEXT, "hint": _TEXT},
        )
    ),
}
_HOLDER = _map(
    {"actor": _TEXT, "host": _TEXT, "pid": _COUNT, "command": _TEXT, "plan": _TEXT, "since": _TEXT},
    {"renewed": _TEXT},
)
_KINDS: Mapping[str, tuple[Mapping[str, JsonObject], Mapping[str, JsonObject]]] = {
    "Plan": (_PLAN, _REFUSALS),
    "PlanFile": plan_file({"kind": {"const": "Plan"}, **_PLAN}, _REFUSALS),
    "History": HISTORY,
    "FleetAdoption": FLEET_ADOPTION,
    "Rollouts": ROLLOUTS,
    "Rollout": REMEMBERED_ROLLOUT,
    "Drift": (_PLAN, {}),
    "Diff": (_DIFF, {}),
    "ApplyResult": (
        _APPLY,
        {
            "stopped": _map({"exitCode": _CODE, "error": _ref("problem")}),
            "rollout": _map({"id": _TEXT, "status": _one_of(RolloutStatus)}),
        },
    ),
    "Status": (_status({}), {"at": _OPTIONAL_TEXT}),
    "AppStatus": ({**_status(_INSIDE), "app": _TEXT}, {"at": _OPTIONAL_TEXT}),
    "Diagnosis": (_DIAGNOSIS, {}),
    "Validation": (
        {"valid": _FLAG, "problems": _list(_ref("problem")), "warnings": _list(_ref("problem"))},
        {"fleet": _TEXT, "summary": _counts("environments", "clusters", "apps", "targets")},
    ),
    "Explanation": (
        {
            "app": _TEXT,
            "cluster": _TEXT,
            "values": _list(_map({"key": _TEXT, "value": {}, "layer": _TEXT}, {"where": _ref("where")})),
        },
        {},
    ),
    "Error": ({"exitCode": _CODE, "reason": _TEXT, "errors": _list(_ref("problem"))}, {}),
    "Edit": (
        {
            "verb": _TEXT,
            "entry": _map({"kind": _TEXT, "name": _TEXT}),
            "files": _TEXTS,
            "diff": _TEXT,
            "notes": _TEXTS,
            "written": _FLAG,
        },
        {},
    ),
    "Unlock": ({"fleet": _TEXT, "cluster": _TEXT, "unlocked": _FLAG}, {"holder": _HOLDER, "reason": _TEXT}),
    "Init": ({"fleet": _TEXT, "created": _TEXTS, "extended": _TEXTS, "kept": _TEXTS}, {}),
    "SandboxStatus": (_SANDBOX, {}),
    "SandboxDown": ({"name": _TEXT, "stopped": _TEXTS}, {}),
    "Version": (
        {"fleetmgr": _TEXT, "python": _TEXT},
        {"libraries": {"type": "object", "additionalProperties": _TEXT}},
    ),
}
_PHASE: JsonObject = {"enum": ["preview", "apply", "verify", "rollback"]}
_EVENTS: Mapping[str, Mapping[str, JsonObject]] = {
    "ClusterStarted": {"phase": _PHASE},
    "ObjectChanged": {"app": _TEXT, "op": _one_of(Op), **_NAMED},
    "ObjectFailed": {"app": _TEXT, **_NAMED, "error": _ref("problem")},
    "Waiting": {"app": _TEXT, "ready": _COUNT, "total": _COUNT, "message": _TEXT},
    "LockAwaited": {"holder": _TEXT},
    "ClusterFinished": {"phase": _PHASE, "exitCode": _CODE, "summary": _TEXT},
}
_WAVE_OF_EVENT = {"environment": _TEXT, "wave": _TEXT}
_ROLLOUT_EVENTS: Mapping[str, Mapping[str, JsonObject]] = {
    "WaveStarted": {**_WAVE_OF_EVENT, "number": _COUNT, "of": _COUNT, "clusters": _TEXTS},
    "Soaking": {**_WAVE_OF_EVENT, "seconds": _SECONDS},
    "RolloutStopped": {"rollout": _TEXT, "status": _one_of(RolloutStatus), "why": _TEXT},
}
_OPTIONAL_OF_EVENTS: Mapping[str, Mapping[str, JsonObject]] = {"ClusterStarted": {"objects": _COUNT}}
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
        of_clusters = {event: {"cluster": _TEXT, **keys} for event, keys in _EVENTS.items()}
        body = {
            "oneOf": [
                _document(event, {"time": _TIME, **keys}, _OPTIONAL_OF_EVENTS.get(event, {}))
                for event, keys in {**of_clusters, **_ROLLOUT_EVENTS}.items()
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
    return _map({**head, **required}, optional)


def _used(node: object, found: dict[str, JsonObject]) -> dict[str, JsonObject]:
    """The shared definitions that ``node`` refers to, and those that they refer to."""
    if is_object(node):
        for key, value in node.items():
            if key == "$ref":
                name = str(value).rpartition("/")[2]
                if name not in found:
                    found[name] = _DEFS[name]
                    _used(_DEFS[name], found)
            else:
                _used(value, found)
    elif is_array(node):
        for item in node:
            _used(item, found)
    return found
