"""What was reviewed is what is done, once, on real control planes; and no file or output ever holds a Secret."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.fleets import Answer, Fleet
from tests.e2e.test_engine_traps import CONFIG

pytestmark = pytest.mark.e2e

CANARY = "hunter2-CANARY"
DATABASE = """
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: $NS}
stringData: {password: $VALUE}
"""


@pytest.fixture
def fleet(fleets: Callable[..., Fleet]) -> Fleet:
    """One cluster; ConfigMap ``settings`` and Secret ``db`` are live, everything is committed."""
    made = fleets()
    made.save()
    want(made, "1", CANARY)
    made.apply()
    return made


def want(fleet: Fleet, value: str, secret: str) -> None:
    """Commit these values."""
    config = CONFIG.replace('"1"', f'"{value}"')
    fleet.manifests(config=config, secret=DATABASE.replace("$VALUE", secret))
    fleet.commit()


def keep(fleet: Fleet, name: str = "plan.json", *arguments: str, code: int = 0) -> Answer:
    """Plan into a file outside of the repository."""
    answer = fleet.run("plan", "--out", str(fleet.root.parent / name), *arguments)
    assert answer.code == code, answer.text
    return answer


def use(fleet: Fleet, *arguments: str, name: str = "plan.json", code: int = 0) -> Answer:
    answer = fleet.run("apply", str(fleet.root.parent / name), "--yes", *arguments)
    assert answer.code == code, answer.text
    return answer


def state(fleet: Fleet) -> dict[str, str]:
    """resourceVersions: whether anything at all was written."""
    return {k: v["metadata"]["resourceVersion"] for k, v in fleet.everything("configmap,secret").items()}


def canaries() -> Iterator[str]:
    for value in (CANARY, f"{CANARY}-2", f"{CANARY}-3"):
        yield value
        yield base64.b64encode(value.encode()).decode()


def assert_no_secret(*texts: str) -> None:
    for text in texts:
        assert not [c for c in canaries() if c in text]


def test_a_plan_is_applied_as_it_was_reviewed_and_only_once(fleet: Fleet) -> None:
    want(fleet, "2", f"{CANARY}-2")
    kept = keep(fleet)
    file = fleet.root.parent / "plan.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    shown = fleet.run("show", str(file))
    assert "ConfigMap" in shown.out
    assert "stale" not in shown.out
    done = use(fleet, "-o", "json")
    assert done.data["planId"] == json.loads(fleet.run("show", str(file), "-o", "json").out)["id"]
    assert fleet.get("configmap", "settings")["data"]["a"] == "2"
    password = fleet.get("secret", "db")["data"]["password"]
    assert base64.b64decode(password).decode() == f"{CANARY}-2"
    before = state(fleet)
    again = use(fleet, code=6)
    assert "was applied at" in again.err
    assert state(fleet) == before
    assert_no_secret(file.read_text(), kept.text, shown.text, done.text, again.text)
    fleet.assert_settled()


def test_a_change_on_the_cluster_is_exit_6_and_names_object_and_field(fleet: Fleet) -> None:
    want(fleet, "2", CANARY)
    keep(fleet)
    fleet.kubectl("patch", "configmap", "settings", "--type=merge", "-p", '{"data": {"a": "9"}}')
    before = state(fleet)
    answer = use(fleet, "-o", "json", code=6)
    (problem,) = answer.data["errors"]
    assert problem["where"]["object"] == f"v1/ConfigMap/{fleet.ns}/settings"
    assert problem["where"]["field"] == "/data/a"
    assert '"9"' in problem["message"]
    assert state(fleet) == before


def test_a_status_or_a_label_of_somebody_else_makes_no_plan_stale(fleet: Fleet) -> None:
    want(fleet, "2", CANARY)
    keep(fleet)
    fleet.kubectl("label", "configmap", "settings", "team=somebody")
    use(fleet)
    assert fleet.get("configmap", "settings")["metadata"]["labels"]["team"] == "somebody"


def test_an_ignored_field_may_move_and_the_one_beside_it_may_not(fleet: Fleet) -> None:
    fleet.apps = [fleet.app("web", ignoreDifferences=[{"kind": "ConfigMap", "pointers": ["/data/free"]}])]
    fleet.save()
    config = CONFIG.replace('a: "1"', 'a: "1", free: "1"')
    fleet.manifests(config=config)
    fleet.commit()
    fleet.apply()
    fleet.manifests(config=config.replace('a: "1"', 'a: "2"'))
    fleet.commit()
    keep(fleet)
    fleet.kubectl("patch", "configmap", "settings", "--type=merge", "-p", '{"data": {"free": "7"}}')
    use(fleet)
    assert fleet.get("configmap", "settings")["data"] == {"a": "2", "free": "7"}
    fleet.assert_settled()


@pytest.mark.parametrize("how", ["replaced", "deleted"])
def test_an_object_that_is_not_the_one_that_was_looked_at(fleet: Fleet, how: str) -> None:
    want(fleet, "2", CANARY)
    keep(fleet)
    live = fleet.get("configmap", "settings")
    fleet.kubectl("delete", "configmap", "settings")
    if how == "replaced":
        live["metadata"] = {k: live["metadata"][k] for k in ("name", "namespace", "labels", "annotations")}
        fleet.kubectl("create", "-f", "-", stdin=json.dumps(live))
    assert "v1/ConfigMap" in use(fleet, code=6).err


def test_the_value_of_a_secret_is_bound_without_being_there(fleet: Fleet) -> None:
    want(fleet, "1", f"{CANARY}-2")
    kept = keep(fleet)
    file = (fleet.root.parent / "plan.json").read_text()
    assert "hmac-sha256:" in file
    other = base64.b64encode(f"{CANARY}-3".encode()).decode()
    fleet.kubectl("patch", "secret", "db", "--type=merge", "-p", json.dumps({"data": {"password": other}}))
    answer = use(fleet, code=6)
    assert f"v1/Secret/{fleet.ns}/db" in answer.err
    assert_no_secret(file, kept.text, answer.text)


def test_a_reader_can_keep_a_plan_and_secrets_are_then_bound_by_version(fleet: Fleet) -> None:
    want(fleet, "2", f"{CANARY}-2")
    writer = fleet.entries
    fleet.sandbox.kubectl(
        fleet.sandbox.contexts[0],
        *("-n", "fleetmgr-system", "delete", "secret", f"{fleet.name}.one.fleetmgr.key"),
    )
    access = {**writer[0]["access"], "context": f"{fleet.sandbox.contexts[0]}-reader"}
    fleet.entries = [{**writer[0], "access": access}]
    fleet.save()
    fleet.commit()
    kept = keep(fleet)
    assert "uid and resourceVersion" in kept.err
    assert_no_secret((fleet.root.parent / "plan.json").read_text(), kept.text)
    fleet.kubectl("label", "secret", "db", "team=somebody")
    assert "resourceVersion" in use(fleet, code=6).err


def test_what_is_not_this_plan_any_more_is_told_before_a_cluster_is_asked(fleet: Fleet) -> None:
    want(fleet, "2", CANARY)
    keep(fleet)
    file = fleet.root.parent / "plan.json"
    whole = file.read_text()
    file.write_text(whole[: len(whole) // 2])
    assert "FLT-2046" in use(fleet, code=1).err
    file.write_text(whole.replace('"a"', '"b"', 1))
    assert "FLT-2046" in use(fleet, code=1).err
    file.write_text(whole)
    assert "FLT-6400" in use(fleet, "-a", "web", code=64).err
    fleet.write("notes.txt", "not committed")
    assert "FLT-2049" in use(fleet, code=6).err
    fleet.commit()
    answer = use(fleet, code=6)
    assert "FLT-2049" in answer.err
    shown = fleet.run("show", str(file))
    assert "stale since 20" in shown.out
    assert shown.code == 0
    fleet.git("reset", "-q", "--hard", "HEAD~1")
    name, fleet.name = fleet.name, "other"
    fleet.save()
    fleet.name = name
    assert "FLT-2048" in use(fleet, code=6).err
    fleet.git("checkout", "-q", "fleet.yaml")
    use(fleet)


def test_one_stale_cluster_of_three_keeps_all_as_they_are(fleets: Callable[..., Fleet]) -> None:
    fleet = fleets(3)
    fleet.save()
    want(fleet, "1", CANARY)
    fleet.apply()
    want(fleet, "2", CANARY)
    keep(fleet, "plan.json.gz")
    fleet.kubectl("delete", "configmap", "settings", cluster=2)
    answer = use(fleet, name="plan.json.gz", code=6)
    assert "three" in answer.err
    assert [fleet.get("configmap", "settings", cluster=n)["data"]["a"] for n in (0, 1)] == ["1", "1"]


def test_a_selection_is_kept_with_the_plan(fleets: Callable[..., Fleet]) -> None:
    fleet = fleets(2)
    fleet.save()
    want(fleet, "1", CANARY)
    keep(fleet, "plan.json", "-c", "two")
    use(fleet)
    assert fleet.get("configmap", "settings", cluster=1)
    assert not fleet.get("configmap", "settings", cluster=0)


def test_the_plan_of_a_first_contact_writes_nothing_and_can_be_applied(fleets: Callable[..., Fleet]) -> None:
    fleet = fleets()
    fleet.save()
    want(fleet, "1", CANARY)
    keep(fleet)
    assert_no_secret((fleet.root.parent / "plan.json").read_text())
    assert not fleet.records()
    use(fleet)
    fleet.assert_settled()
    assert base64.b64decode(fleet.get("secret", "db")["data"]["password"]).decode() == CANARY
