"""When a request may be sent again, and after how long. Pure: the transport sleeps.

Rules: nothing that a second sending could double is repeated, except a 429, which the server sends before it does
anything; refusals (4xx) never; a server that cannot be connected to is not asked again for long, so that a dead
cluster costs its connect timeout once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from msgspec import Struct

from fleetmgr.adapters.kube.answers import is_final, is_webhook_failure
from fleetmgr.adapters.kube.calls import Answer, Call

LONGEST_WAIT = 10.0
_FIRST_WAIT = 0.2
_TOO_MANY, _UNAVAILABLE = 429, 503
_RETRIES: Mapping[int, int] = {_TOO_MANY: 6, 500: 2, 502: 3, _UNAVAILABLE: 4, 504: 2}


class Fault(StrEnum):
    """How a transport fails below HTTP."""

    REFUSED = "refused"
    UNRESOLVED = "unresolved"
    CONNECT_TIMEOUT = "connect timeout"
    READ_TIMEOUT = "read timeout"
    BROKEN = "broken"
    TLS = "tls"
    PROXY = "proxy"
    BUSY = "busy"
    TOO_LARGE = "too large"
    OPEN = "open"
    """Not sent: the cluster has not answered for a while (``breaker``)."""


_FAULT_RETRIES: Mapping[Fault, int] = {
    Fault.REFUSED: 1,
    Fault.UNRESOLVED: 1,
    Fault.BROKEN: 3,
    Fault.PROXY: 1,
    Fault.READ_TIMEOUT: 1,  # a connection that something in between forgot; the second one is new
}


class Failure(Struct, frozen=True, kw_only=True):
    """A request without an answer; ``message`` and ``hint`` are for people."""

    fault: Fault
    message: str
    hint: str | None = None


def wait_before_retry(
    outcome: Answer | Failure, call: Call, attempt: int, jitter: Callable[[], float], *, answers: bool = True
) -> float | None:
    """Seconds until attempt number ``attempt`` + 1 (they count from 0); None = this outcome is final.

    ``jitter`` gives a number in [0, 1): clients that failed together must not come back together. ``answers``: the
    cluster has answered before; one that never did costs its timeout once.
    """
    backoff = min(_FIRST_WAIT * 2.0**attempt, LONGEST_WAIT) * (0.5 + jitter() / 2)
    if isinstance(outcome, Failure):
        final = outcome.fault is Fault.READ_TIMEOUT and not answers
        again = call.repeatable and not final and attempt < _FAULT_RETRIES.get(outcome.fault, 0)
        return backoff if again else None
    if attempt >= _RETRIES.get(outcome.status, 0) or is_final(outcome) or is_webhook_failure(outcome):
        return None
    if not call.repeatable and outcome.status != _TOO_MANY:
        return None
    asked = _retry_after(outcome)
    return backoff if asked is None else min(asked, LONGEST_WAIT) + jitter() * _FIRST_WAIT


def _retry_after(answer: Answer) -> float | None:
    """Whole seconds, the only form that API servers send; a date is treated as absent."""
    text = answer.headers.get("retry-after", "").strip()
    return float(text) if text.isdecimal() else None
