"""The comparison against the server itself, on every kind that a control plane serves: never Keep where an apply
would change something, never a change that is none, and after an apply the next plan is empty.

FLEET_TRUTH_EXAMPLES=N tries the first N variants of each kind instead of a few.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from fleetmgr.adapters.kube.access import AccessSettings
from fleetmgr.adapters.kube.client import KubeClient
from fleetmgr.adapters.kube.connector import KubeConnector
from fleetmgr.engine.compare import changes_between, differing
from fleetmgr.engine.fieldset import apply_fields
from fleetmgr.errors import InvalidInput
from fleetmgr.model.change import Change, ClusterPlan, Op
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.report import ClusterReport, Outcome
from fleetmgr.model.resource import Stack
from fleetmgr.operations.embedded.entry import Entry
from fleetmgr.operations.embedded.preview import preview
from fleetmgr.operations.embedded.run import UpOptions
from fleetmgr.operations.embedded.scene import Scene, read_scene
from fleetmgr.operations.embedded.up import up
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import ClusterError, ObjectInvalid
from fleetmgr.rendering.cache import ParseCache
from fleetmgr.rendering.stack import render_stack
from tests.e2e.conftest import SandboxClusters
from tests.e2e.test_cluster_client_contract import SystemClock
from tests.rendering.builders import artifact, target
from tests.truth.mutations import mutated, patch

pytestmark = pytest.mark.e2e

SAMPLES = Path(__file__).parents[1] / "truth"
KINDS: dict[str, dict[str, Any]] = {
    f"{body['apiVersion']}/{body['kind']}": body
    for body in yaml.safe_load_all((SAMPLES / "kinds.yaml").read_text())
}
LEFT_OUT = {
    "v1/Event": "written by components, kept for an hour",
    "events.k8s.io/v1/Event": "the same",
    "certificates.k8s.io/v1/CertificateSigningRequest": "a request that is answered once; nothing of it may change",
    "networking.k8s.io/v1/IPAddress": "made by the API server for the Service that it belongs to",
}
TRIES = int(os.environ.get("FLEET_TRUTH_EXAMPLES", "5"))  # noqa: TID251 - a switch of the test run


class Plane:
    """A fleet of one app on a real control plane, and another manager who writes there too."""

    def __init__(self, client: KubeClient) -> None:
        self.client = client
        self.name = f"t{uuid.uuid4().hex[:9]}"
        self.entry = Entry(fleet=self.name, cluster="dev-1", environment="dev")

    def body(self, kind: str) -> dict[str, Any]:
        """The sample of a kind, with names of this plane's own."""
        sample = yaml.safe_dump(KINDS[kind])
        body: dict[str, Any] = yaml.safe_load(sample.replace("NAME", self.name))
        return body

    def stack(self, *bodies: dict[str, Any]) -> Stack:
        """What Git wants, rendered as always. Raises InvalidInput."""
        text = yaml.safe_dump_all(list(bodies), sort_keys=False)
        source = artifact({"all.yaml": text})
        wanted = target(source, namespace=self.name, substitute=False)
        return render_stack(self.name, "dev-1", "dev", [wanted], {source.request: source}, ParseCache())

    def scene(self, stack: Stack) -> Scene:
        """The cluster as it is now."""
        return read_scene(self.client, self.entry, stack, apps=None)

    def up(self, scene: Scene, plan: ClusterPlan) -> ClusterReport:
        """Perform a plan without waiting for health."""
        options = UpOptions(plan_id="p" * 64, revision="r", actor="tester", wait=False, timeout=20)
        return up(scene, plan, options, clock=SystemClock(), stop=threading.Event(), sink=lambda _: None)

    def served(self, change: Change) -> ApiResource:
        """How the kind of a change is served."""
        found = self.client.discover().find(*change.ref[:3])
        assert found is not None
        return found

    def live(self, change: Change) -> JsonObject | None:
        """The object as it is now."""
        return self.client.get(self.served(change), namespace=change.ref.namespace, name=change.ref.name)

    def discard(self) -> None:
        """Delete what was made."""
        plan = preview(self.scene(self.stack()))
        self.up(self.scene(self.stack()), plan)
        for group, kind, plural in (("", "Namespace", "namespaces"),):
            resource = ApiResource(group=group, version="v1", kind=kind, plural=plural, namespaced=False)
            made = self.client.get(resource, namespace="", name=self.name)
            if made is not None:
                self.client.delete(resource, namespace="", name=self.name, uid=made["metadata"]["uid"])


@pytest.fixture(scope="module")
def client(sandbox_clusters: SandboxClusters) -> Iterator[KubeClient]:
    access = AccessSettings(kubeconfig=str(sandbox_clusters.kubeconfig), context=sandbox_clusters.contexts[0])
    connector = KubeConnector({"one": access}, environment=os.environ, clock=SystemClock())  # noqa: TID251 - as wiring does
    sandbox_clusters.kubectl(
        sandbox_clusters.contexts[0], "apply", "-f", "-", stdin=(SAMPLES / "definitions.yaml").read_text()
    )
    sandbox_clusters.kubectl(
        sandbox_clusters.contexts[0], "wait", "--for=condition=Established", "--timeout=30s", "crd", "--all"
    )
    opened = connector.connect("one")
    opened.discover(fresh=True)
    yield opened
    connector.close()


