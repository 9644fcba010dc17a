"""The Pulumi program: one Stack -> registrations.

Resources are registered as bare ``pulumi.CustomResource`` (a quarter of the time and memory of the typed
classes, the same request on the wire), below one ``fleetmgr:index:App`` component per app, through one
explicit provider. The provider's settings are part of the engines' agreement: without upsert a create
fails on what the embedded engine has made, without force a scaled Deployment fails every preview.
"""

from __future__ import annotations

from importlib.metadata import version

import pulumi
from msgspec import Struct
from pulumi import CustomTimeouts

from fleetmgr.model.goal import provider_settings
from fleetmgr.model.resource import Resource, Stack
from fleetmgr.model.urn import APP_TYPE, PROVIDER_NAME

TAKEN_OVER = "fleetmgr"
"""The stack output that says that a state knows the cluster's inventory."""
_PACKAGE = "kubernetes"
_SDK = "pulumi-kubernetes"


def plugin_version() -> str:
    """The version of the Kubernetes provider that goes with the installed SDK, without ``v``."""
    return version(_SDK)


class Selection(Struct, frozen=True, kw_only=True):
    """What a Pulumi stack stands for: the Stack of one cluster entry as ``engine.registering`` completes it, and the
    way in.

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


def register(selection: Selection) -> None:
    """Declare the provider, the components and every Resource, in the order that they come in.

    To be called with the cyclic collector paused (``collector.paused``): it takes two thirds of the time.
    """
    registration = _Registration(selection)
    for resource in selection.stack.resources:
        registration.add(resource)
    pulumi.export(TAKEN_OVER, {"fleet": selection.stack.fleet, "cluster": selection.stack.cluster})


class _Registration:
    """Resources by (type token, name), so that options can refer to them."""

    def __init__(self, selection: Selection) -> None:
        stack = selection.stack
        self._by_id = {(resource.type, resource.name): resource for resource in stack.resources}
        self._registered: dict[tuple[str, str], pulumi.CustomResource] = {}
        self._version = plugin_version()
        self._apps = {app.name: App(app.name) for app in stack.apps}
        self._project, self._stack = pulumi.get_project(), pulumi.get_stack()
        self._provider = pulumi.ProviderResource(
            _PACKAGE,
            PROVIDER_NAME,
            {**_provider_inputs(selection)},
            pulumi.ResourceOptions(version=self._version),
        )

    def add(self, resource: Resource) -> pulumi.CustomResource:
        """Register once; what it depends on comes before, as far as it is in the Stack."""
        identity = (resource.type, resource.name)
        found = self._registered.get(identity)
        if found is None:
            options = self._options(resource)
            found = pulumi.CustomResource(resource.type, resource.name, resource.inputs, options)
            self._registered[identity] = found
        return found

    def _options(self, resource: Resource) -> pulumi.ResourceOptions:
        options = resource.options
        owner = options.deleted_with or ("", "")
        return pulumi.ResourceOptions(
            parent=self._apps[resource.app],
            provider=self._provider,
            version=self._version,
            # as URNs: the SDK takes twice the time for specs, and would only compute what we know
            aliases=list(resource.former_urns(project=self._project, stack=self._stack)),
            depends_on=[self.add(self._by_id[named]) for named in options.depends_on if named in self._by_id],
            deleted_with=self.add(self._by_id[owner]) if owner in self._by_id else None,
            ignore_changes=list(options.ignore_changes),
            protect=options.protect,
            retain_on_delete=options.retain_on_delete,
            # Whoever forces a replacement (`--replace`) would have it created first, which is an update of the very
            # object that is deleted afterwards.
            delete_before_replace=True,
            custom_timeouts=_timeouts(options.timeout),
        )


def _provider_inputs(selection: Selection) -> dict[str, str]:
    cluster = selection.stack.cluster
    return provider_settings(cluster=cluster, context=selection.context, kubeconfig=selection.kubeconfig)


def _timeouts(seconds: float | None) -> CustomTimeouts | None:
    if seconds is None:
        return None
    text = f"{seconds:g}s"
    return CustomTimeouts(create=text, update=text, delete=text)
