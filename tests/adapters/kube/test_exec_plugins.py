"""Credential plugins: what they are given, what they may answer, and what happens when they misbehave."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from msgspec.structs import replace

from fleetmgr.adapters.kube.access import AccessFault, Credential, PluginSpec
from fleetmgr.adapters.kube.connector import AccessSettings, KubeConnector
from fleetmgr.adapters.kube.credentials import FAILURE_HOLD, PluginCredentials, PluginRegistry
from fleetmgr.adapters.kube.exec_plugin import PluginAnswer, run_plugin
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.ports.cluster_errors import AuthFailed
from tests.adapters.kube.api_server import Reply, Script, failure
from tests.fakes.clock import FakeClock

V1 = "client.authentication.k8s.io/v1"
ENVIRONMENT = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "INHERITED": "yes"}
CANARY = "canary0123456789abcdefghijklmnop"
Plugin = Callable[..., PluginSpec]


class RealTime(FakeClock):
    """Deadlines of real processes need real seconds; the wall clock stays the fake one."""

    def monotonic(self) -> float:
        return time.monotonic()


def answer(word: str = "", **status: str) -> str:
    """A script that prints an ExecCredential; ``word`` is its token."""
    if word:
        status["token"] = word
    document = {"apiVersion": V1, "kind": "ExecCredential", "status": status}
    return f"print({orjson.dumps(document).decode()!r})"


@pytest.fixture
def plugin(tmp_path: Path) -> Plugin:
    """Writes a Python script as a plugin."""

    def write(source: str, **changes: object) -> PluginSpec:
        path = tmp_path / "plugin.py"
        path.write_text(source)
        spec = PluginSpec(command=sys.executable, args=(str(path),), env=(), api_version=V1)
        return replace(spec, **changes)

    return write


def run(spec: PluginSpec, timeout: float = 20.0) -> PluginAnswer:
    return run_plugin(spec, environment=ENVIRONMENT, timeout=timeout, clock=RealTime())


def fault_of(spec: PluginSpec, timeout: float = 20.0) -> str:
    with pytest.raises(AccessFault) as caught:
        run(spec, timeout)
    text = f"{caught.value.message} ({caught.value.hint})"
    assert CANARY not in text
    return text


def test_a_token_with_an_expiry(plugin: Plugin) -> None:
    got = run(plugin(answer("t-1", expirationTimestamp="2026-01-01T01:00:00Z")))
    assert got.credential == Credential(authorization="Bearer t-1")
    assert got.expires == datetime(2026, 1, 1, 1, tzinfo=UTC)


def test_a_client_certificate(plugin: Plugin) -> None:
    got = run(plugin(answer(clientCertificateData="CERT", clientKeyData="KEY")))
    assert got.expires is None
    assert got.credential.certificate is not None
    assert got.credential.certificate.key == b"KEY"


def test_what_a_plugin_is_given(plugin: Plugin, tmp_path: Path) -> None:
    out = tmp_path / "seen.json"
    source = (
        "import json, os, sys\n"
        f"json.dump({{'info': json.loads(os.environ['KUBERNETES_EXEC_INFO']), 'env': dict(os.environ),"
        f" 'args': sys.argv[1:], 'stdin': sys.stdin.read()}}, open({str(out)!r}, 'w'))\n" + answer("t")
    )
    spec = plugin(source, env=(("OWN", "value"),), cluster={"server": "https://x", "config": {"n": 1}})
    run(replace(spec, args=(*spec.args, "--flag", "a b")))
    seen = orjson.loads(out.read_bytes())
    assert seen["args"] == ["--flag", "a b"]
    assert seen["stdin"] == ""
    assert (seen["env"]["OWN"], seen["env"]["INHERITED"]) == ("value", "yes")
    assert seen["info"] == {
        "apiVersion": V1,
        "kind": "ExecCredential",
        "spec": {"interactive": False, "cluster": {"server": "https://x", "config": {"n": 1}}},
    }


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (f"print('{CANARY}')", "did not answer with JSON"),
        ("print('[]')", "something other than an ExecCredential"),
        ('print(\'{"kind": "ExecCredential"}\')', "another apiVersion"),
        (answer(), "neither a token nor a client certificate"),
        (answer(clientCertificateData="x"), "without its key"),
        (answer("t", expirationTimestamp="soon"), "no RFC 3339 time"),
        (answer("two\nlines"), "characters that no token has"),
        (f"import sys; sys.exit('bad login: token={CANARY}')", "failed with exit code 1: bad login: token="),
        ("import sys; input('Password: ')", "failed with exit code 1"),
        ("print('x' * 3_000_000)", "wrote more than 1 MiB"),
    ],
)
def test_what_a_plugin_may_not_do(plugin: Plugin, source: str, message: str) -> None:
    assert message in fault_of(plugin(source))


def test_a_plugin_that_is_not_there(plugin: Plugin) -> None:
    spec = plugin("", command="no-such-plugin", install_hint=f"get it at https://u:{CANARY}@example.com/")
    assert (
        fault_of(spec) == "credential plugin `no-such-plugin` was not found (get it at https://example.com/)"
    )


def test_a_plugin_that_hangs_is_ended_with_its_children(plugin: Plugin, tmp_path: Path) -> None:
    child = tmp_path / "child.pid"
    source = (
        "import subprocess, sys, time\n"
        f"p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\nopen({str(child)!r}, 'w')"
        ".write(str(p.pid))\nsys.stderr.write('waiting for a browser\\n'); sys.stderr.flush()\ntime.sleep(600)"
    )
    text = fault_of(plugin(source), timeout=2.0)
    assert "did not finish in 2 s: waiting for a browser" in text
    pid = int(child.read_text())
    for _ in range(500):
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            break
        threading.Event().wait(0.01)
    else:
        os.kill(pid, 9)
        pytest.fail("the child is still running")


def test_a_child_that_keeps_the_pipes_open_is_not_waited_for(plugin: Plugin) -> None:
    source = (
        "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        + answer("t")
    )
    assert run(plugin(source), timeout=60.0).credential.authorization == "Bearer t"


# -- sharing and renewal ---------------------------------------------------------------------------------------


class Counted:
    """A plugin run that counts; ``failing`` makes it fail."""

    def __init__(self, expires: timedelta | None = None) -> None:
        self.runs = 0
        self.failing = False
        self.expires = expires
        self.clock = FakeClock()

    def __call__(self) -> PluginAnswer:
        self.runs += 1
        if self.failing:
            raise AccessFault("no login")
        expires = self.clock.now() + self.expires if self.expires is not None else None
        return PluginAnswer(credential=Credential(authorization=f"Bearer t-{self.runs}"), expires=expires)


def test_a_credential_is_kept_until_shortly_before_it_expires() -> None:
    plugin = Counted(timedelta(minutes=10))
    source = PluginCredentials(plugin, plugin.clock)
    for _ in range(3):
        source.current()
    assert plugin.runs == 1
    plugin.clock.sleep(8.9 * 60)
    source.current()
    assert plugin.runs == 1
    plugin.clock.sleep(0.2 * 60)
    assert source.current().authorization == "Bearer t-2"


def test_a_credential_that_comes_expired_is_used_and_not_asked_for_at_every_request() -> None:
    plugin = Counted(timedelta(minutes=-5))
    source = PluginCredentials(plugin, plugin.clock)
    assert source.current() == source.current()
    assert plugin.runs == 1
    plugin.clock.sleep(11)
    source.current()
    assert plugin.runs == 2


def test_a_failure_is_shared_for_a_while() -> None:
    plugin = Counted()
    plugin.failing = True
    source = PluginCredentials(plugin, plugin.clock)
    for _ in range(3):
        with pytest.raises(AccessFault, match="no login"):
            source.current()
    assert plugin.runs == 1
    plugin.failing = False
    plugin.clock.sleep(FAILURE_HOLD)
    assert source.current().authorization == "Bearer t-2"


def test_threads_that_were_refused_together_renew_once() -> None:
    plugin = Counted()
    source = PluginCredentials(plugin, plugin.clock)
    stale = source.current()
    got: list[Credential | None] = []
    threads = [threading.Thread(target=lambda: got.append(source.renewed(stale))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert plugin.runs == 2
    assert got == [Credential(authorization="Bearer t-2")] * 8


def test_equal_plugins_share_and_others_do_not() -> None:
    registry = PluginRegistry(environment={}, timeout=1, clock=FakeClock())
    spec = PluginSpec(command="x", args=("a",), env=(("K", "v"),), api_version=V1)
    assert registry.credentials(spec) is registry.credentials(replace(spec))
    others: list[PluginSpec] = [
        replace(spec, args=("b",)),
        replace(spec, env=()),
        replace(spec, cluster={"server": "https://x"}),
    ]
    assert len({id(registry.credentials(other)) for other in [spec, *others]}) == 4


def exec_user(script: Path, **more: object) -> JsonObject:
    return {"exec": {"apiVersion": V1, "command": sys.executable, "args": [str(script)], **more}}


def test_a_refused_token_is_renewed_once_and_then_an_auth_failure(
    server: Script, kubeconfig: Callable[..., Path], tmp_path: Path
) -> None:
    counter, script = tmp_path / "runs", tmp_path / "plugin.py"
    script.write_text(
        f"open({str(counter)!r}, 'a').write('x'); n = len(open({str(counter)!r}).read())\n"
        'print(\'{"apiVersion": "%s", "kind": "ExecCredential", "status": {"token": "t-%%d"}}\' %% n)' % V1
    )
    path = kubeconfig(cluster={"server": server.url}, user=exec_user(script))
    entries = {name: AccessSettings(kubeconfig=str(path)) for name in ("dev-1", "dev-2")}
    connector = KubeConnector(entries, environment=ENVIRONMENT, clock=RealTime())
    server.say(Reply(body={"gitVersion": "v1"}))
    assert connector.connect("dev-1").version() == "v1"
    server.say(failure(401, "Unauthorized", "Unauthorized"), Reply(body={"gitVersion": "v1"}))
    assert connector.connect("dev-2").version() == "v1"
    assert [seen.headers["authorization"] for seen in server.seen] == [
        "Bearer t-1",
        "Bearer t-1",
        "Bearer t-2",
    ]
    server.route = lambda _: failure(401, "Unauthorized", "Unauthorized")
    with pytest.raises(AuthFailed, match="on dev-1: Unauthorized"):
        connector.connect("dev-1").version()
    assert len(counter.read_text()) == 3
    assert len(server.seen) == 5
    connector.close()


def test_a_plugin_that_fails_is_an_auth_failure_of_the_cluster(
    server: Script, kubeconfig: Callable[..., Path], tmp_path: Path
) -> None:
    script = tmp_path / "plugin.py"
    script.write_text("import sys; sys.exit('please log in')")
    path = kubeconfig(cluster={"server": server.url}, user=exec_user(script, interactiveMode="IfAvailable"))
    connector = KubeConnector(
        {"dev-1": AccessSettings(kubeconfig=str(path))}, environment=ENVIRONMENT, clock=RealTime()
    )
    with pytest.raises(
        AuthFailed, match=r"no access to dev-1 through context `dev` of .*: please log in"
    ) as caught:
        connector.connect("dev-1").version()
    assert caught.value.cluster == "dev-1"
    assert server.seen == []
