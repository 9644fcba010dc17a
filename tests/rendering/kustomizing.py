"""The real kustomize for tests of rendering, beside what it says by itself."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import yaml

from fleetmgr.adapters.kustomize.program import KustomizeProgram, Program
from fleetmgr.errors import Where
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.resource import Stack
from fleetmgr.model.target import Overlay, Patch, PatchTarget
from fleetmgr.rendering.cache import ParseCache
from fleetmgr.rendering.stack import render_stack
from tests.rendering.builders import artifact, bare, target
from tests.rendering.kubectl import kubectl_path

HERE = Where(file="environments/dev/web.yaml", line=3, column=5)


def patch(
    text: str | JsonObject | list[Any], selects: Mapping[str, str] | None = None, *, line: int = 3
) -> Patch:
    """A patch written at ``line`` of the overlay; ``selects`` are its target."""
    return Patch(
        target=PatchTarget(**selects) if selects else None,
        text=text if isinstance(text, str) else orjson.dumps(text).decode(),
        structured=not isinstance(text, str),
        where=Where(file="environments/dev/web.yaml", line=line, column=5),
    )


def customised(files: Mapping[str, str], overlay: Overlay, **changes: Any) -> Stack:
    """The Stack of one app with ``overlay``, made with the real kustomize."""
    source = artifact(files)
    program = KustomizeProgram(lambda: Program(path=Path(kubectl_path()), trusted=True))
    return render_stack(
        "shop",
        "dev-1",
        "dev",
        [target(source, overlay=overlay, **changes)],
        {source.request: source},
        ParseCache(program),
    )


def ours(stack: Stack) -> list[JsonObject]:
    """The objects without what every Resource is stamped with, by kind and name."""
    return _sorted([bare(resource) for resource in stack.resources])


def theirs(folder: Path, files: Mapping[str, str], kustomization: JsonObject) -> list[JsonObject]:
    """What ``kubectl kustomize`` makes of the same files, by kind and name."""
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / "kustomization.yaml").write_bytes(orjson.dumps({"resources": list(files), **kustomization}))
    done = subprocess.run([kubectl_path(), "kustomize", str(folder)], capture_output=True, check=True)
    return _sorted(list(yaml.safe_load_all(done.stdout)))


def _sorted(bodies: list[JsonObject]) -> list[JsonObject]:
    return sorted(bodies, key=lambda body: (body["kind"], body["metadata"]["name"]))
