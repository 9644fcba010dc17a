"""Everything that a walk over the clusters needs."""

from __future__ import annotations

import getpass
import importlib
import os
import shlex
import socket
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from fleetmgr.adapters.kube.connector import KubeConnector
from fleetmgr.expansion.engines import engine_of
from fleetmgr.model.change import PULUMI
from fleetmgr.model.lease import Holder
from fleetmgr.operations.embedded.lease import LockRequest
from fleetmgr.operations.walk import Walk
from fleetmgr.ports.past import Past, PastFleet
from fleetmgr.ports.repository import Repository
from fleetmgr.wiring.access import access_settings
from fleetmgr.wiring.machine import LinuxProcesses, SystemClock
from fleetmgr.wiring.offline import open_offline

if TYPE_CHECKING:
    from fleetmgr.expansion.engines import EngineName
    from fleetmgr.model.change import ClusterPlan
    from fleetmgr.model.report import DoctorCheck
    from fleetmgr.operations.embedded.scene import Scene
    from fleetmgr.ports.pulumi import PulumiEngine, PulumiStack
    from fleetmgr.spec import Cluster, LoadedFleet


def open_walk(file: Path, *, parallel: int, engine: EngineName | None = None) -> Walk:
    """Load ``file`` and connect nothing yet; raises InvalidInput with every problem of its files.

    Environment: KUBECONFIG, HOME, proxies (what kubectl reads too), and FLEET_ACTOR: who is recorded with an
    apply, instead of user@host. ``engine`` overrides what fleet.yaml says for every cluster.
    """
    loaded, fetcher, repository = open_offline(file)
    clock = SystemClock()
    entries = {c.name: access_settings(loaded, c) for c in loaded.fleet.clusters}
    actor = _actor()
    return Walk(
        loaded=loaded,
        repository=repository,
        fetcher=fetcher,
        connector=KubeConnector(entries, environment=dict(os.environ), clock=clock),
        clock=clock,
        actor=actor,
        parallel=parallel,
        lock=_lock(actor),
        tools=lambda clusters: _tools(loaded, clusters),
        past=LazyPast(repository, file.name),
        stacks=LazyStacks(loaded, engine),
        opinion=_opinion,
    )


def _tools(loaded: LoadedFleet, clusters: Sequence[Cluster]) -> Iterable[DoctorCheck]:
    """Looked for by the one verb that shows them."""
    tools = importlib.import_module("fleetmgr.wiring.pulumi_tools")
    return cast("Iterable[DoctorCheck]", tools.pulumi_checks(loaded, clusters))


def _opinion(walk: Walk, scene: Scene, plan: ClusterPlan) -> ClusterPlan:
    """As Walk.opinion, of the engine that hardly any run has."""
    asking = importlib.import_module("fleetmgr.operations.embedded.pulumi.opinion")
    return cast("ClusterPlan", asking.opinion(scene, plan, stop=walk.stop, whole=walk.whole_opinion))


class LazyStacks:
    """Pulumi stacks of the entries that Pulumi performs; nothing of Pulumi is imported where there are none."""

    def __init__(self, loaded: LoadedFleet, override: EngineName | None) -> None:
        """Nothing is opened yet."""
        self._loaded = loaded
        self._override: EngineName | None = override
        self._opened: PulumiEngine | None = None
        self._lock = threading.Lock()

    def __call__(self, cluster: str) -> PulumiStack | None:
        """As Walk.stacks."""
        entry = next(c for c in self._loaded.fleet.clusters if c.name == cluster)
        if engine_of(self._loaded, entry, self._override) != PULUMI:
            return None
        with self._lock:
            if self._opened is None:
                wiring = importlib.import_module("fleetmgr.wiring.pulumi_engine")
                self._opened = cast("PulumiEngine", wiring.open_engine(self._loaded))
        return self._opened.stack(cluster)


class LazyPast:
    """Earlier revisions, opened when somebody wants to go back to one: hardly any run does."""

    def __init__(self, repository: Repository, name: str) -> None:
        """Nothing is opened yet."""
        self._repository = repository
        self._name = name
        self._opened: Past | None = None
        self._lock = threading.Lock()

    def at(self, revision: str) -> PastFleet:
        """As ports.past.Past."""
        with self._lock:
            if self._opened is None:
                past = importlib.import_module("fleetmgr.wiring.past")
                self._opened = cast("Past", past.PastFleets(self._repository, self._name))
        return self._opened.at(revision)

    def close(self) -> None:
        """As ports.past.Past."""
        if self._opened is not None:
            self._opened.close()


def _lock(actor: str) -> LockRequest:
    """Who we are, for those who find our lease."""
    processes = LinuxProcesses()
    holder = Holder(
        actor=actor,
        host=socket.gethostname(),
        pid=os.getpid(),
        command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        process=processes.this(),
    )
    return LockRequest(holder=holder, processes=processes)


def _actor() -> str:
    named = os.environ.get("FLEET_ACTOR")
    if named:
        return named
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as containers have
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
