"""The walk with Pulumi performing, on a cluster and a Pulumi stack in memory: what is asked of Pulumi, what stays ours,
and that engines can be swapped under what they made."""

from __future__ import annotations

import pytest

from fleetmgr.errors import ExitCode, Problem
from fleetmgr.model.change import ClusterPlan, Op
from fleetmgr.model.consent import Consent
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.operations.embedded.preview import preview
from fleetmgr.operations.embedded.pulumi.opinion import opinion
from fleetmgr.ports.pulumi import Outcome, StateResource
from fleetmgr.ports.pulumi_errors import PulumiError
from tests.fakes.pulumi import FakePulumiStack
from tests.operations.worlds import App, World, config, deployment, ops_of, outcomes, service


@pytest.fixture
def world() -> World:
    made = World()
    made.pulumi = FakePulumiStack(made.cluster)
    return made


def stack_of(world: World) -> FakePulumiStack:
    assert world.pulumi is not None
    return world.pulumi


def sent(world: World) -> list[list[str]]:
    """The targets of every run, as ``Kind ns/name``."""
    return [[_short(urn) for urn in run.targets or ()] for run in stack_of(world).runs]


def _short(urn: str) -> str:
    token, _, name = urn.rpartition("$")[2].partition("::")
    return f"{token.rpartition(':')[2]} {name}"


def asked(world: World, *, whole: bool = False) -> ClusterPlan:
    scene = world.scene()
    return opinion(scene, preview(scene), stop=world.stop, whole=whole)


