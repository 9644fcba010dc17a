"""Webhooks and APIs that one app brings and others need, in one plan: told in the preview, waited for in the apply."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from fleetmgr.errors import ExitCode
from fleetmgr.model.change import Change, Op
from fleetmgr.model.report import ClusterReport
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import ObjectInvalid
from tests.fakes.kinds import VERBS
from tests.operations.test_own_webhooks import HOOK, SLICES, in_hooks
from tests.operations.worlds import App, SettlingClock, World, config, deployment, outcomes, service

CHECK = "ValidatingWebhookConfiguration/check"
SEEN = "ConfigMap/seen"
SAID = "webhook check.shop.example of this plan may change or refuse it"
GIZMOS = ApiResource(
    group="sim.example.com", version="v1", kind="Gizmo", plural="gizmos", namespaced=True, verbs=VERBS
)


def hook(**more: Any) -> str:
    return yaml.safe_dump({**HOOK, "webhooks": [{**HOOK["webhooks"][0], **more}]})


def policy(*more: str, **app: Any) -> App:
    """A webhook and its server."""
    server = ["{apiVersion: v1, kind: Namespace, metadata: {name: hooks}}"]
    server += [in_hooks(service("hook")), in_hooks(deployment("hook"))]
    return App(manifests=[hook(), *server, *more], namespace="hooks", **app)


def world(**apps: App) -> World:
    made = World()
    made.apps.update(apps)
    return made


def changes(made: World) -> dict[str, Change]:
    return {f"{c.ref.kind}/{c.ref.name}": c for c in made.plan().changes}


def endpoints_when_written(made: World, name: str = SEEN) -> list[bool]:
    """Whether somebody was behind the webhook at each write of ``name``; filled by an apply."""
    behind: list[bool] = []

    def look(verb: str, written: str) -> None:
        if (verb, written) == ("apply", name):
            slices = made.cluster.list(SLICES, namespace="hooks")
            behind.append(any(body.get("endpoints") for body in slices))

    made.cluster.before = look
    return behind


def test_what_a_webhook_of_another_app_is_to_see_is_written_once_somebody_is_behind_it() -> None:
    made = world(aaa=App(manifests=[config("seen")]), policy=policy())
    behind = endpoints_when_written(made)
    assert made.apply().exit_code is ExitCode.OK
    written = made.cluster.written()
    assert written.index(CHECK) < written.index(SEEN)
    assert behind == [True]
    assert made.ops() == set()


def test_nobody_behind_it_keeps_other_apps_back_and_says_for_what() -> None:
    made = world(aaa=App(manifests=[config("seen")]), policy=policy(), free=App(manifests=[service("free")]))
    made.clock = SettlingClock(made.cluster, works=False)
    report = made.apply(timeout=5, wait=False)
    assert report.exit_code is ExitCode.TIMEOUT
    assert outcomes(report)[SEEN] == "skipped"
    assert outcomes(report)["Service/free"] == "done"
    assert "ValidatingWebhookConfiguration check of app policy, which must come first, is not ready" in why(
        report, SEEN
    )


def test_a_webhook_that_could_not_be_written_lets_nothing_pass_unseen() -> None:
    made = world(aaa=App(manifests=[config("seen")]), policy=policy())

    def fail(verb: str, name: str) -> None:
        if (verb, name) == ("apply", CHECK):
            raise ObjectInvalid("no", cluster="dev-1", reason="Invalid")

    made.cluster.before = fail
    report = made.apply()
    assert outcomes(report)[CHECK] == "failed"
    assert outcomes(report)[SEEN] == "skipped"
    assert "was not written" in why(report, SEEN)


def test_what_the_webhook_depends_on_never_waits_for_it() -> None:
    made = world(aaa=App(manifests=[config("seen")]), policy=policy(depends_on=("aaa",)))
    assert made.apply(timeout=30).exit_code is ExitCode.OK


def test_the_app_of_its_service_never_waits_for_it() -> None:
    server = policy(in_hooks(config("seen")))
    server.manifests = [m for m in server.manifests if "WebhookConfiguration" not in m]
    outside = yaml.safe_load(config("outside"))
    outside["metadata"]["namespace"] = "shop"
    server.manifests = [*server.manifests, yaml.safe_dump(outside)]
    made = world(aaa=App(manifests=[hook()]), server=server)
    assert made.apply(timeout=30).exit_code is ExitCode.OK


def test_webhooks_that_see_each_others_apps_wait_in_no_circle() -> None:
    other = yaml.safe_load(hook(rules=[{"apiGroups": [""], "operations": ["*"], "resources": ["*"]}]))
    other["metadata"]["name"] = "other"
    del other["webhooks"][0]["clientConfig"]["service"]
    other["webhooks"][0]["clientConfig"]["url"] = "https://hooks.example"
    made = world(aaa=App(manifests=[config("seen"), yaml.safe_dump(other)]), policy=policy(config("x")))
    assert made.apply(timeout=30).exit_code is ExitCode.OK


def test_an_app_alone_waits_for_nothing_that_is_not_selected() -> None:
    made = world(aaa=App(manifests=[config("seen")]), policy=policy())
    assert made.apply("aaa").exit_code is ExitCode.OK
    assert made.cluster.written() == ["Namespace/shop", SEEN]


# -- the preview --------------------------------------------------------------------------------------------------


def test_what_a_coming_webhook_is_to_see_is_unverified() -> None:
    made = world(aaa=App(manifests=[config("seen"), service("free")]), policy=policy())
    found = changes(made)
    assert (found[SEEN].op, found[SEEN].unverified, found[SEEN].reason) == (Op.CREATE, True, SAID)
    assert {name for name, c in found.items() if c.unverified} == {SEEN}


def test_what_is_as_desired_and_what_a_known_webhook_sees_is_not() -> None:
    made = world(aaa=App(manifests=[config("seen"), config("kept")]), policy=policy())
    made.apply()
    rules = [{"apiGroups": [""], "operations": ["UPDATE"], "resources": ["configmaps"]}]
    changed = policy()
    changed.manifests = [hook(timeoutSeconds=3, rules=rules), *changed.manifests[1:]]
    made.apps["aaa"] = App(manifests=[config("seen", a="2"), config("kept"), config("new")])
    assert not any(c.unverified for c in changes(made).values()), "the server has asked it"
    made.apps["policy"] = changed
    found = changes(made)
    assert (found[SEEN].op, found[SEEN].unverified) == (Op.UPDATE, True)
    assert found["ConfigMap/kept"].op is Op.KEEP
    assert {name for name, c in found.items() if c.unverified} == {SEEN}


def test_a_label_of_a_wanted_namespace_counts() -> None:
    labelled = "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: a}}}"
    for team, expected in (("a", True), ("b", False)):
        selecting = policy()
        selecting.manifests = [
            hook(namespaceSelector={"matchLabels": {"team": team}}),
            *selecting.manifests[1:],
        ]
        made = world(aaa=App(manifests=[labelled, config("seen")]), policy=selecting)
        assert changes(made)[SEEN].unverified is expected


# -- APIs ---------------------------------------------------------------------------------------------------------


API: dict[str, Any] = {
    "apiVersion": "apiregistration.k8s.io/v1",
    "kind": "APIService",
    "metadata": {"name": "v1.sim.example.com"},
    "spec": {"group": "sim.example.com", "version": "v1", "service": {"namespace": "hooks", "name": "hook"}},
}
GIZMO = "{apiVersion: sim.example.com/v1, kind: Gizmo, metadata: {name: mine}, spec: {}}"


@pytest.mark.parametrize("apart", [False, True])
def test_a_kind_is_written_once_its_api_service_is_available(apart: bool) -> None:
    api = yaml.safe_dump(API)
    apps = {"aaa": App(manifests=[GIZMO]), "api": App(manifests=[api])}
    made = world(**(apps if apart else {"aaa": App(manifests=[GIZMO, api])}))
    made.cluster.behind["v1.sim.example.com"] = (GIZMOS,)
    assert changes(made)["Gizmo/mine"].unverified
    assert made.apply().exit_code is ExitCode.OK
    written = made.cluster.written()
    assert written.index("APIService/v1.sim.example.com") < written.index("Gizmo/mine")


def why(report: ClusterReport, name: str) -> str:
    found = next(r for r in report.results if f"{r.ref.kind}/{r.ref.name}" == name)
    return found.problem.message if found.problem else ""
