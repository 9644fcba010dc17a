"""What the Pulumi program stands on: the Stack of one cluster entry, rendered offline, and the way in."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from fleetmgr.adapters.pulumi.program import Selection, run
from fleetmgr.errors import UsageError
from fleetmgr.operations.render import render
from fleetmgr.wiring.offline import open_offline

if TYPE_CHECKING:
    from fleetmgr.spec import Cluster, LoadedFleet


def run_program() -> None:
    """The program of ``Pulumi.yaml``: registers the Stack that the selected Pulumi stack is named after."""
    run(select)


def select(root: Path, cluster: str) -> Selection:
    """The Stack of entry ``cluster`` of ``root``/fleet.yaml.

    Raises InvalidInput, UsageError for an unknown entry, and what a source refuses.
    """
    loaded, fetcher, _ = open_offline(root / "fleet.yaml")
    entry = _entry(loaded, cluster)
    (stack,) = render(loaded, fetcher, [entry])
    kubeconfig = loaded.kubeconfig(entry, home=Path.home())
    return Selection(
        stack=stack, kubeconfig=str(kubeconfig) if kubeconfig else None, context=entry.access.context
    )


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
