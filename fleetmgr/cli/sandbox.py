"""``fleet sandbox``: real control planes on this machine. Results on stdout, progress on stderr."""

from __future__ import annotations

import click
import msgspec

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import Duration, output_options
from fleetmgr.cli.output import Rendering, echo, emit
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.operations.sandbox import (
    sandbox_down,
    sandbox_kubeconfig,
    sandbox_status,
    sandbox_up,
)
from fleetmgr.ports.sandbox import ProcessStatus, SandboxStatus, UpRequest
from fleetmgr.reporting.problems import API_VERSION
from fleetmgr.reporting.style import Paint
from fleetmgr.wiring import sandbox as wiring

MEGABYTE = 2**20
MINUTE, HOUR, DAY = 60, 3600, 86400
MAX_CLUSTERS = 50
_COLOURS = {
    "ready": "green",
    "starting": "yellow",
    "degraded": "red",
    "dead": "red",
    "stopped": "dim",
    "absent": "dim",
}

_name = click.option("--name", default="sandbox", show_default=True, help="Which sandbox; several may run.")


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
    metavar="N",
    help="How many clusters there should be.  [default: 3, or as many as there are]",
)
@click.option("--cluster", "only", multiple=True, metavar="NAME", help="Start only this one. Repeatable.")
@click.option(
    "--timeout", type=Duration(), default="3m", show_default=True, help="Until everything must be ready."
)
@output_options
@click.pass_obj
def up(
    invocation: Invocation, *, name: str, clusters: int | None, only: tuple[str, ...], timeout: float
) -> int:
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
    emit(invocation, _rendering(sandbox_up(ports.toolchain, ports.sandbox, request, _progress)))
    return 0


@sandbox.command()
@_name
@click.option("--cluster", "only", multiple=True, metavar="NAME", help="Stop only this one. Repeatable.")
@click.option("--keep-data", is_flag=True, help="Stop everything, keep data and credentials.")
@output_options
@click.pass_obj
def down(invocation: Invocation, *, name: str, only: tuple[str, ...], keep_data: bool) -> int:
    """Stop a sandbox and remove it, or stop single clusters (their data stays).

    \b
    Example:
      fleet sandbox down
      fleet sandbox down --cluster sandbox-2    # `fleet sandbox up` brings it back
    """
    stopped = sandbox_down(wiring.sandbox(name).sandbox, only, _progress, keep_data=keep_data)
    said = f"stopped: {', '.join(stopped)}" if stopped else f"nothing to stop: there is no sandbox {name!r}"
    document: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": "SandboxDown",
        "name": name,
        "stopped": list(stopped),
    }
    emit(invocation, Rendering(text=lambda _: f"{said}\n", data=lambda: document))
    return 0


@sandbox.command()
@_name
@output_options
@click.pass_obj
def status(invocation: Invocation, *, name: str) -> int:
    """Show every process: readiness, pid, port, memory, age. Exit code 1 unless all is ready.

    \b
    Example:
      fleet sandbox status -o json
    """
    found = sandbox_status(wiring.sandbox(name).sandbox)
    emit(invocation, _rendering(found))
    return 0 if found.state == "ready" else 1


@sandbox.command()
@_name
@click.option("--raw", is_flag=True, help="Print the content (it holds tokens), not the path.")
def kubeconfig(*, name: str, raw: bool) -> int:
    """Print the path of the kubeconfig: a context a cluster, and a read-only one for each.

    \b
    Example:
      export KUBECONFIG="$(fleet sandbox kubeconfig)"
    """
    path = sandbox_kubeconfig(wiring.sandbox(name).sandbox)
    echo(path.read_text(encoding="utf-8") if raw else f"{path}\n")
    return 0


def _progress(line: str) -> None:
    echo(f"{line}\n", err=True)


def _rendering(found: SandboxStatus) -> Rendering:
    return Rendering(text=lambda paint: _text(found, paint), data=lambda: _data(found))


def _data(found: SandboxStatus) -> JsonObject:
    """Sizes in bytes, times in seconds."""
    body: JsonObject = msgspec.to_builtins(found, enc_hook=str)  # paths are all that JSON does not know
    return {"apiVersion": API_VERSION, "kind": "SandboxStatus", **body}


def _text(found: SandboxStatus, paint: Paint) -> str:
    lines = [f"sandbox {found.name}: {paint(_COLOURS[found.state], found.state)}"]
    if found.state == "absent":
        return f"{lines[0]}\n"
    lines.append(f"kubeconfig: {found.kubeconfig}")
    lines += [f"{_line(process, paint)}  (shared by all)" for process in found.shared]
    for cluster in found.clusters:
        state = paint(_COLOURS[cluster.state], cluster.state)
        lines.append(f"{cluster.name}: {state}  {cluster.server}")
        lines += [_line(process, paint) for process in cluster.processes]
    return "\n".join(lines) + "\n"


def _line(process: ProcessStatus, paint: Paint) -> str:
    state = paint(_COLOURS[process.state], f"{process.state:<9}")
    pid = "-" if process.pid is None else str(process.pid)
    memory = "-" if process.rss is None else f"{process.rss // MEGABYTE} MB"
    age = "-" if process.uptime is None else _age(process.uptime)
    return f"  {process.name:<24}{state}{pid:>8}{process.port:>7}{memory:>8}{age:>6}"


def _age(seconds: float) -> str:
    for size, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if seconds >= size:
            return f"{seconds // size:.0f}{unit}"
    return f"{seconds:.0f}s"
