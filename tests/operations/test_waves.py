"""What the objects of an app say about their order is kept: waves, dependencies, health between the steps; and the
way back when they are deleted."""

from __future__ import annotations

import pytest
import yaml

from fleetmgr.errors import ExitCode, InvalidInput
from fleetmgr.model.report import ClusterReport
from tests.operations.worlds import App, SettlingClock, World, config, deployment, outcomes

WAVE = "argocd.argoproj.io/sync-wave"
DEPENDS_ON = "config.kubernetes.io/depends-on"


def annotated(manifest: str, **annotations: str) -> str:
    body = yaml.safe_load(manifest)
    body["metadata"]["annotations"] = annotations
    return yaml.safe_dump(body)


def wave(manifest: str, number: int) -> str:
    return annotated(manifest, **{WAVE: str(number)})


def after(manifest: str, *needed: str) -> str:
    return annotated(manifest, **{DEPENDS_ON: ",".join(needed)})


@pytest.fixture
def world() -> World:
    return World()


def test_waves_are_written_in_order_whatever_their_kind(world: World) -> None:
    world.apps = {
        "web": App(manifests=[wave(config("last"), 5), deployment("web"), wave(deployment("first"), -2)])
    }
    assert world.apply().exit_code is ExitCode.OK
    assert world.cluster.written() == [
        "Namespace/shop",
        "Deployment/first",
        "Deployment/web",
        "ConfigMap/last",
    ]


def test_a_wave_is_not_begun_before_the_one_before_is_healthy(world: World) -> None:
    world.clock = SettlingClock(world.cluster, works=False)
    world.apps = {"web": App(manifests=[deployment("db"), wave(config("app"), 1)])}
    report = world.apply(timeout=5)
    assert report.exit_code is ExitCode.TIMEOUT
    assert "ConfigMap/app" not in world.cluster.written()
    assert why(report, "app").startswith("what comes before it is not Healthy: Deployment shop/db")


def why(report: ClusterReport, name: str) -> str:
    problem = next(r.problem for r in report.results if r.ref.name == name)
    return problem.message if problem else ""


def test_an_ill_object_of_an_earlier_wave_holds_a_change_of_a_later_one_up(world: World) -> None:
    world.apps = {"web": App(manifests=[deployment("db"), wave(config("app"), 1)])}
    world.apply()
    broken = {
        "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]
    }
    live = world.cluster.body("Deployment", "shop", "db")
    assert live is not None
    world.cluster.create({**live, "status": {**live["status"], **broken}})
    world.clock = SettlingClock(world.cluster, works=False)
    world.apps = {"web": App(manifests=[deployment("db"), wave(config("app", a="2"), 1)])}
    world.forget_log()
    report = world.apply()
    assert report.exit_code is ExitCode.FAILED
    assert world.cluster.written() == []
    assert outcomes(report) == {"ConfigMap/app": "skipped"}


def test_dependencies_inside_a_wave(world: World) -> None:
    world.apps = {
        "web": App(
            manifests=[
                after(config("a"), "/namespaces/shop/ConfigMap/b"),
                after(config("b"), "apps/namespaces/shop/Deployment/db"),
                deployment("db"),
            ]
        )
    }
    assert world.apply().exit_code is ExitCode.OK
    assert world.cluster.written() == ["Namespace/shop", "Deployment/db", "ConfigMap/b", "ConfigMap/a"]


@pytest.mark.parametrize(
    ("manifests", "code"),
    [
        ([annotated(config("a"), **{WAVE: "first"})], "FLT-1320"),
        ([annotated(config("a"), **{"argocd.argoproj.io/hook": "BeforeSync"})], "FLT-1320"),
        ([after(config("a"), "what")], "FLT-1320"),
        ([after(config("a"), "/namespaces/shop/ConfigMap/gone")], "FLT-1321"),
        ([after(config("a"), "/namespaces/shop/ConfigMap/a")], "FLT-1322"),
        ([after(config("a"), "/namespaces/shop/ConfigMap/b"), wave(config("b"), 1)], "FLT-1322"),
        (
            [
                after(config("a"), "/namespaces/shop/ConfigMap/b"),
                after(config("b"), "/namespaces/shop/ConfigMap/a"),
            ],
            "FLT-1322",
        ),
    ],
)
def test_an_order_that_cannot_be_kept_is_refused_with_its_line(
    world: World, manifests: list[str], code: str
) -> None:
    world.apps = {"web": App(manifests=manifests)}
    with pytest.raises(InvalidInput) as refused:
        world.stack()
    assert [p.code for p in refused.value.problems] == [code]
    where = refused.value.problems[0].where
    assert where is not None
    assert (where.file, where.line is not None) == ("apps/web/all.yaml", True)


