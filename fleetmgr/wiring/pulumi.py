"""What the Pulumi program stands on: the Stack of one cluster entry, the cluster itself, and the way in."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from fleetmgr.adapters.pulumi.program import Selection
from fleetmgr.adapters.pulumi.running import Ready, run
from fleetmgr.errors import UsageError
from fleetmgr.operations.entries import entry_of
from fleetmgr.operations.plain_pulumi import look, make_namespaces
from fleetmgr.operations.render import render
from fleetmgr.wiring.walk import open_walk

if TYPE_CHECKING:
    from fleetmgr.spec import Cluster, LoadedFleet


def run_program() -> None:
    """The program of ``Pulumi.yaml``: registers the Stack that the selected Pulumi stack is named after."""
    run(select)


def select(root: Path, cluster: str) -> Ready:
    """The Stack of entry ``cluster`` of ``root``/fleet.yaml, as its cluster takes it.

    Raises InvalidInput, UsageError for an unknown entry, WrongCluster, ClusterError, and what a source refuses.
    """
    walk = open_walk(root / "fleet.yaml", parallel=1)
    loaded = walk.loaded
    entry = _entry(loaded, cluster)
    (stack,) = render(loaded, walk.fetcher, [entry])
    client = walk.connector.connect(cluster)
    ground = look(client, entry_of(loaded, entry), stack)
    return Ready(
        selection=Selection(
            stack=ground.stack,
            kubeconfig=_kubeconfig(loaded.kubeconfig(entry, home=Path.home())),
            context=entry.access.context,
        ),
        inventory=ground.inventory,
        prepare=lambda: make_namespaces(client, ground.stack),
    )


def _kubeconfig(path: Path | None) -> str | None:
    """What the provider must be told: nothing where KUBECONFIG already says it, as ``fleet apply`` leaves the state,
    so that no path of one machine is in it.

    Environment: KUBECONFIG.
    """
    if path is None or os.environ.get("KUBECONFIG") == str(path):
        return None
    return str(path)


def _entry(loaded: LoadedFleet, name: str) -> Cluster:
    entries = {cluster.name: cluster for cluster in loaded.fleet.clusters}
    if name in entries:
        return entries[name]
    near = difflib.get_close_matches(name, entries, n=1)
    raise UsageError(
        f"the Pulumi stack `{name}` names no cluster of fleet.yaml",
        hint=f"did you mean `{near[0]}`?"
        if near
        else f"a stack is named after a cluster: {', '.join(entries)}",
    )
