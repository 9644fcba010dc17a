"""The file that a bug leaves behind: where it happened, never what was in the variables."""

from __future__ import annotations

import os
import platform
import re
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path

from fleetmgr import __version__

_TOKENS = (
    re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)", re.DOTALL),
    re.compile(r"(?<=://)[^/\s@]+@"),
    re.compile(r"\beyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)*"),
    re.compile(r"(?i)\bbearer\s+\S+"),
    re.compile(r"(?i)\b[\w-]*(?:token|passw(?:or)?d|secret|api[_-]?key|credential)[\w-]*['\"]?\s*[:=]\s*\S+"),
    re.compile(r"\b(?:gh[a-z]_|github_pat_|glpat-|xox[a-z]-|AKIA|ASIA)[A-Za-z0-9_-]{8,}"),
    re.compile(r"[A-Za-z0-9+=_-]{40,}"),
)


def redacted(text: str) -> str:
    """``text`` without anything that looks like a credential."""
    for pattern in _TOKENS:
        text = pattern.sub("(redacted)", text)
    return text


def crash_text(error: BaseException) -> str:
    """Versions and the traceback with its causes: source lines, no local variables, credentials removed."""
    lines = traceback.format_exception(error)
    return (
        f"fleetmgr {__version__}\nPython {platform.python_version()} on {platform.platform()}\n\n"
        + redacted("".join(lines))
    )


def write_crash(error: BaseException, environment: Mapping[str, str], *, stamp: str) -> Path | None:
    """Write the report for its owner only, below XDG_STATE_HOME or the temporary folder.

    ``stamp`` names the moment (``20261121T010203Z``). None when it can be written nowhere.
    """
    text = crash_text(error)
    for folder in _folders(environment):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, name = tempfile.mkstemp(prefix=f"{stamp}-", suffix=".txt", dir=folder)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError:
            continue
        return Path(name)
    return None


def _folders(environment: Mapping[str, str]) -> list[Path]:
    state = environment.get("XDG_STATE_HOME") or ""
    home = environment.get("HOME") or ""
    folders = [Path(state) / "fleetmgr" / "crash"] if state.startswith("/") else []
    if not folders and home:
        folders.append(Path(home) / ".local" / "state" / "fleetmgr" / "crash")
    return [*folders, Path(tempfile.gettempdir())]