def foreign(name: str, **data: str) -> JsonObject:
    """A ConfigMap as somebody else makes it."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "shop"},
        "data": {**data},
    }


def snapshot(world: World, *names: tuple[str, str]) -> list[object]:
    """What must not change when engines are swapped: uid, generation, our fields."""
    bodies = [world.cluster.body(kind, "shop", name) for kind, name in names]
    return [
        (b["metadata"]["uid"], b["metadata"].get("generation"), b["metadata"]["managedFields"])
        for b in bodies
        if b is not None
    ]


def test_apps_that_wait_for_nothing_go_into_one_run(world: World) -> None:
    world.apps = {
        "web": App(manifests=[deployment(), service()]),
        "settings": App(manifests=[config()]),
    }
    report = world.apply()
    assert report.exit_code is ExitCode.OK, report
    assert [sorted(run) for run in sent(world)] == [
        ["ConfigMap shop/settings", "Deployment shop/web", "Service shop/web"]
    ]
    assert set(outcomes(report).values()) == {"done"}
    assert world.ops() == set()


def test_gates_stay_ours_between_runs(world: World) -> None:
    world.apps = {
        "base": App(manifests=[deployment("db")]),
        "web": App(manifests=[deployment()], depends_on=("base",)),
    }
    assert world.apply().exit_code is ExitCode.OK
    assert sent(world) == [["Deployment shop/db"], ["Deployment shop/web"]]


def test_only_what_changes_is_a_target(world: World) -> None:
    other = App(manifests=[config("other")])
    world.apps = {"web": App(manifests=[deployment(), service()]), "other": other}
    world.apply()
    world.apps["web"] = App(manifests=[deployment(image="web:2"), service()])
    world.apply()
    assert sent(world)[-1] == ["Deployment shop/web"]
    registered = [r.ref.kind for r in stack_of(world).runs[-1].stack.resources]
    assert registered == ["Service", "Deployment"], "with what it depends on, and nothing else"


def test_a_failed_object_fails_its_app_and_what_came_after_it(world: World) -> None:
    world.apps = {"web": App(manifests=[config("a"), config("b"), config("c")])}
    stack_of(world).refuses["b"] = "admission said no"
    report = world.apply()
    assert report.exit_code is ExitCode.FAILED
    assert outcomes(report) | {"Namespace/shop": "done"} == {
        "Namespace/shop": "done",
        "ConfigMap/a": "done",
        "ConfigMap/b": "failed",
        "ConfigMap/c": "skipped",
    }
    del stack_of(world).refuses["b"]
    assert world.apply().exit_code is ExitCode.OK
    assert world.ops() == set()


def test_a_run_that_fails_as_a_whole_fails_all_its_objects(world: World) -> None:
    world.apps = {"web": App(manifests=[config("a")])}
    stack_of(world).fails = "policy pack: mandatory policy violated"
    report = world.apply()
    assert report.exit_code is ExitCode.FAILED
    assert any(r.problem and "policy pack" in r.problem.message for r in report.results)


def test_an_object_of_somebody_else_is_never_sent(world: World) -> None:
    world.apps = {"web": App(manifests=[config("a"), config("theirs")])}
    world.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    world.cluster.create(foreign("theirs", x="y"))
    report = world.apply()
    assert report.exit_code is ExitCode.FAILED
    assert not any("theirs" in name for run in sent(world) for name in run)
    body = world.cluster.body("ConfigMap", "shop", "theirs")
    assert body is not None
    assert body["data"] == {"x": "y"}


class TestSwappingEngines:
    def test_pulumi_takes_over_what_the_embedded_engine_made_and_changes_nothing(self, world: World) -> None:
        stack, world.pulumi = world.pulumi, None
        world.apps = {"web": App(manifests=[deployment(), service(), config("a")])}
        world.apply()
        before = snapshot(world, ("Deployment", "web"), ("Service", "web"), ("ConfigMap", "a"))
        world.pulumi = stack
        world.cluster.settle()
        report = world.apply()
        assert report.exit_code is ExitCode.OK
        assert report.results == ()
        assert stack_of(world).names() == {"Deployment shop/web", "Service shop/web", "ConfigMap shop/a"}
        assert snapshot(world, ("Deployment", "web"), ("Service", "web"), ("ConfigMap", "a")) == before
        world.apply()
        assert len(stack_of(world).runs) == 1, "what is registered is not registered again"

    def test_over_edits_by_either_engine_nothing_is_lost(self, world: World) -> None:
        stack = stack_of(world)
        world.apps = {"web": App(manifests=[config("a", x="1"), config("b")])}
        world.apply()
        world.pulumi = None
        world.apps = {"web": App(manifests=[config("a", x="2"), config("c")])}
        assert world.apply().exit_code is ExitCode.OK
        world.pulumi = stack
        assert world.ops() == set()
        world.apps = {"web": App(manifests=[config("a", x="3"), config("c")])}
        assert world.apply().exit_code is ExitCode.OK
        body = world.cluster.body("ConfigMap", "shop", "a")
        assert body is not None
        assert body["data"] == {"x": "3"}
        assert {"ConfigMap shop/a", "ConfigMap shop/c"} <= stack.names()

    def test_what_the_embedded_engine_deleted_leaves_the_state(self, world: World) -> None:
        stack = stack_of(world)
        world.apps = {"web": App(manifests=[config("a"), config("b")])}
        world.apply()
        world.pulumi = None
        world.apps = {"web": App(manifests=[config("a")])}
        world.apply()
        world.pulumi = stack
        world.apps = {"web": App(manifests=[config("a", x="2")])}
        world.apply()
        assert stack.names() == {"ConfigMap shop/a"}


class TestDeleting:
    @pytest.fixture(autouse=True)
    def two(self, world: World) -> None:
        world.apps = {"web": App(manifests=[config("a"), config("b")])}
        world.apply()
        world.apps = {"web": App(manifests=[config("a")])}

    def test_pulumi_deletes_what_its_state_holds(self, world: World) -> None:
        report = world.apply()
        assert sent(world)[-1] == ["ConfigMap shop/b"]
        assert outcomes(report) == {"ConfigMap/b": "done"}
        assert world.cluster.body("ConfigMap", "shop", "b") is None

    def test_what_it_does_not_hold_is_pruned_by_us(self, world: World) -> None:
        stack_of(world).known.clear()
        assert outcomes(world.apply()) == {"ConfigMap/b": "done"}
        assert world.cluster.body("ConfigMap", "shop", "b") is None

    def test_what_it_would_only_forget_is_deleted_by_us(self, world: World) -> None:
        stack = stack_of(world)
        stack.retained |= {urn for urn in stack.known if urn.endswith("/b")}
        assert outcomes(world.apply()) == {"ConfigMap/b": "done"}
        assert world.cluster.body("ConfigMap", "shop", "b") is None

    def test_what_it_protects_is_deleted_by_us_and_forgotten(self, world: World) -> None:
        stack = stack_of(world)
        for urn, entry in list(stack.known.items()):
            if urn.endswith("/b"):
                stack.known[urn] = StateResource(
                    urn=urn, type=entry.type, name=entry.name, id=entry.id, protect=True
                )
        assert outcomes(world.apply()) == {"ConfigMap/b": "done"}
        assert stack.names() == {"ConfigMap shop/a"}

    def test_an_object_that_became_another_is_not_deleted(self, world: World) -> None:
        scene = world.scene()
        plan = preview(scene)
        world.cluster.remove("ConfigMap", "shop", "b")
        world.cluster.create(foreign("b", new="one"))
        report = world.perform(scene, plan)
        assert report.exit_code is ExitCode.STALE
        assert world.cluster.body("ConfigMap", "shop", "b") is not None


class TestOpinion:
    def test_a_replacement_that_only_pulumi_wants_is_refused(self, world: World) -> None:
        world.apps = {"web": App(manifests=[deployment()])}
        world.apply()
        world.apps = {"web": App(manifests=[deployment(image="web:2")])}
        stack_of(world).replaces.add("web")
        (change,) = [c for c in asked(world).changes if c.op is not Op.KEEP]
        assert change.op is Op.DENIED
        assert change.reason is not None
        assert "spec.selector" in change.reason
        assert "--engine embedded" in change.reason

    def test_what_pulumi_refuses_is_denied_in_the_plan(self, world: World) -> None:
        world.apps = {"web": App(manifests=[config("a")])}
        stack_of(world).refuses["a"] = "a mandatory policy forbids it"
        assert ("denied", "ConfigMap/a") in ops_of(asked(world))

    def test_nothing_to_do_asks_nothing(self, world: World) -> None:
        world.apps = {"web": App(manifests=[config("a")])}
        world.apply()
        assert ops_of(asked(world)) == set()
        assert stack_of(world).previews == []

    def test_drift_hears_what_pulumi_alone_would_write(self, world: World) -> None:
        world.apps = {"web": App(manifests=[config("a")])}
        world.apply()
        told = asked(world, whole=True)
        assert ops_of(told) == set()
        assert any("Pulumi alone would update it" in text for text in told.warnings)

    def test_a_preview_that_fails_fails_the_cluster(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.apps = {"web": App(manifests=[config("a")])}
        from_pulumi = stack_of(world)
        monkeypatch.setattr(from_pulumi, "preview", _failing)
        with pytest.raises(PulumiError, match="no backend"):
            asked(world)


def _failing(*_: object, **__: object) -> Outcome:
    return Outcome(failure=Problem(message="no backend"))


def test_a_protected_object_goes_only_with_consent(world: World) -> None:
    keep = config("b").replace("name: b", "name: b\n  annotations: {fleetmgr.dev/protect: 'true'}")
    world.apps = {"web": App(manifests=[config("a"), keep])}
    world.apply()
    world.apps = {"web": App(manifests=[config("a")])}
    assert ("orphaned", "ConfigMap/b") in world.ops()
    world.apply()
    assert world.cluster.body("ConfigMap", "shop", "b") is not None
    assert "ConfigMap shop/b" in stack_of(world).names()
    world.consent = Consent(protected=frozenset({"ConfigMap/shop/b"}))
    world.apply()
    assert world.cluster.body("ConfigMap", "shop", "b") is None
