"""``fleet explain``: which layer set what."""

from __future__ import annotations

from collections.abc import Sequence

import click

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import file_option, output_options
from fleetmgr.cli.output import Rendering, emit
from fleetmgr.errors import UsageError
from fleetmgr.expansion.explain import explain as explained
from fleetmgr.expansion.explain import placed_on
from fleetmgr.reporting.explanation import explanation_data, explanation_text
from fleetmgr.reporting.wording import names
from fleetmgr.spec import load


@click.command()
@click.argument("app")
@click.argument("cluster", required=False)
@file_option
@output_options
@click.pass_obj
def explain(invocation: Invocation, *, app: str, cluster: str | None) -> int:
    """Show every value of APP on CLUSTER with the layer that set it and where that is written.

    APP@CLUSTER names both. Later layers win: defaults, environment, app, its overlay, the overlay file, the
    exception of the cluster.

    \b
    Example:
      fleet explain web@prod-1
    """
    loaded = load(invocation.file)
    if cluster is None:
        app, _, cluster = app.partition("@")
        if not app or not cluster:
            raise _which(app, placed_on(loaded, app))
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
