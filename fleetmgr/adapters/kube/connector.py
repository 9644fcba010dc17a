"""ClusterConnector: from the entries' access settings to clients, each kubeconfig read once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from fleetmgr.adapters.kube.access import Access, AccessFault, AccessSettings, AccessUnusable
from fleetmgr.adapters.kube.calls import ClientOptions
from fleetmgr.adapters.kube.client import KubeClient
from fleetmgr.adapters.kube.credentials import PluginRegistry
from fleetmgr.adapters.kube.kubeconfig import Kubeconfig, kubeconfig_files, load_kubeconfig
from fleetmgr.adapters.kube.resolution import SERVICE_ACCOUNT, from_kubeconfig, from_service_account
from fleetmgr.adapters.kube.transport import Transport
from fleetmgr.model.timings import Requests
from fleetmgr.ports.clock import Clock

_DEFAULTS = ClientOptions()


class KubeConnector:
    """Thread-safe. Implements ``ports.cluster.ClusterConnector``; one client for each entry, kept until ``close``."""

    def __init__(
        self,
        entries: Mapping[str, AccessSettings],
        *,
        environment: Mapping[str, str],
        clock: Clock,
        options: ClientOptions = _DEFAULTS,
        service_account: Path = SERVICE_ACCOUNT,
    ) -> None:
        """``environment`` gives KUBECONFIG, HOME, PATH, proxies and what credential plugins inherit."""
        self._entries = entries
        self._environment = environment
        self._clock = clock
        self._options = options
        self._service_account = service_account
        self._plugins = PluginRegistry(environment=environment, timeout=options.exec_timeout, clock=clock)
        self._lock = threading.Lock()
        self._clients: dict[str, KubeClient] = {}
        self._configs: dict[tuple[Path, ...], Kubeconfig] = {}

    def connect(self, cluster: str) -> KubeClient:
        """The client of the entry; sends nothing yet. Raises AccessUnusable (an AuthFailed)."""
        with self._lock:
            if cluster not in self._clients:
                self._clients[cluster] = self._open(cluster)
            return self._clients[cluster]

    def sent(self) -> Mapping[str, Requests]:
        """What was sent so far, by cluster; nothing of those that were never asked for."""
        with self._lock:
            clients = dict(self._clients)
        return {name: client.spent for name, client in clients.items()}

    def close(self) -> None:
        """Drop every connection and forget the clients and files."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()
            self._configs.clear()

    def _open(self, cluster: str) -> KubeClient:
        settings = self._entries.get(cluster)
        if settings is None:
            raise AccessUnusable(f"no cluster entry `{cluster}`", cluster=cluster)
        try:
            access = self._access(settings)
            if settings.impersonation is not None:
                access = replace(access, impersonation=settings.impersonation)
        except AccessFault as fault:
            raise fault.for_cluster(cluster) from None
        transport = Transport(cluster, access, clock=self._clock, options=self._options)
        return KubeClient(transport, clock=self._clock, page_size=self._options.page_size)

    def _access(self, settings: AccessSettings) -> Access:
        if settings.in_cluster:
            return from_service_account(self._environment, folder=self._service_account, clock=self._clock)
        files = kubeconfig_files(settings, self._environment)
        if files not in self._configs:
            self._configs[files] = load_kubeconfig(files)
        return from_kubeconfig(
            self._configs[files],
            settings.context,
            environment=self._environment,
            plugins=self._plugins,
            clock=self._clock,
        )
