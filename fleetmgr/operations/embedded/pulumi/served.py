"""What a cluster serves, as registrations take it."""

from __future__ import annotations

from fleetmgr.model.objects import GroupKind
from fleetmgr.model.served import Served, ServedKind
from fleetmgr.ports.cluster import Discovery


def served_kinds(discovery: Discovery) -> Served:
    """By kind: its scope and all its versions."""
    versions: dict[GroupKind, list[str]] = {}
    for resource in discovery.resources.values():
        versions.setdefault(resource.group_kind, []).append(resource.version)
    return {
        kind: ServedKind(namespaced=resource.namespaced, versions=tuple(sorted(versions[kind])))
        for kind, resource in discovery.preferred.items()
        if kind in versions
    }
