"""``fleet explain --waiting``: what waits for what."""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.output import Rendering, emit
from fleetmgr.cli.progress import shown
from fleetmgr.cli.walking import open_walk, selection
from fleetmgr.errors import ExitCode, UsageError
from fleetmgr.operations.waiting import waiting
from fleetmgr.planner.outcome import settle
from fleetmgr.reporting.waiting import waiting_data, waiting_text


def explain_waiting(invocation: Invocation, app: str | None, cluster: str | None) -> ExitCode:
    """What ``app`` on ``cluster`` waits for; None = all that is selected."""
    chosen = selection(invocation)
    if (app and chosen.apps) or (cluster and chosen.clusters):
        raise UsageError("an argument and an option name the same thing", hint="give one of them")
    walk = open_walk(invocation)
    with shown(invocation) as sink:
        found = waiting(walk, replace(chosen, apps=(app,) if app else chosen.apps), sink, only=cluster)
    verdict = settle(
        {c.cluster: ExitCode.OK if c.failure is None else c.failure.exit_code for c in found.clusters}
    )
    whole = bool(app and cluster)
    emit(
        invocation,
        Rendering(
            text=lambda paint: waiting_text(found, whole=whole, paint=paint),
            data=lambda: waiting_data(found, verdict),
        ),
    )
    return verdict.exit_code
