"""An app: a source, a namespace, where it goes."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from fleetmgr.spec.fields import HOST, Bool, CommitRule, Duration, Name, StringMap
from fleetmgr.spec.limits import Limits
from fleetmgr.spec.overlay import Overlay, SpecModel, Sync
from fleetmgr.spec.plain import Json
from fleetmgr.spec.retry import Retry
from fleetmgr.spec.rollout import Window


class Placement(SpecModel):
    """Which clusters get the app; what is given must all hold."""

    environments: tuple[str, ...] | None = Field(
        default=None, description="Only clusters of these environments."
    )
    clusters: tuple[str, ...] | None = Field(default=None, description="Only these clusters.")
    select: str | StringMap | None = Field(
        default=None,
        description="Kubernetes selector on cluster labels, such as `region in (kr, us), !legacy`, or a map.",
    )


class RemoteHost(SpecModel):
    """A host that a kustomization may fetch from."""

    host: str = Field(pattern=HOST, description="Name of the host, with :PORT where it is not 443.")
    private: Bool = Field(default=False, description="Also where its name leads inside the network.")
    insecure: Bool = Field(default=False, description="Also without TLS.")


class Source(SpecModel):
    """Where an app's manifests come from."""

    NOT_YET: ClassVar[frozenset[str]] = frozenset(
        {"git", "repo", "chart", "version", "digest", "program", "values", "image"}
    )
    NOT_YET_TYPES: ClassVar[frozenset[str]] = frozenset({"helm", "oci", "pulumi"})

    type: Literal["manifests", "kustomize"] = Field(
        description="manifests: YAML or JSON files of a folder; kustomize: the folder of a kustomization."
    )
    path: str = Field(
        min_length=1,
        description="Folder or file in this repository; may hold ${environment.name}, ${cluster.name}, ${vars.X}.",
    )
    revision: str | None = Field(
        default=None, min_length=1, description="Commit, tag or branch to read; unset is the working tree."
    )
    recurse: Bool = Field(default=False, description="Read folders below `path` as well.")
    include: tuple[str, ...] = Field(default=(), description="Only files that match one of these globs.")
    exclude: tuple[str, ...] = Field(default=(), description="Not files that match one of these globs.")
    allow_remote: tuple[Annotated[str, Field(pattern=HOST)] | RemoteHost, ...] = Field(
        default=(),
        description="Hosts that a kustomization may name bases and files of, by https; none is allowed else.",
    )
    substitute: Bool = Field(default=True, description="Replace ${...} in the manifests.")


class Dependency(SpecModel):
    """Another app that must be Healthy on the cluster first."""

    name: str = Field(description="Name of the app.")
    optional: Bool = Field(default=False, description="Do not insist that it is placed on the same cluster.")


class ExcludedObject(SpecModel):
    """Objects of the source to leave out."""

    kind: str = Field(min_length=1, description="Kind of the objects.")
    name: str = Field(default="", description="Name of the object; unset is every object of the kind.")


class IgnoredDifference(SpecModel):
    """Fields that nobody here cares about: sent at creation only, then left as they are live."""

    group: str | None = Field(
        default=None, description='API group of the objects; unset is any, "" the core group.'
    )
    kind: str = Field(default="*", min_length=1, description="Kind of the objects; `*` is any.")
    name: str | None = Field(default=None, min_length=1, description="Name of the object; unset is any.")
    namespace: str | None = Field(default=None, min_length=1, description="Its namespace; unset is any.")
    pointers: tuple[str, ...] = Field(default=(), description="JSON pointers such as /spec/replicas.")
    jq_path_expressions: tuple[str, ...] = Field(
        default=(), description='jq-like paths such as .spec.containers[] | select(.name == "main") | .image.'
    )
    managed_fields_managers: tuple[str, ...] = Field(
        default=(), description="Field managers whose fields are left to them."
    )


class Namespace(SpecModel):
    """A namespace that the app owns: the Namespace object is one of its resources."""

    name: Name = Field(description="Name of the namespace.")
    labels: StringMap = Field(default={}, description="Labels of the Namespace.")
    annotations: StringMap = Field(default={}, description="Annotations of the Namespace.")


class App(SpecModel):
    """A deployable unit."""

    NOT_YET: ClassVar[frozenset[str]] = frozenset({"project", "patches", "sources", "rollout"})

    name: Name = Field(description="Name of the app, unique in the fleet.")
    namespace: Name | Namespace = Field(
        description="Where objects without a namespace go; a map makes the app own the Namespace."
    )
    create_namespace: Bool = Field(default=True, description="Create the namespace when it is absent.")
    placement: Placement = Field(
        default=Placement.model_construct(), description="Which clusters get it; unset is every cluster."
    )
    source: Source = Field(description="Where the manifests come from.")
    depends_on: tuple[str | Dependency, ...] = Field(
        default=(), description="Apps that must be Healthy on the same cluster first."
    )
    exclude: tuple[ExcludedObject, ...] = Field(default=(), description="Objects of the source to leave out.")
    overlays: dict[str, Overlay] = Field(
        default={}, description="What environments change, by environment name."
    )
    vars: dict[str, Json] = Field(default={}, description="Variables, reached as ${vars.NAME}.")
    sync: Sync | None = Field(default=None, description="How it is brought to clusters.")
    windows: tuple[Window, ...] = Field(
        default=(), description="When clusters may be begun that get changes of it."
    )
    limits: Limits | None = Field(
        default=None, description="How much of it one apply may delete on a cluster."
    )
    adopt: Literal["never", "always"] = Field(
        default="never",
        description="Take over objects that exist and that kubectl, Helm, Argo CD, Flux or Pulumi made: never (they"
        " are conflicts, unless `--adopt` is given) or always.",
    )
    ignore_differences: tuple[IgnoredDifference, ...] = Field(
        default=(), description="Fields that are left as they are live."
    )
    retry: Retry | None = Field(default=None, description="How its objects are tried again.")
    require_commit: CommitRule | None = Field(
        default=None,
        description="What must be so of the files that an apply of it reads: never (default) asks nothing,"
        " committed, or pushed to a remote as well. A guard: the strictest of environment and app holds.",
    )
    timeout: Duration | None = Field(
        default=None, description="How long an apply waits for it to be Healthy."
    )
    labels: StringMap = Field(default={}, description="Labels added to every object.")
    annotations: StringMap = Field(default={}, description="Annotations added to every object.")
