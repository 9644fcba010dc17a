"""A saved plan is applied while it is true, once, and not a byte otherwise."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleetmgr.errors import ExitCode, FleetError
from fleetmgr.model.change import Plan
from fleetmgr.model.report import Report
from fleetmgr.model.saved_plan import PlanFile
from fleetmgr.model.selection import Selection
from fleetmgr.operations import saved as saved_plans
from fleetmgr.operations.apply import apply
from fleetmgr.operations.saved import (
    AppliedBefore,
    OtherFleet,
    OtherRevision,
    OtherVersion,
    StalePlan,
    as_saved,
    replan,
    save,
)
from fleetmgr.planner.plan_file import decode, encode
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import AccessDenied, ClusterError
from tests.operations.fleet_in_memory import FleetInMemory, codes
from tests.operations.worlds import config

CANARY = "hunter2-CANARY"
KEY = ("Secret", "fleetmgr-system", "shop.dev-1.fleetmgr.key")


class Saving(FleetInMemory):
    """Keeps plans as bytes and applies them."""

    def put(self, *manifests: str, app: str = "web") -> None:
        """What Git wants of the app, exactly."""
        (self.root / "apps" / app / "all.yaml").write_text("\n---\n".join(manifests), encoding="utf-8")

    def keep(self, **selection: Any) -> bytes:
        """``fleet plan --out``."""
        walk = self.walk()
        plan = self.plan(walk, **selection)
        return encode(save(walk, plan, Selection(**selection)), "text", packed=False)[0]

    def check(self, content: bytes) -> tuple[Any, Plan]:
        """What ``fleet apply FILE`` does before it asks."""
        walk, saved = as_saved(self.walk(), self.read(content), name="plan.json")
        return walk, replan(walk, saved, self.events.append)

    def read(self, content: bytes) -> PlanFile:
        return decode(content, name="plan.json")

    def perform(self, content: bytes) -> Report:
        """``fleet apply FILE --yes``."""
        walk, plan = self.check(content)
        return apply(walk, plan, Selection(), self.events.append, wait=True, timeout=None)

    def refused(self, content: bytes, kind: type[FleetError] = StalePlan) -> list[str]:
        """The problems for which it is not applied; nothing is written then."""
        self.written()
        with pytest.raises(kind) as raised:
            self.perform(content)
        assert raised.value.exit_code is ExitCode.STALE
        assert not any(self.written().values())
        problems = raised.value.problems if isinstance(raised.value, StalePlan) else [raised.value.problem()]
        return [str(problem) for problem in problems]


def secret(name: str = "db", **data: str) -> str:
    coded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return yaml.safe_dump({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": coded})


@pytest.fixture
def fleet(tmp_path: Path) -> Saving:
    made = Saving(tmp_path, {"dev": ["dev-1"]})
    made.put(config("a"))
    return made


def test_a_saved_plan_is_applied_once(fleet: Saving) -> None:
    content = fleet.keep()
    report = fleet.perform(content)
    assert codes(report) == {"dev-1": 0}
    assert fleet.clusters["dev-1"].body("ConfigMap", "shop", "a")
    assert report.plan_id == fleet.read(content).id
    (message,) = fleet.refused(content, AppliedBefore)
    assert "was applied at" in message
    assert "by tester" in message


def test_two_equal_plans_are_two_plans(fleet: Saving) -> None:
    first, second = fleet.keep(), fleet.keep()
    assert fleet.read(first).id != fleet.read(second).id
    fleet.perform(first)
    assert fleet.refused(second)


def test_what_was_healed_in_between_and_broken_again_is_not_applied(fleet: Saving) -> None:
    fleet.apply()
    cluster = fleet.clusters["dev-1"]
    cluster.edit("ConfigMap", "shop", "a", {"data": {"a": "x"}})
    content = fleet.keep()
    fleet.apply()
    cluster.edit("ConfigMap", "shop", "a", {"data": {"a": "x"}})
    (message,) = fleet.refused(content)
    assert "app web was applied at" in message


def test_a_field_that_moved_is_named_with_both_values(fleet: Saving) -> None:
    fleet.apply()
    fleet.put(config("a", a="2"))
    content = fleet.keep()
    fleet.clusters["dev-1"].edit("ConfigMap", "shop", "a", {"data": {"a": "9"}})
    (message,) = fleet.refused(content)
    assert "dev-1 / v1/ConfigMap/shop/a / /data/a" in message
    assert 'is "9" on the cluster now, was "1"' in message


def test_a_change_that_nobody_planned_is_named(fleet: Saving) -> None:
    fleet.put(config("a"), config("b"))
    fleet.apply()
    fleet.put(config("a", a="2"), config("b"))
    content = fleet.keep()
    fleet.clusters["dev-1"].edit("ConfigMap", "shop", "b", {"data": {"a": "9"}})
    (message,) = fleet.refused(content)
    assert "ConfigMap shop/b: update is not in the saved plan" in message


def test_an_object_that_was_replaced_by_an_equal_one_is_noticed(fleet: Saving) -> None:
    fleet.apply()
    fleet.put(config("a", a="2"))
    content = fleet.keep()
    cluster = fleet.clusters["dev-1"]
    body = cluster.body("ConfigMap", "shop", "a")
    assert body is not None
    cluster.remove("ConfigMap", "shop", "a")
    del body["metadata"]["uid"]
    cluster.create(body, manager="fleetmgr:shop")
    assert fleet.refused(content)


def test_a_changed_source_is_noticed_though_the_changes_are_the_same(fleet: Saving) -> None:
    """What the new file says is live already, so no change shows it."""
    fleet.put(config("a"), config("b", x="1"))
    fleet.apply()
    fleet.put(config("a", a="2"), config("b", x="1"))
    content = fleet.keep()
    fleet.put(config("a", a="2"), config("b", x="2"))
    fleet.clusters["dev-1"].edit("ConfigMap", "shop", "b", {"data": {"x": "2"}})
    assert any("app web" in m or "shop/b" in m for m in fleet.refused(content))


def test_another_fleet_yaml_fleet_or_version_is_told(fleet: Saving, monkeypatch: pytest.MonkeyPatch) -> None:
    content = fleet.keep()
    fleet.more = {"defaults": {"timeout": "60s", "sync": {"prune": False}}}
    assert "fleet.yaml" in fleet.refused(content, OtherRevision)[0]
    fleet.more = {"name": "other"}
    assert "of fleet shop, this is fleet other" in fleet.refused(content, OtherFleet)[0]
    fleet.more = {}
    monkeypatch.setattr(saved_plans, "__version__", "99.0")
    assert "and this is fleetmgr 99.0" in fleet.refused(content, OtherVersion)[0]


def test_no_cluster_is_asked_for_a_plan_that_cannot_be_applied(fleet: Saving) -> None:
    content = fleet.keep()
    fleet.more = {"name": "other"}
    before = fleet.clusters["dev-1"].requests
    fleet.refused(content, OtherFleet)
    assert fleet.clusters["dev-1"].requests == before


def test_a_cluster_that_was_not_looked_at_is_not_written_to(tmp_path: Path) -> None:
    fleet = Saving(tmp_path, {"dev": ["dev-1", "dev-2"]})
    fleet.put(config("a"))
    fleet.dead = {"dev-2"}
    content = fleet.keep()
    fleet.dead = set()
    report = fleet.perform(content)
    assert codes(report) == {"dev-1": 0, "dev-2": 4}
    assert fleet.clusters["dev-2"].body("ConfigMap", "shop", "a") is None
    assert report.clusters[1].failure is not None
    assert "not in the saved plan" in report.clusters[1].failure.problem.message


def test_a_cluster_that_died_stops_nobody(tmp_path: Path) -> None:
    fleet = Saving(tmp_path, {"dev": ["dev-1", "dev-2"]})
    fleet.put(config("a"))
    content = fleet.keep()
    fleet.dead = {"dev-2"}
    assert codes(fleet.perform(content)) == {"dev-1": 0, "dev-2": 4}


def test_one_changed_cluster_keeps_all_from_being_written(tmp_path: Path) -> None:
    fleet = Saving(tmp_path, {"dev": ["dev-1", "dev-2"]})
    fleet.put(config("a"))
    fleet.apply()
    fleet.put(config("a", a="2"))
    content = fleet.keep()
    fleet.clusters["dev-2"].edit("ConfigMap", "shop", "a", {"data": {"a": "9"}})
    (message,) = fleet.refused(content)
    assert message.startswith("dev-2")


def test_the_selection_is_that_of_the_plan(tmp_path: Path) -> None:
    fleet = Saving(tmp_path, {"dev": ["dev-1", "dev-2"]})
    fleet.put(config("a"))
    content = fleet.keep(clusters=("dev-2",))
    assert codes(fleet.perform(content)) == {"dev-2": 0}


# -- Secrets -----------------------------------------------------------------------------------------------------


def with_secret(fleet: Saving, value: str = CANARY) -> bytes:
    """The Secret is live with ``value``; the plan changes something else of it."""
    fleet.put(config("a"), secret(password=value))
    fleet.apply()
    fleet.put(config("a"), secret(password=f"{value}-2"))
    return fleet.keep()


def assert_secret(content: bytes, *values: str) -> None:
    """Neither a value nor a plain digest of one is in the file."""
    for value in values:
        for form in (value.encode(), base64.b64encode(value.encode())):
            assert form not in content


def test_the_value_of_a_secret_is_bound_by_a_key_that_stays_on_the_cluster(fleet: Saving) -> None:
    content = with_secret(fleet)
    assert_secret(content, CANARY, f"{CANARY}-2")
    cluster = fleet.clusters["dev-1"]
    key = cluster.body(*KEY)
    assert key is not None
    assert key["data"]["key"].encode() not in content
    assert fleet.read(content).saved is not None
    cluster.edit("Secret", "shop", "db", {"data": {"password": base64.b64encode(b"another").decode()}})
    (message,) = fleet.refused(content)
    assert "v1/Secret/shop/db" in message
    assert_secret(message.encode(), CANARY, f"{CANARY}-2", "another")


def test_a_secret_whose_value_in_git_changes_is_noticed(fleet: Saving) -> None:
    content = with_secret(fleet)
    fleet.put(config("a"), secret(password=f"{CANARY}-3"))
    assert any("v1/Secret/shop/db" in message for message in fleet.refused(content))


def test_a_secret_as_planned_is_applied(fleet: Saving) -> None:
    content = with_secret(fleet)
    assert codes(fleet.perform(content)) == {"dev-1": 0}
    live = fleet.clusters["dev-1"].body("Secret", "shop", "db")
    assert live is not None
    assert base64.b64decode(live["data"]["password"]).decode() == f"{CANARY}-2"


def deny_key(verb: str, resource: ApiResource | None) -> ClusterError | None:
    if verb == "get" and resource is not None and resource.kind == "Secret":
        return AccessDenied("secrets is forbidden", cluster="dev-1")
    return None


def test_without_the_key_a_secret_is_bound_by_uid_and_version(fleet: Saving) -> None:
    fleet.put(config("a"), secret(password=CANARY))
    fleet.apply()
    fleet.put(config("a"), secret(word="other"))
    cluster = fleet.clusters["dev-1"]
    cluster.fault = deny_key
    content = fleet.keep()
    cluster.fault = None
    saved = fleet.read(content).saved
    assert saved is not None
    assert "uid and resourceVersion" in saved.clusters[0].note
    assert saved.clusters[0].key_id == ""
    assert_secret(content, CANARY, "other")
    cluster.edit("Secret", "shop", "db", {"metadata": {"annotations": {"by": "somebody"}}})
    (message,) = fleet.refused(content)
    assert "resourceVersion" in message


def test_a_key_that_was_replaced_or_may_not_be_read_is_told(fleet: Saving) -> None:
    content = with_secret(fleet)
    cluster = fleet.clusters["dev-1"]
    cluster.remove(*KEY)
    assert "key for digests of Secrets" in fleet.refused(content)[0]
    fleet.keep()  # makes another one
    assert "key for digests of Secrets" in fleet.refused(content)[0]


def test_a_plan_makes_nothing_on_a_cluster_that_no_apply_has_touched(fleet: Saving) -> None:
    fleet.put(config("a"), secret(password=CANARY))
    fleet.written()
    content = fleet.keep()
    assert not fleet.clusters["dev-1"].log
    assert_secret(content, CANARY)
    assert codes(fleet.perform(content)) == {"dev-1": 0}


def test_a_fleet_without_secrets_has_no_key(fleet: Saving) -> None:
    fleet.apply()
    fleet.put(config("a", a="2"))
    fleet.keep()
    assert fleet.clusters["dev-1"].body(*KEY) is None


def test_the_key_of_another_run_that_was_faster_holds(fleet: Saving) -> None:
    content = with_secret(fleet)
    key = fleet.clusters["dev-1"].body(*KEY)
    saved = fleet.read(content).saved
    again = fleet.read(fleet.keep()).saved
    assert saved is not None
    assert again is not None
    assert saved.clusters[0].key_id == again.clusters[0].key_id
    assert fleet.clusters["dev-1"].body(*KEY) == key


def test_the_file_says_what_it_is(fleet: Saving) -> None:
    document = json.loads(fleet.keep())
    assert (document["apiVersion"], document["kind"]) == ("plan.fleetmgr.dev/v1", "SavedPlan")
    assert document["digest"].startswith("sha256:")
    assert document["fleet"] == "shop"
