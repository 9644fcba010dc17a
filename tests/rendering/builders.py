"""Targets, Artifacts and Stacks for tests of the rendering room."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from textwrap import dedent
from typing import Any

from fleetmgr.errors import Where
from fleetmgr.model.artifact import Artifact, SourceFile
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.policy import OnRemove, Policy, Prune
from fleetmgr.model.resource import Resource, Stack
from fleetmgr.model.target import FetchRequest, Overlay, Target
from fleetmgr.rendering.cache import ParseCache
from fleetmgr.rendering.stack import render_stack

FLEET_FILE = Where(file="fleet.yaml", line=7, column=5)


def artifact(files: Mapping[str, str | bytes], *, path: str = "apps/web") -> Artifact:
    """An artifact of the given files (paths relative to ``path``)."""
    sources = tuple(
        SourceFile(path=f"{path}/{name}", content=_bytes(text)) for name, text in sorted(files.items())
    )
    digest = hashlib.sha256(repr(sources).encode() + b"".join(s.content for s in sources)).hexdigest()
    return Artifact(
        request=FetchRequest(type="manifests", path=path), revision=None, digest=digest, files=sources
    )


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else dedent(text).encode()


def target(source: Artifact, **changes: Any) -> Target:
    """A target of app ``web`` on cluster ``dev-1``; ``changes`` replace fields."""
    fields: dict[str, Any] = {
        "fleet": "shop",
        "cluster": "dev-1",
        "environment": "dev",
        "app": "web",
        "namespace": "web",
        "create_namespace": True,
        "owned_namespace": None,
        "source": source.request,
        "substitute": True,
        "overlay": Overlay(),
        "exclude": (),
        "variables": {},
        "depends_on": (),
        "policy": Policy(prune=Prune.ALWAYS, on_remove=OnRemove.DELETE),
        "timeout": 600.0,
        "where": FLEET_FILE,
        "source_where": FLEET_FILE,
        **changes,
    }
    return Target(**fields)


def render(files: Mapping[str, str | bytes], **changes: Any) -> Stack:
    """The Stack of one app made of ``files``."""
    source = artifact(files)
    return render_stack(
        "shop", "dev-1", "dev", [target(source, **changes)], {source.request: source}, ParseCache()
    )


def render_one(text: str, **changes: Any) -> Resource:
    """The only Resource of one file."""
    (resource,) = render({"a.yaml": text}, **changes).resources
    return resource


def bare(resource: Resource) -> JsonObject:
    """The inputs without what every Resource is stamped with."""
    metadata = dict(resource.inputs["metadata"])
    for key, prefixes in (("labels", ("fleetmgr.dev/", "applyset.")), ("annotations", ("pulumi.com/",))):
        kept = {k: v for k, v in metadata.pop(key).items() if not k.startswith(prefixes)}
        if kept:
            metadata[key] = kept
    return {**resource.inputs, "metadata": metadata}
