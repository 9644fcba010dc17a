"""Whatever Git wants, in whatever order, and whatever others do meanwhile: an apply converges, the next plan is
empty, and nothing that is not ours ever changes."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from fleetmgr.errors import ExitCode
from fleetmgr.ports.cluster_errors import Unreachable
from tests.operations.worlds import App, World, config, deployment, is_record, service

NAMES = ("a", "b", "c")
APPS = ("web", "api")
Wanted = dict[tuple[str, str], tuple[str, str]]
"""(kind, name) -> (app, value)."""


def manifest(kind: str, name: str, value: str) -> str:
    if kind == "ConfigMap":
        return config(name, **{f"key-{value}": value, "always": value})
    if kind == "Service":
        return service(name)
    return deployment(name, image=f"web:{value}")


wanted_states = st.dictionaries(
    st.tuples(st.sampled_from(("ConfigMap", "Service", "Deployment")), st.sampled_from(NAMES)),
    st.tuples(st.sampled_from(APPS), st.sampled_from(("1", "2"))),
    max_size=6,
)


class Converging(RuleBasedStateMachine):
    """Git, the fleet and other people take turns on one cluster."""

    world: World
    foreign: dict[str, dict[str, Any]]
    wanted: Wanted

    @initialize()
    def start(self) -> None:
        self.world = World()
        self.wanted = {}
        self.foreign = {}
        self.world.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        self.world.apps = {name: App(manifests=[]) for name in APPS}

    @rule(wanted=wanted_states, prune=st.booleans(), apps=st.sets(st.sampled_from(APPS)))
    def commit(self, wanted: Wanted, *, prune: bool, apps: set[str]) -> None:
        """Git wants something else; apps come and go."""
        taken = {("ConfigMap", name.split("/")[1]) for name in self.foreign}
        self.wanted = {k: v for k, v in wanted.items() if v[0] in apps and k not in taken}
        self.world.apps = {
            name: App(
                manifests=[manifest(*k, value) for k, (app, value) in self.wanted.items() if app == name],
                prune=prune,
            )
            for name in sorted(apps)
        }

    @rule(name=st.sampled_from(NAMES), labelled=st.booleans())
    def somebody_creates(self, name: str, *, labelled: bool) -> None:
        """A ConfigMap of somebody else, perhaps with our labels copied, where nothing of ours is or was."""
        if self.world.cluster.body("ConfigMap", "shop", name) or ("ConfigMap", name) in self.wanted:
            return
        metadata: dict[str, Any] = {"name": name, "namespace": "shop"}
        ours = [b for b in self.bodies() if f"{b['kind']}/{b['metadata']['name']}" not in self.foreign]
        if labelled and ours:
            metadata["labels"] = dict(ours[0]["metadata"].get("labels", {}))
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"precious": "yes"}}
        self.foreign[f"ConfigMap/{name}"] = self.world.cluster.create(body)

    @rule(kind=st.sampled_from(("ConfigMap", "Deployment")), name=st.sampled_from(NAMES))
    def somebody_edits(self, kind: str, name: str) -> None:
        """One of our objects is edited by hand."""
        if f"{kind}/{name}" in self.foreign or self.world.cluster.body(kind, "shop", name) is None:
            return
        change = {"data": {"always": "by hand"}} if kind == "ConfigMap" else {"spec": {"replicas": 7}}
        self.world.cluster.edit(kind, "shop", name, change)

    @rule(kind=st.sampled_from(("ConfigMap", "Deployment", "Service")), name=st.sampled_from(NAMES))
    def somebody_deletes(self, kind: str, name: str) -> None:
        """One of our objects is deleted by hand."""
        if f"{kind}/{name}" not in self.foreign and self.world.cluster.body(kind, "shop", name):
            self.world.cluster.remove(kind, "shop", name)

    @rule(after=st.integers(0, 6))
    def apply_dies(self, after: int) -> None:
        """An apply that loses the cluster after some writes."""
        left = [after]

        def die(verb: str, name: str) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Unreachable(f"{verb} {name}: connection refused", cluster="dev-1")

        self.world.cluster.before = die
        self.world.apply()
        self.world.cluster.before = None

    @rule(app=st.sampled_from(APPS))
    def apply_one(self, app: str) -> None:
        """A selected apply."""
        if app in self.world.apps:
            assert self.world.apply(app).exit_code is ExitCode.OK

    @rule()
    def apply(self) -> None:
        """A whole apply: what Git wants is there, and nothing else of ours unless it was orphaned."""
        report = self.world.apply()
        assert report.exit_code is ExitCode.OK, report
        assert {op for op, _ in self.world.ops()} <= {"orphaned", "unproven"}
        for (kind, name), (_, value) in self.wanted.items():
            body = self.world.cluster.body(kind, "shop", name)
            assert body is not None
            if kind == "ConfigMap":
                assert body["data"] == {f"key-{value}": value, "always": value}
            if kind == "Deployment":
                assert body["spec"]["replicas"] == 1
        orphans = {name for op, name in self.world.ops() if op == "orphaned"}
        known = orphans | {f"{kind}/{name}" for kind, name in self.wanted} | self.foreign.keys()
        assert {f"{b['kind']}/{b['metadata']['name']}" for b in self.bodies()} <= known
        self.world.forget_log()
        self.world.apply()
        assert self.world.cluster.log == []

    @invariant()
    def nothing_foreign_changes(self) -> None:
        for name, body in getattr(self, "foreign", {}).items():
            kind, _, short = name.partition("/")
            assert self.world.cluster.body(kind, "shop", short) == body

    def bodies(self) -> list[dict[str, Any]]:
        found = [
            self.world.cluster.body(kind, "shop", name)
            for kind in ("ConfigMap", "Service", "Deployment")
            for name in NAMES
        ]
        return [body for body in found if body is not None and not is_record(body["metadata"]["name"])]


TestConverging = Converging.TestCase
TestConverging.settings = settings(max_examples=60, stateful_step_count=14, deadline=None)
