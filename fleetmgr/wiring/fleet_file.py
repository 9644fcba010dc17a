"""fleet.yaml as a text to edit, and a look at a cluster that is not in it yet."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from fleetmgr.adapters.fleetfile.files import FleetYaml
from fleetmgr.adapters.kube.access import AccessSettings
from fleetmgr.adapters.kube.connector import KubeConnector
from fleetmgr.errors import FleetError
from fleetmgr.operations.add import NewCluster, identity_of
from fleetmgr.ports.fleet_file import FleetFile
from fleetmgr.spec import LoadedFleet, load
from fleetmgr.wiring.machine import SystemClock


def open_fleet_file(file: Path) -> FleetFile:
    """Raises UsageError when there is none, InvalidInput when it is no YAML."""
    return FleetYaml(file)


def loaded_or_none(file: Path) -> LoadedFleet | None:
    """The fleet where it is valid."""
    with suppress(FleetError):
        return load(file)
    return None


def read_identity(file: Path, new: NewCluster) -> str:
    """The kube-system UID of a cluster by its way in; raises FleetError when it does not answer."""
    path = Path(new.kubeconfig).expanduser() if new.kubeconfig else None
    settings = AccessSettings(
        kubeconfig=str(file.parent.resolve() / path) if path else None, context=new.context
    )
    connector = KubeConnector({new.name: settings}, environment=dict(os.environ), clock=SystemClock())
    try:
        return identity_of(connector.connect(new.name))
    finally:
        connector.close()
