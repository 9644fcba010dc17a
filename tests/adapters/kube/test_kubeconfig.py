"""Which way in a kubeconfig gives, and what is said when it gives none."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetmgr.adapters.kube.access import (
    Access,
    AccessFault,
    AccessSettings,
    AccessUnusable,
    Environment,
    Impersonation,
)
from fleetmgr.adapters.kube.connector import KubeConnector
from fleetmgr.adapters.kube.credentials import PluginRegistry
from fleetmgr.adapters.kube.environment_proxy import environment_proxy
from fleetmgr.adapters.kube.kubeconfig import kubeconfig_files, load_kubeconfig
from fleetmgr.adapters.kube.redaction import HIDDEN, without_credentials
from fleetmgr.adapters.kube.resolution import from_kubeconfig, from_service_account
from fleetmgr.errors import ExitCode
from fleetmgr.model.jsontypes import Json, JsonObject
from tests.adapters.kube.api_server import Reply, Script
from tests.fakes.clock import FakeClock

Write = Callable[..., Path]
CLOCK = FakeClock()
CANARY = "canary-0123456789abcdefghij"


def resolved(*files: Path, context: str | None = None, environment: Environment | None = None) -> Access:
    env = environment or {}
    plugins = PluginRegistry(environment=env, timeout=5, clock=CLOCK)
    return from_kubeconfig(load_kubeconfig(files), context, environment=env, plugins=plugins, clock=CLOCK)


def fault_of(path: Path, context: str | None = None) -> AccessFault:
    with pytest.raises(AccessFault) as caught:
        resolved(path, context=context)
    assert CANARY not in f"{caught.value.message} {caught.value.hint} {caught.value.file}"
    return caught.value


def test_the_current_context_is_taken_where_none_is_named(kubeconfig: Write) -> None:
    access = resolved(kubeconfig(cluster={"server": "https://a.example:6443/prefix/"}, user={"token": "t"}))
    assert access.endpoint.server == "https://a.example:6443/prefix"
    assert access.credentials.current().authorization == "Bearer t"
    assert access.impersonation is None


def test_scalars_stay_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(
        "clusters: [{name: 007, cluster: {server: 'https://a'}}]\nusers: [{name: on, user: {token: 0123456}}]\n"
        "contexts: [{name: 1e3, context: {cluster: 007, user: on}}]\ncurrent-context: 1e3\n"
    )
    assert resolved(path).credentials.current().authorization == "Bearer 0123456"


def test_files_are_merged_and_the_first_one_wins(kubeconfig: Write) -> None:
    first = kubeconfig(cluster={"server": "https://first"}, name="one", context="shared")
    second = kubeconfig(cluster={"server": "https://second"}, name="two", context="shared")
    third = kubeconfig(cluster={"server": "https://third"}, name="three", context="other")
    assert resolved(first, second, third).endpoint.server == "https://first"
    assert resolved(first, second, third, context="other").endpoint.server == "https://third"


def test_which_files_are_read(tmp_path: Path, kubeconfig: Write) -> None:
    one, two = kubeconfig(name="one"), kubeconfig(name="two")
    listed = {"HOME": str(tmp_path), "KUBECONFIG": f"{one}::{tmp_path}/absent:{two}:{one}"}
    assert kubeconfig_files(AccessSettings(), listed) == (one, two)
    assert kubeconfig_files(AccessSettings(kubeconfig=str(two)), listed) == (two,)
    assert kubeconfig_files(AccessSettings(kubeconfig="~/two"), listed) == (two,)
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_bytes(one.read_bytes())
    assert kubeconfig_files(AccessSettings(), {"HOME": str(tmp_path)}) == (tmp_path / ".kube" / "config",)
    with pytest.raises(AccessFault, match="does not exist"):
        kubeconfig_files(AccessSettings(kubeconfig=str(tmp_path / "absent")), listed)
    with pytest.raises(AccessFault, match="no kubeconfig"):
        kubeconfig_files(AccessSettings(), {"HOME": str(tmp_path / "nobody")})


def test_a_context_that_is_not_there_is_compared_with_those_that_are(kubeconfig: Write) -> None:
    fault = fault_of(kubeconfig(), "devv")
    assert "no context `devv`" in fault.message
    assert fault.hint == "did you mean `dev`? there are: dev"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 60_000, "nested more than"),
        ("a: b: c", "not valid YAML"),
        ("- 1", "holds no map"),
        ("kind: Fleet", "its kind is `Fleet`"),
        ("contexts: {a: b}", "`contexts` of the kubeconfig must be a list"),
        ("contexts: [{context: {}}]", "has no name"),
        ("contexts: [{name: a}, {name: a}]", "listed twice"),
        ("", "sets no current-context"),
        ("current-context: a", "no context `a`"),
        ("current-context: a\ncontexts: [{name: a, context: {cluster: b}}]", "no cluster `b`"),
        ("current-context: a\ncontexts: [{name: a, context: {}}]", "names no cluster"),
        (
            (
                "current-context: a\ncontexts: [{name: a, context: {cluster: b, user: c}}]\n"
                "clusters: [{name: b, cluster: {server: 'https://x'}}]"
            ),
            "no user `c`",
        ),
    ],
)
def test_a_broken_file_is_said_with_its_name(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    fault = fault_of(path)
    assert message in fault.message
    assert fault.file is not None
    assert fault.file.startswith(str(path))


@pytest.mark.parametrize(
    ("cluster", "user", "message"),
    [
        ({"server": ""}, {}, "no usable server"),
        ({"server": "ftp://x"}, {}, "no usable server"),
        ({"server": f"https://u:{CANARY}@x"}, {}, "may hold no user"),
        ({"server": ["x"]}, {}, "must be text"),
        ({"insecure-skip-tls-verify": "maybe"}, {}, "must be true or false"),
        ({"certificate-authority-data": "!!!"}, {}, "`certificate-authority-data` of `dev` is not base64"),
        ({"certificate-authority": "absent.crt"}, {}, "cannot read certificate-authority"),
        ({"certificate-authority-data": "YQ==", "insecure-skip-tls-verify": True}, {}, "has both"),
        ({"proxy-url": f"socks5://u:{CANARY}@p:1"}, {}, "proxy-url of cluster `dev` is no http"),
        ({}, {"client-certificate-data": "YQ=="}, "client-certificate without client-key"),
        ({}, {"client-key-data": CANARY + "!", "client-certificate-data": "YQ=="}, "is not base64"),
        ({}, {"token": f"{CANARY}\nx"}, "characters that no token has"),
        ({}, {"auth-provider": {"name": "gcp"}}, "auth-provider"),
        ({}, {"as-groups": ["x"]}, "without as"),
        ({}, {"exec": {"apiVersion": "client.authentication.k8s.io/v1"}}, "names no command"),
        ({}, {"exec": {"command": "x", "apiVersion": "client.authentication.k8s.io/v1alpha1"}}, "v1alpha1"),
        (
            {},
            {
                "exec": {
                    "command": "x",
                    "apiVersion": "client.authentication.k8s.io/v1",
                    "interactiveMode": "Always",
                }
            },
            "wants a terminal",
        ),
    ],
)
def test_unusable_entries_are_named(
    kubeconfig: Write, cluster: JsonObject, user: JsonObject, message: str
) -> None:
    assert message in fault_of(kubeconfig(cluster=cluster, user=user)).message


def test_paths_are_relative_to_the_kubeconfig(kubeconfig: Write, tmp_path: Path) -> None:
    (tmp_path / "pki").mkdir()
    for name in ("ca", "crt", "key"):
        (tmp_path / "pki" / name).write_text(name)
    path = kubeconfig(
        cluster={"certificate-authority": "pki/ca"},
        user={"client-certificate": "pki/crt", "client-key": "pki/key"},
    )
    access = resolved(path)
    certificate = access.credentials.current().certificate
    assert access.endpoint.authority == b"ca"
    assert certificate is not None
    assert (certificate.certificate, certificate.key) == (b"crt", b"key")


def test_data_goes_before_files_and_a_token_file_before_a_token(kubeconfig: Write, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    path = kubeconfig(
        cluster={
            "certificate-authority-data": base64.b64encode(b"data").decode(),
            "certificate-authority": "absent",
        },
        user={"token": "inline", "tokenFile": "token"},
    )
    access = resolved(path)
    assert access.endpoint.authority == b"data"
    assert access.credentials.current().authorization == "Bearer from-file"


def test_passwords_and_impersonation(kubeconfig: Write) -> None:
    user: JsonObject = {
        "username": "u",
        "password": "p:w",
        "as": "jane",
        "as-groups": ["a", "b"],
        "as-user-extra": {"scope": ["x"]},
    }
    access = resolved(kubeconfig(user=user))
    assert access.credentials.current().authorization == "Basic " + base64.b64encode(b"u:p:w").decode()
    assert access.impersonation is not None
    assert access.impersonation.headers() == (
        ("Impersonate-User", "jane"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
        ("Impersonate-Extra-scope", "x"),
    )


def test_nothing_secret_is_in_any_repr(kubeconfig: Write) -> None:
    path = kubeconfig(user={"token": CANARY, "as": "jane"}, cluster={"proxy-url": f"http://u:{CANARY}@p:1"})
    config = load_kubeconfig((path,))
    access = resolved(path)
    for shown in (config, access, access.credentials.current(), config.users["dev"]):
        assert CANARY not in repr(shown)


def test_a_pod_uses_its_service_account_and_reads_it_again(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("ca")
    (tmp_path / "token").write_text("one")
    clock = FakeClock()
    env = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    access = from_service_account(env, folder=tmp_path, clock=clock)
    assert access.endpoint.server == "https://[fd00::1]:443"
    first = access.credentials.current()
    (tmp_path / "token").write_text("two")
    assert access.credentials.current() == first
    clock.sleep(61)
    assert access.credentials.current().authorization == "Bearer two"
    assert access.credentials.renewed(access.credentials.current()) is None
    with pytest.raises(AccessFault, match="no pod"):
        from_service_account({}, folder=tmp_path, clock=clock)


def test_the_connector_says_which_cluster_has_no_access(kubeconfig: Write) -> None:
    path = kubeconfig()
    entries = {
        "dev-1": AccessSettings(kubeconfig=str(path)),
        "dev-2": AccessSettings(kubeconfig=str(path), context="x"),
    }
    connector = KubeConnector(entries, environment={}, clock=FakeClock())
    assert connector.connect("dev-1") is connector.connect("dev-1")
    assert connector.connect("dev-1").server == "http://127.0.0.1:1"
    for cluster in ("dev-2", "nobody"):
        with pytest.raises(AccessUnusable) as caught:
            connector.connect(cluster)
        assert caught.value.cluster == cluster
        assert caught.value.exit_code is ExitCode.AUTH
    connector.close()


@pytest.mark.parametrize(
    ("server", "no_proxy", "expected"),
    [
        ("https://api.example", "", "http://proxy:3128"),
        ("https://127.0.0.1:6443", "", None),
        ("https://localhost:6443", "", None),
        ("https://[::1]:6443", "", None),
        ("http://api.example", "", None),
        ("https://api.example", "*", None),
        ("https://api.example", "example", None),
        ("https://example", ".example", "http://proxy:3128"),
        ("https://api.example", "x, .example", None),
        ("https://api.example", "xample", "http://proxy:3128"),
        ("https://api.example:6443", "api.example:443", "http://proxy:3128"),
        ("https://10.1.2.3", "10.0.0.0/8", None),
        ("https://11.1.2.3", "10.0.0.0/8", "http://proxy:3128"),
        ("https://10.1.2.3", "10.1.2.3", None),
    ],
)
def test_proxies_of_the_environment(server: str, no_proxy: str, expected: str | None) -> None:
    assert environment_proxy(server, {"HTTPS_PROXY": "proxy:3128", "NO_PROXY": no_proxy}) == expected


@given(
    st.sampled_from(
        [
            "token={}",
            '{{"id_token": "{}"}}',
            "Authorization: Bearer {}",
            "https://user:{}@host/path",
            "password: {}",
            "client-key-data: {}",
            "{}",
        ]
    ),
    st.text("abcdefghijklmnopqrstuvwxyzABCDEFGH0123456789_", min_size=30, max_size=80),
)
def test_what_looks_like_a_credential_is_hidden(form: str, secret: str) -> None:
    secret += "a1"
    assert secret not in without_credentials(f"error: {form.format(secret)} was refused")


def test_redaction_keeps_the_sense_and_drops_control_characters() -> None:
    assert without_credentials("\x1b[31mlogin failed:\n no such host\u202e gitlab.example") == (
        "[31mlogin failed: no such host gitlab.example"
    )
    assert HIDDEN in without_credentials("-----BEGIN RSA PRIVATE KEY-----\nabc\n")
    assert len(without_credentials("x " * 1000)) == 300


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["clusters", "users", "contexts", "name", "cluster", "user", "context", "exec", "server"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_document_does_worse_than_a_fault(
    tmp_path_factory: pytest.TempPathFactory, document: Json
) -> None:
    path = tmp_path_factory.mktemp("any") / "config"
    path.write_text(json.dumps(document))
    try:
        resolved(path)
    except AccessFault:
        return


def test_who_the_entry_acts_as_goes_before_the_kubeconfig(
    server: Script, kubeconfig: Callable[..., Path], clock: FakeClock
) -> None:
    path = kubeconfig(cluster={"server": server.url}, user={"token": "t", "as": "from-kubeconfig"})
    wanted = Impersonation(
        user="ann", uid="7", groups=("dev", "ops"), extra=(("scopes.example.com/a b", "view"),)
    )
    settings = AccessSettings(kubeconfig=str(path), context="dev", impersonation=wanted)
    connector = KubeConnector({"dev-1": settings}, environment={}, clock=clock)
    server.say(Reply(body={"gitVersion": "v1"}))
    connector.connect("dev-1").version()
    seen = server.seen[0]
    assert seen.headers["impersonate-user"] == "ann"
    assert seen.headers["impersonate-uid"] == "7"
    assert seen.groups == ("dev", "ops")
    assert seen.headers["impersonate-extra-scopes.example.com%2fa%20b"] == "view"
    connector.close()
