"""``fleet add``: a new entry in fleet.yaml, everything else in it untouched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import click

from fleetmgr.cli.editing import editing_options, finish
from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import file_option, named, output_options
from fleetmgr.errors import ExitCode
from fleetmgr.model.jsontypes import Json
from fleetmgr.operations import add as operation
from fleetmgr.spec.app import Source
from fleetmgr.spec.yaml_tree import read
from fleetmgr.wiring import fleet_file as wiring


class Pair(click.ParamType[tuple[str, str]]):
    """``KEY=VALUE``."""

    name = "key=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Key and value; the value may hold ``=`` and may be empty."""
        if isinstance(value, tuple):
            return value  # pyright: ignore[reportUnknownVariableType] - click converts twice
        key, equals, text = str(value).partition("=")
        if not key or not equals:
            self.fail(f"{value!r} is not KEY=VALUE", param, ctx)
        return key, text


@click.group()
def add() -> None:
    """Write a new app, cluster or environment into fleet.yaml.

    Only the lines of the entry are written: comments, order and style of the file stay. The fleet
    with the entry is checked first; an edit that would make it invalid is not written. The diff is
    shown; on a terminal you are asked.

    \b
    Example:
      fleet add cluster prod-2 -e prod --context prod-2 --label region=us
      fleet add app web --path apps/web -e dev
    """


@add.command()
@click.argument("name")
@click.option(
    "--path", required=True, metavar="PATH", help="Folder of its manifests, relative to fleet.yaml."
)
@click.option(
    "--type",
    "source",
    type=click.Choice(get_args(Source.model_fields["type"].annotation)),
    default="manifests",
    show_default=True,
    help="What is there.",
)
@click.option("--namespace", metavar="NAMESPACE", help="Where its objects go.  [default: NAME]")
@click.option(
    "-e",
    "--environment",
    "environments",
    multiple=True,
    metavar="ENV",
    shell_complete=named("environments"),
    help="Only clusters of this environment. Repeatable.  [default: every cluster]",
)
@click.option(
    "--depends-on",
    multiple=True,
    metavar="APP",
    shell_complete=named("apps"),
    help="An app that must be Healthy first. Repeatable.",
)
@editing_options
@file_option
@output_options
@click.pass_obj
def app(  # noqa: PLR0913 - one parameter an option
    invocation: Invocation,
    *,
    name: str,
    path: str,
    source: str,
    namespace: str | None,
    environments: tuple[str, ...],
    depends_on: tuple[str, ...],
    dry_run: bool,
    yes: bool,
) -> ExitCode:
    """Add an app.

    \b
    Example:
      fleet add app web --path apps/web -e dev --depends-on redis
    """
    new = operation.NewApp(
        name=name,
        path=path,
        type=source,
        namespace=namespace,
        environments=environments,
        depends_on=depends_on,
    )
    file = wiring.open_fleet_file(invocation.file)
    return finish(invocation, file, operation.add_app(file, new), dry_run=dry_run, yes=yes)


@add.command()
@click.argument("name")
@click.option(
    "-e",
    "--environment",
    required=True,
    metavar="ENV",
    shell_complete=named("environments"),
    help="The environment it is in.",
)
@click.option("--context", required=True, metavar="CONTEXT", help="Context of the kubeconfig.")
@click.option("--kubeconfig", metavar="FILE", help="kubeconfig file, relative to fleet.yaml.")
@click.option("--label", "labels", type=Pair(), multiple=True, metavar="K=V", help="A label. Repeatable.")
@click.option(
    "--var",
    "variables",
    type=Pair(),
    multiple=True,
    metavar="K=V",
    help="A variable; numbers, true and false are that. Repeatable.",
)
@click.option("--no-identity", is_flag=True, help="Do not ask the cluster for its UID.")
@editing_options
@file_option
@output_options
@click.pass_obj
def cluster(  # noqa: PLR0913 - one parameter an option
    invocation: Invocation,
    *,
    name: str,
    environment: str,
    context: str,
    kubeconfig: str | None,
    labels: tuple[tuple[str, str], ...],
    variables: tuple[tuple[str, str], ...],
    no_identity: bool,
    dry_run: bool,
    yes: bool,
) -> ExitCode:
    """Add a cluster.

    The cluster is asked for the UID of its kube-system namespace, and the entry is pinned to it
    (`identity`): a context that leads elsewhere later stops everything. A cluster that does not
    answer is added without, and a note says so.

    \b
    Example:
      fleet add cluster prod-2 -e prod --context prod-2 --kubeconfig ~/.kube/prod.yaml --var replicas=3
    """
    new = operation.NewCluster(
        name=name,
        environment=environment,
        context=context,
        kubeconfig=kubeconfig,
        labels=dict(labels),
        variables=_typed(dict(variables)),
    )
    file = wiring.open_fleet_file(invocation.file)
    ask = None if no_identity else lambda: wiring.read_identity(invocation.file, new)
    return finish(invocation, file, operation.add_cluster(file, new, ask), dry_run=dry_run, yes=yes)


@add.command()
@click.argument("name")
@click.option(
    "--after",
    metavar="ENV",
    shell_complete=named("environments"),
    help="Its place in the promotion order.  [default: last]",
)
@click.option("--prune", is_flag=True, help="Let an apply delete there what left Git.")
@editing_options
@file_option
@output_options
@click.pass_obj
def environment(
    invocation: Invocation, *, name: str, after: str | None, prune: bool, dry_run: bool, yes: bool
) -> ExitCode:
    """Add an environment, last in the promotion order or behind another one.

    \b
    Example:
      fleet add environment staging --after dev
    """
    file = wiring.open_fleet_file(invocation.file)
    proposal = operation.add_environment(file, name, after=after, prune=prune)
    return finish(invocation, file, proposal, dry_run=dry_run, yes=yes)


def _typed(variables: Mapping[str, str]) -> dict[str, Json]:
    """Values as fleet.yaml would read them unquoted, where that is a number, true or false."""
    typed: dict[str, Json] = {}
    for key, text in variables.items():
        value: Json = None
        if text and text.isascii() and text.replace(".", "").isalnum():
            _, value = read(text.encode(), name="--var", problems=[])
        typed[key] = value if isinstance(value, (bool, int, float)) else text
    return typed
