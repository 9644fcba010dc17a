"""``fleet explain --waiting``: what waits for what, from what is live and what the clusters remember."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from fleetmgr.engine.lease import lease_body
from fleetmgr.errors import ExitCode
from fleetmgr.model.event import Soaking
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.lease import Holder
from fleetmgr.model.selection import Selection
from fleetmgr.model.verdict import Verdict
from fleetmgr.model.waiting import AppWaiting, ClusterWaiting, FleetWaiting, Wait, WaitKind, WaitState
from fleetmgr.operations.embedded.entry import Entry
from fleetmgr.operations.embedded.lease import LEASES, read_entry
from fleetmgr.operations.rollouts.verbs import ask
from fleetmgr.operations.waiting import waiting
from fleetmgr.planner.outcome import settle
from fleetmgr.reporting.waiting import waiting_data, waiting_text
from tests.operations.fleet_in_memory import FleetInMemory
from tests.operations.test_hooks import job
from tests.operations.test_rollouts import Inline, fleet_of, when
from tests.operations.test_waves import after, wave
from tests.operations.worlds import config, deployment
from tests.reporting.schemas import problems_of


def app(name: str, *needs: str) -> dict[str, Any]:
    source = {"type": "manifests", "path": f"apps/{name}"}
    return {"name": name, "namespace": "shop", "source": source, "dependsOn": list(needs)}


def write(fleet: FleetInMemory, name: str, *manifests: str) -> None:
    folder = fleet.root / "apps" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "all.yaml").write_text("\n---\n".join(manifests), encoding="utf-8")


@pytest.fixture
def fleet(tmp_path: Path) -> FleetInMemory:
    """web needs api, api needs db; all is applied and Healthy."""
    apps = [app("web", "api"), app("api", "db"), app("db")]
    made = FleetInMemory(tmp_path, {"dev": ["dev-1"], "prod": ["prod-1"]}, apps=apps)
    write(made, "db", deployment("db"))
    write(made, "api", deployment("api"))
    made.commit("one")
    made.apply()
    return made


def look(fleet: FleetInMemory, *, only: str | None = None, **selection: Any) -> FleetWaiting:
    found = waiting(fleet.walk(), Selection(**selection), fleet.events.append, only=only)
    assert problems_of(waiting_data(found, verdict_of(found))) == []
    return found


def verdict_of(found: FleetWaiting) -> Verdict:
    return settle({c.cluster: c.failure.exit_code if c.failure else ExitCode.OK for c in found.clusters})


def of(found: FleetWaiting, cluster: str = "dev-1") -> ClusterWaiting:
    return next(c for c in found.clusters if c.cluster == cluster)


def of_app(found: FleetWaiting, name: str) -> AppWaiting:
    return next(a for a in of(found).apps if a.app == name)


def told(waits: tuple[Wait, ...]) -> list[tuple[str, str, str]]:
    return [(w.kind.value, w.on, w.state.value) for w in waits if w.state is not WaitState.CLEAR]


def degrade(fleet: FleetInMemory, name: str, cluster: str = "dev-1") -> None:
    """Its rollout does not come to an end any more."""
    condition: JsonObject = {
        "type": "Progressing",
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "message": "no image",
    }
    fleet.clusters[cluster].edit("Deployment", "shop", name, {"status": {"conditions": [condition]}})


def test_a_fleet_at_rest_waits_for_nothing(fleet: FleetInMemory) -> None:
    found = look(fleet)
    assert {c.state for c in found.clusters} == {WaitState.CLEAR}
    assert waiting_text(found) == "Fleet shop at one: no app waits for anything\n"
    assert of_app(found, "api").order.needed_by == ("web",)


def test_a_degraded_dependency_holds_up_what_needs_it_however_far(fleet: FleetInMemory) -> None:
    degrade(fleet, "db")
    fleet.image("web:2")
    found = look(fleet)
    web, api, db = (of_app(found, name) for name in ("web", "api", "db"))
    assert (db.state, db.waits[0].kind) == (WaitState.STUCK, WaitKind.HEALTH)
    assert told(api.waits) == [("app", "db", "stuck")]
    assert (api.pending, api.state) == (0, WaitState.CLEAR)  # nothing of it is to be written
    assert (web.pending, web.state) == (2, WaitState.STUCK)
    assert (told(web.waits), web.waits[0].why) == ([("app", "api", "stuck")], "waits for app db in turn")
    text = waiting_text(found)
    assert text.index("dev-1: stuck") < text.index("prod-1: goes in order")
    assert "  web: stuck (Healthy, 2 changes)\n    waits for app api: waits for app db in turn" in text
    assert "\n      waits for app db: Degraded: Deployment shop/db: " in text
    assert "  api: nothing to wait for (Healthy, nothing to write); its next change would wait:" in text


def test_what_an_apply_would_hold_up_is_what_is_said_to_wait(fleet: FleetInMemory) -> None:
    degrade(fleet, "db")
    fleet.image("web:2", broken=["dev-1"])
    stuck = of_app(look(fleet), "web")
    report = fleet.apply(clusters=("dev-1",))
    skipped = [r for c in report.clusters for r in c.results if r.outcome.value == "skipped"]
    assert len(skipped) == stuck.pending


def test_changes_of_a_dependency_come_first(fleet: FleetInMemory) -> None:
    write(fleet, "db", deployment("db", image="db:2"))
    fleet.image("web:2")
    found = look(fleet)
    assert told(of_app(found, "api").waits) == [("app", "db", "in-order")]
    assert of_app(found, "api").waits[0].why == "1 change is written first"
    assert of_app(found, "web").state is WaitState.IN_ORDER


def test_a_conflict_of_a_dependency_is_named(fleet: FleetInMemory) -> None:
    write(fleet, "db", deployment("db"), config("taken"))
    fleet.clusters["dev-1"].create(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "taken", "namespace": "shop"}}
    )
    found = look(fleet, apps=("api",))
    assert [a.app for a in of(found).apps] == ["db", "api"]
    wait = of_app(found, "api").waits[0]
    assert wait.state is WaitState.STUCK
    assert wait.why.startswith("cannot be written: ConfigMap shop/taken: ")


def test_the_steps_of_an_app_wait_for_each_other(fleet: FleetInMemory) -> None:
    write(
        fleet,
        "db",
        job("migrate", "PreSync"),
        deployment("db", image="db:2"),
        after(config("users"), "apps/namespaces/shop/Deployment/db"),
        wave(config("late"), 3),
        job("check", "PostSync"),
    )
    found = look(fleet)
    waits = of_app(found, "db").waits
    assert [(w.kind.value, w.on, [r.name for r in w.objects]) for w in waits] == [
        ("hook", "PreSync Job shop/migrate", ["db"]),
        ("depends-on", "Deployment shop/db", ["users"]),
        ("sync-wave", "wave 0", ["late"]),
        ("sync-wave", "the whole app", ["check"]),
    ]
    assert {w.state for w in waits} == {WaitState.IN_ORDER}
    whole = waiting_text(look(fleet, apps=("db",), clusters=("dev-1",)), whole=True)
    assert "    1. PreSync, wave 0: Job shop/migrate\n" in whole
    assert "    4. Sync, wave 3: ConfigMap shop/late (waits for what comes before to be Healthy)" in whole


def test_an_earlier_wave_that_is_ill_holds_the_later_one(fleet: FleetInMemory) -> None:
    degrade(fleet, "db")
    write(fleet, "db", deployment("db"), wave(config("late"), 3))
    db = of_app(look(fleet), "db")
    assert told(db.waits) == [("sync-wave", "wave 0", "stuck")]
    assert db.waits[0].why.startswith("Deployment shop/db is Degraded: ")


def test_environments_and_waves_and_windows(tmp_path: Path) -> None:
    fleet = fleet_of(tmp_path)
    fleet.environment_more["prod"]["windows"] = [
        {"kind": "deny", "schedule": "0 0 * * *", "duration": "24h", "timezone": "UTC"}
    ]
    fleet.commit("one")
    found = look(fleet)
    assert told(of(found, "dev-1").waits) == []
    assert [(k, o) for k, o, _ in told(of(found, "prod-2").waits)] == [
        ("environment", "dev"),
        ("wave", "prod / canary"),
        ("window", "prod / canary"),
    ]
    window = of(found, "prod-2").waits[-1]
    assert (window.state, window.until) == (WaitState.STUCK, "")
    assert "dev-1 goes first" in waiting_text(found)
    assert told(of(look(fleet, clusters=("prod-2",)), "prod-2").waits) == [
        ("window", "prod / rest", "stuck")
    ]  # as an apply of that cluster alone would meet it
    (alone,) = look(fleet, only="prod-2").clusters
    assert (alone.cluster, len(alone.waits)) == ("prod-2", 3)


def test_a_paused_rollout_and_its_soak(tmp_path: Path) -> None:
    fleet = fleet_of(tmp_path)
    fleet.commit("one")
    fleet.clock.broken = {"prod-1"}
    fleet.apply()  # stops after the canary
    found = look(fleet)
    wait = next(w for w in of(found, "prod-3").waits if w.kind is WaitKind.ROLLOUT)
    assert wait.state is WaitState.STUCK
    assert "prod-1" in wait.why
    assert f"fleet rollout resume {wait.on}" in wait.hint
    ask(fleet.walk(), "Abort", None, "enough")
    assert not [w for w in of(look(fleet), "prod-3").waits if w.kind is WaitKind.ROLLOUT]


def test_a_soak_is_waited_for_until_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetmgr.operations.apply.ThreadPoolExecutor", Inline)
    fleet = fleet_of(tmp_path, soak="10m")
    fleet.commit("one")
    seen: list[tuple[Wait, str]] = []

    sleep, soaking = fleet.clock.sleep, list[bool]()

    def sleep_and_look(seconds: float) -> None:
        sleep(seconds)
        if soaking and not seen:
            found = look(fleet)
            waits = [w for w in of(found, "prod-4").waits if w.kind is WaitKind.ROLLOUT]
            seen.extend((w, waiting_text(found)) for w in waits if "stay healthy" in w.why)

    monkeypatch.setattr(fleet.clock, "sleep", sleep_and_look)
    when(fleet, lambda e: isinstance(e, Soaking), lambda: soaking.append(True))
    fleet.apply()
    wait, text = seen[0]
    assert (wait.state, wait.why) == (WaitState.WAITING, "prod / canary must stay healthy for 10m")
    assert wait.until > fleet.clock.now().strftime("2026-01-01T00:10")
    assert f"(until {wait.until})" in text


def test_a_window_that_will_open_says_when(tmp_path: Path) -> None:
    fleet = FleetInMemory(tmp_path, {"dev": ["dev-1"]})
    fleet.environment_more["dev"] = {
        "windows": [{"kind": "allow", "schedule": "0 9 1 2 *", "duration": "8h", "timezone": "UTC"}]
    }
    fleet.commit("one")
    (wait,) = of(look(fleet)).waits
    assert (wait.kind, wait.state, wait.until) == (
        WaitKind.WINDOW,
        WaitState.WAITING,
        "2026-02-01T09:00:00Z",
    )
    assert "--wait-for-windows" in wait.hint


def test_deletes_that_nobody_has_confirmed_and_a_budget(fleet: FleetInMemory) -> None:
    fleet.more["defaults"] = {"timeout": "60s", "sync": {"prune": "confirm"}}
    write(fleet, "db", deployment("db"), config("old"))
    fleet.apply()
    write(fleet, "db", deployment("db"))
    db = of_app(look(fleet), "db")
    assert told(db.waits) == [("confirmation", "1 delete", "stuck")]
    fleet.more["defaults"] = {"timeout": "60s", "sync": {"prune": True}, "limits": {"maxDeletes": 0}}
    found = look(fleet)
    assert told(of(found).waits) == [("refusal", "dev-1", "stuck")]
    assert "waits for guard dev-1: 1 delete of the" in waiting_text(found)


def test_a_hook_that_is_at_work_is_waited_for_and_a_failed_one_runs_again(fleet: FleetInMemory) -> None:
    write(fleet, "db", job("migrate", "PreSync"), deployment("db", image="db:2"))
    fleet.clock.broken = {"dev-1"}  # nobody runs the Job
    fleet.apply(clusters=("dev-1",), timeout=5.0)
    hook = of_app(look(fleet), "db").waits[0]
    assert (hook.kind, hook.state, hook.why) == (
        WaitKind.HOOK,
        WaitState.WAITING,
        "Job shop/migrate runs now",
    )
    failed: JsonObject = {"type": "Failed", "status": "True", "message": "exit 1"}
    fleet.clusters["dev-1"].edit("Job", "shop", "migrate", {"status": {"conditions": [failed]}})
    hook = of_app(look(fleet), "db").waits[0]
    assert hook.state is WaitState.IN_ORDER
    assert hook.why.startswith("Job shop/migrate failed and runs again")


def test_a_lock_names_its_holder(fleet: FleetInMemory) -> None:
    entry = Entry(fleet="shop", cluster="dev-1", environment="dev")
    cluster = fleet.clusters["dev-1"]
    cluster.apply(LEASES, lease_body("shop", "dev-1"), manager=entry.manager, force=True, dry_run=False)
    free = read_entry(cluster, entry)
    assert free is not None
    now = fleet.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    holder = Holder(actor="ann", host="ci-7", pid=12, command="fleet apply --yes")
    taken = replace(free, identity="ann_1", holder=holder, since=now, renewed=now, transitions=1)
    held = lease_body("shop", "dev-1", taken)
    cluster.apply(LEASES, held, manager=entry.manager, force=True, dry_run=False)
    assert told(of(look(fleet)).waits) == []  # nothing is to be written
    fleet.image("web:2")
    wait = of(look(fleet)).waits[0]
    assert (wait.kind, wait.on, wait.state) == (WaitKind.LOCK, "ann", WaitState.WAITING)
    assert "pid 12 on ci-7" in wait.why
    assert "fleet apply --yes" in wait.why


def test_an_unreachable_cluster_is_no_clear_one(fleet: FleetInMemory) -> None:
    fleet.dead = {"prod-1"}
    found = look(fleet)
    assert of(found, "prod-1").failure is not None
    text = waiting_text(found)
    assert "1 cluster could not be read" in text
    assert "prod-1: unreachable" in text
