"""The Fleet and what it lists: environments, clusters, apps."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from fleetmgr.spec.app import App
from fleetmgr.spec.engine import Engine
from fleetmgr.spec.fields import Bool, CommitRule, Duration, Name, StringMap
from fleetmgr.spec.health import KindHealth
from fleetmgr.spec.limits import Limits
from fleetmgr.spec.overlay import SpecModel, Sync
from fleetmgr.spec.plain import Json
from fleetmgr.spec.retry import Retry
from fleetmgr.spec.rollout import Rollout, Window


class Defaults(SpecModel):
    """What holds where nothing else is said."""

    timeout: Duration | None = Field(default=None, description="How long an apply waits for an app (10m).")
    sync: Sync | None = Field(default=None, description="How apps are brought to clusters.")
    limits: Limits | None = Field(default=None, description="How much one apply may delete.")
    retry: Retry | None = Field(default=None, description="How objects are tried again.")
    require_commit: CommitRule | None = Field(
        default=None,
        description="What holds where neither environment nor app says it: never (default), committed or pushed.",
    )


class Environment(SpecModel):
    """A step on the promotion path; has a folder environments/NAME/."""

    NOT_YET: ClassVar[frozenset[str]] = frozenset({"promotion"})

    name: Name = Field(description="Name of the environment, unique in the fleet.")
    vars: dict[str, Json] = Field(
        default={}, description="Variables, reached as ${vars.NAME} and ${environment.vars.NAME}."
    )
    sync: Sync | None = Field(default=None, description="How apps are brought to its clusters.")
    limits: Limits | None = Field(
        default=None, description="How much one apply may delete on each of its clusters."
    )
    retry: Retry | None = Field(default=None, description="How objects are tried again on its clusters.")
    require_commit: CommitRule | None = Field(
        default=None,
        description="What must be so of the files that an apply to its clusters reads: never (default) asks nothing,"
        " committed, or pushed to a remote as well. A guard: the strictest of environment and app holds.",
    )
    rollout: Rollout | None = Field(
        default=None, description="In which waves its clusters are changed; unset is all at once."
    )
    windows: tuple[Window, ...] = Field(default=(), description="When its clusters may be changed.")
    engine: Engine | None = Field(default=None, description="Who brings changes to its clusters.")


class Impersonate(SpecModel):
    """As whom to act on a cluster, as `kubectl --as`; who we are must be allowed to impersonate."""

    user: str = Field(min_length=1, description="User name; `system:serviceaccount:NAMESPACE:NAME` is one.")
    groups: tuple[str, ...] = Field(default=(), description="Groups of that user.")
    uid: str | None = Field(default=None, min_length=1, description="UID of that user.")
    extra: dict[str, tuple[str, ...]] = Field(
        default={}, description="Further attributes, each with its values."
    )


class Access(SpecModel):
    """The way in to a cluster; nothing given is the current context of the default kubeconfig."""

    NOT_YET: ClassVar[frozenset[str]] = frozenset({"secretRef", "exec"})

    kubeconfig: str | None = Field(
        default=None,
        min_length=1,
        description="kubeconfig file, relative to fleet.yaml; `~` is the home folder.",
    )
    context: str | None = Field(default=None, min_length=1, description="Context of the kubeconfig.")
    in_cluster: Bool = Field(default=False, description="Use the service account of the pod that we run in.")
    impersonate: Impersonate | None = Field(
        default=None, description="Act as somebody else; overrides `as` of the kubeconfig."
    )


class Cluster(SpecModel):
    """A Kubernetes API in one environment."""

    name: Name = Field(description="Name of the cluster entry, unique in the fleet.")
    environment: str = Field(description="Name of its environment.")
    labels: StringMap = Field(default={}, description="Labels that selectors see.")
    vars: dict[str, Json] = Field(default={}, description="Variables, reached as ${cluster.vars.NAME}.")
    access: Access = Field(default=Access.model_construct(), description="The way in.")
    identity: str | None = Field(
        default=None,
        min_length=1,
        description="UID of the kube-system namespace; a mismatch stops everything.",
    )
    limits: Limits | None = Field(default=None, description="How much one apply may delete on it.")
    windows: tuple[Window, ...] = Field(default=(), description="When it may be changed.")


class Fleet(SpecModel):
    """Everything in one fleet.yaml."""

    NOT_YET: ClassVar[frozenset[str]] = frozenset(
        {"projects", "inputs", "policies", "secrets", "notifications", "accounts", "dr", "server"}
        | {"imageUpdates"}
    )

    api_version: Literal["fleetmgr.dev/v1"] = Field(description="fleetmgr.dev/v1")
    kind: Literal["Fleet"] = Field(description="Fleet")
    name: Name = Field(description="Name of the fleet; part of what proves that an object is ours.")
    required_version: str | None = Field(
        default=None, description="Versions of fleetmgr that may read this file, such as `>=0.3,<2`."
    )
    defaults: Defaults = Field(
        default=Defaults.model_construct(), description="What holds where nothing else is said."
    )
    engine: Engine | None = Field(default=None, description="Who brings changes to clusters.")
    environments: tuple[Environment, ...] = Field(default=(), description="Environments in promotion order.")
    clusters: tuple[Cluster, ...] = Field(default=(), description="Clusters.")
    apps: tuple[App, ...] = Field(default=(), description="Apps.")
    health: tuple[KindHealth, ...] = Field(
        default=(), description="Health rules of kinds, before the built-in ones."
    )