def test_what_is_deleted_goes_the_way_back(world: World) -> None:
    world.apps = {
        "db": App(manifests=[config("base"), wave(config("top"), 3), wave(deployment("db"), 1)]),
        "web": App(manifests=[config("web")], depends_on=("db",)),
        "other": App(manifests=[config("keep")]),
    }
    world.apply()
    world.apps = {
        "db": App(manifests=[config("new")]),
        "web": App(manifests=[config("web-2")], depends_on=("db",)),
    }
    world.apps["other"] = App(manifests=[config("keep")])
    world.forget_log()
    assert world.apply().exit_code is ExitCode.OK
    deleted = [name for verb, name in world.cluster.log if verb == "delete"]
    assert deleted == ["ConfigMap/web", "ConfigMap/top", "Deployment/db", "ConfigMap/base"]


def test_nothing_is_deleted_below_what_stays(world: World) -> None:
    held = annotated(config("held"), **{WAVE: "1"})
    world.apps = {"web": App(manifests=[held, config("below")]), "base": App(manifests=[config("keep")])}
    world.apply()
    world.cluster.hold("ConfigMap", "shop", "held")
    world.apps = {"base": App(manifests=[config("keep")])}
    world.forget_log()
    report = world.apply(timeout=5)
    assert report.exit_code is ExitCode.TIMEOUT
    assert world.cluster.body("ConfigMap", "shop", "below") is not None
    assert why(report, "below") == "not deleted: what comes before it is still there"
    assert world.scene().parents["web"].record is not None


def test_independent_apps_go_on_beside_one_that_waits(world: World) -> None:
    """Nobody waits for somebody else's app: all three are written though the first never gets well."""
    world.clock = SettlingClock(world.cluster, works=False)
    world.apps = {
        "slow": App(manifests=[deployment("slow"), wave(config("never"), 1)]),
        "needs": App(manifests=[config("needs")], depends_on=("slow",)),
        "free": App(manifests=[config("free"), wave(config("free-2"), 1)]),
    }
    report = world.apply(timeout=5)
    done = outcomes(report)
    assert done["ConfigMap/free"] == done["ConfigMap/free-2"] == "done"
    assert done["ConfigMap/never"] == done["ConfigMap/needs"] == "skipped"
    assert why(report, "needs") == "app slow, which needs depends on, failed or is not Healthy"


def test_a_conflict_holds_its_app_and_dependents_up_and_deletes_nothing(world: World) -> None:
    world.apps = {
        "web": App(manifests=[config("a"), config("old")]),
        "needs": App(manifests=[config("needs")], depends_on=("web",)),
        "free": App(manifests=[config("free")]),
    }
    world.apply()
    theirs = {"metadata": {"name": "theirs", "namespace": "shop"}}
    world.cluster.create(yaml.safe_load(config("theirs")) | theirs)
    world.apps["web"] = App(manifests=[config("a", a="2"), config("theirs")])
    world.apps["needs"] = App(manifests=[config("needs", a="2")], depends_on=("web",))
    world.apps["free"] = App(manifests=[config("free", a="2")])
    world.forget_log()
    report = world.apply()
    assert world.cluster.written() == ["ConfigMap/free"]
    assert outcomes(report) == {
        "ConfigMap/a": "skipped",
        "ConfigMap/theirs": "failed",
        "ConfigMap/needs": "skipped",
        "ConfigMap/free": "done",
        "ConfigMap/old": "skipped",
    }
