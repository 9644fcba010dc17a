"""Everything that a walk over the clusters needs."""

from __future__ import annotations

import getpass
import os
import shlex
import socket
import sys
from pathlib import Path

from fleetmgr.adapters.kube.access import AccessSettings
from fleetmgr.adapters.kube.connector import KubeConnector
from fleetmgr.model.lease import Holder
from fleetmgr.operations.embedded.lease import LockRequest
from fleetmgr.operations.walk import Walk
from fleetmgr.spec import Cluster, LoadedFleet
from fleetmgr.wiring.machine import LinuxProcesses, SystemClock
from fleetmgr.wiring.offline import open_offline


def open_walk(file: Path, *, parallel: int) -> Walk:
    """Load ``file`` and connect nothing yet; raises InvalidInput with every problem of its files.

    Environment: KUBECONFIG, HOME, proxies (what kubectl reads too), and FLEET_ACTOR: who is recorded with an
    apply, instead of user@host.
    """
    loaded, fetcher, repository = open_offline(file)
    clock = SystemClock()
    entries = {c.name: _access(loaded, c) for c in loaded.fleet.clusters}
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
    )


def _access(loaded: LoadedFleet, cluster: Cluster) -> AccessSettings:
    path = loaded.kubeconfig(cluster, home=Path.home())
    return AccessSettings(
        kubeconfig=str(path) if path else None,
        context=cluster.access.context,
        in_cluster=cluster.access.in_cluster,
    )


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
