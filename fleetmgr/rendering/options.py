"""Pulumi options of the Resources of one Stack: aliases, and the two orders that Kubernetes itself asks for
(a custom resource after its definition, an object after its namespace)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from fleetmgr.model.objects import GroupKind, ObjectRef
from fleetmgr.model.resource import ResourceOptions
from fleetmgr.rendering.identity import type_aliases
from fleetmgr.rendering.kinds import CRD, NAMESPACE, Scopes

_Named = tuple[str, str]


class OptionsTable:
    """``namespaces`` and ``definitions`` map names of objects in the Stack to (type token, name)."""

    def __init__(
        self, *, namespaces: Mapping[str, _Named], definitions: Mapping[str, _Named], scopes: Scopes
    ) -> None:
        """Options are shared between Resources of one kind and namespace."""
        self._namespaces = namespaces
        self._definitions = definitions
        self._scopes = scopes
        self._shared: dict[tuple[str, str, str, str], ResourceOptions] = {}

    def options(self, ref: ObjectRef) -> ResourceOptions:
        """The options of one object."""
        key = (ref.group, ref.version, ref.kind, ref.namespace)
        found = self._shared.get(key)
        if found is None:
            found = self._shared[key] = self._build(ref)
        return found

    def _build(self, ref: ObjectRef) -> ResourceOptions:
        group_kind = GroupKind(ref.group, ref.kind)
        custom = self._scopes.custom.get(group_kind)
        definition = self._definitions.get(custom.name) if custom and group_kind != CRD else None
        namespace = self._namespaces.get(ref.namespace) if group_kind != NAMESPACE else None
        return _options(
            type_aliases(ref.group, ref.version, ref.kind, custom),
            tuple(name for name in (definition, namespace) if name is not None),
            namespace,
        )


@lru_cache(maxsize=4096)
def _options(
    aliases: tuple[str, ...], depends_on: tuple[_Named, ...], deleted_with: _Named | None
) -> ResourceOptions:
    """Equal options are one object, also between Stacks."""
    return ResourceOptions(aliases=aliases, depends_on=depends_on, deleted_with=deleted_with)
