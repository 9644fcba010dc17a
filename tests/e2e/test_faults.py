"""What clusters and networks do to a run, one row of the table of faults a test: the real ``fleet`` against real
control planes, one of them behind a proxy that fails on command. Never is an error read as "nothing there"."""

from __future__ import annotations

import base64
import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import SandboxClusters
from tests.e2e.fleets import Answer, Fleet
from tests.e2e.test_engine_traps import CONFIG, DEPLOYMENT
from tests.faults.proxy import Fault, Proxy, proxying, status

pytestmark = pytest.mark.e2e

SETTINGS = "configmaps"
TWO = "---".join((CONFIG, CONFIG.replace("settings", "more")))


def access(sandbox: SandboxClusters, context: str) -> dict[str, Any]:
    """Server, authority and token of a context."""
    config = yaml.safe_load(sandbox.kubeconfig.read_text(encoding="utf-8"))
    chosen = next(c["context"] for c in config["contexts"] if c["name"] == context)
    cluster = next(c["cluster"] for c in config["clusters"] if c["name"] == chosen["cluster"])
    user = next(u["user"] for u in config["users"] if u["name"] == chosen["user"])
    return {
        "server": cluster["server"],
        "authority": base64.b64decode(cluster["certificate-authority-data"]),
        "token": user["token"],
    }


def kubeconfig(path: Path, server: str, authority: bytes, user: dict[str, Any]) -> None:
    """A kubeconfig with one context, ``proxied``."""
    data = base64.b64encode(authority).decode()
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "p", "cluster": {"server": server, "certificate-authority-data": data}}],
        "users": [{"name": "p", "user": user}],
        "contexts": [{"name": "proxied", "context": {"cluster": "p", "user": "p"}}],
    }
    path.write_text(json.dumps(document), encoding="utf-8")


@pytest.fixture(scope="module")
def shared(
    sandbox_clusters: SandboxClusters, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Fleet, Proxy]]:
    """One proxy and one fleet for all tests here."""
    folder = tmp_path_factory.mktemp("faults")
    way_in = access(sandbox_clusters, sandbox_clusters.contexts[0])
    authority = folder / "upstream.pem"
    authority.write_bytes(way_in["authority"])
    with proxying(way_in["server"], authority, folder) as running:
        made = Fleet(folder / "fleet", sandbox_clusters, count=2)
        made.entries[0]["access"] = {"kubeconfig": "proxied.json", "context": "proxied"}
        made.save()
        yield made, running
        made.discard()


@pytest.fixture
def proxy(shared: tuple[Fleet, Proxy]) -> Proxy:
    """In front of entry ``one``."""
    return shared[1]


@pytest.fixture
def fleet(shared: tuple[Fleet, Proxy]) -> Fleet:
    """Entry ``one`` behind the proxy, ``two`` reached directly; two ConfigMaps on both, applied; prune is on."""
    made, proxy = shared
    proxy.heal()
    proxy.token, proxy.page_size = None, None
    token = access(made.sandbox, made.sandbox.contexts[0])["token"]
    kubeconfig(made.root / "proxied.json", proxy.url, proxy.authority.read_bytes(), {"token": token})
    made.manifests(config=TWO)
    made.apply("--max-deletes", "100%")
    proxy.heal()
    return made


def assert_partial(answer: Answer) -> dict[str, Any]:
    """``one`` is unreachable and has no changes, ``two`` was looked at; returns the error of ``one``."""
    one, two = answer.data["clusters"]
    assert (one["status"], one["changes"]) == ("unreachable", []), one
    assert two["status"] in ("changed", "unchanged"), two
    return one["error"]


def wanted_away(fleet: Fleet) -> None:
    """Git no longer names ``more``: the next apply prunes it."""
    fleet.manifests(config=CONFIG)


def live(fleet: Fleet, name: str) -> str:
    return fleet.get("configmap", name).get("data", {}).get("a", "")


# -- no answer -------------------------------------------------------------------------------------------------


