"""Control planes that end-to-end tests share: one sandbox of three clusters a run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleetmgr.adapters.toolchain.errors import ToolUnavailable
from fleetmgr.operations.sandbox import sandbox_down, sandbox_up
from fleetmgr.ports.sandbox import UpRequest
from fleetmgr.wiring import sandbox as wiring
from tests.e2e.admission import Admission, serving
from tests.e2e.fleets import Fleet

START_SECONDS = 240.0
LONG = (
    "test_restarts",
    "test_sandbox",
    "test_rollouts",
    "test_truth",
    "test_faults",
    "test_kill",
    "test_replace",
)
"""Files that take long, longest first: begun first, so that two workers end together."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files of LONG before all others."""
    rank = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxClusters:
    """Contexts in ``kubeconfig``; each has a read-only twin called ``<context>-reader``."""

    kubeconfig: Path
    contexts: tuple[str, ...]

    def kubectl(self, context: str, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl prints; a failure fails the test with kubectl's own words."""
        answer = self.try_kubectl(context, *arguments, stdin=stdin)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def try_kubectl(
        self, context: str, *arguments: str, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """kubectl's answer, whatever it is."""
        program = Path(sys.executable).with_name("kubectl")
        access = [f"--kubeconfig={self.kubeconfig}", f"--context={context}"]
        return subprocess.run(
            [str(program), *access, *arguments],
            capture_output=True,
            text=True,
            input=stdin,
            check=False,
        )


def sandbox_name() -> str:
    """Of the sandbox that this run, or this worker of it, works in."""
    name = os.environ.get("FLEET_E2E_SANDBOX", "e2e")  # noqa: TID251 - a switch of the test run
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")  # noqa: TID251 - set by pytest-xdist
    return f"{name}-{worker}" if worker else name


@pytest.fixture(scope="session")
def sandbox_clusters() -> Iterator[SandboxClusters]:
    """Three ready clusters, e2e-1 .. e2e-3; FLEET_E2E_KEEP=1 leaves them running, FLEET_E2E_SANDBOX=NAME uses
    another sandbox, so that two runs can go on at once. Each worker of one run has its own."""
    ports = wiring.sandbox(sandbox_name())
    request = UpRequest(clusters=3, only=(), timeout=START_SECONDS)
    try:
        status = sandbox_up(ports.toolchain, ports.sandbox, request, _say)
    except ToolUnavailable as error:
        pytest.skip(f"no control planes here: {error}")
    contexts = tuple(cluster.name for cluster in status.clusters)
    try:
        yield SandboxClusters(kubeconfig=status.kubeconfig, contexts=contexts)
    finally:
        if os.environ.get("FLEET_E2E_KEEP") != "1":  # noqa: TID251 - a switch of the test run
            sandbox_down(ports.sandbox, (), _say, keep_data=False)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


@pytest.fixture
def fleets(sandbox_clusters: SandboxClusters, tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    """Makes fleets of the test's own; what they leave on the clusters is removed afterwards."""
    made: list[Fleet] = []

    def make(count: int = 1) -> Fleet:
        made.append(Fleet(tmp_path / f"fleet{len(made)}", sandbox_clusters, count=count))
        return made[-1]

    yield make
    for fleet in made:
        fleet.discard()


@pytest.fixture
def admission(tmp_path: Path) -> Iterator[Admission]:
    """A running webhook server that allows everything."""
    with serving(tmp_path) as server:
        yield server
