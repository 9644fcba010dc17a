"""One control plane from its credentials to Ready nodes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fleetmgr.adapters.sandbox import processes, seed
from fleetmgr.adapters.sandbox.api import ClusterApi
from fleetmgr.adapters.sandbox.components import ClusterFiles
from fleetmgr.adapters.sandbox.credentials import (
    ADMIN,
    Way,
    ensure_credentials,
    read_tokens,
    write_kubeconfig,
)
from fleetmgr.adapters.sandbox.errors import SandboxStartFailed
from fleetmgr.adapters.sandbox.layout import (
    APISERVER,
    CLUSTER_PROGRAMS,
    CONTROLLER_MANAGER,
    KWOK,
    Layout,
    key_of,
)
from fleetmgr.adapters.sandbox.ledger import Ledger
from fleetmgr.adapters.sandbox.loopback import HOST
from fleetmgr.adapters.sandbox.starting import Starter, live

# What follows the API server; it must run first, they give up after 10 s without one.
FOLLOWERS = CLUSTER_PROGRAMS[1:]
CERTIFICATE_SECONDS = 300 * 86400


def bring_up(cluster: str, starter: Starter, progress: Callable[[str], None]) -> None:
    """Start what does not run of a cluster and wait until pods could be scheduled on it."""
    began = starter.clock.monotonic()
    files = ClusterFiles(folder=starter.layout.cluster(cluster))
    ensure_credentials(files)
    if _start_apiserver(cluster, starter):
        progress(f"{cluster}: kube-apiserver ready ({starter.clock.monotonic() - began:.1f} s)")
    way = way_to(cluster, starter.layout, starter.ledger)
    if way is None:
        raise SandboxStartFailed(f"{cluster}: kube-apiserver left no certificate")
    write_kubeconfig(files.kubeconfig, [way])
    keys = [key_of(cluster, program) for program in FOLLOWERS]
    changed = [starter.launch(key) for key in keys]
    client = ClusterApi(way.server, authority=files.certificate, token=way.tokens[ADMIN])
    try:
        _seed(cluster, client, starter)
        for key in keys:
            starter.await_ready(key)
        _await_usable(cluster, client, starter)
    finally:
        client.close()
    if any(changed):
        progress(f"{cluster}: ready ({starter.clock.monotonic() - began:.1f} s)")


def way_to(cluster: str, layout: Layout, ledger: Ledger) -> Way | None:
    """How to reach a cluster; None before its API server's first start."""
    entry = ledger.entry(key_of(cluster, APISERVER))
    files = ClusterFiles(folder=layout.cluster(cluster))
    if entry is None or not files.certificate.exists():
        return None
    return Way(
        cluster=cluster,
        server=f"https://{HOST}:{entry.ports[0]}",
        authority=files.certificate.read_bytes(),
        tokens=read_tokens(files),
    )


def remove_volumes(cluster: str, layout: Layout, ledger: Ledger) -> None:
    """Remove the empty folders that the controller manager made for PersistentVolumes."""
    way = way_to(cluster, layout, ledger)
    if way is None or live(ledger.entry(key_of(cluster, APISERVER))) is None:
        return
    files = ClusterFiles(folder=layout.cluster(cluster))
    client = ClusterApi(way.server, authority=files.certificate, token=way.tokens[ADMIN])
    try:
        volumes = client.get("/api/v1/persistentvolumes") or {}
    finally:
        client.close()
    for volume in volumes.get("items", []):
        path = seed.host_path_of(volume)
        if path is not None:
            with suppress(OSError):  # not empty or not ours: left alone
                Path(path).rmdir()


def _start_apiserver(cluster: str, starter: Starter) -> bool:
    key = key_of(cluster, APISERVER)
    before = starter.ledger.entry(key)
    files = ClusterFiles(folder=starter.layout.cluster(cluster))
    renewed = live(before) is None and _drop_old_certificate(files, starter)
    started = starter.launch(key)
    port = starter.await_ready(key)
    if renewed or (before is not None and before.ports[0] != port):
        # The others read the server's address and certificate at their start only.
        entries = [starter.ledger.entry(key_of(cluster, program)) for program in FOLLOWERS]
        running = [process for entry in entries if (process := live(entry)) is not None]
        processes.stop(running, clock=starter.clock, grace=5.0)
    return started


def _drop_old_certificate(files: ClusterFiles, starter: Starter) -> bool:
    """The API server makes a certificate for a year and never renews it; True when one was dropped."""
    if not files.certificate.exists():
        return False
    age = starter.clock.now().timestamp() - files.certificate.stat().st_mtime
    if age < CERTIFICATE_SECONDS:
        return False
    files.certificate.unlink()
    files.certificate.with_suffix(".key").unlink(missing_ok=True)
    return True


def _seed(cluster: str, client: ClusterApi, starter: Starter) -> None:
    for path, body in seed.seed_objects(cluster):
        while not client.create(path, body):
            name = body["metadata"]["name"]
            starter.pause(f"{cluster} to accept {body['kind']} {name}", key_of(cluster, APISERVER))


def _await_usable(cluster: str, client: ClusterApi, starter: Starter) -> None:
    while client.get("/api/v1/namespaces/default") is None:
        starter.pause(f"{cluster}: namespace default", key_of(cluster, APISERVER))
    for name in seed.node_names(cluster):
        while True:
            node = client.get(f"/api/v1/nodes/{name}")
            if node is not None and seed.is_ready_node(node):
                break
            program = CONTROLLER_MANAGER if node and node["spec"].get("taints") else KWOK
            starter.pause(f"node {name} to be Ready", key_of(cluster, program))
