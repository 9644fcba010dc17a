"""What a TLS handshake proves, and what is said when it does not."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleetmgr.adapters.kube.access import AccessFault, ClientCertificate, Credential, Endpoint
from fleetmgr.adapters.kube.client import KubeClient
from fleetmgr.adapters.kube.credentials import StaticCredentials
from fleetmgr.adapters.kube.tls import explain, tls_context
from fleetmgr.errors import ExitCode
from fleetmgr.ports.cluster_errors import AuthFailed, ClusterError, Unreachable
from tests.adapters.kube.api_server import Reply, Script, serving

Opener = Callable[..., KubeClient]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A self-signed certificate, its own authority."""

    certificate: Path
    key: Path

    @property
    def pem(self) -> bytes:
        return self.certificate.read_bytes()

    @property
    def client(self) -> ClientCertificate:
        return ClientCertificate(certificate=self.pem, key=self.key.read_bytes())

    def server(self, *, wants: Pair | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        if wants is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(wants.certificate)
        return context


@pytest.fixture(scope="module")
def issue(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Pair]:
    """Makes certificates with the openssl program."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("SKIPPED: no openssl program to make certificates with")
    folder = tmp_path_factory.mktemp("pki")

    def make(name: str, *, san: str = "IP:127.0.0.1", days: int = 2, by: Pair | None = None) -> Pair:
        pair = Pair(certificate=folder / f"{name}.pem", key=folder / f"{name}.key")
        request = folder / f"{name}.csr"
        extensions = folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={san}\nbasicConstraints=critical,CA:TRUE\n")
        key = [
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            str(pair.key),
        ]
        subject = ["-out", str(request), "-subj", f"/CN={name}"]
        signed = ["-days", str(days), "-extfile", str(extensions), "-out", str(pair.certificate)]
        signer = ["-signkey", str(pair.key)]
        if by is not None:
            signer = ["-CA", str(by.certificate), "-CAkey", str(by.key), "-CAcreateserial"]
        for arguments in (["req", *key, *subject], ["x509", "-req", "-in", str(request), *signer, *signed]):
            subprocess.run([openssl, *arguments], check=True, capture_output=True)
        return pair

    return make


@pytest.fixture(scope="module")
def pair(issue: Callable[..., Pair]) -> Pair:
    return issue("server")


@pytest.fixture
def secure(pair: Pair) -> Iterator[Script]:
    with serving(pair.server()) as script:
        script.route = lambda _: Reply(body={"gitVersion": "v1.34.4"})
        yield script


def refused(client: KubeClient, kind: type[ClusterError] = Unreachable) -> str:
    with pytest.raises(kind) as caught:
        client.version()
    assert client.requests["discover"] == 1
    return str(caught.value)


def test_a_known_authority_is_trusted(connect: Opener, secure: Script, pair: Pair) -> None:
    client = connect(endpoint=Endpoint(server=secure.url, authority=pair.pem))
    assert client.version() == "v1.34.4"
    assert secure.seen[0].headers["authorization"] == "Bearer canary-token"


def test_an_unknown_authority_gets_no_token(
    connect: Opener, secure: Script, issue: Callable[..., Pair]
) -> None:
    for authority in (None, issue("other").pem):
        text = refused(connect(endpoint=Endpoint(server=secure.url, authority=authority)))
        assert "signed by an unknown authority" in text
    assert secure.seen == []


def test_another_name_is_refused_unless_it_is_expected(connect: Opener, issue: Callable[..., Pair]) -> None:
    named = issue("named", san="DNS:api.example")
    with serving(named.server()) as script:
        script.route = lambda _: Reply(body={"gitVersion": "v1.34.4"})
        text = refused(connect(endpoint=Endpoint(server=script.url, authority=named.pem)))
        assert "is for another name" in text
        assert "tls-server-name" in text
        expected = Endpoint(server=script.url, authority=named.pem, tls_server_name="api.example")
        assert connect(endpoint=expected).version() == "v1.34.4"
        other = Endpoint(server=script.url, authority=named.pem, tls_server_name="api.other")
        assert "is for another name" in refused(connect(endpoint=other))


def test_what_threads_share_is_set_once(
    connect: Opener, secure: Script, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL frees what was set before, while another thread may be reading it."""
    told: list[list[str]] = []

    def tell(_: ssl.SSLContext, protocols: Iterable[str]) -> None:
        told.append([*protocols])

    monkeypatch.setattr(ssl.SSLContext, "set_alpn_protocols", tell)
    client = connect(endpoint=Endpoint(server=secure.url, authority=pair.pem))
    secure.route = lambda _: Reply(body={"gitVersion": "v1.34.4"}, headers=(("Connection", "close"),))
    for _ in range(3):
        client.version()
    assert told == [["http/1.1"]]


def test_an_authority_need_not_be_a_root(connect: Opener, issue: Callable[..., Pair]) -> None:
    """As for client-go: an intermediate that the kubeconfig names is trusted."""
    root = issue("root")
    between = issue("between", by=root)
    with serving(issue("leaf", by=between).server()) as script:
        script.route = lambda _: Reply(body={"gitVersion": "v1.34.4"})
        assert connect(endpoint=Endpoint(server=script.url, authority=between.pem)).version() == "v1.34.4"
        text = refused(connect(endpoint=Endpoint(server=script.url, authority=root.pem)))
        assert "signed by an unknown authority" in text


def test_an_expired_certificate_is_said(connect: Opener, issue: Callable[..., Pair]) -> None:
    expired = issue("expired", days=-1)
    with serving(expired.server()) as script:
        text = refused(connect(endpoint=Endpoint(server=script.url, authority=expired.pem)))
    assert "has expired" in text


def test_verification_can_be_switched_off(connect: Opener, secure: Script) -> None:
    assert connect(endpoint=Endpoint(server=secure.url, verify=False)).version() == "v1.34.4"


def test_a_client_certificate_is_shown(connect: Opener, pair: Pair, issue: Callable[..., Pair]) -> None:
    user = issue("user")
    with serving(pair.server(wants=user)) as script:
        script.route = lambda _: Reply(body={"gitVersion": "v1.34.4"})
        endpoint = Endpoint(server=script.url, authority=pair.pem)
        known = StaticCredentials(Credential(certificate=user.client))
        assert connect(endpoint=endpoint, credentials=known).version() == "v1.34.4"
        stranger = StaticCredentials(Credential(certificate=issue("stranger").client))
        with pytest.raises(Unreachable):
            connect(endpoint=endpoint, credentials=stranger).version()


def test_plain_http_behind_https_is_said(connect: Opener, server: Script) -> None:
    url = server.url.replace("http://", "https://")
    assert "does not speak TLS" in refused(connect(endpoint=Endpoint(server=url)))


def test_unusable_pem_is_a_fault_without_its_text(
    connect: Opener, pair: Pair, issue: Callable[..., Pair]
) -> None:
    with pytest.raises(AccessFault, match="certificate authority of the cluster is not a PEM"):
        tls_context(Endpoint(server="https://x", authority=b"canary"), None)
    mixed = ClientCertificate(certificate=pair.pem, key=issue("mixed").key.read_bytes())
    for certificate in (mixed, ClientCertificate(certificate=b"canary", key=b"canary")):
        credentials = StaticCredentials(Credential(certificate=certificate))
        client = connect(endpoint=Endpoint(server="https://127.0.0.1:1"), credentials=credentials)
        with pytest.raises(AuthFailed, match="no matching pair") as caught:
            client.version()
        assert caught.value.exit_code is ExitCode.AUTH
        assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (9, "not valid yet"),
        (10, "expired"),
        (18, "unknown authority"),
        (20, "unknown authority"),
        (62, "another name"),
    ],
)
def test_each_verification_error_has_words(code: int, text: str) -> None:
    error = ssl.SSLCertVerificationError()
    error.verify_code = code
    error.verify_message = "upstream's words"
    assert text in explain(error)[0]
