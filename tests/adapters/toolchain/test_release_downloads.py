"""Downloads are used only with the published checksum; everything else falls back quietly."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from msgspec.structs import replace

from fleetmgr.adapters.toolchain import download
from fleetmgr.adapters.toolchain.download import DownloadFailed, Releases
from fleetmgr.adapters.toolchain.pins import Pin

BODY = b"#!/bin/sh\necho v1.34.4\n"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name upstream
        del format, args


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    monkeypatch.setattr(download, "architecture", lambda: "amd64")
    folder = tmp_path / "site"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def pin(base: str, name: str, sums: str) -> Pin:
    return Pin(
        module="m",
        version="v1.34.4",
        packages=(("tool", "x"),),
        space=0,
        release=f"{base}/{name}",
        checksums=f"{base}/{sums}",
    )


def test_a_program_with_the_right_checksum_is_executable(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, base = site
    (folder / "tool").write_bytes(BODY)
    (folder / "tool.sha256").write_text(hashlib.sha256(BODY).hexdigest(), encoding="ascii")
    file = Releases().fetch(pin(base, "tool", "tool.sha256"), "tool", tmp_path / "w")
    assert file.read_bytes() == BODY
    assert file.stat().st_mode & 0o111


def test_a_wrong_checksum_is_refused_and_removed(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, base = site
    (folder / "tool").write_bytes(BODY + b"evil")
    (folder / "tool.sha256").write_text(hashlib.sha256(BODY).hexdigest(), encoding="ascii")
    with pytest.raises(DownloadFailed, match="checksum differs"):
        Releases().fetch(pin(base, "tool", "tool.sha256"), "tool", tmp_path / "w")
    assert list((tmp_path / "w").iterdir()) == []


def test_an_archive_gives_its_program(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, base = site
    with tarfile.open(folder / "tool-v1.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("tool-v1/tool")
        member.size = len(BODY)
        tar.addfile(member, io.BytesIO(BODY))
    digest = hashlib.sha256((folder / "tool-v1.tar.gz").read_bytes()).hexdigest()
    sums = f"{'0' * 64}  other.tar.gz\n{digest}  tool-v1.tar.gz\n"
    (folder / "SHA256SUMS").write_text(sums, encoding="ascii")
    file = Releases().fetch(pin(base, "tool-v1.tar.gz", "SHA256SUMS"), "tool", tmp_path / "w")
    assert file.read_bytes() == BODY
    assert [path.name for path in (tmp_path / "w").iterdir()] == ["tool"]


def test_a_host_that_fails_is_asked_only_once(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, base = site
    releases = Releases()
    with pytest.raises(DownloadFailed, match="HTTP 404"):
        releases.fetch(pin(base, "tool", "tool.sha256"), "tool", tmp_path / "w")
    (folder / "tool.sha256").write_text("0", encoding="ascii")
    with pytest.raises(DownloadFailed, match="HTTP 404"):
        releases.fetch(pin(base, "tool", "tool.sha256"), "tool", tmp_path / "w")


def test_an_unreachable_host_and_a_project_without_checksums(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed):
        Releases().fetch(pin("http://127.0.0.1:9", "tool", "sums"), "tool", tmp_path / "w")
    with pytest.raises(DownloadFailed, match="no checksummed release"):
        Releases().fetch(replace(pin("x", "y", "z"), release=""), "tool", tmp_path / "w")
