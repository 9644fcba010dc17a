"""Pages, expired snapshots, discovery of old and new servers, watches."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from fleetmgr.adapters.kube.calls import ClientOptions
from fleetmgr.adapters.kube.client import KubeClient
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import GroupKind
from fleetmgr.ports.cluster_errors import ApiRejected, AuthFailed, ObjectGone, Unreachable
from tests.adapters.kube.api_server import Reply, Script, Seen, failure
from tests.adapters.kube.conftest import Opener
from tests.fakes.clock import FakeClock
from tests.fakes.kinds import built_in

CONFIG_MAPS = built_in("ConfigMap")
EXPIRED = failure(410, "Expired", "The provided continue parameter is too old")


def item(name: str, version: str = "1") -> JsonObject:
    return {"metadata": {"name": name, "namespace": "ns", "uid": f"u-{name}", "resourceVersion": version}}


def page(*items: JsonObject, onward: str = "", version: str = "100") -> Reply:
    metadata = {"resourceVersion": version, **({"continue": onward} if onward else {})}
    return Reply(
        body={"kind": "ConfigMapList", "apiVersion": "v1", "metadata": metadata, "items": list(items)}
    )


def names(bodies: tuple[JsonObject, ...]) -> list[str]:
    return [body["metadata"]["name"] for body in bodies]


def test_pages_are_joined_and_items_named(client: KubeClient, server: Script) -> None:
    server.say(page(item("a"), item("b"), onward="t&1"), page(item("c")))
    found = client.list(CONFIG_MAPS, namespace="ns", selector="a in (b)")
    assert names(found) == ["a", "b", "c"]
    assert {(body["apiVersion"], body["kind"]) for body in found} == {("v1", "ConfigMap")}
    assert [seen.path for seen in server.seen] == [
        "/api/v1/namespaces/ns/configmaps?labelSelector=a+in+%28b%29&limit=2",
        "/api/v1/namespaces/ns/configmaps?labelSelector=a+in+%28b%29&limit=2&continue=t%261",
    ]
    assert all("resourceVersion" not in seen.path for seen in server.seen)


def test_an_expired_snapshot_is_read_again_whole(client: KubeClient, server: Script) -> None:
    server.say(page(item("old"), onward="t"), EXPIRED, page(item("a"), item("b"), item("c")))
    assert names(client.list(CONFIG_MAPS)) == ["a", "b", "c"]
    assert server.seen[-1].path == "/api/v1/configmaps"


def test_a_page_that_fails_fails_the_list(client: KubeClient, server: Script) -> None:
    server.say(page(item("a"), onward="t"))
    server.route = lambda _: failure(500, "InternalError", "etcdserver: no leader")
    with pytest.raises(Unreachable, match="no leader"):
        client.list(CONFIG_MAPS)


def test_a_page_that_repeats_fails_the_list(client: KubeClient, server: Script) -> None:
    server.route = lambda _: page(item("a"), onward="t")
    with pytest.raises(Unreachable, match="repeats a page"):
        client.list(CONFIG_MAPS)


def test_a_list_that_is_too_large_is_read_in_small_pages(connect: Opener, server: Script) -> None:
    big = {**item("big"), "data": {"x": "y" * (1 << 20)}}
    server.route = lambda seen: page(item("a")) if "limit=50" in seen.path else page(big)
    client = connect(options=ClientOptions(most_bytes=1 << 19))
    assert names(client.list(CONFIG_MAPS)) == ["a"]


def test_a_list_may_be_empty(client: KubeClient, server: Script) -> None:
    server.say(page(), Reply(body={"kind": "List", "metadata": {}, "items": None}))
    assert client.list(CONFIG_MAPS) == ()
    assert client.list(CONFIG_MAPS) == ()


def test_an_absent_object_is_none(client: KubeClient, server: Script) -> None:
    server.say(failure(404, "NotFound", 'configmaps "a" not found'))
    assert client.get(CONFIG_MAPS, namespace="ns", name="a") is None


def test_an_answer_of_another_type_is_no_list(client: KubeClient, server: Script) -> None:
    whole: JsonObject = {"kind": "ConfigMapList", "metadata": {}, "items": []}
    server.say(Reply(body=whole, headers=(("Content-Type", "text/html"),)))
    with pytest.raises(Unreachable, match="the answer is text/html, not JSON"):
        client.list(CONFIG_MAPS)


def test_success_with_an_error_inside_is_no_list(client: KubeClient, server: Script) -> None:
    status: JsonObject = {"kind": "Status", "metadata": {}, "status": "Failure", "code": 500, "items": []}
    server.say(Reply(body=status))
    with pytest.raises(Unreachable, match="success with an error inside"):
        client.list(CONFIG_MAPS)


def test_a_list_that_expires_twice_is_an_error(client: KubeClient, server: Script) -> None:
    server.say(page(item("a"), onward="t"), EXPIRED, EXPIRED)
    with pytest.raises(ApiRejected):
        client.list(CONFIG_MAPS)


def test_a_kind_that_is_not_served_is_gone(client: KubeClient, server: Script) -> None:
    server.say(Reply(status=404, body=b"404 page not found\n"))
    with pytest.raises(ObjectGone):
        client.list(CONFIG_MAPS)


# -- discovery -------------------------------------------------------------------------------------------------


def aggregated(group: str, *versions: JsonObject) -> JsonObject:
    return {"metadata": {"name": group} if group else {}, "versions": list(versions)}


def version(name: str, *kinds: tuple[str, str], freshness: str = "Current") -> JsonObject:
    resources = [
        {
            "resource": plural,
            "responseKind": {"group": "", "version": "", "kind": kind},
            "scope": "Namespaced",
            "verbs": ["get", "list"],
            "subresources": [{"subresource": "status", "responseKind": {"kind": kind}}],
        }
        for plural, kind in kinds
    ]
    return {"version": name, "freshness": freshness, "resources": resources}


def discovery_list(*groups: JsonObject) -> Reply:
    return Reply(
        body={"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": list(groups)}
    )


def test_aggregated_discovery_takes_two_requests(client: KubeClient, server: Script) -> None:
    server.say(
        discovery_list(aggregated("", version("v1", ("pods", "Pod")))),
        discovery_list(
            aggregated("autoscaling", version("v2", ("hpas", "HPA")), version("v1", ("hpas", "HPA"))),
            aggregated("metrics.example", version("v1", freshness="Stale")),
        ),
    )
    found = client.discover()
    assert found.find("", "v1", "Pod") is not None
    assert found.find("autoscaling", "v1", "HPA") is not None
    assert found.preferred[GroupKind("autoscaling", "HPA")].version == "v2"
    assert found.incomplete == ("metrics.example",)
    assert found.unreadable("metrics.example")
    assert client.discover() is found
    assert len(server.seen) == 2
    assert "g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList" in server.seen[0].headers["accept"]


def test_discovery_is_read_again_when_asked(client: KubeClient, server: Script) -> None:
    server.route = lambda _: discovery_list(aggregated("", version("v1", ("pods", "Pod"))))
    client.discover()
    client.discover(fresh=True)
    assert len(server.seen) == 4


def legacy(seen: Seen) -> Reply:
    resources: dict[str, JsonObject] = {
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/api/v1": {
            "resources": [
                {"name": "pods", "kind": "Pod", "namespaced": True, "verbs": ["get"]},
                {"name": "pods/status", "kind": "Pod", "namespaced": True, "verbs": ["get"]},
            ]
        },
        "/apis": {
            "kind": "APIGroupList",
            "groups": [
                {
                    "name": "x.example",
                    "versions": [{"version": "v1"}, {"version": "v2"}],
                    "preferredVersion": {"version": "v2"},
                },
                {"name": "dead.example", "versions": [{"version": "v1"}]},
            ],
        },
        "/apis/x.example/v1": {
            "resources": [{"name": "foos", "kind": "Foo", "namespaced": False, "verbs": []}]
        },
        "/apis/x.example/v2": {
            "resources": [{"name": "foos", "kind": "Foo", "namespaced": False, "verbs": []}]
        },
    }
    if seen.path in resources:
        return Reply(body=resources[seen.path])
    return failure(503, "ServiceUnavailable", "the backend is down")


def test_old_servers_are_walked_group_by_group(client: KubeClient, server: Script) -> None:
    server.route = legacy
    found = client.discover()
    assert set(found.resources) == {("", "v1", "Pod"), ("x.example", "v1", "Foo"), ("x.example", "v2", "Foo")}
    assert found.preferred[GroupKind("x.example", "Foo")].version == "v2"
    assert found.incomplete == ("dead.example",)


def test_refused_discovery_is_an_error_and_not_an_empty_cluster(client: KubeClient, server: Script) -> None:
    server.route = lambda _: failure(401, "Unauthorized", "Unauthorized")
    with pytest.raises(AuthFailed):
        client.discover()


# -- watches ---------------------------------------------------------------------------------------------------


def lines(*events: tuple[str, JsonObject]) -> Reply:
    return Reply(body=b"".join(orjson.dumps({"type": kind, "object": body}) + b"\n" for kind, body in events))


def watched(client: KubeClient, clock: FakeClock, script: Script, *streams: Reply) -> list[tuple[str, str]]:
    """The events of a watch whose connections answer ``streams``; then time is up."""
    script.say(*streams)

    def last(_: Seen) -> Reply:
        clock.sleep(1000)
        return lines()

    script.route = last
    events: Iterator[tuple[str, str]] = (
        (event.type, str(event.body["metadata"]["name"])) for event in client.watch(CONFIG_MAPS, timeout=500)
    )
    return list(events)


def test_a_watch_goes_on_from_its_list(client: KubeClient, server: Script, clock: FakeClock) -> None:
    bookmark: JsonObject = {"metadata": {"resourceVersion": "120"}}
    events = watched(
        client,
        clock,
        server,
        page(item("a"), version="100"),
        lines(("ADDED", item("b", "110")), ("BOOKMARK", bookmark)),
        lines(("DELETED", item("a", "130"))),
    )
    assert events == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "a")]
    assert "resourceVersion=100" in server.seen[1].path
    assert "allowWatchBookmarks=true" in server.seen[1].path
    assert "resourceVersion=120" in server.seen[2].path
    assert "resourceVersion=130" in server.seen[3].path


@pytest.mark.parametrize(
    "expired",
    [EXPIRED, lines(("ERROR", {"kind": "Status", "code": 410, "message": "too old"}))],
    ids=["http", "event"],
)
def test_an_expired_watch_tells_what_it_missed(
    client: KubeClient, server: Script, clock: FakeClock, expired: Reply
) -> None:
    events = watched(
        client,
        clock,
        server,
        page(item("same"), item("gone")),
        lines(),
        expired,
        page(item("same"), item("new"), version="200"),
    )
    assert events == [("ADDED", "same"), ("ADDED", "gone"), ("ADDED", "new"), ("DELETED", "gone")]
    assert "resourceVersion=200" in server.seen[-1].path


def test_a_store_that_went_back_in_time_is_read_again(
    client: KubeClient, server: Script, clock: FakeClock
) -> None:
    cause: JsonObject = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    ahead = failure(504, "Timeout", "Too large resource version: 100, current: 7", causes=(cause,))
    events = watched(client, clock, server, page(item("a"), version="100"), ahead, page(version="7"))
    assert events == [("ADDED", "a"), ("DELETED", "a")]
    assert "resourceVersion=7" in server.seen[-1].path


def test_a_server_that_expires_everything_is_not_asked_for_ever(client: KubeClient, server: Script) -> None:
    server.route = lambda seen: EXPIRED if "watch=true" in seen.path else page(item("a"))
    with pytest.raises(Unreachable, match="none of its own versions"):
        list(client.watch(CONFIG_MAPS, timeout=500))
    assert len(server.seen) < 12


def test_a_broken_watch_is_taken_up_again(client: KubeClient, server: Script, clock: FakeClock) -> None:
    cut = Reply(body=lines(("ADDED", item("b", "110")), ("ADDED", item("c" * 500, "111"))).body, fault="cut")
    events = watched(client, clock, server, page(), cut, lines(("ADDED", item("c", "111"))))
    assert events == [("ADDED", "b"), ("ADDED", "c")]
    assert "resourceVersion=110" in server.seen[2].path


def test_a_watch_that_keeps_failing_ends_as_unreachable(client: KubeClient, server: Script) -> None:
    server.say(page())
    server.route = lambda _: Reply(body=b"not json\n")
    with pytest.raises(Unreachable, match="cannot watch configmaps"):
        list(client.watch(CONFIG_MAPS, timeout=500))


def test_a_refused_watch_is_refused(client: KubeClient, server: Script) -> None:
    server.say(page())
    server.route = lambda _: failure(401, "Unauthorized", "Unauthorized")
    with pytest.raises(AuthFailed):
        list(client.watch(CONFIG_MAPS, timeout=500))