def test_a_server_that_resets_is_unreachable_and_the_others_are_done(fleet: Fleet, proxy: Proxy) -> None:
    wanted_away(fleet)
    proxy.fail(Fault(how="reset", times=None))
    assert assert_partial(fleet.plan(code=4))["code"] == "FLT-3001"
    fleet.apply(code=4)
    proxy.heal()
    assert live(fleet, "more") == "1"
    assert fleet.get("configmap", "more", cluster=1) == {}
    fleet.apply()
    fleet.assert_settled()


def test_a_port_that_refuses_is_not_waited_for(fleet: Fleet) -> None:
    """Nobody sleeps and asks again: the plan of the other cluster is there, and that is all."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    _lead(fleet, f"https://127.0.0.1:{port}")
    assert "refused" in assert_partial(fleet.plan(code=4))["message"]


def _lead(fleet: Fleet, server: str) -> None:
    config = json.loads((fleet.root / "proxied.json").read_text())
    config["clusters"][0]["cluster"]["server"] = server
    (fleet.root / "proxied.json").write_text(json.dumps(config))


def test_a_black_hole_slows_nobody(fleet: Fleet) -> None:
    """Connections that nobody accepts: the backlog is full. The neighbour is planned before it is given up."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as hole:
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(hole.getsockname())
        _lead(fleet, f"https://127.0.0.1:{hole.getsockname()[1]}")
        fleet.manifests(config=TWO.replace('"1"', '"2"'))
        answer = fleet.run("apply", "--yes", "-o", "ndjson", "--progress", "none")
        for filler in fillers:
            filler.close()
    assert answer.code == 4, answer.text
    events = [json.loads(line) for line in answer.out.splitlines()]
    finished = [(e["phase"], e["cluster"]) for e in events if e["kind"] == "ClusterFinished"]
    assert finished.index(("preview", "two")) < finished.index(("preview", "one"))
    assert ("apply", "two") in finished
    assert fleet.get("configmap", "more", cluster=1)["data"]["a"] == "2"


def test_a_slow_server_is_waited_for(fleet: Fleet, proxy: Proxy) -> None:
    proxy.fail(Fault(how="slow", seconds=1.0, times=None))
    assert fleet.plan().ops() == set()


def test_a_connection_that_dies_in_silence_is_replaced(fleet: Fleet, proxy: Proxy) -> None:
    """A load balancer forgot it: no answer for the read timeout, then the same question on a new connection."""
    proxy.fail(Fault(how="hang", verb="list", path=SETTINGS, after=1))
    assert fleet.plan().ops() == set()
    assert proxy.counted("list", SETTINGS) == 3


# -- answers that are none ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Fault(how="cut", verb="list", path=SETTINGS, times=None),
        Fault(how="half", verb="list", path=SETTINGS, times=None),
        Fault(how="text", verb="list", path=SETTINGS, times=None),
        Fault(how="status", verb="list", path=SETTINGS, times=None, status=200, body={}),
        Fault(
            how="status", verb="list", path=SETTINGS, times=None, status=200, body={"kind": "ConfigMapList"}
        ),
        Fault(
            how="status",
            verb="list",
            path=SETTINGS,
            times=None,
            status=200,
            body={"kind": "ConfigMapList", "metadata": {}, "items": []},
            content_type="text/html",
        ),
        status(500, "InternalError", "etcdserver: request timed out", verb="list", path=SETTINGS, times=None),
        status(410, "Expired", "too old", verb="list", path=SETTINGS, times=None),
    ],
    ids=["cut", "truncated", "no-json", "empty-object", "no-items", "wrong-type", "500", "410"],
)
@pytest.mark.parametrize("after", [0, 1], ids=["first", "second"])
def test_a_list_that_failed_is_never_an_empty_one(
    fleet: Fleet, proxy: Proxy, fault: Fault, after: int
) -> None:
    """Whether it is the list of the inventory or that of the objects: nothing is created, nothing is pruned."""
    wanted_away(fleet)
    before = {k: v["metadata"]["resourceVersion"] for k, v in fleet.everything("configmap").items()}
    fault.after = after
    proxy.fail(fault)
    answer = fleet.run("apply", "--yes", "-o", "json", "-c", "one")
    proxy.heal()
    assert answer.code in (1, 4), answer.text
    (one,) = answer.data["clusters"]
    assert one["results"] == [], one
    after_it = {k: v["metadata"]["resourceVersion"] for k, v in fleet.everything("configmap").items()}
    assert after_it == before


