"""What of a sandbox runs, looked at now."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

from fleetmgr.adapters.sandbox import api, components, processes
from fleetmgr.adapters.sandbox.layout import APISERVER, CLUSTER_PROGRAMS, ETCD, Layout, key_of
from fleetmgr.adapters.sandbox.ledger import Contents, Entry
from fleetmgr.adapters.sandbox.loopback import HOST
from fleetmgr.adapters.sandbox.starting import live
from fleetmgr.ports.sandbox import (
    ClusterState,
    ClusterStatus,
    ProcessState,
    ProcessStatus,
    SandboxState,
    SandboxStatus,
)


def status(layout: Layout, contents: Contents) -> SandboxStatus:
    """Every component's process and health, all asked at the same time."""
    keys = [ETCD, *(key_of(name, p) for name in contents.clusters for p in CLUSTER_PROGRAMS)]
    entries = [contents.entries.get(key) for key in keys]
    with ThreadPoolExecutor(max_workers=8) as pool:
        found = pool.map(_process, keys, entries, repeat(layout))
    by_key = dict(zip(keys, found, strict=True))
    clusters = tuple(
        _cluster(name, tuple(by_key[key_of(name, program)] for program in CLUSTER_PROGRAMS))
        for name in contents.clusters
    )
    return SandboxStatus(
        name=layout.name,
        state=_sandbox_state(by_key[ETCD], clusters),
        kubeconfig=layout.kubeconfig,
        shared=(by_key[ETCD],) if contents.clusters else (),
        clusters=clusters,
    )


def _process(key: str, entry: Entry | None, layout: Layout) -> ProcessStatus:
    process = live(entry)
    used = None if process is None else processes.usage(process)
    port = entry.ports[0] if entry is not None else 0
    state: ProcessState
    if used is not None:
        state = "ready" if api.answers(components.health_url(key, port)) else "starting"
    else:
        state = "stopped" if entry is None or entry.pid is None else "dead"
    return ProcessStatus(
        name=key.rpartition("/")[2],
        state=state,
        pid=None if used is None or process is None else process.pid,
        port=port,
        rss=None if used is None else used.rss,
        uptime=None if used is None else used.uptime,
        log=layout.log(key),
    )


def _cluster(name: str, found: Sequence[ProcessStatus]) -> ClusterStatus:
    states = {process.state for process in found}
    state: ClusterState
    if len(states) == 1 and states <= {"ready", "stopped", "starting"}:
        state = "ready" if "ready" in states else "stopped" if "stopped" in states else "starting"
    else:
        state = "degraded" if states & {"dead", "stopped"} else "starting"
    port = next(process.port for process in found if process.name == APISERVER)
    return ClusterStatus(name=name, state=state, server=f"https://{HOST}:{port}", processes=tuple(found))


def _sandbox_state(etcd: ProcessStatus, clusters: Sequence[ClusterStatus]) -> SandboxState:
    if not clusters:
        return "absent"
    states = {cluster.state for cluster in clusters}
    if etcd.state == "ready" and states == {"ready"}:
        return "ready"
    return "stopped" if etcd.state == "stopped" and states == {"stopped"} else "degraded"
