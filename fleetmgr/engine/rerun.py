"""Jobs that ask to run again: at each revision of their app, or at each apply.

A Job that runs at each revision carries a digest of what its app deploys. So the live Job itself says for which
revision it ran, and a run that is killed anywhere starts it neither twice nor not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import StrEnum

from msgspec.structs import replace

from fleetmgr.engine.immutable import JOB
from fleetmgr.engine.inventory import body_digest, key_text
from fleetmgr.engine.secrecy import is_secret
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.resource import Resource, StackApp

RUN_ANNOTATION = "fleetmgr.dev/run"
RAN_FOR_ANNOTATION = "fleetmgr.dev/ran-for"
"""Ours, on a Job that runs at each revision: the digest of what its app deploys."""


class Run(StrEnum):
    """When a Job runs again."""

    ONCE = "once"
    REVISION = "revision"
    """When anything that its app deploys changes."""
    APPLY = "apply"


def run_of(resource: Resource) -> Run | None:
    """When a resource runs again: ONCE for what is no Job or says nothing, None for a word that means nothing."""
    if resource.ref.kind != JOB.kind or resource.ref.group != JOB.group:
        return Run.ONCE
    said = _annotations(resource.inputs).get(RUN_ANNOTATION, Run.ONCE.value)
    return next((run for run in Run if run.value == said), None)


def marked(resources: Iterable[Resource], apps: Iterable[StackApp]) -> Iterable[Resource]:
    """The resources, each Job that runs at each revision with the digest of its app."""
    known = list(resources)
    asking = {r.app for r in known if run_of(r) is Run.REVISION}
    artifacts = {a.name: a.artifact_digest for a in apps}
    digests = {app: _digest([r for r in known if r.app == app], artifacts.get(app, "")) for app in asking}
    for resource in known:
        if resource.app in asking and run_of(resource) is Run.REVISION:
            yield _with(resource, RAN_FOR_ANNOTATION, digests[resource.app])
        else:
            yield resource


def _digest(resources: list[Resource], artifact: str) -> str:
    """Of what the app deploys. Of Secrets only the source's digest counts, which the record holds too: one over a
    weak value would give it away."""
    lines = [
        f"{key_text(r.ref.key)} {artifact if is_secret(r.inputs) else body_digest(r.inputs)}"
        for r in resources
    ]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


def _with(resource: Resource, annotation: str, value: str) -> Resource:
    metadata = object_at(resource.inputs, "metadata")
    annotations = {**_annotations(resource.inputs), annotation: value}
    return replace(resource, inputs={**resource.inputs, "metadata": {**metadata, "annotations": annotations}})


def runs_again(resource: Resource, live: JsonObject) -> str | None:
    """Why a live Job runs again though its template is the same; None where it does not."""
    match run_of(resource):
        case Run.APPLY:
            return f"runs at each apply ({RUN_ANNOTATION}: apply)"
        case Run.REVISION:
            ran_for = _annotations(live).get(RAN_FOR_ANNOTATION)
            wanted = _annotations(resource.inputs).get(RAN_FOR_ANNOTATION)
            return None if ran_for == wanted else f"runs at each revision ({RUN_ANNOTATION}: revision)"
        case _:
            return None


def identity(resource: Resource) -> JsonObject:
    """What tells one run of a Job from another: its spec, and the revision that it runs for where it asks so."""
    spec = object_at(resource.inputs, "spec")
    ran_for = _annotations(resource.inputs).get(RAN_FOR_ANNOTATION)
    return {**spec, RAN_FOR_ANNOTATION: ran_for} if ran_for else spec


def _annotations(body: JsonObject) -> JsonObject:
    return object_at(body, "metadata", "annotations")
