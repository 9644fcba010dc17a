"""``fleet schema``: what an editor needs to complete fleet.yaml."""

from __future__ import annotations

from typing import cast

import click

from fleetmgr.cli.output import echo
from fleetmgr.reporting.encode import to_json
from fleetmgr.spec.schema import SchemaKind, json_schema


@click.command()
@click.option(
    "--kind",
    type=click.Choice(("fleet", "overlay")),
    default="fleet",
    show_default=True,
    help="fleet.yaml, or environments/ENVIRONMENT/APP.yaml.",
)
def schema(*, kind: str) -> int:
    """Print the JSON Schema (draft 2020-12) of fleet.yaml or of an overlay file.

    Editors use it when a file names it:  # yaml-language-server: $schema=.fleet/fleet.schema.json

    \b
    Example:
      fleet schema > .fleet/fleet.schema.json
      fleet schema --kind overlay > .fleet/overlay.schema.json
    """
    echo(to_json(json_schema(cast("SchemaKind", kind))))
    return 0
