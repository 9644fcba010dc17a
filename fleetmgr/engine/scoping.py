"""Rendering takes kinds that it does not know for namespaced; a cluster that serves them may know better."""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.model.jsontypes import object_at
from fleetmgr.model.resource import Resource
from fleetmgr.model.urn import type_token

_NAMESPACE = type_token("", "v1", "Namespace")


def without_namespace(resource: Resource) -> Resource:
    """``resource`` as an object of a cluster-scoped kind: nothing of it hangs on a namespace any more, and its name
    in Pulumi is what it would be had its definition been in the fleet."""
    metadata = {k: v for k, v in object_at(resource.inputs, "metadata").items() if k != "namespace"}
    options = resource.options
    return replace(
        resource,
        name=resource.ref.name,
        ref=resource.ref._replace(namespace=""),
        inputs={**resource.inputs, "metadata": metadata},
        options=replace(
            options,
            former_names=tuple(dict.fromkeys((*options.former_names, resource.name))),
            depends_on=tuple(named for named in options.depends_on if named[0] != _NAMESPACE),
            deleted_with=None,
        ),
    )
