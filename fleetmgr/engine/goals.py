"""A Stack as the registrations that the Pulumi program makes of it, without Pulumi: proven equal to what its SDK
sends, and what an exported state is made of."""

from __future__ import annotations

from msgspec import Struct

from fleetmgr.model.goal import Goal, provider_settings
from fleetmgr.model.resource import Resource, Stack
from fleetmgr.model.urn import (
    APP_TYPE,
    PROVIDER_NAME,
    PROVIDER_TYPE,
    STACK_TYPE,
    app_urn,
    provider_urn,
    stack_urn,
)


class WayIn(Struct, frozen=True, kw_only=True):
    """What the provider is told, and its version without ``v``."""

    version: str
    context: str | None = None
    kubeconfig: str | None = None


def goals(stack: Stack, way: WayIn) -> tuple[Goal, ...]:
    """``stack`` is complete (``engine.registering``). The root comes first, then the provider, the components and the
    objects, each after what it depends on."""
    project, name = stack.fleet, stack.cluster
    root = stack_urn(project=project, stack=name)
    provider = provider_urn(project=project, stack=name)
    inputs = provider_settings(cluster=name, context=way.context, kubeconfig=way.kubeconfig)
    urns = {(r.type, r.name): r.urn(project=project, stack=name) for r in stack.resources}

    def goal(resource: Resource) -> Goal:
        options = resource.options
        owner = options.deleted_with
        return Goal(
            urn=urns[resource.type, resource.name],
            type=resource.type,
            name=resource.name,
            parent=app_urn(resource.app, project=project, stack=name),
            custom=True,
            inputs=resource.inputs,
            provider=provider,
            version=way.version,
            dependencies=frozenset(urns[named] for named in options.depends_on if named in urns),
            aliases=resource.former_urns(project=project, stack=name),
            deleted_with=urns.get(owner, "") if owner is not None else "",
            protect=options.protect,
            retain_on_delete=options.retain_on_delete,
            ignore_changes=options.ignore_changes,
            timeout=options.timeout,
        )

    return (
        Goal(urn=root, type=STACK_TYPE, name=f"{project}-{name}", parent="", custom=False, inputs={}),
        Goal(
            urn=provider,
            type=PROVIDER_TYPE,
            name=PROVIDER_NAME,
            parent=root,
            custom=True,
            inputs=dict(inputs),
            version=way.version,
        ),
        *(
            Goal(
                urn=app_urn(app.name, project=project, stack=name),
                type=APP_TYPE,
                name=app.name,
                parent=root,
                custom=False,
                inputs={},
            )
            for app in stack.apps
        ),
        *(goal(resource) for resource in stack.resources),
    )
