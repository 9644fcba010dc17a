"""Kill -9 at any moment of an apply, and apply again: it converges, no hook runs twice, nothing is lost."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

import pytest

from tests.e2e.fleets import Fleet
from tests.e2e.test_order import DEPLOYMENT, GONE, HOOK, JOB, WAVE, config, named, runs

pytestmark = pytest.mark.e2e

MOMENTS = 22


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


def test_killed_at_many_moments_it_converges_and_runs_nothing_twice(fleets: Callable[..., Fleet]) -> None:
    fleet = fleets()
    fleet.apps = [fleet.app("web"), fleet.app("api", dependsOn=["web"])]
    fleet.defaults = {"limits": {"maxDeletes": "100%"}}
    fleet.save()
    write(fleet, 0)
    fleet.apply()
    write(fleet, 1)
    began = time.monotonic()
    fleet.apply()
    whole = time.monotonic() - began
    finished = 0
    for step in range(2, MOMENTS + 2):
        write(fleet, step)
        moment = whole * (step - 1) / MOMENTS
        with fleet.start("apply", "--yes") as running:
            try:
                running.wait(timeout=moment)
                finished += 1
            except subprocess.TimeoutExpired:
                running.kill()
        fleet.apply()
        fleet.assert_settled()
        live = fleet.everything("configmap").keys() - {"ConfigMap/kube-root-ca.crt"}
        expected = {"settings", "late", "api", f"only-{step}", f"api-{step}"}
        assert live == {f"ConfigMap/{name}" for name in expected}, f"killed after {moment:.2f} s"
        for name in ("migrate", "during", "check"):
            assert len(runs(fleet, name)) == step + 1, f"{name} killed after {moment:.2f} s"
    assert finished < MOMENTS / 2
    assert set(fleet.everything("job")) == {"Job/migrate"}
    assert sorted(fleet.records()) == ["api", "web"]
