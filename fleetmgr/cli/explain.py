"""``fleet explain``: which layer set what."""

from __future__ import annotations

import click

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import file_option, output_options
from fleetmgr.cli.output import Rendering, emit
from fleetmgr.errors import UsageError
from fleetmgr.expansion.explain import explain as explained
from fleetmgr.reporting.explanation import explanation_data, explanation_text
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
    if cluster is None:
        app, at, cluster = app.partition("@")
        if not at or not app or not cluster:
            raise UsageError("which cluster?", hint="write APP@CLUSTER, such as web@prod-1")
    values = explained(load(invocation.file), app, cluster)
    emit(
        invocation,
        Rendering(
            text=lambda paint: explanation_text(values, paint=paint),
            data=lambda: explanation_data(app, cluster, values),
        ),
    )
    return 0
