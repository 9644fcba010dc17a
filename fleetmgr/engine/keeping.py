"""Annotations of a live object that forbid to delete it."""

from __future__ import annotations

from fleetmgr.model.jsontypes import JsonObject, object_at

SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
PRUNE = "fleetmgr.dev/prune"
_DISABLED = "disabled"
_KEEPING = frozenset({"Prune=false", "Delete=false"})


def keeps_by_annotation(body: JsonObject) -> str | None:
    """Why ``body`` must not be deleted, as its annotations say it; None where they do not.

    Argo CD's ``sync-options`` (docs/user-guide/sync-options.md: ``Prune=false``, ``Delete=false``) and
    ``fleetmgr.dev/prune: disabled``.
    """
    annotations = object_at(body, "metadata", "annotations")
    if annotations.get(PRUNE) == _DISABLED:
        return f"{PRUNE} is {_DISABLED}"
    options = (option.strip() for option in str(annotations.get(SYNC_OPTIONS) or "").split(","))
    kept = next((option for option in options if option in _KEEPING), None)
    return f"{SYNC_OPTIONS} has {kept}" if kept else None
