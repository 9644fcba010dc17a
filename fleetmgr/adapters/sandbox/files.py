"""Files that are whole or absent, and private from their first byte."""

from __future__ import annotations

from pathlib import Path

from fleetmgr.whole_files import write_whole


def write_private(path: Path, content: str) -> None:
    """Replace ``path`` atomically with mode 0600; missing folders get mode 0700."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(path, content.encode())
