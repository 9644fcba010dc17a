"""Pydantic models of fleet.yaml and overlays, and the guarded loader: the only validation of user input.

A model is imported when somebody asks for it by name: a fleet that was checked before needs none of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

_MODULES = {
    **dict.fromkeys(("App", "Placement", "Source"), "app"),
    **dict.fromkeys(("Access", "Cluster", "Environment", "Fleet"), "fleet"),
    **dict.fromkeys(("Overlay", "OverlayException", "Sync"), "overlay"),
    "LoadedFleet": "loaded",
    "load": "loader",
}


def __getattr__(name: str) -> object:
    """A name of ``__all__`` from its module (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
