"""`python -m benchmarks pulumi_registration`: what it costs to register a Stack, without a CLI.

Deployments of one app are declared to a monitor that only answers, each size in a process of its own: by our program
with the cyclic collector paused, by it with the collector on, and by a hand-written program of bare resources.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.measure import ROOT, table

SIZES = (100, 1_000, 4_000)
RUNS = 3
GOAL = 1.5
PROGRAMS = ("ours", "ours, collector on", "bare")


def main() -> None:
    """Print milliseconds of CPU time a resource; the goal holds for ours."""
    rows: list[tuple[str, ...]] = []
    for size in SIZES:
        samples: dict[str, list[float]] = {name: [] for name in PROGRAMS}
        for _ in range(RUNS):
            for name in PROGRAMS:
                samples[name].append(_in_a_process(name, size))
        best = {name: min(values) for name, values in samples.items()}
        spread = statistics.median(samples["ours"])
        told = "yes" if best["ours"] <= GOAL else "NO"
        rows.append((str(size), *(f"{best[name]:.2f}" for name in PROGRAMS), f"{spread:.2f}", told))
    print(f"\nRegistering with Pulumi: ms of CPU time a resource, best of {RUNS} (goal: ours <= {GOAL})\n")
    table(("resources", *PROGRAMS, "ours, median", "goal met"), rows)


def _in_a_process(name: str, size: int) -> float:
    command = [sys.executable, "-m", "benchmarks.pulumi_registration", name, str(size)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return float(done.stdout)


def one_run(name: str, size: int) -> float:
    """Milliseconds of CPU time a resource for one run in this process; imports are not counted."""
    program = _bare(size) if name == "bare" else _ours(size, pause=name == "ours")
    started = time.process_time()
    program()
    return (time.process_time() - started) * 1000 / size


def _manifests(size: int) -> str:
    return "---\n".join(
        f"""apiVersion: apps/v1
kind: Deployment
metadata: {{name: d{number}, labels: {{app: d{number}}}}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: d{number}}}}}
  template:
    metadata: {{labels: {{app: d{number}}}}}
    spec:
      containers:
        - {{name: main, image: "registry.example/a:1", ports: [{{containerPort: 80}}]}}
"""
        for number in range(size)
    )


def _stack(size: int) -> Any:
    from fleetmgr.engine.registering import registered  # noqa: PLC0415 - only in the child process
    from tests.rendering.builders import render  # noqa: PLC0415 - only in the child process

    return registered(render({"a.yaml": _manifests(size)}))


def _ours(size: int, *, pause: bool) -> Callable[[], None]:
    from fleetmgr.adapters.pulumi.collector import paused  # noqa: PLC0415 - only in the child process
    from fleetmgr.adapters.pulumi.program import Selection, register  # noqa: PLC0415 - only in the child process

    selection = Selection(stack=_stack(size), context="bench")

    def program() -> None:
        if not pause:
            _run(lambda: register(selection))
            return
        with paused():
            _run(lambda: register(selection))

    return program


def _bare(size: int) -> Callable[[], None]:
    import pulumi  # noqa: PLC0415 - only in the child process

    stack = _stack(size)

    def declare() -> None:
        provider = pulumi.ProviderResource("kubernetes", "kubernetes", {"context": "bench"})
        for resource in stack.resources:
            options = pulumi.ResourceOptions(provider=provider, version="4.34.2")
            pulumi.CustomResource(resource.type, resource.name, resource.inputs, options)

    def program() -> None:
        gc.disable()
        _run(declare)

    return program


def _run(declare: Callable[[], None]) -> None:
    from pulumi.runtime import Settings, configure  # noqa: PLC0415 - only in the child process
    from pulumi.runtime.config import set_all_config  # noqa: PLC0415 - only in the child process
    from pulumi.runtime.stack import run_in_stack  # noqa: PLC0415 - only in the child process

    from tests.adapters.pulumi.recording import AnsweringMonitor, Silent  # noqa: PLC0415 - only in the child process

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    monitor: Any = AnsweringMonitor(project="shop", stack="dev-1")
    configure(Settings(project="shop", stack="dev-1", monitor=monitor, engine=Silent(), dry_run=True))
    set_all_config({})
    loop.run_until_complete(run_in_stack(declare))
    loop.run_until_complete(loop.shutdown_default_executor())
    if monitor.registered < len(SIZES):
        sys.exit("nothing was registered")


if __name__ == "__main__":
    print(one_run(sys.argv[1], int(sys.argv[2])))
