"""A Pulumi stack in memory, over a cluster in memory: upsert on create, targets, replacement, forgetting."""

from __future__ import annotations

from collections.abc import Callable

from fleetmgr.errors import Problem
from fleetmgr.model.jsontypes import object_at
from fleetmgr.model.resource import Resource
from fleetmgr.ports.pulumi import Outcome, Request, StackState, StateResource, Step, StepOp
from fleetmgr.ports.stop import Stop
from tests.fakes.cluster import FakeCluster

PLUGIN = "fleetmgr:shop"


class FakePulumiStack:
    """``runs`` are the requests of ``up``; ``refuses`` and ``replaces`` say by object name what goes wrong."""

    def __init__(self, cluster: FakeCluster, *, project: str = "shop", stack: str = "dev-1") -> None:
        self.cluster = cluster
        self.project, self.name = project, stack
        self.known: dict[str, StateResource] = {}
        self.retained: set[str] = set()
        self.runs: list[Request] = []
        self.previews: list[Request] = []
        self.refuses: dict[str, str] = {}
        self.replaces: set[str] = set()
        self.fails: str | None = None
        self.removed = False

    def state(self) -> StackState:
        return StackState(exists=bool(self.known), resources=tuple(self.known.values()))

    def preview(self, request: Request, *, stop: Stop) -> Outcome:
        del stop
        self.previews.append(request)
        return self._outcome([self._step(request, urn) for urn in request.targets or ()])

    def up(self, request: Request, *, stop: Stop, on_step: Callable[[Step], None]) -> Outcome:
        del stop
        self.runs.append(request)
        if self.fails is not None:
            return Outcome(failure=Problem(message=self.fails))
        steps: list[Step] = []
        for urn in request.targets or ():
            step = self._step(request, urn)
            steps.append(step)
            if step.problem is not None:
                return self._outcome(steps)
            self._perform(request, step)
            on_step(step)
        return self._outcome(steps)

    def forget(self, urns: tuple[str, ...]) -> None:
        for urn in urns:
            del self.known[urn]

    def remove(self) -> None:
        assert not self.known
        self.removed = True

    def deployment(self) -> bytes:
        return b"{}"

    def names(self) -> set[str]:
        """What the state holds: ``Deployment shop/web``."""
        return {f"{entry.type.rpartition(':')[2]} {entry.id}" for entry in self.known.values()}

    def _resources(self, request: Request) -> dict[str, Resource]:
        return {r.urn(project=self.project, stack=self.name): r for r in request.stack.resources}

    def _step(self, request: Request, urn: str) -> Step:
        resource = self._resources(request).get(urn)
        if resource is None:
            return Step(urn=urn, op=StepOp.DELETE)
        for identity in (*resource.options.depends_on, resource.options.deleted_with):
            assert identity is None or identity in {(r.type, r.name) for r in request.stack.resources}
        name = resource.ref.name
        problem = Problem(message=self.refuses[name]) if name in self.refuses else None
        if urn in request.replacing or name in self.replaces:
            return Step(urn=urn, op=StepOp.REPLACE, fields=("spec.selector",), problem=problem)
        old = {urn, *(self._aliased(urn, alias, resource) for alias in resource.options.aliases)}
        op = StepOp.UPDATE if old & self.known.keys() else StepOp.CREATE
        return Step(urn=urn, op=op, problem=problem)

    @staticmethod
    def _aliased(urn: str, alias: str, resource: Resource) -> str:
        return urn.replace(f"${resource.type}::", f"${alias}::")

    def _perform(self, request: Request, step: Step) -> None:
        resource = self._resources(request).get(step.urn)
        if resource is None:
            self._delete(self.known.pop(step.urn), retained=step.urn in self.retained)
            return
        ref = resource.ref
        served = self.cluster.discover().find(*ref[:3])
        assert served is not None
        if step.op is StepOp.REPLACE:
            live = self.cluster.get(served, namespace=ref.namespace, name=ref.name)
            uid = str(object_at(live or {}, "metadata").get("uid"))
            self.cluster.delete(served, namespace=ref.namespace, name=ref.name, uid=uid)
        self.cluster.apply(served, resource.inputs, manager=PLUGIN, force=True, dry_run=False)
        for alias in resource.options.aliases:
            self.known.pop(self._aliased(step.urn, alias, resource), None)
        self.known[step.urn] = StateResource(
            urn=step.urn,
            type=resource.type,
            name=resource.name,
            id=f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name,
            protect=resource.options.protect,
        )

    def _delete(self, entry: StateResource, *, retained: bool) -> None:
        group_version, _, kind = entry.type.partition(":")[2].rpartition(":")
        group, _, version = group_version.rpartition("/")
        served = self.cluster.discover().find("" if group == "core" else group, version, kind)
        assert served is not None
        namespace, _, name = entry.id.rpartition("/")
        live = self.cluster.get(served, namespace=namespace, name=name)
        if live is not None and not retained:
            uid = str(object_at(live, "metadata")["uid"])
            self.cluster.delete(served, namespace=namespace, name=name, uid=uid)

    @staticmethod
    def _outcome(steps: list[Step]) -> Outcome:
        failed = [step.problem for step in steps if step.problem is not None]
        return Outcome(steps=tuple(steps), failure=Problem(message="update failed") if failed else None)
