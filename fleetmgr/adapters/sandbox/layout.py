"""Where a sandbox keeps its things. A component's key is ``etcd`` or ``<cluster>/<program>``."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct

from fleetmgr.adapters.sandbox.errors import SandboxUnknown

# Becomes part of file, context and node names, hence the length and the DNS label form.
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")

ETCD = "etcd"
APISERVER = "kube-apiserver"
CONTROLLER_MANAGER = "kube-controller-manager"
SCHEDULER = "kube-scheduler"
KWOK = "kwok"
# In the order of starting; stopping goes the other way.
CLUSTER_PROGRAMS = (APISERVER, CONTROLLER_MANAGER, SCHEDULER, KWOK)


class Layout(Struct, frozen=True, kw_only=True):
    """The paths of one sandbox."""

    name: str
    root: Path
    kubeconfig: Path

    @property
    def ledger(self) -> Path:
        """What was started."""
        return self.root / "sandbox.json"

    @property
    def lock(self) -> Path:
        """Beside the folder, so that removing the folder does not remove a held lock."""
        return self.root.parent / f".{self.name}.lock"

    @property
    def etcd_data(self) -> Path:
        """etcd's data folder, shared by all clusters."""
        return self.root / "etcd-data"

    @property
    def stages(self) -> Path:
        """How simulated nodes and pods behave."""
        return self.root / "stages.yaml"

    def cluster(self, cluster: str) -> Path:
        """The folder of one cluster: certificate, keys, tokens."""
        return self.root / cluster

    def log(self, key: str) -> Path:
        """The log of one component."""
        return self.root / "logs" / f"{key.replace('/', '.')}.log"


def layout_of(name: str, *, state_home: Path, home: Path) -> Layout:
    """The layout of the sandbox called ``name``; raises SandboxUnknown for an impossible name."""
    if not _NAME.fullmatch(name):
        raise SandboxUnknown(
            f"{name!r} cannot name a sandbox",
            hint="lower-case letters, digits and dashes, at most 40, as in a DNS label",
        )
    return Layout(
        name=name,
        root=state_home / "fleetmgr" / "sandbox" / name,
        kubeconfig=home / ".kube" / f"fleetmgr-{name}.yaml",
    )


def cluster_names(name: str, count: int) -> tuple[str, ...]:
    """``sandbox-1 .. sandbox-N``."""
    return tuple(f"{name}-{number}" for number in range(1, count + 1))


def key_of(cluster: str, program: str) -> str:
    """The key of a cluster's component."""
    return f"{cluster}/{program}"


def program_of(key: str) -> str:
    """The program that a key's component runs."""
    return key.rpartition("/")[2]