@pytest.fixture
def plane(client: KubeClient) -> Iterator[Plane]:
    made = Plane(client)
    namespaces = ApiResource(group="", version="v1", kind="Namespace", plural="namespaces", namespaced=False)
    body: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": made.name}}
    client.apply(namespaces, body, manager="kubectl-create", force=False, dry_run=False)
    yield made
    made.discard()


def test_every_kind_that_is_served_has_a_sample(client: KubeClient) -> None:
    served = {
        f"{r.group}/{r.version}/{r.kind}".removeprefix("/")
        for r in client.discover().preferred.values()
        if {"create", "patch"} <= set(r.verbs)
    }
    assert not served - KINDS.keys() - LEFT_OUT.keys()


def judged(plane: Plane, body: dict[str, Any]) -> tuple[Scene, ClusterPlan] | None:
    """A plan for one object, every Keep of which was held against the server; None where it cannot be rendered."""
    try:
        stack = plane.stack(body)
    except InvalidInput:
        return None
    scene = plane.scene(stack)
    plan = preview(scene)
    for change in plan.changes:
        if change.op is Op.KEEP:
            assert_nothing_would_change(plane, scene, change)
    return scene, plan


def assert_nothing_would_change(plane: Plane, scene: Scene, change: Change) -> None:
    """The server agrees: an apply would not change the object. Controllers write to some (the taints of a Node), so
    what is compared must be of one version."""
    manager = plane.entry.manager
    inputs = scene.resources[change.ref.key].inputs
    for _ in range(20):
        live = plane.live(change)
        assert live is not None
        try:
            after = plane.client.apply(
                plane.served(change), inputs, manager=manager, force=True, dry_run=True
            ).body
        except ObjectInvalid:
            # Only the order of a set: nothing to do, and the server would not let us.
            assert differing(inputs, live, apply_fields(live, manager)) == ()
            return
        if live["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]:
            fields = apply_fields(after, manager)
            assert [d for d in changes_between(live, after, fields) if d.new not in ({}, [])] == []
            return
    raise AssertionError(f"{change.ref} does not come to rest")


def performed(plane: Plane, scene: Scene, plan: ClusterPlan) -> bool:
    """Whether the apply did all of the plan. One that the plan did not foresee to fail must not fail."""
    if any(c.op in (Op.DENIED, Op.CONFLICT) for c in plan.changes):
        return False
    report = plane.up(scene, plan)
    assert report.failure is None
    failed = [r for r in report.results if r.outcome is not Outcome.DONE]
    assert not failed, failed
    return True


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_plan_tells_what_an_apply_does(plane: Plane, kind: str) -> None:
    original = plane.body(kind)
    first = judged(plane, original)
    assert first is not None
    assert not [c.reason for c in first[1].changes if c.op is Op.DENIED]
    assert [c.op for c in first[1].changes if c.ref.kind == original["kind"]] in ([Op.CREATE], [Op.CONFLICT])
    adopted = original["kind"] == "Namespace"  # made by the fixture already
    if not adopted:
        assert performed(plane, *first)

    for seed in range(TRIES):
        draw = Random(f"{kind}{seed}")  # noqa: S311 - no secret
        attempt(plane, mutated(draw, original), draw)


def attempt(plane: Plane, wanted: dict[str, Any], draw: Random) -> None:
    """Git wants something else; then somebody changes it live; each time an apply settles it."""
    found = judged(plane, wanted)
    if found is None or not performed(plane, *found):
        return
    again = judged(plane, wanted)
    assert again is not None
    assert unfinished(plane, *again) == [], wanted
    somebody_writes(plane, draw, again[1])
    disturbed = judged(plane, wanted)
    if disturbed is not None and performed(plane, *disturbed):
        healed = judged(plane, wanted)
        assert healed is not None
        assert unfinished(plane, *healed) == [], wanted


def unfinished(plane: Plane, scene: Scene, plan: ClusterPlan) -> list[object]:
    """What a plan would still do. Where it says that the server refuses the object by now (it takes some once and
    not a second time), the server must say so too."""
    found: list[object] = []
    for change in plan.changes:
        if change.op is Op.DENIED:
            inputs = scene.resources[change.ref.key].inputs
            with pytest.raises(ObjectInvalid):
                plane.client.apply(
                    plane.served(change), inputs, manager=plane.entry.manager, force=True, dry_run=True
                )
        elif change.op is not Op.KEEP:
            found.append((change.op.value, change.reason, change.diff))
    return found


def somebody_writes(plane: Plane, draw: Random, plan: ClusterPlan) -> None:
    """Another manager changes something of the object, if the server lets him."""
    change = next((c for c in plan.changes if not (c.ref.kind == "Namespace" and c.op is Op.CREATE)), None)
    live = plane.live(change) if change is not None else None
    if change is None or live is None:
        return
    try:
        plane.client.patch(
            plane.served(change),
            namespace=change.ref.namespace,
            name=change.ref.name,
            operations=patch(draw, live),
            manager="kubectl-edit",
        )
    except ClusterError:
        return