def test_success_with_an_error_inside_is_an_error(fleet: Fleet, proxy: Proxy) -> None:
    inside = status(500, "InternalError", "boom", verb="list", path=SETTINGS, times=None)
    inside.status = 200
    proxy.fail(inside)
    assert "error inside" in assert_partial(fleet.plan(code=4))["message"]


def test_a_snapshot_that_expires_between_pages_is_read_again_once(fleet: Fleet, proxy: Proxy) -> None:
    proxy.page_size = 1
    proxy.fail(
        status(
            410,
            "Expired",
            "the continue parameter is too old",
            verb="list",
            path=f"{SETTINGS}.*continue=",
        )
    )
    assert fleet.plan().ops() == set()
    assert proxy.counted("list", "continue=") >= 1
    proxy.heal()
    wanted_away(fleet)
    fleet.apply()
    assert fleet.get("configmap", "more") == {}


# -- overload and short failures --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason"), [(429, "TooManyRequests"), (503, "ServiceUnavailable"), (500, "InternalError")]
)
@pytest.mark.parametrize("verb", ["list", "patch", "delete"])
def test_a_server_that_is_busy_for_a_moment_is_asked_again(
    fleet: Fleet, proxy: Proxy, code: int, reason: str, verb: str
) -> None:
    fleet.manifests(config=CONFIG.replace('"1"', '"2"'))
    proxy.fail(status(code, reason, "not now", verb=verb, path=SETTINGS, headers=(("Retry-After", "1"),)))
    fleet.apply()
    assert proxy.faults[0].hits == 1
    assert (live(fleet, "settings"), fleet.get("configmap", "more")) == ("2", {})
    fleet.assert_settled()


@pytest.mark.parametrize("verb", ["patch", "delete"])
def test_a_write_whose_answer_was_lost_is_done_once(fleet: Fleet, proxy: Proxy, verb: str) -> None:
    fleet.manifests(config=CONFIG.replace('"1"', '"2"'))
    proxy.fail(Fault(how="lost", verb=verb, path=f"namespaces/{fleet.ns}/{SETTINGS}"))
    answer = fleet.apply()
    assert {r[0] for r in answer.results("one")} == {"update", "delete"}
    assert (live(fleet, "settings"), fleet.get("configmap", "more")) == ("2", {})
    fleet.assert_settled()


@pytest.mark.parametrize("code", [403, 409, 422])
def test_a_refusal_is_sent_once(fleet: Fleet, proxy: Proxy, code: int) -> None:
    fleet.manifests(config=TWO.replace('"1"', '"2"', 1))
    text = "admission webhook denied the request: no" if code == 403 else "no"
    proxy.fail(
        status(
            code, "Refused", text, verb="patch", path=f"{fleet.ns}/{SETTINGS}/settings.*dryRun", times=None
        )
    )
    fleet.run("plan", "-c", "one")
    assert proxy.counted("patch", "settings.*dryRun") == 1


def test_a_cluster_that_dies_in_the_middle_is_left_alone(fleet: Fleet, proxy: Proxy) -> None:
    """The breaker: fifty objects do not cost fifty timeouts, and what was done is told."""
    many = "---".join(CONFIG.replace("settings", f"s-{n}") for n in range(50))
    fleet.manifests(config=many)
    proxy.fail(Fault(how="reset", path=f"{fleet.ns}/{SETTINGS}/s-", after=50 + 30, times=None))
    answer = fleet.run("apply", "--yes", "-o", "json", "-c", "one")
    proxy.heal()
    assert answer.code == 4, answer.text
    outcomes = [r["outcome"] for r in answer.data["clusters"][0]["results"]]
    assert "done" in outcomes
    assert "failed" in outcomes
    fleet.apply("-c", "one")
    fleet.apply()
    fleet.assert_settled()


