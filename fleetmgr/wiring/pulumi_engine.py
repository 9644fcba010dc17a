"""The Pulumi engine of a fleet. Import it only where an entry uses that engine: the SDK takes a quarter of a second."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from fleetmgr.adapters.kube.access import AccessFault, AccessSettings
from fleetmgr.adapters.kube.kubeconfig import kubeconfig_files, load_kubeconfig
from fleetmgr.adapters.kube.kubeconfig_document import CONTEXT, document_of, service_account_document
from fleetmgr.adapters.pulumi.engine import CliEngine
from fleetmgr.adapters.pulumi.settings import EngineSettings, StackSettings, WayIn
from fleetmgr.errors import UsageError
from fleetmgr.ports.pulumi import PulumiEngine
from fleetmgr.spec import Cluster, LoadedFleet
from fleetmgr.spec.engine_rules import engine_in, is_cloud
from fleetmgr.spec.plain import seconds
from fleetmgr.wiring.access import access_settings
from fleetmgr.wiring.machine import SystemClock, xdg

_PARALLEL = 16
_MAX_STACKS = 4
_SECONDS = 1800.0
_FILE = "file://"


def open_engine(loaded: LoadedFleet) -> PulumiEngine:
    """The engine of ``loaded``; looks for nothing until its first stack is asked for.

    Environment: PATH and PULUMI_HOME (where the CLI and its plugins are), XDG_CACHE_HOME (``fleetmgr/pulumi`` below it
    holds the work folders), XDG_STATE_HOME (``fleetmgr/pulumi`` below it is the backend where none is set), and what
    adapters.pulumi.environment lets through to the CLI.
    """
    home = Path.home()
    environment = dict(os.environ)
    entries = {cluster.name: cluster for cluster in loaded.fleet.clusters}

    def settings_of(name: str) -> StackSettings:
        cluster = entries.get(name)
        if cluster is None:
            raise UsageError(f"there is no cluster `{name}` for the Pulumi engine")
        return _settings(loaded, cluster, home=home, environment=environment)

    at_a_time = [engine_in(loaded.fleet, e.name).max_stacks for e in loaded.fleet.environments]
    return CliEngine(
        EngineSettings(
            environment=environment,
            folder=xdg("XDG_CACHE_HOME", home / ".cache") / "fleetmgr" / "pulumi",
            max_stacks=max((n for n in at_a_time if n is not None), default=_MAX_STACKS),
        ),
        settings_of,
        monotonic=SystemClock().monotonic,
    )


def _settings(
    loaded: LoadedFleet, cluster: Cluster, *, home: Path, environment: dict[str, str]
) -> StackSettings:
    engine = engine_in(loaded.fleet, cluster.environment)
    return StackSettings(
        fleet=loaded.fleet.name,
        cluster=cluster.name,
        backend=_backend(engine.backend, loaded.root, home),
        way=_way(access_settings(loaded, cluster), cluster.name, environment),
        organization=engine.organization,
        secrets_provider=engine.secrets_provider,
        parallel=engine.parallel or _PARALLEL,
        seconds=seconds(engine.timeout) if engine.timeout else _SECONDS,
    )


def _backend(said: str | None, root: Path, home: Path) -> str:
    if said is None:
        folder = xdg("XDG_STATE_HOME", home / ".local" / "state") / "fleetmgr" / "pulumi"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return f"{_FILE}{quote(str(folder))}"
    if is_cloud(said) or not said.startswith(_FILE):
        return said
    path, question, query = said.removeprefix(_FILE).partition("?")
    if path == "~" or path.startswith("~/"):
        path = str(home / path[2:])
    return f"{_FILE}{(root / path).resolve()}{question}{query}"


def _way(access: AccessSettings, cluster: str, environment: dict[str, str]) -> WayIn:
    """What is one file of the user's goes by its path; anything else becomes a kubeconfig of the run's own."""
    try:
        if access.in_cluster:
            document = service_account_document(environment, access.impersonation)
            return WayIn(document=document, context=CONTEXT)
        files = kubeconfig_files(access, environment)
        if len(files) == 1 and access.impersonation is None:
            return WayIn(kubeconfig=str(files[0].absolute()), context=access.context)
        document = document_of(load_kubeconfig(files), access.context, access.impersonation)
        return WayIn(document=document, context=CONTEXT)
    except AccessFault as fault:
        raise fault.for_cluster(cluster) from None
