"""What an environment or a cluster changes about an app: inline in fleet.yaml or in environments/<env>/."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from fleetmgr.spec.fields import Bool, Count, Name, StringMap
from fleetmgr.spec.plain import Json


class SpecModel(BaseModel):
    """Frozen, nothing unknown, camelCase in YAML. ``NOT_YET`` names fields of the published shape that this
    version refuses, so that nothing is ever parsed and ignored.

    Building validators is what costs at start: only Fleet and Overlay are ever built, on first use, so
    defaults and the like are made with ``model_construct``.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        defer_build=True,
        protected_namespaces=(),
    )

    NOT_YET: ClassVar[frozenset[str]] = frozenset()


class Sync(SpecModel):
    """How an app is brought to a cluster."""

    NOT_YET: ClassVar[frozenset[str]] = frozenset({"auto", "onDrift", "interval"})

    prune: Bool | Literal["confirm"] | None = Field(
        default=None,
        description="Delete objects that Git no longer names: true, false (default) or confirm (somebody must say"
        " so). A guard: the strictest of environment and app holds.",
    )
    on_remove: Literal["delete", "orphan"] | None = Field(
        default=None,
        description="What becomes of its objects once the app itself is gone: delete or orphan; unset is as"
        " `prune` says. A guard, and what holds is what its last apply said.",
    )
    replace: Literal["never", "ask", "always"] | None = Field(
        default=None,
        description="Delete and create an object again when an immutable field changes: never, ask (default) or"
        " always. PVCs, PVs, Namespaces, CRDs and StatefulSets need more than always: --force, or the annotation"
        " fleetmgr.dev/replace: always. A guard: the strictest of environment and app holds.",
    )
    on_conflict: Literal["keep-theirs", "take", "fail"] | None = Field(
        default=None,
        description="What an apply does about a field that another manager has set: take (default), keep-theirs or"
        " fail.",
    )


class PatchTarget(SpecModel):
    """Which objects a patch changes; what is given must all hold. Names are those that the source renders."""

    group: str | None = Field(default=None, description="API group, a regular expression.")
    version: str | None = Field(default=None, description="API version, a regular expression.")
    kind: str | None = Field(default=None, description="Kind, a regular expression.")
    name: str | None = Field(default=None, description="Name, a regular expression.")
    namespace: str | None = Field(default=None, description="Namespace as written, a regular expression.")
    label_selector: str | None = Field(default=None, description="Kubernetes selector on labels.")
    annotation_selector: str | None = Field(default=None, description="Kubernetes selector on annotations.")


class Patch(SpecModel):
    """A change to objects, as kustomize's `patches`."""

    target: PatchTarget | None = Field(
        default=None, description="Which objects; unset is the one that a strategic merge patch names."
    )
    patch: Json = Field(
        description="A map (strategic merge), a list (JSON6902), or the text of either; may hold ${...}."
    )


class OverlayException(SpecModel):
    """What one cluster changes about an app."""

    NOT_YET: ClassVar[frozenset[str]] = frozenset({"version", "values"})

    images: StringMap = Field(
        default={}, description='Image name to tag, `name:tag` or `@sha256:...`. Quote tags: "1.27".'
    )
    replicas: dict[str, Count] = Field(
        default={}, description="Replicas by workload name, as the source renders it."
    )
    namespace: Name | None = Field(default=None, description="Overrides the namespace of every object.")
    name_prefix: str | None = Field(
        default=None, min_length=1, description="Put before every name, and before references to it."
    )
    name_suffix: str | None = Field(
        default=None, min_length=1, description="Put behind every name, and behind references to it."
    )
    patches: tuple[Patch, ...] = Field(
        default=(), description="Changes to objects, in order; those of earlier layers come first."
    )
    labels: StringMap = Field(default={}, description="Labels added to every object.")
    annotations: StringMap = Field(default={}, description="Annotations added to every object.")
    vars: dict[str, Json] = Field(default={}, description="Variables, reached as ${vars.NAME}.")
    path: str | None = Field(default=None, min_length=1, description="Replaces the source's path.")
    revision: str | None = Field(
        default=None,
        min_length=1,
        description="Commit, tag or branch of this repository to read the source at.",
    )
    sync: Sync | None = Field(default=None, description="How the app is brought to the cluster.")


class Overlay(OverlayException):
    """What one environment changes about an app."""

    exceptions: dict[str, OverlayException] = Field(
        default={}, description="Further changes for single clusters of the environment, by cluster name."
    )
