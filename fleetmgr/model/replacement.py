"""Deleting an object and creating it again: what a field that cannot be changed in place asks for."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

REPLACE_ANNOTATION = "fleetmgr.dev/replace"
"""On an object: ``never``, ``ask`` or ``always``."""


class Propagation(StrEnum):
    """What becomes of what an object owns when it is deleted (metav1.DeletionPropagation)."""

    BACKGROUND = "Background"
    FOREGROUND = "Foreground"
    """It stays until all that it owns is gone."""
    ORPHAN = "Orphan"
    """What it owns stays."""


class Replacement(Struct, frozen=True, kw_only=True):
    """``fields`` are the JSON pointers of what cannot be changed in place; empty for a Job that runs again."""

    fields: tuple[str, ...]
    propagation: Propagation
    every_apply: bool = False
    """A Job that runs at each apply: what is live is as desired nevertheless."""
