"""What is sent again, after how long, and what never is."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from fleetmgr.adapters.kube.access import Endpoint
from fleetmgr.adapters.kube.calls import ClientOptions
from fleetmgr.adapters.kube.client import KubeClient
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.ports.cluster_errors import ApiRejected, ClusterError, ObjectInvalid, Unreachable, WebhookFailed
from tests.adapters.kube.api_server import Reply, Script, Seen, failure
from tests.adapters.kube.conftest import Opener
from tests.fakes.clock import FakeClock
from tests.fakes.kinds import built_in

CONFIG_MAPS = built_in("ConfigMap")
BODY: JsonObject = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "ns"}}


def apply(client: KubeClient) -> object:
    return client.apply(CONFIG_MAPS, BODY, manager="m", force=False, dry_run=False)


def patch(client: KubeClient) -> object:
    return client.patch(CONFIG_MAPS, namespace="ns", name="a", operations=[], manager="m")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_overloaded_server_is_asked_again(client: KubeClient, server: Script, status: int) -> None:
    server.say(failure(status, "", "not now"), Reply(body=BODY))
    apply(client)
    assert len(server.seen) == 2
    assert client.requests["apply"] == 2


def test_retry_after_is_obeyed_but_capped(client: KubeClient, server: Script, clock: FakeClock) -> None:
    for asked in ("3", "600"):
        server.say(
            failure(429, "TooManyRequests", "slow down", headers=(("Retry-After", asked),)), Reply(body=BODY)
        )
        apply(client)
    assert clock.monotonic() == 3 + 10


def test_a_server_that_stays_overloaded_is_unreachable_in_bounded_time(
    client: KubeClient, server: Script, clock: FakeClock
) -> None:
    server.route = lambda _: failure(429, "TooManyRequests", "slow down", headers=(("Retry-After", "10"),))
    with pytest.raises(Unreachable, match="slow down"):
        apply(client)
    assert clock.monotonic() <= ClientOptions().deadline
    assert len(server.seen) <= 7


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 410, 422])
def test_a_refusal_is_final(client: KubeClient, server: Script, status: int) -> None:
    server.say(failure(status, "Whatever", "no"))
    with pytest.raises(ApiRejected):
        apply(client)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "message",
    [
        "failed to create typed patch object (ns/a; /v1, Kind=ConfigMap): .bogus: field not declared in schema",
        'admission webhook "w" denied the request: no',
    ],
)
def test_a_refusal_that_calls_itself_an_internal_error_is_final(
    client: KubeClient, server: Script, message: str
) -> None:
    server.say(failure(500, "", message))
    with pytest.raises(ObjectInvalid):
        apply(client)
    assert len(server.seen) == 1


def test_a_dead_webhook_is_named_and_not_asked_again(client: KubeClient, server: Script) -> None:
    server.say(
        failure(500, "InternalError", 'Internal error occurred: failed calling webhook "w.example": refused')
    )
    with pytest.raises(ApiRejected) as caught:
        apply(client)
    assert caught.value.reason == "WebhookFailed"
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "cause",
    [
        "context deadline exceeded",
        "net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
        "dial tcp 10.0.0.1:443: i/o timeout",
    ],
)
def test_a_webhook_that_times_out_is_named_with_its_timeout(
    client: KubeClient, server: Script, cause: str
) -> None:
    url = "https://hook.shop.svc:443/admit?timeout=7s"
    said = f'failed calling webhook "w.example": failed to call webhook: Post "{url}": {cause}'
    server.say(failure(500, "InternalError", f"Internal error occurred: {said}"))
    with pytest.raises(WebhookFailed) as caught:
        apply(client)
    assert "webhook w.example did not answer within 7s" in caught.value.message
    assert caught.value.code == "FLT-2060"
    assert len(server.seen) == 1


@pytest.mark.parametrize("fault", ["reset", "cut", "chunk"])
def test_a_broken_connection_is_tried_again_where_that_is_safe(
    client: KubeClient, server: Script, fault: str
) -> None:
    server.say(Reply(body=BODY, fault=fault), Reply(body=BODY))
    apply(client)
    assert len(server.seen) == 2


@pytest.mark.parametrize("fault", ["reset", "cut", "chunk"])
def test_a_json_patch_is_sent_once(client: KubeClient, server: Script, fault: str) -> None:
    server.say(Reply(body=BODY, fault=fault))
    with pytest.raises(Unreachable):
        patch(client)
    assert len(server.seen) == 1


def test_a_json_patch_that_was_rate_limited_is_sent_again(client: KubeClient, server: Script) -> None:
    server.say(failure(429, "TooManyRequests", "slow down"), Reply(body=BODY))
    patch(client)
    assert len(server.seen) == 2


@pytest.mark.parametrize("fault", ["cut", "chunk"])
def test_half_a_list_is_no_list(client: KubeClient, server: Script, fault: str) -> None:
    whole: JsonObject = {"kind": "ConfigMapList", "metadata": {}, "items": [BODY, BODY]}
    server.route = lambda _: Reply(body=whole, fault=fault)
    with pytest.raises(Unreachable, match="broke before the answer was complete"):
        client.list(CONFIG_MAPS)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Sign in</html>",
        b'{"kind": "ConfigMapList", "metadata": {}, "items": [',
        b"[]",
        b'{"kind": "ConfigMapList", "items": {}}',
        b'{"kind": "Status", "metadata": {}}',
        b'{"kind": "ConfigMapList", "metadata": {}, "items": [1]}',
    ],
)
def test_an_answer_that_is_no_list_is_never_an_empty_one(
    client: KubeClient, server: Script, body: bytes
) -> None:
    server.say(Reply(body=body))
    with pytest.raises(Unreachable, match="cannot list configmaps in namespace ns on dev-1"):
        client.list(CONFIG_MAPS, namespace="ns")


@pytest.mark.parametrize("status", [301, 302, 401, 403, 404, 407])
def test_a_page_of_something_in_between_proves_nothing(
    client: KubeClient, server: Script, status: int
) -> None:
    server.route = lambda _: Reply(
        status=status, body=b"<html>portal</html>", headers=(("Location", "/login"),)
    )
    with pytest.raises(ClusterError) as caught:
        client.list(CONFIG_MAPS)
    assert not isinstance(caught.value, ApiRejected)
    with pytest.raises(ClusterError):
        client.get(CONFIG_MAPS, namespace="ns", name="a")


def test_an_answer_may_be_compressed_but_not_endless(connect: Opener, server: Script) -> None:
    body = {**BODY, "data": {"a": "x" * 5_000_000}}
    server.route = lambda _: Reply(body=body, compressed=True)
    assert connect().get(CONFIG_MAPS, namespace="ns", name="a") == body
    small = connect(options=ClientOptions(most_bytes=1 << 20))
    with pytest.raises(Unreachable, match="more than 1 MiB"):
        small.get(CONFIG_MAPS, namespace="ns", name="a")


@pytest.mark.parametrize(
    "reply", [Reply(body={"x": "y" * 2000}), Reply(body=BODY, fault="cut"), Reply(body=b"no")]
)
def test_failures_give_their_connection_back(connect: Opener, server: Script, reply: Reply) -> None:
    client = connect(options=ClientOptions(pool_size=1, most_bytes=1000, deadline=1))
    for _ in range(3):
        server.route = lambda _: reply
        with pytest.raises(Unreachable):
            patch(client)
        server.route = lambda _: Reply(body=BODY)
        assert client.get(CONFIG_MAPS, namespace="ns", name="a") == BODY


def test_a_proxy_is_used_and_its_password_never_shown(connect: Opener, server: Script) -> None:
    proxy = server.url.replace("http://", "http://user:canary%21@")
    client = connect(endpoint=Endpoint(server="http://api.invalid", proxy=proxy))
    server.say(Reply(body={"gitVersion": "v1"}))
    assert client.version() == "v1"
    assert server.seen[0].path == "http://api.invalid/version"
    assert server.seen[0].headers["proxy-authorization"] == "Basic dXNlcjpjYW5hcnkh"
    server.route = lambda _: Reply(status=407, body=b"who are you?")
    secure = connect(endpoint=Endpoint(server="https://api.invalid", proxy=proxy))
    with pytest.raises(Unreachable, match="the proxy does not answer, or refuses") as caught:
        secure.version()
    assert "canary" not in str(caught.value)


def test_a_server_that_is_down_fails_after_one_more_try(connect: Opener, clock: FakeClock) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client = connect(endpoint=Endpoint(server=f"http://127.0.0.1:{port}"))
    with pytest.raises(Unreachable, match="connection refused"):
        client.version()
    assert client.requests["discover"] == 2
    assert clock.monotonic() < 1


def test_a_name_that_does_not_resolve_is_said(connect: Opener) -> None:
    with pytest.raises(Unreachable, match="cannot be resolved"):
        connect(endpoint=Endpoint(server="https://no-such-host.invalid")).version()


def test_a_black_hole_costs_its_connect_timeout_once(connect: Opener) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        waiting: list[socket.socket] = []
        for _ in range(4):  # fill the backlog: the kernel then drops further SYNs
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
            waiting.append(filler)
        options = ClientOptions(connect_timeout=0.3, read_timeout=0.3)
        client = connect(
            endpoint=Endpoint(server=f"http://127.0.0.1:{deaf.getsockname()[1]}"), options=options
        )
        began = time.monotonic()
        with pytest.raises(Unreachable, match="in time"):
            client.version()
        spent = time.monotonic() - began
        for filler in waiting:
            filler.close()
    assert client.requests["discover"] == 1
    assert spent < 30


def test_a_server_that_never_answers_costs_its_read_timeout_once(connect: Opener) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        options = ClientOptions(connect_timeout=5, read_timeout=0.2)
        client = connect(
            endpoint=Endpoint(server=f"http://127.0.0.1:{deaf.getsockname()[1]}"), options=options
        )
        with pytest.raises(Unreachable, match="no answer in time"):
            client.list(CONFIG_MAPS)
    assert client.requests["list"] == 1


def test_a_connection_that_was_forgotten_on_the_way_is_opened_anew(connect: Opener, server: Script) -> None:
    """The cluster has answered before; a silent connection proves nothing about it."""
    silent = threading.Event()
    client = connect(options=ClientOptions(read_timeout=0.3))
    server.say(Reply(body={"gitVersion": "v1"}))
    client.version()

    def late(_: Seen) -> Reply:
        server.route = lambda _: Reply(body=BODY)
        silent.wait(1.0)
        return Reply(body=BODY)

    server.route = late
    assert client.get(CONFIG_MAPS, namespace="ns", name="a") == BODY
    silent.set()
    assert client.requests["get"] == 2
