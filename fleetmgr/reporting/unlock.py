"""``fleet unlock``: who held the lease of a cluster entry, and what became of it."""

from __future__ import annotations

from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.lease import Lease
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.problems import API_VERSION
from fleetmgr.reporting.style import PLAIN, Paint


def holder_text(cluster: str, lease: Lease, *, paint: Paint = PLAIN) -> str:
    """Who applies to ``cluster``, a fact a line."""
    holder = lease.holder
    facts = (
        ("by", holder.actor if holder else lease.identity),
        ("on", f"{holder.host}, pid {holder.pid}" if holder and holder.pid else ""),
        ("with", holder.command if holder else ""),
        ("plan", lease.plan_id[:12]),
        ("since", lease.since),
        ("renewed", f"{lease.renewed} (by its own clock)" if lease.renewed else ""),
    )
    head = paint("bold", f"{visible(cluster)} is locked")
    return "\n".join([head, *(f"  {name:8}{visible(value)}" for name, value in facts if value)]) + "\n"


def unlock_text(cluster: str, *, held: bool, unlocked: bool) -> str:
    """What was done, in one line."""
    if not held:
        return f"{visible(cluster)} is not locked.\n"
    return f"{visible(cluster)} is unlocked.\n" if unlocked else f"{visible(cluster)} stays locked.\n"


def unlock_data(fleet: str, cluster: str, lease: Lease | None, *, unlocked: bool, reason: str) -> JsonObject:
    """Kind ``Unlock``; ``holder`` is who held the lease, left out where nobody did."""
    data: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": "Unlock",
        "fleet": fleet,
        "cluster": cluster,
        "unlocked": unlocked,
    }
    if unlocked:
        data["reason"] = reason
    if lease is not None and lease.identity:
        holder = lease.holder
        data["holder"] = {
            "actor": holder.actor if holder else lease.identity,
            "host": holder.host if holder else "",
            "pid": holder.pid if holder else 0,
            "command": holder.command if holder else "",
            "plan": lease.plan_id,
            "since": lease.since,
            "renewed": lease.renewed,
        }
    return data
