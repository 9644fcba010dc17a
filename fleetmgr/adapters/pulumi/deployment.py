"""A stack's state as `pulumi stack export` writes it: read without values, and edited without touching any.

Secrets in it stay encrypted throughout. Numbers are kept as they are written (``json`` of the standard library reads
integers of any size; what is not touched is written back as it was).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import cast

from msgspec import Struct

from fleetmgr.adapters.pulumi.urns import parsed
from fleetmgr.errors import Where
from fleetmgr.model.jsontypes import Json, JsonObject, is_array, is_object
from fleetmgr.model.urn import PROVIDER_NAME, PROVIDER_TYPE
from fleetmgr.ports.pulumi import StackState, StateResource
from fleetmgr.ports.pulumi_errors import ForeignState, PulumiError

_REFERENCES = ("dependencies", "replaceWith")


class Held(Struct, frozen=True, kw_only=True):
    """What the stack holds, or held when it was read: only ``urns`` is followed from run to run. It is everything,
    components and providers too; ``goes_with`` says for a URN with
    whose deletion it goes; ``retained`` are those whose object stays when they are deleted."""

    exists: bool
    urns: frozenset[str] = frozenset()
    resources: tuple[StateResource, ...] = ()
    pending: tuple[str, ...] = ()
    goes_with: dict[str, str] = {}
    retained: frozenset[str] = frozenset()
    sealed: bool = False
    """Whether the state says itself what its secrets are encrypted with."""
    way: tuple[str | None, str | None] | None = None
    """kubeconfig and context of our provider, with which a refresh reads; None where there is no provider."""
    project: str | None = None
    cluster: str | None = None

    def state(self) -> StackState:
        """As the port has it."""
        return StackState(exists=self.exists, resources=self.resources, pending=self.pending)

    def check(self, *, fleet: str, cluster: str) -> None:
        """Raise ForeignState unless the state is of this fleet and this cluster entry."""
        if self.project not in {None, fleet}:
            raise ForeignState(
                f"the state of stack {cluster} belongs to the project `{self.project}`, not to the fleet `{fleet}`",
                where=Where(cluster=cluster),
                hint="every URN in it holds that name: name the fleet so, or use another backend",
            )
        if self.cluster not in {None, cluster}:
            raise ForeignState(
                f"the state of stack {cluster} was made for the cluster `{self.cluster}`",
                where=Where(cluster=cluster),
                hint="nothing was changed; a renamed entry needs its stack renamed: `pulumi stack rename`",
            )


def read(exported: bytes) -> Held:
    """What ``exported`` holds. Raises PulumiError when it is no deployment."""
    deployment = _deployment(_document(exported))
    resources = [entry for entry in _objects(deployment.get("resources")) if not entry.get("delete")]
    parts = [(entry, str(entry.get("urn", ""))) for entry in resources]
    projects = {urn.project for _, text in parts if (urn := parsed(text)) is not None}
    return Held(
        exists=True,
        urns=frozenset(text for _, text in parts),
        resources=tuple(_resource(entry) for entry in resources if _is_object(entry)),
        pending=tuple(dict.fromkeys(_pending(deployment))),
        goes_with={text: str(entry["deletedWith"]) for entry, text in parts if entry.get("deletedWith")},
        retained=frozenset(text for entry, text in parts if entry.get("retainOnDelete")),
        sealed=bool(deployment.get("secrets_providers")),
        way=next((_way(entry) for entry in resources if _is_our_provider(entry)), None),
        project=next(iter(sorted(projects)), None),
        cluster=next((found for entry in resources if (found := _identifier(entry)) is not None), None),
    )


def without_pending(exported: bytes) -> bytes:
    """``exported`` without the operations of a run that was cut off.

    Safe for us: every object is read from the cluster before a run, and a create of an object that the killed run
    made already takes that object over (upsertExistingObjects), so nothing is lost and nothing made twice.
    """
    document = _document(exported)
    _deployment(document).pop("pending_operations", None)
    return _written(document)


def by_way(exported: bytes, context: str | None) -> bytes:
    """``exported`` with a provider that reaches its cluster by ``context`` of the kubeconfig of whoever runs it."""
    document = _document(exported)
    for entry in _objects(_deployment(document).get("resources")):
        for held in (entry.get("inputs"), entry.get("outputs")) if _is_our_provider(entry) else ():
            if is_object(held):
                held.pop("kubeconfig", None)
                held.pop("context", None)
                if context is not None:
                    held["context"] = context
    return _written(document)


def without(exported: bytes, urns: Collection[str]) -> bytes:
    """``exported`` without the resources ``urns``; what referred to them refers to them no longer."""
    gone = frozenset(urns)
    document = _document(exported)
    deployment = _deployment(document)
    kept = [entry for entry in _objects(deployment.get("resources")) if entry.get("urn") not in gone]
    for entry in kept:
        _forget_references(entry, gone)
    deployment["resources"] = cast("Json", kept)
    pending = [o for o in _objects(deployment.get("pending_operations")) if _urn_of(o) not in gone]
    if pending:
        deployment["pending_operations"] = cast("Json", pending)
    else:
        deployment.pop("pending_operations", None)
    return _written(document)


def _forget_references(entry: JsonObject, gone: frozenset[str]) -> None:
    for field in _REFERENCES:
        listed = entry.get(field)
        if is_array(listed):
            entry[field] = [urn for urn in listed if urn not in gone]
    properties = entry.get("propertyDependencies")
    for name, listed in list(properties.items()) if is_object(properties) else ():
        if is_array(listed) and is_object(properties):
            properties[name] = [urn for urn in listed if urn not in gone]
    if entry.get("deletedWith") in gone:
        del entry["deletedWith"]


def _document(exported: bytes) -> JsonObject:
    try:
        document: Json = json.loads(exported)
    except ValueError:
        raise PulumiError("the Pulumi CLI exported a state that is no JSON") from None
    if not is_object(document):
        raise PulumiError("the Pulumi CLI exported a state that is no deployment")
    return document


def _deployment(document: JsonObject) -> JsonObject:
    nothing: JsonObject = {}
    if document.get("deployment") is None:  # a stack that was made and never used
        document["deployment"] = nothing
    deployment: Json = document["deployment"]
    if not is_object(deployment):
        raise PulumiError("the Pulumi CLI exported a state that is no deployment")
    return deployment


def _written(document: JsonObject) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _objects(value: Json) -> list[JsonObject]:
    return [item for item in value if is_object(item)] if is_array(value) else []


def _is_object(entry: JsonObject) -> bool:
    urn = parsed(str(entry.get("urn", "")))
    return bool(entry.get("custom")) and urn is not None and urn.ours and not entry.get("external")


def _resource(entry: JsonObject) -> StateResource:
    urn = str(entry["urn"])
    parts = parsed(urn)
    name = parts.name if parts else ""
    return StateResource(
        urn=urn,
        type=str(entry.get("type", "")),
        name=name,
        id=str(entry.get("id", "")),
        protect=bool(entry.get("protect")),
    )


def _pending(deployment: JsonObject) -> Iterator[str]:
    for operation in _objects(deployment.get("pending_operations")):
        urn = _urn_of(operation)
        if urn:
            yield urn


def _urn_of(operation: JsonObject) -> str:
    resource = operation.get("resource")
    return str(resource.get("urn", "")) if is_object(resource) else ""


def _is_our_provider(entry: JsonObject) -> bool:
    urn = parsed(str(entry.get("urn", "")))
    return urn is not None and (urn.type, urn.name) == (PROVIDER_TYPE, PROVIDER_NAME)


def _way(entry: JsonObject) -> tuple[str | None, str | None]:
    inputs = entry.get("inputs")
    if not is_object(inputs):
        return None, None
    kubeconfig, context = inputs.get("kubeconfig"), inputs.get("context")
    return None if kubeconfig is None else "given", context if isinstance(context, str) else None


def _identifier(entry: JsonObject) -> str | None:
    inputs = entry.get("inputs")
    if entry.get("type") != PROVIDER_TYPE or not is_object(inputs):
        return None
    found = inputs.get("clusterIdentifier")
    return found if isinstance(found, str) else None
