"""Where a request's Authorization and client certificate come from, and how they are renewed.

Every source is shared by the threads of a run: whoever comes second waits for the first and takes its result.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from fleetmgr.adapters.kube.access import AccessFault, ClientCertificate, Credential, Credentials, PluginSpec
from fleetmgr.adapters.kube.exec_plugin import PluginAnswer, bearer, run_plugin
from fleetmgr.adapters.kube.kubeconfig import reading
from fleetmgr.ports.clock import Clock

TOKEN_FILE_PERIOD = 60.0
EXPIRY_MARGIN = 60.0
SHORTEST_HOLD = 10.0
FAILURE_HOLD = 30.0


class StaticCredentials:
    """A token, a password, or nothing: what the kubeconfig says, for ever."""

    def __init__(self, credential: Credential) -> None:
        """``credential`` is all there will ever be."""
        self._credential = credential

    def current(self) -> Credential:
        """The one credential."""
        return self._credential

    def renewed(self, stale: Credential) -> Credential | None:
        """There is no other."""
        return None if stale == self._credential else self._credential


def basic(username: str, password: str) -> Credential:
    """HTTP basic authentication."""
    pair = base64.b64encode(f"{username}:{password}".encode()).decode()
    return Credential(authorization=f"Basic {pair}")


class FileCredentials:
    """Credentials in files that something else rotates (service account tokens, kubelet certificates).

    Read again every ``TOKEN_FILE_PERIOD`` seconds, as client-go does, and when the server refuses them.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        token_file: Path | None = None,
        authorization: str | None = None,
        certificate: Callable[[], ClientCertificate] | None = None,
    ) -> None:
        """``token_file`` goes before ``authorization``; ``certificate`` reads the pair of PEM files."""
        self._clock = clock
        self._token_file = token_file
        self._authorization = authorization
        self._certificate = certificate
        self._lock = threading.Lock()
        self._credential: Credential | None = None
        self._read_at = 0.0

    def current(self) -> Credential:
        """The files' content, at most ``TOKEN_FILE_PERIOD`` old."""
        with self._lock:
            age = self._clock.monotonic() - self._read_at
            if self._credential is None or age >= TOKEN_FILE_PERIOD:
                return self._reread()
            return self._credential

    def renewed(self, stale: Credential) -> Credential | None:
        """The files' content if it has changed."""
        with self._lock:
            fresh = self._reread()
        return None if fresh == stale else fresh

    def _reread(self) -> Credential:
        authorization = self._authorization
        if self._token_file is not None:
            authorization = bearer(_token(self._token_file))
        certificate = self._certificate() if self._certificate else None
        self._credential = Credential(authorization=authorization, certificate=certificate)
        self._read_at = self._clock.monotonic()
        return self._credential


def _token(path: Path) -> str:
    text = reading(path, "token file", Path.read_bytes).decode("utf-8", "replace").strip()
    if not text:
        raise AccessFault(f"token file {path} is empty", file=str(path))
    return text


class PluginCredentials:
    """One plugin's credential for everyone who names the same command, arguments, environment and cluster."""

    def __init__(self, run: Callable[[], PluginAnswer], clock: Clock) -> None:
        """``run`` may raise AccessFault; a failure is everyone's for ``FAILURE_HOLD`` seconds, so that a plugin
        that hangs costs a fleet its timeout once and not once a cluster."""
        self._run = run
        self._clock = clock
        self._lock = threading.Lock()
        self._credential: Credential | None = None
        self._good_until: float | None = None
        self._failure: AccessFault | None = None
        self._failed_at = 0.0

    def current(self) -> Credential:
        """The cached credential, or a new one when it is missing or about to expire."""
        with self._lock:
            fresh = self._good_until is None or self._clock.monotonic() < self._good_until
            if self._credential is not None and fresh:
                return self._credential
            return self._obtain()

    def renewed(self, stale: Credential) -> Credential | None:
        """A new run's credential, unless somebody else has renewed ``stale`` already."""
        with self._lock:
            if self._credential is not None and self._credential != stale:
                return self._credential
            fresh = self._obtain()
        return None if fresh == stale else fresh

    def _obtain(self) -> Credential:
        if self._failure is not None and self._clock.monotonic() - self._failed_at < FAILURE_HOLD:
            raise AccessFault(self._failure.message, hint=self._failure.hint, file=self._failure.file)
        try:
            answer = self._run()
        except AccessFault as fault:
            self._failure, self._failed_at = fault, self._clock.monotonic()
            raise
        self._failure = None
        self._credential = answer.credential
        self._good_until = None
        if answer.expires is not None:
            left = (answer.expires - self._clock.now()).total_seconds() - EXPIRY_MARGIN
            # One that comes (nearly) expired, by its clock or ours, is still used: the server decides.
            self._good_until = self._clock.monotonic() + max(left, SHORTEST_HOLD)
        return answer.credential


class PluginRegistry:
    """Gives equal plugin specifications the same PluginCredentials."""

    def __init__(self, *, environment: Mapping[str, str], timeout: float, clock: Clock) -> None:
        """``environment`` is what plugins inherit; ``timeout`` seconds for each run."""
        self._environment = environment
        self._timeout = timeout
        self._clock = clock
        self._lock = threading.Lock()
        self._shared: dict[str, Credentials] = {}

    def credentials(self, spec: PluginSpec) -> Credentials:
        """The shared source for ``spec``."""

        def run() -> PluginAnswer:
            return run_plugin(spec, environment=self._environment, timeout=self._timeout, clock=self._clock)

        key = repr((spec.command, spec.args, spec.env, spec.api_version, spec.cluster))
        with self._lock:
            return self._shared.setdefault(key, PluginCredentials(run, self._clock))
