"""Official release downloads, checked against the checksum that the project publishes.

Networks that reach a module proxy but no release page are common: a failure here is no
error, it only means that the program is built.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import tarfile
from pathlib import Path
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from fleetmgr.adapters.toolchain.pins import Pin

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_TIMEOUT = urllib3.Timeout(connect=3.0, read=30.0)
_CHUNK = 2**20


class DownloadFailed(Exception):
    """The release cannot be had from here; the message says why."""


def architecture() -> str | None:
    """This machine in the names of release files; None where there is no release for it."""
    if platform.system() != "Linux":  # control planes are released for Linux only
        return None
    return _ARCHITECTURES.get(platform.machine().lower())


class Releases:
    """Downloads; a host that did not answer is not asked again in the same call."""

    def __init__(self, pool: urllib3.PoolManager | None = None) -> None:
        """``pool`` for tests."""
        retries = urllib3.Retry(connect=0, read=0, redirect=5, status=0)
        self._pool = pool or urllib3.PoolManager(timeout=_TIMEOUT, retries=retries)
        self._silent: dict[str, str] = {}

    def fetch(self, pin: Pin, program: str, work: Path) -> Path:
        """The program as a file in ``work``, checksum verified; raises DownloadFailed."""
        arch = architecture()
        if not pin.release or arch is None:
            raise DownloadFailed("no checksummed release for this machine")
        names = {"version": pin.version, "arch": arch, "program": program}
        url = pin.release.format(**names)
        wanted = _digest(self._text(pin.checksums.format(**names)), url.rpartition("/")[2])
        work.mkdir(parents=True, exist_ok=True)
        file = work / url.rpartition("/")[2]
        if self._save(url, file) != wanted:
            file.unlink()
            raise DownloadFailed(f"{url}: checksum differs from the published one")
        if url.endswith(".tar.gz"):
            file = _unpack(file, program)
        file.chmod(0o755)
        return file

    def _text(self, url: str) -> str:
        answer = self._open(url)
        try:
            return answer.read(_CHUNK).decode("utf-8", "replace")
        except HTTPError as error:
            raise DownloadFailed(f"{url}: {_short(error)}") from error
        finally:
            answer.release_conn()

    def _save(self, url: str, file: Path) -> str:
        answer = self._open(url)
        digest = hashlib.sha256()
        try:
            with file.open("wb") as output:
                while chunk := answer.read(_CHUNK):
                    digest.update(chunk)
                    output.write(chunk)
        except HTTPError as error:
            raise DownloadFailed(f"{url}: {_short(error)}") from error
        finally:
            answer.release_conn()
        return digest.hexdigest()

    def _open(self, url: str) -> urllib3.BaseHTTPResponse:
        host = urlsplit(url).hostname or ""
        if host in self._silent:
            raise DownloadFailed(self._silent[host])
        try:
            answer = self._pool.request("GET", url, preload_content=False)
        except HTTPError as error:
            self._silent[host] = f"{host}: {_short(error)}"
            raise DownloadFailed(self._silent[host]) from error
        if answer.status != 200:  # noqa: PLR2004 - HTTP OK
            answer.release_conn()
            self._silent[host] = f"{host}: HTTP {answer.status}"
            raise DownloadFailed(self._silent[host])
        return answer


def _digest(text: str, name: str) -> str:
    for line in text.splitlines():
        words = line.split()
        if len(words) == 1 or (len(words) == 2 and words[1].lstrip("*") == name):  # noqa: PLR2004 - digest and name
            return words[0].lower()
    raise DownloadFailed(f"no checksum for {name}")


def _unpack(archive: Path, program: str) -> Path:
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                content = tar.extractfile(member) if Path(member.name).name == program else None
                if content is not None:  # only its bytes: extraction filters came with Python 3.11.4
                    file = archive.parent / program
                    with content, file.open("wb") as target:
                        shutil.copyfileobj(content, target)
                    file.chmod(0o755)
                    return file
    except tarfile.TarError as error:
        raise DownloadFailed(f"{archive.name}: {error}") from error
    finally:
        archive.unlink()
    raise DownloadFailed(f"{archive.name} holds no {program}")


def _short(error: Exception) -> str:
    """urllib3's chains repeat themselves; the type and its root say enough."""
    root: BaseException = error
    while root.__cause__ is not None:
        root = root.__cause__
    return f"{type(error).__name__} ({root})"[:160]
