"""What the clusters remember of a rollout: a record, the same on each of them, and how copies are merged.

The copy with the highest ``counter`` is the newest; requests of people are added to any copy and never lost.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fleetmgr.model.applyset import CLUSTER_LABEL, RECORD_LABEL, SYSTEM_NAMESPACE
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.rollout_history import RolloutStatus
from fleetmgr.model.selection import Selection
from fleetmgr.rollout.events import Abort, Event, OverrideWindows, Pause, Resume, Supersede
from fleetmgr.rollout.state import Request, State

ROLLOUTS_LABEL = "fleetmgr.dev/rollouts-of"
"""Names the fleet. Not the label of the inventory: reading what we own must not read every rollout as well."""
KEPT_ROLLOUTS = 10
_RECORD, _REQUESTS = "record.json", "requests.json"


class RolloutRecord(Struct, frozen=True, kw_only=True):
    """One rollout as it is remembered; times are RFC 3339."""

    id: str
    fleet: str
    counter: int
    """Rises with every writing of the state."""
    plan_id: str
    revision: str
    actor: str
    started_at: str
    updated_at: str
    status: RolloutStatus
    state: State
    why: str = ""
    selection: Selection = Selection()
    """What the command line selected; a resumed run selects the same."""
    requests: tuple[Request, ...] = ()
    """Asked for by people from outside, oldest first."""

    @property
    def over(self) -> bool:
        """Whether nothing can follow, by its state or because somebody asked for its end."""
        return self.status.over or any(request.kind in ("Abort", "Supersede") for request in self.requests)


# Made while one thread is alone: msgspec 0.22 builds what it knows of a type at its first use, and two threads that do
# so at once end the process with a segmentation fault.
_RECORDS = msgspec.json.Decoder(RolloutRecord)
_REQUEST_LISTS = msgspec.json.Decoder(tuple[Request, ...])


def record_name(fleet: str, cluster: str, rollout: str) -> str:
    """Name of the ConfigMap; more dots than any parent's, so no app can be named like it."""
    return f"{fleet}.{cluster}.fleetmgr.rollout.{rollout}"


def record_body(record: RolloutRecord, cluster: str, *, resource_version: str = "") -> JsonObject:
    """The ConfigMap on ``cluster``; ``resource_version`` fences it to the copy that was read."""
    metadata: JsonObject = {
        "name": record_name(record.fleet, cluster, record.id),
        "namespace": SYSTEM_NAMESPACE,
        "labels": {ROLLOUTS_LABEL: record.fleet, CLUSTER_LABEL: cluster, RECORD_LABEL: "rollout"},
    }
    if resource_version:
        metadata["resourceVersion"] = resource_version
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {
            _RECORD: msgspec.json.encode(replace(record, requests=()), order="deterministic").decode(),
            _REQUESTS: msgspec.json.encode(record.requests).decode(),
        },
    }


def read_record(body: JsonObject) -> RolloutRecord | None:
    """The record of a ConfigMap; None where it cannot be read (written by another version, or by hand)."""
    data = object_at(body, "data")
    try:
        record = _RECORDS.decode(str(data.get(_RECORD, "")))
        requests = _REQUEST_LISTS.decode(str(data.get(_REQUESTS) or "[]"))
    except msgspec.DecodeError:
        return None
    return replace(record, requests=requests)


def merged(copies: Iterable[RolloutRecord]) -> dict[str, RolloutRecord]:
    """The rollouts that ``copies`` tell of by id, newest first; each as its newest copy says, with the requests
    of all."""
    found: dict[str, RolloutRecord] = {}
    for copy in copies:
        known = found.get(copy.id)
        if known is None:
            found[copy.id] = copy
            continue
        newest = copy if copy.counter > known.counter else known
        found[copy.id] = replace(newest, requests=united(known.requests, copy.requests))
    return {key: found[key] for key in sorted(found, reverse=True)}


def united(*requests: tuple[Request, ...]) -> tuple[Request, ...]:
    """Requests of several copies, each once, oldest first."""
    return tuple(sorted({r for some in requests for r in some}, key=lambda r: (r.at, r.kind, r.who)))


def event_of(request: Request) -> Event | None:
    """A request from outside as the event that the machine takes."""
    match request.kind:
        case "Pause":
            return Pause(who=request.who, why=request.why)
        case "Resume":
            return Resume(who=request.who, why=request.why)
        case "Abort":
            return Abort(who=request.who, why=request.why)
        case "Supersede":
            return Supersede(by=request.why, who=request.who)
        case "OverrideWindows":
            return OverrideWindows(who=request.who, why=request.why)
        case _:
            return None
