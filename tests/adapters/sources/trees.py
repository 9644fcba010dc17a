"""Repositories with sources in them, fetched from the working tree or from a commit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleetmgr.adapters.git.repository import GitRepository
from fleetmgr.adapters.kustomize.program import KustomizeProgram, Program
from fleetmgr.adapters.sources.by_type import SourcesByType
from fleetmgr.adapters.sources.kustomize import KustomizeSources
from fleetmgr.adapters.sources.local import LocalSources
from fleetmgr.model.artifact import Artifact
from fleetmgr.model.target import FetchRequest
from fleetmgr.ports.kustomizer import Kustomizer
from tests.adapters.git.checkouts import commit_all, new_repository
from tests.rendering.kubectl import kubectl_path

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"


def kustomize_program() -> KustomizeProgram:
    """The kustomize that comes with the environment."""
    return KustomizeProgram(lambda: Program(path=Path(kubectl_path()), trusted=True))


class Checkout:
    """A repository; ``committed`` fetches from its commit."""

    def __init__(self, root: Path, *, committed: bool, kustomizer: Kustomizer | None = None) -> None:
        self.root = root
        self._committed = committed
        self._kustomizer = kustomizer or kustomize_program()

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def link(self, name: str, target: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)

    def fetch(self, kind: str, path: str, **options: Any) -> Artifact:
        revision = None
        if self._committed:
            commit_all(new_repository(self.root))
            revision = "main"
        repository = GitRepository(self.root)
        sources = SourcesByType(
            {
                "manifests": LocalSources(repository, self.root),
                "kustomize": KustomizeSources(repository, self.root, self._kustomizer),
            },
            lambda: self._kustomizer,
        )
        return sources.fetch(FetchRequest(type=kind, path=path, revision=revision, **options))
