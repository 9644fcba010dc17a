"""The Pulumi program: one Stack -> registrations.

Resources are registered as bare ``pulumi.CustomResource`` (a quarter of the time and memory of the typed
classes, the same request on the wire), below one ``fleetmgr:index:App`` component per app, through one
explicit provider. The provider's settings are part of the engines' agreement: without upsert a create
fails on what the embedded engine has made, without force a scaled Deployment fails every preview.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pulumi
import pulumi_kubernetes
from msgspec import Struct

from fleetmgr.errors import FleetError
from fleetmgr.model.resource import APP_TYPE, Resource, Stack

PROVIDER_NAME = "kubernetes"
_PLUGIN = "pulumi-kubernetes"


class Selection(Struct, frozen=True, kw_only=True):
    """What a Pulumi stack stands for: the Stack of one cluster entry, and the way in.

    ``kubeconfig`` is a path, None the one that kubectl would take; ``context`` None its current context.
    Neither holds credentials: Pulumi keeps provider inputs in its state.
    """

    stack: Stack
    kubeconfig: str | None = None
    context: str | None = None


class App(pulumi.ComponentResource):
    """Groups the Resources of one app; its type is part of every URN and never changes."""

    def __init__(self, name: str) -> None:
        """``name`` is the app's; it is in no Resource's URN."""
        super().__init__(APP_TYPE, name)


def run(select: Callable[[Path, str], Selection]) -> None:
    """The whole program: ask ``select`` (folder of Pulumi.yaml, stack name) and register what it says.

    Pulumi stack = cluster entry, Pulumi project = fleet: a project of another name is refused, because
    every URN holds it.
    """
    # The process ends with the program; the cyclic collector would take two thirds of its time.
    gc.disable()
    try:
        selection = select(Path(pulumi.get_root_directory()), pulumi.get_stack())
    except FleetError as error:
        raise pulumi.RunError(str(error)) from None
    project, fleet = pulumi.get_project(), selection.stack.fleet
    if project != fleet:
        raise pulumi.RunError(
            f"Pulumi.yaml names the project `{project}`, fleet.yaml the fleet `{fleet}`: make them equal"
        )
    register(selection)


def register(selection: Selection) -> None:
    """Declare the provider, the components and every Resource, dependencies first."""
    for problem in selection.stack.warnings:
        pulumi.log.warn(str(problem))
    if selection.stack.hooks:
        names = ", ".join(hook.resource.ref.short for hook in selection.stack.hooks)
        pulumi.log.warn(f"hooks run with `fleet apply` only, not with the Pulumi CLI: {names}")
    registration = _Registration(selection)
    for resource in selection.stack.resources:
        registration.add(resource)


class _Registration:
    """Resources by (type token, name), so that options can refer to them."""

    def __init__(self, selection: Selection) -> None:
        stack = selection.stack
        self._by_id = {(resource.type, resource.name): resource for resource in stack.resources}
        self._registered: dict[tuple[str, str], pulumi.CustomResource] = {}
        self._apps = {app.name: App(app.name) for app in stack.apps}
        self._version = version(_PLUGIN)
        self._provider = pulumi_kubernetes.Provider(
            PROVIDER_NAME,
            cluster_identifier=stack.cluster,
            context=selection.context,
            kubeconfig=selection.kubeconfig,
            enable_server_side_apply=True,
            upsert_existing_objects=True,
            enable_patch_force=True,
            enable_config_map_mutable=True,
            enable_secret_mutable=True,
        )

    def add(self, resource: Resource) -> pulumi.CustomResource:
        """Register once; what it depends on comes before, however deep."""
        identity = (resource.type, resource.name)
        found = self._registered.get(identity)
        if found is None:
            options = self._options(resource)
            found = pulumi.CustomResource(resource.type, resource.name, resource.inputs, options)
            self._registered[identity] = found
        return found

    def _options(self, resource: Resource) -> pulumi.ResourceOptions:
        options = resource.options
        owner = options.deleted_with
        return pulumi.ResourceOptions(
            parent=self._apps[resource.app],
            provider=self._provider,
            version=self._version,
            aliases=[pulumi.Alias(type_=token) for token in options.aliases],
            depends_on=[self.add(self._by_id[identity]) for identity in options.depends_on],
            deleted_with=self.add(self._by_id[owner]) if owner is not None else None,
            ignore_changes=list(options.ignore_changes),
            protect=options.protect,
            retain_on_delete=options.retain_on_delete,
        )
