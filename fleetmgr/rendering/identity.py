"""What a Resource is called: type token, name and aliases. Frozen from the first release (decision 0003)."""

from __future__ import annotations

from functools import lru_cache

from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.urn import type_token
from fleetmgr.rendering.kinds import CustomKind, is_built_in
from fleetmgr.rendering.versions import VERSIONS


def resource_name(ref: ObjectRef) -> str:
    """``<namespace>/<name>``, or ``<name>`` when cluster-scoped: never the app, so objects can move."""
    return f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name


@lru_cache(maxsize=4096)
def type_aliases(group: str, version: str, kind: str, custom: CustomKind | None = None) -> tuple[str, ...]:
    """Type tokens of every other version that the same object may have been registered under."""
    own = type_token(group, version, kind)
    if is_built_in(group):
        mine = f"{group or 'core'}/{version}"
        known = VERSIONS.get(kind, ())
        tokens = (
            [f"kubernetes:{v}:{kind}" for v in known] if mine in known or _same_group(group, known) else []
        )
    else:
        tokens = [type_token(group, v, kind) for v in (custom.versions if custom else ())]
    return tuple(token for token in tokens if token != own)


def _same_group(group: str, known: tuple[str, ...]) -> bool:
    """A version newer than the table still is the same kind when the group is."""
    return any(v.startswith(f"{group or 'core'}/") for v in known)
