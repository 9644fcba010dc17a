"""An exported state of Pulumi: read from the cluster, written as JSON."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import orjson

from fleetmgr.engine.goals import WayIn
from fleetmgr.operations.entries import entry_of
from fleetmgr.operations.export_state import StateExport, export_state
from fleetmgr.operations.render import render
from fleetmgr.operations.walk import Walk


def exported_state(walk: Walk, cluster: str) -> StateExport:
    """The state of entry ``cluster``, which exists. Raises InvalidInput, WrongCluster and ClusterError."""
    loaded = walk.loaded
    (entry,) = (c for c in loaded.fleet.clusters if c.name == cluster)
    (stack,) = render(loaded, walk.fetcher, [entry])
    kubeconfig = loaded.kubeconfig(entry, home=Path.home())
    way = WayIn(
        version=version("pulumi-kubernetes"),
        context=entry.access.context,
        kubeconfig=str(kubeconfig) if kubeconfig else None,
    )
    return export_state(
        walk.connector.connect(cluster),
        entry_of(loaded, entry),
        stack,
        way=way,
        pulumi=f"v{version('pulumi')}",
        at=walk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def written(state: StateExport) -> str:
    """As ``pulumi stack export`` writes it, in a stable order."""
    return orjson.dumps(state.document, option=orjson.OPT_INDENT_2).decode() + "\n"
