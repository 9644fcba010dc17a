"""``fleet render``: what every cluster would get, as manifests."""

from __future__ import annotations

from pathlib import Path

import click

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import fleet_options
from fleetmgr.cli.output import echo, stderr_paint
from fleetmgr.cli.walking import selection
from fleetmgr.errors import ExitCode
from fleetmgr.model.enumeration import counted
from fleetmgr.operations.hydrate import Hydrated, hydrate, write_manifests
from fleetmgr.reporting.manifests import manifest_text, titled
from fleetmgr.reporting.problems import problem_lines
from fleetmgr.wiring.offline import open_offline


@click.command()
@fleet_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write DIR/CLUSTER/APP/KIND-NAMESPACE-NAME.yaml instead of one stream.",
)
@click.option(
    "--show-secrets", is_flag=True, help="Write values of Secrets as well; without it they are masked."
)
@click.pass_obj
def render(invocation: Invocation, *, out: Path | None, show_secrets: bool) -> ExitCode:
    """Write the manifests that every cluster would get, complete and in a stable order, offline.

    Values of Secrets are masked unless --show-secrets is given: such a manifest must not be applied. DIR must be
    new, empty, or one that this command wrote; files that it wrote earlier and that are gone are removed.

    \b
    Example:
      fleet render -c prod-1 -a web
      fleet render --out rendered
    """
    loaded, fetcher, _ = open_offline(invocation.file)
    hydration = hydrate(loaded, fetcher, selection(invocation))
    paint = stderr_paint(invocation)
    for warning in hydration.warnings:
        echo("\n".join(problem_lines(warning, paint=paint, label="warning")) + "\n", err=True)

    def text(hydrated: Hydrated) -> str:
        return manifest_text(hydrated.ref, hydrated.body, show_secrets=show_secrets)

    if out is not None:
        count = write_manifests(out, hydration, text)
        echo(f"wrote {counted(count, 'manifest')} to {out}\n", err=True)
    else:
        for hydrated in hydration.objects:
            echo(titled(hydrated.cluster, hydrated.app, text(hydrated)))
    return ExitCode.OK
