"""List, then watch from there; an expired or broken watch is taken up again without losing a change."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator, Iterator

import orjson
from urllib3 import exceptions as failures
from urllib3.response import BaseHTTPResponse, HTTPResponse

from fleetmgr.adapters.kube.answers import status_of
from fleetmgr.adapters.kube.calls import Answer, Query
from fleetmgr.adapters.kube.listing import Listed, list_call, list_pages
from fleetmgr.adapters.kube.transport import Transport
from fleetmgr.model.jsontypes import Json, JsonObject, array_at, child, is_object, object_at
from fleetmgr.ports.clock import Clock
from fleetmgr.ports.cluster import ApiResource, WatchEvent
from fleetmgr.ports.cluster_errors import ClusterError, Unreachable

_GONE = 410
_RELIST = "relist"
_PAUSE = 1.0
_MOST_FAILURES = 3
_LONGEST_LINE = 16 << 20
_Key = tuple[str, str]


class Watch:
    """One watch of one kind. Not thread-safe: one iterator, one consumer."""

    def __init__(
        self,
        transport: Transport,
        resource: ApiResource,
        *,
        namespace: str,
        query: Query,
        clock: Clock,
    ) -> None:
        """``query`` holds the label selector."""
        self._transport = transport
        self._resource = resource
        self._namespace = namespace
        self._query = query
        self._clock = clock
        self._known: dict[_Key, JsonObject] = {}
        self._version = ""
        self._cancelled = threading.Event()
        self._response: BaseHTTPResponse | None = None

    def cancel(self) -> None:
        """From any thread: no further event; a read that waits for one returns at once."""
        self._cancelled.set()
        response = self._response
        if isinstance(response, HTTPResponse):
            with contextlib.suppress(OSError, ValueError):  # it has just ended by itself
                response.shutdown()

    def events(self, timeout: float, page_size: int) -> Generator[WatchEvent]:
        """Synthetic ADDED for what is there, then changes, until ``timeout`` seconds are over.

        Closing the generator closes the connection. Raises ClusterError, Unreachable after a few broken attempts.
        """
        until = self._clock.monotonic() + timeout
        yield from self._relist(page_size)
        broken = relisted = 0
        while (left := until - self._clock.monotonic()) > 0 and not self._cancelled.is_set():
            before = self._version
            try:
                expired = yield from self._stream(left)
                broken = 0
            except Unreachable:
                broken += 1
                if broken >= _MOST_FAILURES:
                    raise
                self._clock.sleep(min(_PAUSE * broken, max(until - self._clock.monotonic(), 0.0)))
                continue
            if expired:
                relisted = relisted + 1 if before == self._version else 1
                if relisted > _MOST_FAILURES:
                    raise self._broken("the server takes none of its own versions for a start")
                self._clock.sleep(min(_PAUSE * (relisted - 1), max(until - self._clock.monotonic(), 0.0)))
                yield from self._relist(page_size)
            else:
                relisted = 0

    def _relist(self, page_size: int) -> Iterator[WatchEvent]:
        """The difference between what was known and what is there now, as events."""
        listed: Listed = list_pages(
            self._transport, self._resource, namespace=self._namespace, query=self._query, page_size=page_size
        )
        before, self._known = self._known, {}
        self._version = listed.resource_version
        for item in listed.items:
            key = _key(item)
            old = before.pop(key, None)
            self._known[key] = _stub(item)
            if old is None:
                yield WatchEvent(type="ADDED", body=item)
            elif old != self._known[key]:
                yield WatchEvent(type="MODIFIED", body=item)
        for gone in before.values():
            yield WatchEvent(type="DELETED", body=gone)

    def _stream(self, left: float) -> Generator[WatchEvent, None, bool]:
        """Events of one connection; true when the version that we hold has expired."""
        query = (
            *self._query,
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", self._version),
            ("timeoutSeconds", str(max(1, round(left)))),
        )
        call = list_call(self._resource, self._namespace, query, verb="watch")
        response = self._transport.stream(call, timeout=left)
        if isinstance(response, Answer):
            if response.status == _GONE or _from_the_future(response):
                return True
            raise self._transport.error(response, call)
        self._response = response
        try:
            for line in () if self._cancelled.is_set() else _lines(response):
                event = self._event(line)
                if event == _RELIST:
                    return True
                if isinstance(event, WatchEvent):
                    yield event
        finally:
            self._response = None
            response.close()
            response.release_conn()
        return False

    def _event(self, line: bytes) -> WatchEvent | str | None:
        """One line as an event; ``relist`` when the version has expired; None for a bookmark."""
        try:
            parsed: Json = orjson.loads(line)
        except orjson.JSONDecodeError:
            raise self._broken("a part of the watch is not JSON") from None
        body = parsed.get("object") if is_object(parsed) else None
        if not is_object(body):
            raise self._broken("a part of the watch is no event")
        kind = str(parsed.get("type"))
        if kind == "ERROR":
            if body.get("code") == _GONE:
                return _RELIST
            raise self._broken(str(body.get("message") or "the server ended the watch"))
        self._version = str(child(body, "metadata", "resourceVersion") or self._version)
        if kind == "BOOKMARK":
            return None
        if kind == "DELETED":
            self._known.pop(_key(body), None)
        else:
            self._known[_key(body)] = _stub(body)
        return WatchEvent(type=kind, body=body)

    def _broken(self, message: str) -> ClusterError:
        call = list_call(self._resource, self._namespace, (), verb="watch")
        cluster = self._transport.cluster
        return Unreachable(f"cannot watch {call.subject} on {cluster}: {message}", cluster=cluster)


def _from_the_future(answer: Answer) -> bool:
    """Whether the server does not know our version yet: its store was restored from an older one, or it is a
    replica that lags (apiserver, storage.NewTooLargeResourceVersionError)."""
    causes = array_at(status_of(answer) or {}, "details", "causes")
    return any(is_object(cause) and cause.get("reason") == "ResourceVersionTooLarge" for cause in causes)


def _lines(response: BaseHTTPResponse) -> Iterator[bytes]:
    """Complete lines; ends when the server closes, the connection breaks or nothing comes within the timeout."""
    buffer = bytearray()
    try:
        while chunk := response.read1(1 << 16, decode_content=True):
            buffer += chunk
            *lines, rest = bytes(buffer).split(b"\n")
            buffer = bytearray(rest)
            yield from (line for line in lines if line)
            if len(buffer) > _LONGEST_LINE:
                return
    except (failures.HTTPError, OSError):
        return  # the events so far are whole; the caller goes on from the last version


def _key(body: JsonObject) -> _Key:
    metadata = object_at(body, "metadata")
    return str(metadata.get("namespace") or ""), str(metadata.get("name") or "")


def _stub(body: JsonObject) -> JsonObject:
    """Enough of an object to say later that it changed or is gone."""
    metadata = object_at(body, "metadata")
    kept = {key: metadata[key] for key in ("namespace", "name", "uid", "resourceVersion") if key in metadata}
    return {"apiVersion": body.get("apiVersion"), "kind": body.get("kind"), "metadata": kept}
