"""Which engine brings changes to a cluster entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from fleetmgr.spec.engine_rules import engine_in

if TYPE_CHECKING:
    from fleetmgr.spec import Cluster, LoadedFleet

EngineName = Literal["embedded", "pulumi"]


def engine_of(loaded: LoadedFleet, cluster: Cluster, override: EngineName | None = None) -> EngineName:
    """``override`` is what --engine says; else the environment's ``engine.type``, else the fleet's, else embedded."""
    return override or engine_in(loaded.fleet, cluster.environment).type or "embedded"
