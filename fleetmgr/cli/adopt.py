"""``fleet adopt --from-fleet OLD``: a renamed fleet takes over what it held under its old name."""

from __future__ import annotations

import click

from fleetmgr.cli.editing import confirmed
from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import fleet_options, output_options, progress_option
from fleetmgr.cli.output import Rendering, echo, emit, stderr_paint
from fleetmgr.cli.progress import shown
from fleetmgr.cli.walking import open_walk, selection
from fleetmgr.errors import ExitCode, UsageError
from fleetmgr.model.fleet_adoption import FleetAdoption
from fleetmgr.model.verdict import Verdict
from fleetmgr.operations.adopt_fleet import adopt_fleet, look
from fleetmgr.planner.outcome import settle
from fleetmgr.reporting.fleet_adoption import fleet_adoption_data, fleet_adoption_text


@click.command()
@click.option(
    "--from-fleet", "old", required=True, metavar="NAME", help="The name that fleet.yaml had before."
)
@click.option("-y", "--yes", is_flag=True, help="Do it without asking.")
@fleet_options
@output_options
@progress_option
@click.pass_obj
def adopt(invocation: Invocation, *, old: str, yes: bool) -> ExitCode:
    """Take over what this fleet held under its old name: objects, memory, markers. Shows what there
    is, asks, does it.

    The clusters' entries must have the names that they had. Labels and managedFields of objects
    change and nothing else, so nothing restarts. A run that was killed is finished by the next one.
    Objects of other tools are taken over by fleet apply --adopt.

    \b
    Example:
      fleet adopt --from-fleet shop
    """
    if invocation.apps:
        raise UsageError(
            "a fleet is renamed with all its apps", hint="leave out -a; -e and -c select clusters"
        )
    walk = open_walk(invocation)
    looked = look(walk, old, selection(invocation))
    found = looked.found
    if found.pending:
        echo(fleet_adoption_text(found, paint=stderr_paint(invocation)), err=True)
        if not yes and not invocation.terminal.can_ask:
            raise UsageError("there is something to take over and no terminal to ask on", hint="add --yes")
        if not yes and not confirmed("Take it over?"):
            echo("Nothing was changed.\n", err=True)
            return ExitCode.FAILED
        with shown(invocation) as sink:
            found = adopt_fleet(walk, looked, sink)
    verdict = _verdict(found)
    emit(
        invocation,
        Rendering(
            text=lambda paint: fleet_adoption_text(found, paint=paint),
            data=lambda: fleet_adoption_data(found, verdict),
        ),
    )
    return verdict.exit_code


def _verdict(found: FleetAdoption) -> Verdict:
    return settle(
        {c.cluster: c.failure.exit_code if c.failure else ExitCode.OK for c in found.clusters},
    )
