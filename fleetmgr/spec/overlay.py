"""What an environment or a cluster changes about an app: inline in fleet.yaml or in environments/<env>/."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from fleetmgr.spec.fields import Bool, Count, Json, Name, StringMap


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

    prune: Bool | None = Field(
        default=None,
        description="Delete objects that Git no longer names. A guard: the strictest of environment and app holds.",
    )


class OverlayException(SpecModel):
    """What one cluster changes about an app."""

    NOT_YET: ClassVar[frozenset[str]] = frozenset(
        {"version", "values", "patches", "namePrefix", "nameSuffix"}
    )

    images: StringMap = Field(
        default={}, description='Image name to tag, `name:tag` or `@sha256:...`. Quote tags: "1.27".'
    )
    replicas: dict[str, Count] = Field(
        default={}, description="Replicas by workload name, as the source renders it."
    )
    namespace: Name | None = Field(default=None, description="Overrides the namespace of every object.")
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
