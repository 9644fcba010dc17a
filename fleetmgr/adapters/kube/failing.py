"""What it means when there is no answer: exceptions of urllib3, ssl and the operating system as Failures."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

from urllib3 import exceptions as failures

from fleetmgr.adapters.kube.retrying import Failure, Fault
from fleetmgr.adapters.kube.tls import explain


def failure_of(error: Exception, server: str) -> Failure:
    """Why a request to ``server`` has no answer, in words that hold no credential."""
    host = urlsplit(server).netloc
    tls = _cause(error, ssl.SSLError)
    if isinstance(tls, ssl.SSLError) and not isinstance(tls, ssl.SSLEOFError):
        message, hint = explain(tls)
        return Failure(fault=Fault.TLS, message=f"{host}: {message}", hint=hint)
    if isinstance(error, failures.NewConnectionError) and not isinstance(error, failures.NameResolutionError):
        cause = _cause(error, OSError)
        text = (isinstance(cause, OSError) and cause.strerror) or "connection failed"
        return Failure(
            fault=Fault.REFUSED, message=f"{host}: {text.lower()}", hint="is the API server running?"
        )
    for kinds, fault, message, hint in _MEANINGS:
        if isinstance(error, kinds):
            return Failure(fault=fault, message=f"{host}: {message}", hint=hint)
    return Failure(fault=Fault.BROKEN, message=f"{host}: the connection broke before the answer was complete")


_Meaning = tuple[tuple[type[Exception], ...], Fault, str, str | None]
_MEANINGS: tuple[_Meaning, ...] = (
    (
        (failures.ProxyError,),
        Fault.PROXY,
        "the proxy does not answer, or refuses",
        "check proxy-url and HTTPS_PROXY",
    ),
    (
        (failures.NameResolutionError,),
        Fault.UNRESOLVED,
        "the name cannot be resolved",
        "check server of the kubeconfig",
    ),
    (
        (failures.ConnectTimeoutError,),
        Fault.CONNECT_TIMEOUT,
        "no connection in time",
        "is the network (VPN) up?",
    ),
    (
        (failures.ReadTimeoutError, TimeoutError),
        Fault.READ_TIMEOUT,
        "no answer in time",
        "the API server may be overloaded",
    ),
    ((failures.SSLError,), Fault.TLS, "TLS failed", "check server, certificate authority and proxy"),
    ((failures.EmptyPoolError,), Fault.BUSY, "all connections are busy", None),
    ((failures.DecodeError,), Fault.BROKEN, "the answer cannot be decompressed", None),
)


def _cause(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    """The first ``kind`` among ``error``, its arguments and its causes."""
    seen: set[int] = set()
    stack: list[object] = [error]
    while stack:
        item = stack.pop()
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, kind):
            return item
        stack.extend([*item.args, item.__cause__, item.__context__, getattr(item, "reason", None)])
    return None
