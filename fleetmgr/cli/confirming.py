"""Questions about deletes: those that wait for a confirmation, listed, and answered by their number; those of what is
protected, and whole apps and entries, answered by the name of the fleet: nobody types that by habit."""

from __future__ import annotations

import sys

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.output import echo
from fleetmgr.model.change import Op, Plan
from fleetmgr.model.consent import address
from fleetmgr.planner.confirmation import confirmed, waiting
from fleetmgr.reporting.escape import visible


def ask_about_deletes(invocation: Invocation, plan: Plan, *, yes: bool) -> Plan:
    """``plan`` with its waiting deletes confirmed where somebody at the terminal types their number; else as it is.

    ``yes`` answers the first question only: who is not asked has confirmed nothing.
    """
    doomed = [(part.cluster, change) for part in plan.clusters for change in waiting(part)]
    if not doomed or yes or not invocation.terminal.can_ask:
        return plan
    lines = [f"  - {visible(change.ref.short)} ({visible(cluster)})" for cluster, change in doomed]
    echo("\n".join(["\nThese are deleted only if you confirm it (prune: confirm):", *lines, ""]), err=True)
    echo(f"Type {len(doomed)} to delete them, anything else to leave them: ", err=True)
    return confirmed(plan) if sys.stdin.readline().strip() == str(len(doomed)) else plan


def protected_agreed(invocation: Invocation, plan: Plan, *, yes: bool) -> bool:
    """Whether what ``--delete-protected`` names may go: listed and asked for where somebody can be asked."""
    named = set(invocation.delete_protected)
    doomed = [
        (part.cluster, change)
        for part in plan.clusters
        for change in part.changes
        if change.op in (Op.DELETE, Op.REPLACE) and named & {address(change.ref), f"{address(change.ref)}/*"}
    ]
    if not doomed or yes or not invocation.terminal.can_ask:
        return True
    lines = [
        f"  - {visible(change.ref.short)} ({visible(cluster)})"
        + (" with everything in it" if f"{address(change.ref)}/*" in named else "")
        for cluster, change in doomed
    ]
    echo("\n".join(["\nProtected, and deleted all the same:", *lines, ""]), err=True)
    return fleet_typed(plan, "delete them")


def fleet_typed(plan: Plan, what: str) -> bool:
    """Ask for the name of the fleet; anything else is no."""
    echo(f"Type the name of the fleet ({visible(plan.fleet)}) to {what}, anything else to stop: ", err=True)
    return sys.stdin.readline().strip() == plan.fleet
