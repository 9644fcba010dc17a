"""``fleet explain``: which layer set what, and what waits for what."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import cast

import click

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import fleet_options, output_options, progress_option
from fleetmgr.cli.output import Rendering, emit
from fleetmgr.errors import ExitCode, UsageError
from fleetmgr.expansion.explain import explain as explained
from fleetmgr.expansion.explain import placed_on
from fleetmgr.reporting.explanation import explanation_data, explanation_text
from fleetmgr.reporting.wording import names
from fleetmgr.spec import load


@click.command()
@click.argument("of_app", metavar="[APP]", required=False)
@click.argument("on_cluster", metavar="[CLUSTER]", required=False)
@click.option(
    "--waiting", "what_waits", is_flag=True, help="What waits for what on the clusters, and why. Only reads."
)
@fleet_options
@output_options
@progress_option
@click.pass_obj
def explain(
    invocation: Invocation, *, of_app: str | None, on_cluster: str | None, what_waits: bool
) -> ExitCode | int:
    """Show every value of APP on CLUSTER with the layer that set it and where that is written.

    APP@CLUSTER names both. Later layers win: defaults, environment, app, its overlay, the overlay file, the
    exception of the cluster.

    With --waiting: what each app waits for now, or would wait for at its next change. Without APP the whole
    selection is looked at, the worst first; APP@CLUSTER shows its order as well.

    \b
    Example:
      fleet explain web@prod-1
      fleet explain --waiting
      fleet explain web@prod-1 --waiting
    """
    app, cluster = of_app, on_cluster
    if app is not None and cluster is None:
        app, _, named = app.partition("@")
        cluster = named or None
    if what_waits:
        # clusters are only for those who ask about them
        waits = importlib.import_module("fleetmgr.cli.explain_waiting")
        return cast("ExitCode", waits.explain_waiting(invocation, app, cluster))
    if invocation.environments or invocation.clusters or invocation.apps or invocation.selectors:
        raise UsageError(
            "-e, -c, -a and -l select what --waiting looks at",
            hint="name one as APP@CLUSTER, or add --waiting",
        )
    loaded = load(invocation.file)
    if not app or cluster is None:
        raise _which(app or "", placed_on(loaded, app or ""))
    values = explained(loaded, app, cluster)
    emit(
        invocation,
        Rendering(
            text=lambda paint: explanation_text(values, paint=paint),
            data=lambda: explanation_data(app, cluster, values),
        ),
    )
    return 0


def _which(app: str, clusters: Sequence[str]) -> UsageError:
    """The question back, with the clusters that can be named."""
    if not clusters:
        return UsageError("which app on which cluster?", hint="write APP@CLUSTER, such as web@prod-1")
    on = names(clusters)
    return UsageError(f"on which cluster? `{app}` is on {on}", hint=f"write {app}@{clusters[0]}")
