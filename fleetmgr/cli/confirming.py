"""The second question of an apply: deletes that wait for a confirmation, listed, and answered by their number."""

from __future__ import annotations

import sys

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.output import echo
from fleetmgr.model.change import Plan
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
