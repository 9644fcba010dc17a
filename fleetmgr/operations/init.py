"""``init``: the smallest fleet that validates, in a new or an existing folder. Nothing is ever overwritten."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from fleetmgr.errors import FleetError, UsageError, Where
from fleetmgr.spec.fields import PATTERNS
from fleetmgr.spec.plain import DNS_LABEL
from fleetmgr.spec.schema import json_schema

SCHEMA_FILE = ".fleet/fleet.schema.json"
_FLEET = """\
# yaml-language-server: $schema={schema}
apiVersion: fleetmgr.dev/v1
kind: Fleet
name: {name}

environments:
  - name: dev

clusters:
  - name: dev-1
    environment: dev
    access: {{context: kind-dev}}

apps:
  - name: web
    namespace: web
    source: {{type: manifests, path: apps/web}}
"""
_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: nginx:1.27.3
          ports:
            - {name: http, containerPort: 80}
          resources:
            requests: {cpu: 10m, memory: 32Mi}
"""
_SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports:
    - {name: http, port: 80, targetPort: http}
"""
_IGNORED = ("*.key", "*.pem", ".env", "secrets/", "kubeconfig")


class InitRefused(FleetError):
    """There is a fleet already, or the folder cannot be written."""

    code: ClassVar[str] = "FLT-1014"


class Initialized(Struct, frozen=True, kw_only=True):
    """Paths relative to ``folder``: written, extended, and found and left alone."""

    folder: Path
    name: str
    created: tuple[str, ...]
    extended: tuple[str, ...]
    kept: tuple[str, ...]


def init(folder: Path, name: str | None = None) -> Initialized:
    """Write the smallest fleet into ``folder``; ``name`` is made from the folder's when not given.

    Raises InitRefused when it holds a fleet.yaml or cannot be written, UsageError for an impossible name.
    """
    fleet = _name(folder) if name is None else name
    if not re.fullmatch(DNS_LABEL, fleet):
        raise UsageError(f"--name {fleet!r} must be {PATTERNS[DNS_LABEL]}")
    try:
        return _write(folder, fleet)
    except OSError as error:
        where = Where(file=str(error.filename or folder))
        raise InitRefused(f"cannot be written: {error.strerror or error}", where=where) from None


def _write(folder: Path, fleet: str) -> Initialized:
    if (folder / "fleet.yaml").exists() or (folder / "fleet.yaml").is_symlink():
        hint = "check it with `fleet validate`, or name another folder"
        raise InitRefused(
            "there is a fleet.yaml already", where=Where(file=str(folder / "fleet.yaml")), hint=hint
        )
    files = {
        "apps/web/deployment.yaml": _DEPLOYMENT,
        "apps/web/service.yaml": _SERVICE,
        SCHEMA_FILE: json.dumps(json_schema("fleet"), indent=2) + "\n",
        "fleet.yaml": _FLEET.format(schema=SCHEMA_FILE, name=fleet),
    }
    created, extended, kept = _ignore(folder / ".gitignore", _IGNORED)
    for name, text in files.items():
        (created if _create(folder / name, text) else kept).append(name)
    return Initialized(
        folder=folder, name=fleet, created=tuple(created), extended=tuple(extended), kept=tuple(kept)
    )


def _create(path: Path, text: str) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        return False
    return True


def _ignore(path: Path, lines: Iterable[str]) -> tuple[list[str], list[str], list[str]]:
    """Created, extended, kept: missing lines are appended to an existing .gitignore."""
    if _create(path, "".join(f"{line}\n" for line in lines)):
        return [path.name], [], []
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    present = {line.strip() for line in text.splitlines()}
    missing = [line for line in lines if line not in present]
    if not missing:
        return [], [], [path.name]
    with path.open("a", encoding="utf-8") as stream:
        stream.write("" if text.endswith("\n") or not text else "\n")
        stream.writelines(f"{line}\n" for line in missing)
    return [], [path.name], []


def _name(folder: Path) -> str:
    """The folder's name as a DNS label; ``hello`` when nothing of it can be used."""
    words = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    return words[:63].rstrip("-") or "hello"
