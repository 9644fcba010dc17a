"""Kill -9 in every part of an apply, and apply again: it converges, no hook runs twice, nothing is lost.

Each control plane of the sandbox takes a share of the moments, at the same time. FLEET_KILL_MOMENTS=all adds moments
that are spread over the time of an apply, wherever they fall.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests.e2e.conftest import SandboxClusters
from tests.e2e.fleets import Fleet
from tests.e2e.test_order import DEPLOYMENT, GONE, HOOK, JOB, WAVE, config, named, runs

pytestmark = pytest.mark.e2e

SAID = (
    "preview finished",
    "apply started",
    "/migrate: is running",
    "run as hooks Job $NS/migrate",
    "created ConfigMap $NS/only-",
    "/during: is running",
    "run as hooks Job $NS/during",
    "updated ConfigMap $NS/late",
    "/check: is running",
    "run as hooks Job $NS/check",
    "created ConfigMap $NS/api-",
    "deleted ConfigMap $NS/only-",
)
"""What a run says last: one of each kind of thing that it does."""
AFTER = 0.05
"""Seconds: at most so long after the words it is killed, so that what comes between two of them is hit as well."""
SPREAD = 22 if os.environ.get("FLEET_KILL_MOMENTS") == "all" else 0  # noqa: TID251 - a switch of the test run
WHOLE = 10.0
"""Seconds of an apply, roughly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a run is killed: so many seconds after it said ``said`` ("" = after its start)."""

    said: str
    seconds: float

    def kill(self, fleet: Fleet) -> None:
        """Start an apply and kill it then."""
        with fleet.start("apply", "--yes") as running:
            assert running.stderr is not None
            said = self.said.replace("$NS", fleet.ns)
            if said:
                heard = next((line for line in running.stderr if said in line), None)
                assert heard is not None, f"an apply never said {said!r}"
            try:
                running.wait(timeout=self.seconds)
            except subprocess.TimeoutExpired:
                running.kill()
        assert running.returncode in (0, -signal.SIGKILL)


def moments() -> list[Moment]:
    """Of each kind one, and with FLEET_KILL_MOMENTS=all many more."""
    kinds = [Moment(said=said, seconds=Random(said).uniform(0, AFTER)) for said in SAID]  # noqa: S311 - no secret
    return [*kinds, *(Moment(said="", seconds=WHOLE * n / SPREAD) for n in range(SPREAD))]


def write(fleet: Fleet, step: int) -> None:
    """Each step changes something, adds something and leaves something out."""
    fleet.manifests(
        settings=config("settings", str(step)),
        one=config(f"only-{step}"),
        late=config("late", str(step), WAVE.format(1)),
        web=named(DEPLOYMENT, "web"),
        migrate=named(JOB, "migrate", HOOK.format("PreSync")),
        during=named(JOB, "during", HOOK.format("Sync"), GONE),
        check=named(JOB, "check", HOOK.format("PostSync"), GONE),
    )
    fleet.manifests("api", one=config("api", str(step)), two=config(f"api-{step}"))


def kill_and_go_on(fleet: Fleet, chosen: list[Moment], stop: threading.Event) -> int:
    """How many moments were tried."""
    fleet.apps = [fleet.app("web"), fleet.app("api", dependsOn=["web"])]
    fleet.defaults = {"limits": {"maxDeletes": "100%"}}
    fleet.save()
    write(fleet, 0)
    fleet.apply()
    for step, moment in enumerate(chosen, start=1):
        if stop.is_set():
            return step - 1
        write(fleet, step)
        moment.kill(fleet)
        fleet.apply()
        fleet.assert_settled()
        live = fleet.everything("configmap").keys()
        expected = {"settings", "late", "api", f"only-{step}", f"api-{step}"}
        assert live == {f"ConfigMap/{name}" for name in expected}, moment
        for name in ("migrate", "during", "check"):
            assert len(runs(fleet, name)) == step + 1, (name, moment)
    assert set(fleet.everything("job")) == {"Job/migrate"}
    assert sorted(fleet.records()) == ["api", "web"]
    return len(chosen)


def test_killed_in_every_part_it_converges_and_runs_nothing_twice(
    sandbox_clusters: SandboxClusters, tmp_path: Path
) -> None:
    stop = threading.Event()
    made: list[Fleet] = []
    for number in range(len(sandbox_clusters.contexts)):
        contexts = (sandbox_clusters.contexts[number],)
        one = SandboxClusters(kubeconfig=sandbox_clusters.kubeconfig, contexts=contexts)
        made.append(Fleet(tmp_path / f"fleet{number}", one))

    def share(number: int) -> int:
        try:
            return kill_and_go_on(made[number], moments()[number :: len(made)], stop)
        except BaseException:
            stop.set()
            raise

    try:
        with ThreadPoolExecutor(len(made)) as pool:
            assert sum(pool.map(share, range(len(made)))) == len(moments())
    finally:
        for fleet in made:
            fleet.discard()
