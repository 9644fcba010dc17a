"""What the engine is told about each cluster entry: where its state is, and the way in."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from fleetmgr.veiled import Veiled


class WayIn(Veiled, frozen=True, kw_only=True):
    """How the Kubernetes provider reaches an entry's cluster.

    ``kubeconfig`` is the path of a file that exists. ``document`` is the text of one to be written for the run alone
    (service account of a pod, impersonation, several files merged). Either is told by KUBECONFIG and is no input of
    Pulumi's provider: no credential enters the state, and no path of one machine does, with which a refresh on another
    would look for the cluster. ``context`` is an input.
    """

    VEILED = frozenset({"document"})

    kubeconfig: str | None = None
    context: str | None = None
    document: str | None = None


class StackSettings(Struct, frozen=True, kw_only=True):
    """One cluster entry. ``backend`` is an absolute URL; ``seconds`` bounds a run that names no bound itself."""

    fleet: str
    cluster: str
    backend: str
    way: WayIn
    organization: str | None = None
    secrets_provider: str | None = None
    parallel: int = 16
    seconds: float = 1800.0

    @property
    def cloud(self) -> bool:
        """Whether the backend is Pulumi Cloud, or one that speaks its API."""
        return self.backend.startswith(("https://", "http://"))

    @property
    def name(self) -> str:
        """The stack's name, as long as the backend takes it, so that no default of a machine decides."""
        if not self.cloud:
            return f"organization/{self.fleet}/{self.cluster}"
        parts = (self.organization, self.fleet, self.cluster) if self.organization else (self.cluster,)
        return "/".join(parts)


class EngineSettings(Veiled, frozen=True, kw_only=True):
    """What the stacks of a fleet share.

    ``environment`` is the user's; what the CLI gets of it is ``environment.scrubbed``. ``folder`` holds the work folder
    of each stack.
    """

    VEILED = frozenset({"environment"})

    environment: dict[str, str]
    folder: Path
    max_stacks: int = 4
