"""``fleet add``: a new app, cluster or environment in fleet.yaml."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, field

from fleetmgr.errors import FleetError, UsageError, Where
from fleetmgr.model.jsontypes import Json, JsonObject, object_at
from fleetmgr.operations.edits import Proposal, find, must_be_new, proposed
from fleetmgr.operations.embedded.entry import NAMESPACES
from fleetmgr.ports.cluster import ClusterClient
from fleetmgr.ports.fleet_file import FleetFile
from fleetmgr.spec.fields import PATTERNS
from fleetmgr.spec.plain import DNS_LABEL

_VARIABLE = "${"


class NewApp(Struct, frozen=True, kw_only=True):
    """What ``fleet add app`` is told. No environments: every cluster."""

    name: str
    path: str
    type: str = "manifests"
    namespace: str | None = None
    environments: Sequence[str] = ()
    depends_on: Sequence[str] = ()


class NewCluster(Struct, frozen=True, kw_only=True):
    """What ``fleet add cluster`` is told."""

    name: str
    environment: str
    context: str
    kubeconfig: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    variables: Mapping[str, Json] = field(default_factory=dict[str, Json])


def add_app(file: FleetFile, new: NewApp) -> Proposal:
    """Raises UsageError for names that do not fit, and WouldBeInvalid."""
    _must_be_name(new.name)
    must_be_new(file, "app", new.name)
    for environment in new.environments:
        find(file, "environment", environment)
    for dependency in new.depends_on:
        find(file, "app", dependency)
    if _VARIABLE not in new.path and not file.has(new.path):
        raise UsageError(
            f"there is no folder {new.path}",
            where=Where(field="--path"),
            hint="it is relative to fleet.yaml; make it and put the manifests there first",
        )
    entry: JsonObject = {"name": new.name, "namespace": new.namespace or new.name}
    if new.environments:
        entry["placement"] = {"environments": list(new.environments)}
    entry["source"] = {"type": new.type, "path": new.path}
    if new.depends_on:
        entry["dependsOn"] = list(new.depends_on)
    return proposed(file, "add", "app", new.name, [file.add("apps", entry)])


def add_cluster(file: FleetFile, new: NewCluster, read_identity: Callable[[], str] | None) -> Proposal:
    """``read_identity`` asks the cluster for its UID, None: do not. A cluster that does not answer is added
    without, and a note says so. Raises UsageError for names that do not fit, and WouldBeInvalid."""
    _must_be_name(new.name)
    must_be_new(file, "cluster", new.name)
    find(file, "environment", new.environment)
    access: JsonObject = {"kubeconfig": new.kubeconfig} if new.kubeconfig else {}
    access["context"] = new.context
    entry: JsonObject = {"name": new.name, "environment": new.environment}
    if new.labels:
        entry["labels"] = dict(new.labels)
    if new.variables:
        entry["vars"] = dict(new.variables)
    entry["access"] = access
    notes: list[str] = []
    if read_identity is not None:
        try:
            entry["identity"] = read_identity()
        except FleetError as error:
            notes.append(f"identity is not pinned: {error.message}")
    if "identity" in entry:
        same = [i.name for i in file.items("clusters") if i.data.get("identity") == entry["identity"]]
        notes += [f"this is the same cluster as {name}: both have this identity" for name in same]
    return proposed(file, "add", "cluster", new.name, [file.add("clusters", entry)], notes)


def add_environment(file: FleetFile, name: str, *, after: str | None, prune: bool) -> Proposal:
    """Last in the order, or behind ``after``. Raises UsageError for names that do not fit, and
    WouldBeInvalid."""
    _must_be_name(name)
    must_be_new(file, "environment", name)
    if after is not None:
        find(file, "environment", after)
    entry: JsonObject = {"name": name}
    if prune:
        entry["sync"] = {"prune": True}
    return proposed(file, "add", "environment", name, [file.add("environments", entry, after=after)])


def identity_of(client: ClusterClient) -> str:
    """UID of kube-system; raises FleetError when the cluster does not tell."""
    body = client.get(NAMESPACES, namespace="", name="kube-system")
    uid = str(object_at(body or {}, "metadata").get("uid", ""))
    if not uid:
        raise FleetError(f"{client.server} has no kube-system namespace")
    return uid


def _must_be_name(name: str) -> None:
    if not re.fullmatch(DNS_LABEL, name):
        raise UsageError(f"the name `{name[:80]}` must be {PATTERNS[DNS_LABEL]}")
