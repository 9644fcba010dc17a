"""Carries Calls to one API server: a pool of connections, deadlines, retries, size limits, renewed credentials."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from secrets import SystemRandom

import urllib3
from urllib3 import exceptions as failures
from urllib3.response import BaseHTTPResponse

from fleetmgr import __version__
from fleetmgr.adapters.kube.access import Access, AccessFault, Credential
from fleetmgr.adapters.kube.answers import error_for
from fleetmgr.adapters.kube.breaker import Breaker
from fleetmgr.adapters.kube.calls import Answer, Call, ClientOptions
from fleetmgr.adapters.kube.failing import failure_of
from fleetmgr.adapters.kube.pools import Pools
from fleetmgr.adapters.kube.retrying import Failure, Fault, wait_before_retry
from fleetmgr.errors import Where
from fleetmgr.model.timings import Requests, Spent
from fleetmgr.ports.clock import Clock
from fleetmgr.ports.cluster_errors import ClusterError, Unreachable

_CHUNK = 1 << 18
_JITTER = SystemRandom().random
_UNAUTHORIZED, _FIRST_ERROR = 401, 300


class ResponseTooLarge(Unreachable):
    """The answer is longer than ``ClientOptions.most_bytes``."""


class Transport:
    """Thread-safe. ``send`` answers, ``stream`` hands over an open response; both raise ClusterErrors only."""

    def __init__(
        self,
        cluster: str,
        access: Access,
        *,
        clock: Clock,
        options: ClientOptions,
        jitter: Callable[[], float] = _JITTER,
    ) -> None:
        """Nothing is connected before the first request."""
        self.cluster = cluster
        self.server = access.endpoint.server
        self._access = access
        self._clock = clock
        self._options = options
        self._jitter = jitter
        self._pools = Pools(access.endpoint, options)
        self._breaker = Breaker(clock)
        self._sent: dict[str, Spent] = {}
        self._count_lock = threading.Lock()

    @property
    def requests(self) -> Counter[str]:
        """How many requests were sent so far, by verb, retries included."""
        with self._count_lock:
            return Counter({verb: spent.count for verb, spent in self._sent.items()})

    @property
    def spent(self) -> Requests:
        """The same with their times: of a stream until it was open, of any other until its body was read."""
        with self._count_lock:
            return dict(self._sent)

    def send(self, call: Call) -> Answer:
        """The answer, below 300 or a 404 that the caller may read. Every other one is raised as its error."""
        until = self._clock.monotonic() + self._options.deadline
        credential = self._credential()
        attempt, renewed = 0, False
        while True:
            outcome = self._once(call, credential, until)
            if isinstance(outcome, Answer) and outcome.status == _UNAUTHORIZED and not renewed:
                renewed = True
                fresh = self._renewed(credential)
                if fresh is not None:
                    credential = fresh
                    continue
            wait = wait_before_retry(outcome, call, attempt, self._jitter, answers=self._breaker.answered)
            if wait is None or self._clock.monotonic() + wait >= until:
                return self._settled(outcome, call)
            self._clock.sleep(wait)
            attempt += 1

    def stream(self, call: Call, *, timeout: float) -> BaseHTTPResponse | Answer:
        """An open response of status 200 (close it), or the complete Answer of any other status.

        ``timeout`` is for each read. Connections of streams do not count against the pool.
        """
        credential = self._credential()
        for last in (False, True):
            outcome = self._breaker.refusal() or self._opened(call, credential, timeout)
            if isinstance(outcome, Failure):
                if outcome.fault is not Fault.OPEN:
                    self._breaker.note(outcome)
                raise self._unreachable(outcome, call)
            self._breaker.note(None)
            if outcome.status < _FIRST_ERROR:
                return outcome
            answer = self._read(outcome, self._clock.monotonic() + timeout)
            fresh = None
            if isinstance(answer, Answer) and answer.status == _UNAUTHORIZED and not last:
                fresh = self._renewed(credential)
            if fresh is None:
                return answer if isinstance(answer, Answer) else self._settled(answer, call)
            credential = fresh
        raise AssertionError("the second round returns")

    def error(self, answer: Answer, call: Call) -> ClusterError:
        """The error that a refused ``answer`` is."""
        return error_for(answer, call, self.cluster, source=self._access.source)

    def close(self) -> None:
        """Drop the connections."""
        self._pools.close()

    def _credential(self) -> Credential:
        try:
            return self._access.credentials.current()
        except AccessFault as fault:
            raise fault.for_cluster(self.cluster, self._access.source) from None

    def _renewed(self, stale: Credential) -> Credential | None:
        try:
            return self._access.credentials.renewed(stale)
        except AccessFault as fault:
            raise fault.for_cluster(self.cluster, self._access.source) from None

    def _settled(self, outcome: Answer | Failure, call: Call) -> Answer:
        if isinstance(outcome, Failure):
            raise self._unreachable(outcome, call)
        if outcome.status < _FIRST_ERROR:
            return outcome
        raise self.error(outcome, call)

    def _unreachable(self, failure: Failure, call: Call) -> Unreachable:
        kind = ResponseTooLarge if failure.fault is Fault.TOO_LARGE else Unreachable
        text = f"cannot {call.verb} {call.subject} on {self.cluster}: {failure.message}"
        where = Where(cluster=self.cluster, object=call.object)
        return kind(text, cluster=self.cluster, where=where, hint=failure.hint)

    def _once(self, call: Call, credential: Credential, until: float) -> Answer | Failure:
        refusal = self._breaker.refusal()
        if refusal is not None:
            return refusal
        left = max(until - self._clock.monotonic(), 0.1)
        begun = self._clock.monotonic()
        response = self._open(
            call, credential, timeout=min(self._options.read_timeout, left), streaming=False
        )
        outcome = response if isinstance(response, Failure) else self._read(response, until)
        self._count(call, begun)
        self._breaker.note(outcome if isinstance(outcome, Failure) else None)
        return outcome

    def _opened(self, call: Call, credential: Credential, timeout: float) -> BaseHTTPResponse | Failure:
        """A stream, counted."""
        begun = self._clock.monotonic()
        response = self._open(call, credential, timeout=timeout, streaming=True)
        self._count(call, begun)
        return response

    def _count(self, call: Call, begun: float) -> None:
        spent = self._clock.monotonic() - begun
        verb = call.counted or call.verb
        with self._count_lock:
            self._sent[verb] = self._sent.get(verb, Spent()) + Spent(count=1, seconds=spent, slowest=spent)

    def _open(
        self, call: Call, credential: Credential, *, timeout: float, streaming: bool
    ) -> BaseHTTPResponse | Failure:
        try:
            pool = self._pools.pool(credential.certificate, streaming=streaming)
        except AccessFault as fault:
            raise fault.for_cluster(self.cluster, self._access.source) from None
        try:
            return pool.request(
                call.method,
                f"{self.server}{call.target}",
                body=call.body,
                headers=self._headers(call, credential),
                retries=False,
                redirect=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=self._options.connect_timeout, read=timeout),
                pool_timeout=self._options.deadline,
            )
        except (failures.HTTPError, OSError) as error:
            return failure_of(error, self.server)

    def _headers(self, call: Call, credential: Credential) -> urllib3.HTTPHeaderDict:
        headers = urllib3.HTTPHeaderDict(
            {"Accept": call.accept, "Accept-Encoding": "gzip", "User-Agent": f"fleetmgr/{__version__}"}
        )
        if call.content_type:
            headers.add("Content-Type", call.content_type)
        if credential.authorization is not None:
            headers.add("Authorization", credential.authorization)
        if self._access.impersonation is not None:
            for name, value in self._access.impersonation.headers():
                headers.add(name, value)
        return headers

    def _read(self, response: BaseHTTPResponse, until: float) -> Answer | Failure:
        """The whole body within ``until`` and the size limit, or a Failure; never a part of it."""
        body = bytearray()
        complete = False
        try:
            while chunk := response.read1(_CHUNK, decode_content=True):
                body += chunk
                if len(body) > self._options.most_bytes:
                    return Failure(
                        fault=Fault.TOO_LARGE, message=f"more than {self._options.most_bytes >> 20} MiB"
                    )
                if self._clock.monotonic() >= until:
                    return Failure(fault=Fault.READ_TIMEOUT, message="the answer came too slowly")
            complete = True
        except (failures.HTTPError, OSError) as error:
            return failure_of(error, self.server)
        finally:
            if not complete:
                response.close()
            response.release_conn()  # also after close: its place in the pool is what others wait for
        headers = {name.lower(): value for name, value in response.headers.items()}
        warnings = tuple(response.headers.getlist("Warning"))
        return Answer(status=response.status, headers=headers, body=bytes(body), warnings=warnings)
