"""Pydantic models of fleet.yaml and overlays, and the guarded loader: the only validation of user input."""

from fleetmgr.spec.app import App, Placement, Source
from fleetmgr.spec.fleet import Access, Cluster, Environment, Fleet
from fleetmgr.spec.loaded import LoadedFleet
from fleetmgr.spec.loader import load
from fleetmgr.spec.overlay import Overlay, OverlayException, Sync

__all__ = [
    "Access",
    "App",
    "Cluster",
    "Environment",
    "Fleet",
    "LoadedFleet",
    "Overlay",
    "OverlayException",
    "Placement",
    "Source",
    "Sync",
    "load",
]
