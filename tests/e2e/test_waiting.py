"""``fleet explain --waiting`` on a real control plane: an app whose dependency is Degraded, at one remove."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.fleets import Answer, Fleet
from tests.e2e.test_order import NEVER, config, named

pytestmark = pytest.mark.e2e


def apps_of(answer: Answer) -> dict[str, dict[str, Any]]:
    """By name, on the only cluster."""
    assert answer.code == 0, answer.text
    return {app["name"]: app for app in answer.data["clusters"][0]["apps"]}


def test_a_degraded_dependency_is_said_to_hold_up_what_an_apply_leaves_out(
    fleets: Callable[..., Fleet],
) -> None:
    fleet = fleets()
    fleet.defaults = {"limits": {"maxDeletes": "100%"}}
    fleet.apps = [
        fleet.app("db"),
        fleet.app("api", dependsOn=["db"]),
        fleet.app("web", dependsOn=["api"]),
    ]
    fleet.save()
    for name in ("db", "api", "web"):
        fleet.manifests(name, own=config(name))
    fleet.apply()
    assert {app["state"] for app in apps_of(waits(fleet)).values()} == {"clear"}

    fleet.manifests("db", own=config("db"), job=named(NEVER, "load"))
    fleet.manifests("web", own=config("web", "2"))
    before = apps_of(waits(fleet))
    assert [(w["on"], w["state"]) for w in before["web"]["waits"]] == [("api", "in-order")]
    report = fleet.apply(code=1)
    assert ("update", "ConfigMap/web", "skipped") in report.results()  # though api has nothing to write
    found = apps_of(waits(fleet))
    assert (found["db"]["state"], found["db"]["waits"][0]["kind"]) == ("stuck", "health")
    assert "Job" in found["db"]["waits"][0]["why"]
    assert [(w["kind"], w["on"], w["state"]) for w in found["web"]["waits"]] == [("app", "api", "stuck")]
    assert found["web"]["pending"] == 1
    text = fleet.run("explain", "web@one", "--waiting").out
    assert "waits for app db: Degraded: Job" in text

    fleet.manifests("db", own=config("db"))
    assert apps_of(waits(fleet))["web"]["state"] == "in-order"
    fleet.apply()
    assert {app["state"] for app in apps_of(waits(fleet)).values()} == {"clear"}


def waits(fleet: Fleet) -> Answer:
    return fleet.run("explain", "--waiting", "-o", "json")
