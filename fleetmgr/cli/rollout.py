"""``fleet rollout``: see, pause, resume and end what goes through a fleet in waves."""

from __future__ import annotations

from collections.abc import Sequence

import click
from msgspec.structs import replace

from fleetmgr.cli.apply import make_so
from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import (
    Duration,
    adopt_option,
    consent_options,
    dirty_option,
    engine_option,
    fleet_options,
    force_option,
    lock_option,
    output_options,
    pace_options,
    progress_option,
    report_options,
)
from fleetmgr.cli.output import Rendering, emit
from fleetmgr.cli.progress import shown
from fleetmgr.cli.walking import open_walk, selection
from fleetmgr.errors import ExitCode
from fleetmgr.model.enumeration import counted
from fleetmgr.model.rollout_history import UnheardCluster
from fleetmgr.operations import plan as planning
from fleetmgr.operations.rollouts.verbs import Asked, ask, chosen, resumable, rollouts
from fleetmgr.planner.outcome import settle
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.rollouts import (
    rollout_data,
    rollout_text,
    rollouts_data,
    rollouts_text,
    unheard_lines,
)

_id = click.argument("rollout_id", metavar="[ID]", required=False)
_reason = click.option("--reason", required=True, metavar="TEXT", help="Why; everybody will see it.")


@click.group()
def rollout() -> None:
    """See, pause, resume and end rollouts. The clusters remember the last 10 of them.

    \b
    Example:
      fleet rollout show
      fleet rollout pause --reason "the database is being moved"
      fleet rollout resume --yes
    """


@rollout.command("list")
@fleet_options
@output_options
@click.pass_obj
def list_(invocation: Invocation) -> ExitCode:
    """List the rollouts that the clusters remember, newest first.

    \b
    Example:
      fleet rollout list -o json
    """
    found = rollouts(open_walk(invocation), selection(invocation))
    code = _code(found.asked, found.unheard)
    emit(
        invocation,
        Rendering(
            text=lambda paint: rollouts_text(found, paint=paint), data=lambda: rollouts_data(found, code)
        ),
    )
    return code


@rollout.command()
@_id
@fleet_options
@output_options
@click.pass_obj
def show(invocation: Invocation, *, rollout_id: str | None) -> ExitCode:
    """Show a rollout with its steps and clusters: that of ID, or the newest.

    \b
    Example:
      fleet rollout show
    """
    found = rollouts(open_walk(invocation), selection(invocation))
    view = chosen(found, rollout_id)
    code = _code(found.asked, found.unheard)
    emit(
        invocation,
        Rendering(
            text=lambda paint: rollout_text(view, found.unheard, paint=paint),
            data=lambda: rollout_data(view, found.unheard, code),
        ),
    )
    return code


@rollout.command()
@_id
@_reason
@fleet_options
@output_options
@click.pass_obj
def pause(invocation: Invocation, *, rollout_id: str | None, reason: str) -> ExitCode:
    """Have nothing new begun: clusters in work are finished, and the run ends with exit code 7.

    A run sees it within seconds. Applying the same revision again does not lift a pause; a newer
    commit takes over.

    \b
    Example:
      fleet rollout pause --reason "the database is being moved"
    """
    return _told(invocation, ask(open_walk(invocation), "Pause", rollout_id, reason), "pause")


@rollout.command()
@_id
@_reason
@fleet_options
@output_options
@click.pass_obj
def abort(invocation: Invocation, *, rollout_id: str | None, reason: str) -> ExitCode:
    """End a rollout for good. Clusters in work are finished, nothing is rolled back.

    \b
    Example:
      fleet rollout abort --reason "wrong image"
    """
    return _told(invocation, ask(open_walk(invocation), "Abort", rollout_id, reason), "end")


@rollout.command()
@_id
@click.option("--reason", default="", metavar="TEXT", help="Why; everybody will see it.")
@click.option("-y", "--yes", is_flag=True, help="Go on without asking.")
@click.option("--timeout", type=Duration(), metavar="DURATION", help="Wait at most so long for each app.")
@fleet_options
@adopt_option
@consent_options
@lock_option
@dirty_option
@force_option
@engine_option
@pace_options
@report_options
@progress_option
@click.pass_obj
def resume(
    invocation: Invocation, *, rollout_id: str | None, reason: str, yes: bool, timeout: float | None
) -> ExitCode:
    """Go on with a rollout at its revision: that of ID, or the newest that is not over.

    It plans anew, so what is done is not done again; failed clusters are tried again, and a soak goes
    on where it was. Files of another revision are refused (exit code 6). What the earlier run was
    allowed (--max-deletes, --adopt, --force, --allow-dirty ...) is not remembered: say it again.

    \b
    Example:
      fleet rollout resume --yes --reason "the database has moved"
    """
    walk = open_walk(invocation)
    record = resumable(walk, rollout_id)
    walk = replace(walk, pace=replace(walk.pace, resume=record.id, reason=reason))
    with shown(invocation) as sink:
        plan = planning.plan(walk, record.selection, sink)
    return make_so(invocation, walk, record.selection, plan, yes=yes, no_wait=False, timeout=timeout)


def _told(invocation: Invocation, asked: Asked, what: str) -> ExitCode:
    view = asked.rollout
    where = counted(len(asked.clusters), "cluster")
    how = "a run that is at work sees it within seconds" if asked.running else f"it is {view.status.value}"
    said = f"Asked rollout {visible(view.id)} to {what} on {where}: {how}."
    code = _code(asked.clusters, asked.unheard)
    emit(
        invocation,
        Rendering(
            text=lambda paint: "\n".join([said, *unheard_lines(asked.unheard, paint)]) + "\n",
            data=lambda: rollout_data(view, asked.unheard, code),
        ),
    )
    return code


def _code(heard: Sequence[str], unheard: Sequence[UnheardCluster]) -> ExitCode:
    """Some clusters that do not answer make it partial, as everywhere."""
    codes = dict.fromkeys(heard, ExitCode.OK) | {c.cluster: c.failure.exit_code for c in unheard}
    return settle(codes).exit_code
