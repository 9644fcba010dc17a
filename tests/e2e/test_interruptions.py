"""Killed in the middle: the next apply converges, nothing is lost or done twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.fleets import Fleet
from tests.e2e.test_engine_traps import CONFIG

pytestmark = pytest.mark.e2e

MANY = 24


def config_maps(first: int, last: int, value: str = "1") -> str:
    return "---".join(
        CONFIG.replace("settings", f"settings-{n}").replace('"1"', f'"{value}"') for n in range(first, last)
    )


@pytest.fixture
def fleet(fleets: Callable[..., Fleet]) -> Fleet:
    """One cluster, apps ``web`` and ``api``, prune on."""
    made = fleets()
    made.apps = [made.app("web"), made.app("api", dependsOn=["web"])]
    made.save()
    return made


def _kill_after_writes(fleet: Fleet, number: int) -> None:
    """Start an apply and kill -9 it as soon as it has told ``number`` progress lines of the apply."""
    with fleet.start("apply", "--yes") as running:
        assert running.stderr is not None
        seen = 0
        for line in running.stderr:
            seen += "preview" not in line
            if seen > number:
                break
        running.kill()


@pytest.mark.parametrize("moment", [0, 1, 6, 30])
def test_a_killed_apply_is_finished_by_the_next(fleet: Fleet, moment: int) -> None:
    fleet.manifests("web", config=config_maps(0, MANY))
    fleet.manifests("api", config=config_maps(100, 104))
    _kill_after_writes(fleet, moment)
    half = {k: v["metadata"]["uid"] for k, v in fleet.everything("configmap").items()} if moment else {}
    fleet.apply()
    fleet.assert_settled()
    whole = {k: v["metadata"]["uid"] for k, v in fleet.everything("configmap").items()}
    assert len([k for k in whole if "settings" in k]) == MANY + 4
    assert half.items() <= whole.items()
    assert sorted(fleet.records()) == ["api", "web"]


def test_an_app_that_leaves_after_a_killed_first_apply_is_pruned(fleet: Fleet) -> None:
    fleet.manifests("web", config=config_maps(0, MANY))
    fleet.manifests("api", config=config_maps(100, 104))
    _kill_after_writes(fleet, 6)
    assert fleet.everything("configmap").keys()
    fleet.apps = [fleet.app("api")]
    fleet.save()
    fleet.apply("--max-deletes", str(MANY))
    fleet.assert_settled()
    left = fleet.everything("configmap").keys()
    assert left == {f"ConfigMap/settings-{n}" for n in range(100, 104)}
    assert fleet.records() == ["api"]


def test_a_killed_prune_loses_track_of_nothing(fleet: Fleet) -> None:
    fleet.manifests("web", config=config_maps(0, MANY))
    fleet.manifests("api", config=config_maps(100, 104))
    fleet.apply()
    fleet.apps = [fleet.app("api")]
    fleet.defaults = {"limits": {"maxDeletes": "100%"}}
    fleet.save()
    _kill_after_writes(fleet, 3)
    fleet.apply()
    fleet.assert_settled()
    left = fleet.everything("configmap").keys()
    assert left == {f"ConfigMap/settings-{n}" for n in range(100, 104)}
    assert fleet.records() == ["api"]


def test_an_interrupt_says_130_and_leaves_no_trace_of_a_crash(fleet: Fleet) -> None:
    fleet.manifests("web", config=config_maps(0, MANY))
    fleet.manifests("api", config=config_maps(100, 104))
    with fleet.start("apply", "--yes") as running:
        assert running.stderr is not None
        first = running.stderr.readline()
        running.send_signal(2)
        _, rest = running.communicate(timeout=30)
    assert running.returncode == 130, first + rest
    assert "Traceback" not in rest
    fleet.apply()
    fleet.assert_settled()