# -- watches -----------------------------------------------------------------------------------------------------


def test_an_expired_watch_is_taken_up_again(fleet: Fleet, proxy: Proxy) -> None:
    fleet.manifests(config=TWO, web=DEPLOYMENT)
    proxy.fail(status(410, "Expired", "too old resource version", verb="watch", times=2))
    answer = fleet.apply("-c", "one")
    assert ("create", "Deployment/web", "done") in answer.results()
    assert sum(fault.hits for fault in proxy.faults) >= 1


def test_a_control_plane_that_is_gone_for_a_moment_while_apps_are_waited_for(
    fleet: Fleet, proxy: Proxy
) -> None:
    fleet.manifests(config=TWO, web=DEPLOYMENT)
    proxy.fail(Fault(how="reset", path="deployments", verb="list", after=2, times=5))
    answer = fleet.apply("-c", "one")
    assert ("create", "Deployment/web", "done") in answer.results()


# -- credentials -------------------------------------------------------------------------------------------------


def test_a_token_that_expires_in_the_middle_is_renewed_once(fleet: Fleet, proxy: Proxy) -> None:
    """The first token is refused after two requests; the plugin is run once more and gives the next one."""
    token = access(fleet.sandbox, fleet.sandbox.contexts[0])["token"]
    runs, plugin = fleet.root / "runs", fleet.root / "plugin.py"
    plugin.write_text(
        "import json, pathlib\n"
        f"runs = pathlib.Path({str(runs)!r})\n"
        "runs.write_text((runs.read_text() if runs.exists() else '') + 'x')\n"
        "version = 'client.authentication.k8s.io/v1'\n"
        f"status = {{'token': {token!r}}}\n"
        "if len(runs.read_text()) == 1:\n"
        "    status['token'] = 'expires-soon'\n"
        "print(json.dumps({'apiVersion': version, 'kind': 'ExecCredential', 'status': status}))\n"
    )
    version = "client.authentication.k8s.io/v1"
    program = {"apiVersion": version, "command": sys.executable, "args": [str(plugin)]}
    user = {"exec": {**program, "interactiveMode": "Never"}}
    kubeconfig(fleet.root / "proxied.json", proxy.url, proxy.authority.read_bytes(), user)
    proxy.token = ("expires-soon", token, 2)
    assert fleet.plan().ops() == set()
    assert runs.read_text() == "xx"
    proxy.fail(status(401, "Unauthorized", "Unauthorized", times=None))
    answer = fleet.run("plan", "-o", "json", "-c", "one")
    assert answer.code == 3, answer.text
    assert runs.read_text() == "xxxx", "once for this run, once for the refusal, and no more"


def test_a_token_file_that_was_rotated_is_read_again(fleet: Fleet, proxy: Proxy) -> None:
    token = access(fleet.sandbox, fleet.sandbox.contexts[0])["token"]
    (fleet.root / "token").write_text("of-yesterday")
    user = {"tokenFile": "token"}
    kubeconfig(fleet.root / "proxied.json", proxy.url, proxy.authority.read_bytes(), user)
    assert fleet.run("plan", "-c", "one").code == 3
    (fleet.root / "token").write_text(token)
    assert fleet.plan().ops() == set()


def test_a_cluster_that_knows_us_no_longer_is_code_3_and_the_others_are_done(
    fleet: Fleet, proxy: Proxy
) -> None:
    wanted_away(fleet)
    proxy.fail(status(401, "Unauthorized", "Unauthorized", times=None))
    answer = fleet.run("plan", "-o", "json")
    one, two = answer.data["clusters"]
    assert (one["exitCode"], one["changes"], one["error"]["code"]) == (3, [], "FLT-3002")
    assert two["status"] == "changed"
    assert answer.code == 4
