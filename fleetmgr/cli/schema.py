"""``fleet schema``: what an editor needs to complete fleet.yaml, and a program to read our JSON."""

from __future__ import annotations

from typing import cast

import click

from fleetmgr.cli.output import echo
from fleetmgr.reporting.encode import to_json
from fleetmgr.reporting.schema import OUTPUT_KINDS, output_schema
from fleetmgr.spec.schema import SchemaKind, json_schema


@click.command()
@click.option(
    "--kind",
    type=click.Choice(("fleet", "overlay", *OUTPUT_KINDS)),
    default="fleet",
    show_default=True,
    help="fleet.yaml, environments/ENVIRONMENT/APP.yaml, or a kind of JSON output.",
)
def schema(*, kind: str) -> int:
    """Print the JSON Schema (draft 2020-12) of fleet.yaml, of an overlay file or of what -o json prints.

    Editors use it when a file names it:  # yaml-language-server: $schema=.fleet/fleet.schema.json

    \b
    Example:
      fleet schema > .fleet/fleet.schema.json
      fleet schema --kind overlay > .fleet/overlay.schema.json
      fleet schema --kind plan
    """
    is_output = kind in OUTPUT_KINDS
    echo(to_json(output_schema(kind) if is_output else json_schema(cast("SchemaKind", kind))))
    return 0
