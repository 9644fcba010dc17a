"""The fleet's own health rules hold while an apply waits."""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.errors import ExitCode
from fleetmgr.health.custom import CustomRules
from fleetmgr.spec.health import KindHealth
from tests.operations.worlds import App, World, config


def test_an_apply_waits_by_them() -> None:
    world = World()
    world.apps["web"] = App(manifests=[config(state="bad")])
    rule = {"status": "Degraded", "when": "self.data.state == 'bad'", "message": "is bad"}
    rules = CustomRules(
        [KindHealth.model_validate({"kind": "ConfigMap", "rules": [rule], "default": "Healthy"})]
    )
    world.entry = replace(world.entry, health=rules)
    report = world.apply()
    assert report.exit_code is ExitCode.FAILED
    assert [(h.status.value, h.message) for h in report.health] == [
        ("Degraded", "ConfigMap shop/settings: is bad")
    ]
    world.apps["web"] = App(manifests=[config(state="good")])
    assert world.apply().exit_code is ExitCode.OK
