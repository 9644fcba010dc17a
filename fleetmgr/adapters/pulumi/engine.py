"""The Pulumi CLI as engine: found once, its plugin in place before stacks run side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable

from fleetmgr.adapters.pulumi.cli import Cli, find_cli
from fleetmgr.adapters.pulumi.plugins import ensure_plugin
from fleetmgr.adapters.pulumi.settings import EngineSettings, StackSettings
from fleetmgr.adapters.pulumi.stack import CliStack, Surroundings
from fleetmgr.adapters.pulumi.workfolder import WorkFolder


class CliEngine:
    """Implements PulumiEngine; thread-safe."""

    def __init__(
        self,
        settings: EngineSettings,
        settings_of: Callable[[str], StackSettings],
        *,
        monotonic: Callable[[], float],
    ) -> None:
        """Nothing is looked for yet. ``settings_of`` an entry by its name; what it raises, ``stack`` raises."""
        self._settings = settings
        self._settings_of = settings_of
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._place = threading.BoundedSemaphore(settings.max_stacks)
        self._cli: Cli | None = None
        self._stacks: dict[str, CliStack] = {}

    def stack(self, cluster: str) -> CliStack:
        """As the port: one object a cluster, so that one run goes after the other."""
        with self._lock:
            if self._cli is None:
                cli = find_cli(self._settings.environment)
                ensure_plugin(cli, self._settings.environment)
                self._cli = cli
            if cluster not in self._stacks:
                self._stacks[cluster] = self._made(cluster, self._cli)
            return self._stacks[cluster]

    def _made(self, cluster: str, cli: Cli) -> CliStack:
        settings = self._settings_of(cluster)
        return CliStack(
            settings,
            WorkFolder(self._settings.folder, fleet=settings.fleet, cluster=cluster),
            Surroundings(
                cli=cli,
                environment=self._settings.environment,
                monotonic=self._monotonic,
                place=self._place,
            ),
        )
