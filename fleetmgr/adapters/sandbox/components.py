"""The command line of each component, and where it says that it is ready.

Flags are the cheap ones for a loopback cluster; each that is not obvious says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from fleetmgr.adapters.sandbox.layout import (
    APISERVER,
    CONTROLLER_MANAGER,
    ETCD,
    KWOK,
    SCHEDULER,
    Layout,
    program_of,
)
from fleetmgr.adapters.sandbox.loopback import HOST

# Seconds. Without leases kwok's nodes turn NotReady every 55 s and no Deployment stays available.
NODE_LEASE_SECONDS = 40
# Larger than kwok's default of 254 addresses.
POD_CIDR = "10.244.0.1/16"


class ClusterFiles(Struct, frozen=True, kw_only=True):
    """What lies in a cluster's folder."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """The self-signed chain that kube-apiserver makes at its first start (valid a year)."""
        return self.folder / "tls" / "apiserver.crt"

    @property
    def service_account_key(self) -> Path:
        """Signs service account tokens."""
        return self.folder / "service-account.key"

    @property
    def tokens(self) -> Path:
        """kube-apiserver's token file."""
        return self.folder / "tokens.csv"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's way in, for our own components."""
        return self.folder / "kubeconfig.yaml"


def health_url(key: str, port: int) -> str:
    """Answers 200 when the component is ready."""
    match program_of(key):
        case name if name == ETCD:
            return f"http://{HOST}:{port}/readyz"
        case name if name == APISERVER:
            return f"https://{HOST}:{port}/readyz"
        case name if name == KWOK:
            return f"http://{HOST}:{port}/healthz"
        case _:
            return f"https://{HOST}:{port}/healthz"


def ports_needed(key: str) -> int:
    """How many ports the component listens on; the first is where its health is."""
    return 2 if key == ETCD else 1


def command(
    key: str, ports: tuple[int, ...], *, tools: Mapping[str, Path], layout: Layout, etcd_port: int
) -> tuple[str, ...]:
    """The argv of a component."""
    program = program_of(key)
    executable = str(tools[program])
    if program == ETCD:
        return (executable, *_etcd(ports, layout))
    cluster = key.partition("/")[0]
    files = ClusterFiles(folder=layout.cluster(cluster))
    arguments = {
        APISERVER: _apiserver(cluster, ports[0], files, etcd_port),
        CONTROLLER_MANAGER: _controller_manager(ports[0], files),
        SCHEDULER: _scheduler(ports[0], files),
        KWOK: _kwok(ports[0], files, layout),
    }
    return (executable, *arguments[program])


def _etcd(ports: tuple[int, ...], layout: Layout) -> tuple[str, ...]:
    client, peer = (f"http://{HOST}:{port}" for port in ports)
    return (
        "--name=fleetmgr",
        f"--data-dir={layout.etcd_data}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=fleetmgr={peer}",
        # A sandbox may lose its last writes in a power cut; the disk is not what is tested.
        "--unsafe-no-fsync",
        "--log-level=warn",
    )


def _apiserver(cluster: str, port: int, files: ClusterFiles, etcd_port: int) -> tuple[str, ...]:
    return (
        f"--etcd-servers=http://{HOST}:{etcd_port}",
        f"--etcd-prefix=/{cluster}",
        f"--bind-address={HOST}",
        f"--advertise-address={HOST}",
        f"--secure-port={port}",
        f"--cert-dir={files.certificate.parent}",
        f"--token-auth-file={files.tokens}",
        "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={files.service_account_key}",
        f"--service-account-signing-key-file={files.service_account_key}",
        # Loopback is no valid endpoint of the `kubernetes` Service.
        "--endpoint-reconciler-type=none",
        # Pods are simulated: none needs a token mounted.
        "--disable-admission-plugins=ServiceAccount",
        "--allow-privileged=true",
        "--profiling=false",
    )


def _controller_manager(port: int, files: ClusterFiles) -> tuple[str, ...]:
    return (
        f"--kubeconfig={files.kubeconfig}",
        f"--bind-address={HOST}",
        f"--secure-port={port}",
        "--leader-elect=false",
        f"--root-ca-file={files.certificate}",
        f"--service-account-private-key-file={files.service_account_key}",
        # Binds PersistentVolumeClaims of the default StorageClass.
        "--enable-hostpath-provisioner=true",
        "--profiling=false",
    )


def _scheduler(port: int, files: ClusterFiles) -> tuple[str, ...]:
    return (
        f"--kubeconfig={files.kubeconfig}",
        f"--bind-address={HOST}",
        f"--secure-port={port}",
        "--leader-elect=false",
        "--profiling=false",
        # A claim that is bound between two looks at its pod is missed by the scheduler's queue, and the pod
        # would wait for the five minutes of the default.
        "--pod-max-in-unschedulable-pods-duration=5s",
    )


def _kwok(port: int, files: ClusterFiles, layout: Layout) -> tuple[str, ...]:
    return (
        f"--kubeconfig={files.kubeconfig}",
        f"--config={layout.stages}",
        "--manage-all-nodes=true",
        f"--node-lease-duration-seconds={NODE_LEASE_SECONDS}",
        f"--cidr={POD_CIDR}",
        f"--node-ip={HOST}",
        f"--server-address={HOST}:{port}",
        # Else a line for every lease and every pod, for as long as it runs.
        "--v=WARN",
    )
