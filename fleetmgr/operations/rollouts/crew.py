"""The work of a rollout on one cluster: apply what was planned, or wait for what an earlier run has written; look
at its health; bring it back."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from fleetmgr.errors import ExitCode, FleetError
from fleetmgr.model.change import ClusterFailure, ClusterPlan
from fleetmgr.model.event import ClusterFinished, ClusterStarted, EventSink
from fleetmgr.model.health import HealthStatus
from fleetmgr.model.report import AppHealth, ClusterReport, Outcome
from fleetmgr.operations.across import across
from fleetmgr.operations.embedded.checking import WELL, Awaited, await_healthy, health_now
from fleetmgr.operations.embedded.run import UpOptions
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.operations.embedded.stopping import raise_if_set
from fleetmgr.operations.embedded.up import up
from fleetmgr.operations.rollouts.returning import Return, bring_back
from fleetmgr.operations.walk import Walk
from fleetmgr.ports.cluster_errors import AuthFailed, Unreachable
from fleetmgr.rollout.events import HealthSeen

_ILL = frozenset({HealthStatus.DEGRADED, HealthStatus.MISSING})


class ClusterCrew(Struct, kw_only=True):
    """Implements run.Crew for a plan that ``walk`` has just made."""

    walk: Walk
    parts: Mapping[str, ClusterPlan]
    options: UpOptions
    sink: EventSink
    rolling: frozenset[str] = frozenset()
    """Apps that this rollout changes somewhere: their health decides."""
    returns: dict[str, Return] = field(default_factory=dict[str, Return])
    """Where clusters went back to."""

    def apply(self, cluster: str) -> ClusterReport:
        """As run.Crew."""
        part, scene = self.parts[cluster], self.walk.scenes[cluster]
        to_write = sum(change.op.writes for change in part.changes)
        phase = "apply" if to_write else "verify"
        self.sink(ClusterStarted(cluster=cluster, phase=phase, objects=to_write))
        waited = None if to_write else self._verified(scene, part)
        if waited is not None and waited.exit_code is not ExitCode.OK:
            return self._finished(phase, waited)
        walk = self.walk
        report = up(scene, part, self.options, clock=walk.clock, stop=walk.stop, sink=self.sink)
        if waited is not None:  # nothing to write: up has brought the memory up to date
            report = replace(report, health=waited.health, seconds=waited.seconds + report.seconds)
        return self._finished(phase, report)

    def keep_up(self, cluster: str) -> ClusterReport:
        """Bring only the memory of a cluster up to date: nothing is to be written to it."""
        walk = self.walk
        self.sink(ClusterStarted(cluster=cluster, phase="apply"))
        scene, part = walk.scenes[cluster], self.parts[cluster]
        report = up(scene, part, self.options, clock=walk.clock, stop=walk.stop, sink=self.sink)
        return self._finished("apply", report)

    def roll_back(self, cluster: str) -> ClusterReport:
        """As run.Crew."""
        self.sink(ClusterStarted(cluster=cluster, phase="rollback"))
        went = bring_back(self.walk, self.walk.scenes[cluster], self.parts[cluster], self.options, self.sink)
        self.returns[cluster] = went
        return self._finished("rollback", went.report)

    def look(self, clusters: tuple[str, ...], *, patience: float | None) -> list[HealthSeen]:
        """As run.Crew."""
        walk = self.walk
        return across(
            lambda name: self._seen(name, patience), clusters, parallel=walk.parallel, stop=walk.stop
        )

    def _finished(self, phase: str, report: ClusterReport) -> ClusterReport:
        self.sink(
            ClusterFinished(
                cluster=report.cluster, phase=phase, exit_code=report.exit_code, summary=summary_of(report)
            )
        )
        return report

    def _verified(self, scene: Scene, part: ClusterPlan) -> ClusterReport:
        """Everything is written already, by a run that did not see it Healthy: wait as that run would have."""
        started = self.walk.clock.monotonic()
        health: tuple[AppHealth, ...] = ()
        failure: ClusterFailure | None = None
        try:
            awaited = self._await(scene, self.options.timeout)
            health, code = awaited.health, ExitCode.OK
            if not awaited.healthy:
                code = ExitCode.TIMEOUT if awaited.timed_out else ExitCode.FAILED
            raise_if_set(self.walk.stop)
        except FleetError as error:
            failure, code = (
                ClusterFailure(problem=error.problem(), exit_code=error.exit_code),
                error.exit_code,
            )
        return ClusterReport(
            cluster=part.cluster,
            environment=part.environment,
            exit_code=code,
            health=health,
            failure=failure,
            seconds=self.walk.clock.monotonic() - started,
        )

    def _seen(self, cluster: str, patience: float | None) -> HealthSeen:
        """A moment of Progressing is no illness while there is time; in the end only Healthy will do."""
        scene = self.walk.scenes[cluster]
        try:
            found = health_now(scene, self._apps(scene))
            ill = [h for h in found if h.status not in WELL and (patience is not None or h.status in _ILL)]
            if patience and ill and not any(h.status in _ILL for h in ill):
                ill = [h for h in self._await(scene, patience).health if h.status not in WELL]
        except (Unreachable, AuthFailed) as error:
            return HealthSeen(cluster=cluster, healthy=False, reachable=False, message=error.message)
        except FleetError as error:
            return HealthSeen(cluster=cluster, healthy=False, message=error.message)
        return HealthSeen(cluster=cluster, healthy=not ill, message=described(ill[0]) if ill else "")

    def _await(self, scene: Scene, timeout: float | None) -> Awaited:
        seconds = {app: self._timeout(scene, app, timeout) for app in self._apps(scene)}
        return await_healthy(scene, seconds, clock=self.walk.clock, stop=self.walk.stop, sink=self.sink)

    def _apps(self, scene: Scene) -> list[str]:
        """The apps of a cluster whose health decides; where the rollout changes none any more, all of them."""
        apps = [app.name for app in scene.stack.apps if app.name in scene.apps]
        return [app for app in apps if app in self.rolling] or apps

    @staticmethod
    def _timeout(scene: Scene, app: str, timeout: float | None) -> float:
        current = scene.stack_app(app)
        return timeout if timeout is not None else current.timeout if current is not None else 0.0


def described(health: AppHealth) -> str:
    """``web is Degraded: ...``."""
    return f"{health.app} is {health.status.value}" + (f": {health.message}" if health.message else "")


def summary_of(report: ClusterReport) -> str:
    """What became of a cluster, in one line."""
    if report.failure is not None:
        return report.failure.problem.message
    counts = [(o, sum(r.outcome is o for r in report.results)) for o in Outcome]
    text = ", ".join(f"{n} {o.value}" for o, n in counts if n) or "nothing to do"
    return text if report.exit_code is not ExitCode.TIMEOUT else f"{text}, not Healthy in time"
