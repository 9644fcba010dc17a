"""The lease of a cluster entry as an object to apply and as what was read back, and when it may be taken over.

Semantics as client-go's leaderelection: a holder is alive as long as an observer sees renewals, measured by the
observer's own monotonic clock. What the holder's wall clock says decides nothing.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from fleetmgr.model.applyset import (
    CLUSTER_LABEL,
    FLEET_LABEL,
    SYSTEM_NAMESPACE,
    lease_name,
)
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.lease import DURATION, Holder, Lease

_PREFIX = "fleetmgr.dev/"
_HOLDER = ("actor", "host", "pid", "command", "process", "plan")
UNLOCKED = ("unlocked-by", "unlocked-at", "unlock-reason")
_SHORTEST, _LONGEST = 15.0, 300.0
_LONGEST_TEXT = 300


class Standing(StrEnum):
    """What an observer may do about a lease."""

    FREE = "free"
    ABANDONED = "abandoned"
    """Its holder is known to be dead, or was not heard of for the lease's duration."""
    HELD = "held"


class Observed(Struct, frozen=True, kw_only=True):
    """A lease, and since when (monotonic seconds) it has not changed before the observer's eyes."""

    lease: Lease
    since: float


def read_lease(body: JsonObject) -> Lease:
    """Read a Lease; what somebody else wrote into it is taken as far as it makes sense."""
    metadata, spec = object_at(body, "metadata"), object_at(body, "spec")
    notes = {
        key.removeprefix(_PREFIX): str(value)
        for key, value in object_at(metadata, "annotations").items()
        if key.startswith(_PREFIX)
    }
    identity = str(spec.get("holderIdentity") or "")
    duration = spec.get("leaseDurationSeconds")
    transitions = spec.get("leaseTransitions")
    pid = notes.get("pid", "")
    holder = Holder(
        actor=notes.get("actor") or identity,
        host=notes.get("host", ""),
        pid=int(pid) if pid.isdecimal() else 0,
        command=notes.get("command", ""),
        process=notes.get("process", ""),
    )
    return Lease(
        name=str(metadata.get("name") or ""),
        version=str(metadata.get("resourceVersion") or ""),
        uid=str(metadata.get("uid") or ""),
        identity=identity,
        holder=holder if identity else None,
        plan_id=notes.get("plan", ""),
        since=str(spec.get("acquireTime") or ""),
        renewed=str(spec.get("renewTime") or ""),
        transitions=transitions if isinstance(transitions, int) else 0,
        duration=min(max(float(duration), _SHORTEST), _LONGEST) if isinstance(duration, int) else DURATION,
        unlocked={key: notes[key] for key in UNLOCKED if key in notes},
    )


def lease_body(fleet: str, cluster: str, lease: Lease | None = None) -> JsonObject:
    """``lease`` to apply, fenced to the version that was read; without one an empty lease, which anybody may make."""
    metadata: JsonObject = {
        "name": lease_name(fleet, cluster),
        "namespace": SYSTEM_NAMESPACE,
        "labels": {FLEET_LABEL: fleet, CLUSTER_LABEL: cluster},
    }
    body: JsonObject = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata}
    if lease is None:
        return body
    metadata["resourceVersion"] = lease.version
    metadata["annotations"] = {_PREFIX + key: value for key, value in _notes(lease).items()}
    spec: JsonObject = {
        "leaseTransitions": lease.transitions,
        "leaseDurationSeconds": int(lease.duration),
        "holderIdentity": lease.identity,
        "acquireTime": lease.since,
        "renewTime": lease.renewed,
    }
    body["spec"] = {key: value for key, value in spec.items() if value != ""}
    return body


def _notes(lease: Lease) -> dict[str, str]:
    notes = dict(lease.unlocked)
    if lease.holder is not None:
        holder = lease.holder
        values = (
            holder.actor,
            holder.host,
            str(holder.pid or ""),
            holder.command,
            holder.process,
            lease.plan_id,
        )
        notes |= {key: value[:_LONGEST_TEXT] for key, value in zip(_HOLDER, values, strict=True) if value}
    return notes


def observe(before: Observed | None, lease: Lease, *, answered: float) -> Observed:
    """What is known after one more look, which was ``answered`` then (monotonic seconds).

    A change counts from the answer that showed it, so never for longer than it lasted.
    """
    if before is not None and (before.lease.uid, before.lease.version) == (lease.uid, lease.version):
        return before
    return Observed(lease=lease, since=answered)


def standing(observed: Observed, *, asked: float, dead: bool) -> Standing:
    """``asked``: when the look that confirmed ``observed`` was begun. ``dead``: its holder is known to be."""
    lease = observed.lease
    if not lease.identity:
        return Standing.FREE
    if dead or asked - observed.since >= lease.duration:
        return Standing.ABANDONED
    return Standing.HELD


def looks_abandoned(lease: Lease, now: datetime) -> bool:
    """Whether, if the clocks of both machines are right, nobody renews it: then it is worth a look for its
    duration. Clocks that are wrong cost that time at most."""
    try:
        renewed = datetime.fromisoformat(lease.renewed)
    except ValueError:
        return True
    return renewed.tzinfo is None or abs((now - renewed).total_seconds()) > lease.duration
