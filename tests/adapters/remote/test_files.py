"""Files of other hosts: which addresses are asked, and what an answer may be."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fleetmgr.adapters.remote.addresses import check
from fleetmgr.adapters.remote.files import MAX_BYTES, HttpFiles
from fleetmgr.model.target import RemoteHost
from fleetmgr.ports.remotes import RemoteFailed, RemoteRefused
from tests.adapters.remote.servers import site

OK = {"Content-Type": "text/yaml"}


def here(host: str) -> tuple[RemoteHost, ...]:
    return (RemoteHost(host=host, private=True, insecure=True),)


def resolves_to(*addresses: str) -> object:
    def lookup(host: str, port: int) -> Sequence[str]:
        del host, port
        return addresses

    return lookup


def test_a_file_is_read_once() -> None:
    with site({"/a.yaml": (200, OK, b"a: b\n")}) as server:
        files = HttpFiles()
        url = f"http://{server.host}/a.yaml?token=secret"
        assert [files.read(url, here(server.host)) for _ in range(2)] == [b"a: b\n"] * 2
        assert server.asked == ["/a.yaml?token=secret"]


@pytest.mark.parametrize(
    ("url", "hosts", "told"),
    [
        ("https://other.example/a", (RemoteHost(host="git.example"),), "not an allowed host"),
        ("https://git.example:8443/a", (RemoteHost(host="git.example"),), "not an allowed host"),
        ("https://git.example.evil/a", (RemoteHost(host="git.example"),), "not an allowed host"),
        ("https://git.example@evil/a", (RemoteHost(host="git.example"),), "not an allowed host"),
        ("https://u:canary@git.example/a", (RemoteHost(host="git.example"),), "holds credentials"),
        ("http://git.example/a", (RemoteHost(host="git.example"),), "not an allowed host|is not asked"),
        ("http://git.example:80/a", (RemoteHost(host="git.example:80"),), "is not asked"),
    ],
)
def test_an_address_that_is_not_allowed_is_not_even_resolved(
    url: str, hosts: tuple[RemoteHost, ...], told: str
) -> None:
    def never(host: str, port: int) -> Sequence[str]:
        raise AssertionError((host, port))

    with pytest.raises(RemoteRefused, match=told) as caught:
        check(url, hosts, never)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "ip", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "100.64.0.1", "::1", "fd00::1", "::ffff:10.0.0.1"]
)
def test_a_name_that_leads_inside_the_network_is_refused(ip: str) -> None:
    url = "https://git.example/a"
    for found in ((ip,), ("93.184.215.14", ip)):  # one bad answer among good ones is enough
        with pytest.raises(RemoteRefused, match="inside the network"):
            check(url, (RemoteHost(host="git.example"),), resolves_to(*found))  # type: ignore[arg-type]
    allowed = check(url, (RemoteHost(host="git.example", private=True),), resolves_to(ip))  # type: ignore[arg-type]
    assert (allowed.host, allowed.port, allowed.ip) == ("git.example", 443, ip)


@pytest.mark.parametrize(
    "ip", ["169.254.169.254", "fe80::1%eth0", "::", "224.0.0.1", "::ffff:169.254.169.254"]
)
def test_metadata_services_are_never_asked(ip: str) -> None:
    with pytest.raises(RemoteRefused, match="never asked"):
        check(
            "https://git.example/a",
            (RemoteHost(host="git.example", private=True, insecure=True),),
            resolves_to(ip),  # type: ignore[arg-type]
        )


def test_a_redirect_is_checked_as_the_first_address_was() -> None:
    with site() as outside, site() as server:
        server.answers = {
            "/out": (302, {"Location": f"http://{outside.host}/a"}, b""),
            "/round": (302, {"Location": "/round"}, b""),
            "/in": (302, {"Location": "/a"}, b""),
            "/a": (200, OK, b"a: b\n"),
        }
        files = HttpFiles()
        assert files.read(f"http://{server.host}/in", here(server.host)) == b"a: b\n"
        with pytest.raises(RemoteRefused, match="not an allowed host"):
            files.read(f"http://{server.host}/out", here(server.host))
        assert outside.asked == []
        with pytest.raises(RemoteFailed, match="without end"):
            files.read(f"http://{server.host}/round", here(server.host))


def test_a_bad_answer_is_told_without_its_query_and_content() -> None:
    with site({"/no": (403, OK, b"canary"), "/big": (200, OK, b"x" * (MAX_BYTES + 1))}) as server:
        files = HttpFiles()
        for path, told in (("no", "answered 403"), ("big", "more than"), ("gone", "answered 404")):
            with pytest.raises(RemoteFailed, match=told) as caught:
                files.read(f"http://{server.host}/{path}?token=canary", here(server.host))
            assert "canary" not in str(caught.value)
    with pytest.raises(RemoteFailed, match="cannot be read"):
        HttpFiles().read(f"http://{server.host}/no", here(server.host))
