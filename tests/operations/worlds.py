"""A cluster in memory and what Git wants of it: plan and apply in milliseconds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from msgspec.structs import replace

from fleetmgr.model.artifact import Artifact
from fleetmgr.model.change import ClusterPlan, Op
from fleetmgr.model.consent import NO_CONSENT
from fleetmgr.model.event import Event
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.policy import OnRemove, Policy, Prune
from fleetmgr.model.replacement import Propagation
from fleetmgr.model.report import ClusterReport
from fleetmgr.model.resource import Stack
from fleetmgr.model.target import FetchRequest, Target
from fleetmgr.operations.embedded.entry import Entry
from fleetmgr.operations.embedded.preview import preview
from fleetmgr.operations.embedded.run import UpOptions
from fleetmgr.operations.embedded.scene import Scene, read_scene
from fleetmgr.operations.embedded.up import up
from fleetmgr.ports.cluster import ApiResource, Applied
from fleetmgr.rendering.cache import ParseCache
from fleetmgr.rendering.stack import render_stack
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster
from tests.fakes.pulumi import FakePulumiStack
from tests.rendering.builders import artifact, target


class WatchedCluster(FakeCluster):
    """Writes down every write: ``("apply", "ConfigMap/a")``; ``before`` may answer one with an error."""

    def __init__(self, cluster: str = "dev-1") -> None:
        super().__init__(cluster)
        self.log: list[tuple[str, str]] = []
        self.before: Callable[[str, str], None] | None = None
        self.held: set[tuple[str, str, str]] = set()

    def apply(
        self, resource: ApiResource, body: JsonObject, *, manager: str, force: bool, dry_run: bool
    ) -> Applied:
        if not dry_run:
            self._note("apply", f"{resource.kind}/{body['metadata']['name']}")
        return super().apply(resource, body, manager=manager, force=force, dry_run=dry_run)

    def delete(
        self,
        resource: ApiResource,
        *,
        namespace: str,
        name: str,
        uid: str,
        propagation: Propagation = Propagation.BACKGROUND,
        dry_run: bool = False,
    ) -> bool:
        if not dry_run:
            self._note("delete", f"{resource.kind}/{name}")
        if not dry_run and (resource.kind, namespace, name) in self.held:
            leaving = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example.com/held"]}
            self.edit(resource.kind, namespace, name, {"metadata": leaving})
            return True
        return super().delete(
            resource, namespace=namespace, name=name, uid=uid, propagation=propagation, dry_run=dry_run
        )

    def _note(self, verb: str, name: str) -> None:
        if self.before is not None:
            self.before(verb, name)
        self.log.append((verb, name))

    def hold(self, kind: str, namespace: str, name: str) -> None:
        """Give an object a finalizer that nobody ever takes off."""
        self.held.add((kind, namespace, name))

    def written(self) -> list[str]:
        """Objects that were sent, our own records left out."""
        return [name for verb, name in self.log if verb == "apply" and not is_record(name)]


def is_record(name: str) -> bool:
    """Whether ``Kind/name`` is a parent or a marker of fleet ``shop``, or our namespace."""
    return (
        name.startswith(("ConfigMap/shop.dev-1.", "Secret/shop.dev-1."))
        or name == "Namespace/fleetmgr-system"
    )


class SettlingClock(FakeClock):
    """While somebody sleeps, the controllers work."""

    def __init__(self, cluster: FakeCluster, *, works: bool = True) -> None:
        super().__init__()
        self.cluster = cluster
        self.works = works

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.works:
            self.cluster.settle()


def config(name: str = "settings", **data: str) -> str:
    """A ConfigMap."""
    return yaml.safe_dump(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data or {"a": "1"}}
    )


def deployment(name: str = "web", image: str = "web:1") -> str:
    """A Deployment of one replica."""
    labels = {"app": name}
    container = {"name": "main", "image": image}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return yaml.safe_dump(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
    )


def service(name: str = "web") -> str:
    """A Service."""
    spec = {"selector": {"app": name}, "ports": [{"port": 80}]}
    return yaml.safe_dump({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec})


@dataclass(slots=True, kw_only=True)
class App:
    """An app as Git wants it."""

    manifests: Sequence[str]
    depends_on: tuple[str, ...] = ()
    prune: bool = True
    policy_more: Mapping[str, Any] = field(default_factory=dict[str, Any])
    namespace: str = "shop"
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def policy(self) -> Policy:
        """Removal goes as pruning does."""
        policy = Policy(
            prune=Prune.ALWAYS if self.prune else Prune.NEVER,
            on_remove=OnRemove.DELETE if self.prune else OnRemove.ORPHAN,
        )
        return replace(policy, **self.policy_more)


class World:
    """Fleet ``shop``, entry ``dev-1``."""

    def __init__(self) -> None:
        self.cluster = WatchedCluster()
        self.clock: FakeClock = SettlingClock(self.cluster)
        self.entry = Entry(fleet="shop", cluster="dev-1", environment="dev")
        self.apps: dict[str, App] = {}
        self.force = False
        self.stop = threading.Event()
        self.consent = NO_CONSENT
        self.events: list[Event] = []
        self.cache = ParseCache()
        self.pulumi: FakePulumiStack | None = None

    def stack(self) -> Stack:
        """What Git wants."""
        targets: list[Target] = []
        artifacts: dict[FetchRequest, Artifact] = {}
        for name, app in self.apps.items():
            text = "\n---\n".join(app.manifests)
            source = artifact({"all.yaml": text}, path=f"apps/{name}")
            wanted = target(
                source,
                app=name,
                namespace=app.namespace,
                depends_on=app.depends_on,
                policy=app.policy(),
                timeout=60.0,
                **app.more,
            )
            targets.append(wanted)
            artifacts[source.request] = source
        return render_stack("shop", "dev-1", "dev", targets, artifacts, self.cache)

    def scene(self, *apps: str) -> Scene:
        """The cluster as read now."""
        chosen = frozenset(apps) or None
        scene = read_scene(self.cluster, self.entry, self.stack(), apps=chosen, force=self.force)
        return replace(scene, consent=self.consent, pulumi=self.pulumi)

    def plan(self, *apps: str) -> ClusterPlan:
        """What an apply would do."""
        return preview(self.scene(*apps))

    def ops(self, *apps: str) -> set[tuple[str, str]]:
        """``("create", "ConfigMap/a")`` of each change, keeps left out."""
        return ops_of(self.plan(*apps))

    def apply(self, *apps: str, wait: bool = True, timeout: float | None = None) -> ClusterReport:
        """Plan and perform."""
        scene = self.scene(*apps)
        return self.perform(scene, preview(scene), wait=wait, timeout=timeout)

    def perform(
        self, scene: Scene, plan: ClusterPlan, *, wait: bool = True, timeout: float | None = None
    ) -> ClusterReport:
        """Perform a plan that may be old."""
        options = UpOptions(plan_id="p" * 64, revision="r", actor="tester", wait=wait, timeout=timeout)
        return up(scene, plan, options, clock=self.clock, stop=self.stop, sink=self.events.append)

    def forget_log(self) -> None:
        """Start a new list of writes."""
        self.cluster.log.clear()


def ops_of(plan: ClusterPlan) -> set[tuple[str, str]]:
    """``("create", "ConfigMap/a")`` of each change, keeps left out."""
    return {(c.op.value, f"{c.ref.kind}/{c.ref.name}") for c in plan.changes if c.op is not Op.KEEP}


def outcomes(report: ClusterReport) -> dict[str, str]:
    """``{"ConfigMap/a": "done"}``."""
    return {f"{r.ref.kind}/{r.ref.name}": r.outcome.value for r in report.results}
