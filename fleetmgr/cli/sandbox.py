"""``fleet sandbox``: real control planes on this machine. Results on stdout, progress on stderr."""

from __future__ import annotations

import dataclasses
import json

import click

from fleetmgr import wiring
from fleetmgr.operations.sandbox import (
    sandbox_down,
    sandbox_kubeconfig,
    sandbox_status,
    sandbox_up,
)
from fleetmgr.ports.sandbox import ProcessStatus, SandboxStatus, UpRequest

MEGABYTE = 2**20
MINUTE, HOUR, DAY = 60, 3600, 86400
MAX_CLUSTERS = 50

_name = click.option("--name", default="sandbox", show_default=True, help="Which sandbox; several may run.")
_output = click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True
)


@click.group()
def sandbox() -> None:
    """Run real Kubernetes control planes on this machine, without a cloud.

    \b
    Example:
      fleet sandbox up --clusters 3
      kubectl --kubeconfig "$(fleet sandbox kubeconfig)" --context sandbox-1 get nodes
      fleet sandbox down
    """


@sandbox.command()
@_name
@click.option(
    "--clusters",
    type=click.IntRange(1, MAX_CLUSTERS),
    help="How many clusters there should be.  [default: 3, or as many as there are]",
)
@click.option("--cluster", "only", multiple=True, help="Start only this cluster (repeatable).")
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=180.0,
    show_default=True,
    help="Seconds until everything must be ready.",
)
@_output
def up(name: str, clusters: int | None, only: tuple[str, ...], timeout: float, output: str) -> None:
    """Start what does not run, and wait until it is ready.

    The first time on a machine this also finds, downloads or builds the programs (minutes).
    Running it again changes nothing that works: it restarts what has died, brings back
    stopped clusters and adds new ones.

    \b
    Example:
      fleet sandbox up --clusters 3
      fleet sandbox up --clusters 4      # a fourth beside the three that run
    """
    ports = wiring.sandbox(name)
    request = UpRequest(clusters=clusters, only=only, timeout=timeout)
    _show(sandbox_up(ports.toolchain, ports.sandbox, request, _progress), output)


@sandbox.command()
@_name
@click.option("--cluster", "only", multiple=True, help="Stop only this cluster (repeatable).")
@click.option("--keep-data", is_flag=True, help="Stop everything, keep data and credentials.")
@_output
def down(name: str, only: tuple[str, ...], keep_data: bool, output: str) -> None:  # noqa: FBT001 - click passes flags by name
    """Stop a sandbox and remove it, or stop single clusters (their data stays).

    \b
    Example:
      fleet sandbox down
      fleet sandbox down --cluster sandbox-2    # `fleet sandbox up` brings it back
    """
    stopped = sandbox_down(wiring.sandbox(name).sandbox, only, _progress, keep_data=keep_data)
    if output == "json":
        document = {"apiVersion": "fleetmgr.dev/v1", "kind": "SandboxDown", "stopped": stopped}
        click.echo(json.dumps(document, indent=2))
    elif stopped:
        click.echo(f"stopped: {', '.join(stopped)}")
    else:
        click.echo(f"nothing to stop: there is no sandbox {name!r}")


@sandbox.command()
@_name
@_output
def status(name: str, output: str) -> None:
    """Show every process: readiness, pid, port, memory, age. Exit code 1 unless all is ready.

    \b
    Example:
      fleet sandbox status -o json
    """
    found = sandbox_status(wiring.sandbox(name).sandbox)
    _show(found, output)
    if found.state != "ready":
        raise click.exceptions.Exit(1)


@sandbox.command()
@_name
@click.option("--raw", is_flag=True, help="Print the content (it holds tokens), not the path.")
def kubeconfig(name: str, raw: bool) -> None:  # noqa: FBT001 - click passes flags by name
    """Print the path of the kubeconfig: a context a cluster, and a read-only one for each.

    \b
    Example:
      export KUBECONFIG="$(fleet sandbox kubeconfig)"
    """
    path = sandbox_kubeconfig(wiring.sandbox(name).sandbox)
    click.echo(path.read_text(encoding="utf-8") if raw else str(path), nl=not raw)


def _progress(line: str) -> None:
    click.echo(line, err=True)


def _show(found: SandboxStatus, output: str) -> None:
    if output == "json":
        body = dataclasses.asdict(found)
        document = {"apiVersion": "fleetmgr.dev/v1", "kind": "SandboxStatus", **body}
        click.echo(json.dumps(document, indent=2, default=str))
        return
    click.echo(f"sandbox {found.name}: {found.state}")
    if found.state == "absent":
        return
    click.echo(f"kubeconfig: {found.kubeconfig}")
    for process in found.shared:
        click.echo(_line("(shared)", process))
    for cluster in found.clusters:
        click.echo(f"{cluster.name}: {cluster.state}  {cluster.server}")
        for process in cluster.processes:
            click.echo(_line("", process))


def _line(prefix: str, process: ProcessStatus) -> str:
    pid = process.pid if process.pid is not None else "-"
    memory = "-" if process.rss is None else f"{process.rss // MEGABYTE} MB"
    age = "-" if process.uptime is None else _age(process.uptime)
    row = f"  {process.name:<24}{process.state:<9}{pid:>8}{process.port:>7}{memory:>8}{age:>8}"
    return f"{row}  {prefix}".rstrip()


def _age(seconds: float) -> str:
    for size, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"
