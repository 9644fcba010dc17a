"""kubectl as the judge: what it reads from a file, without any cluster."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def kubectl_path() -> str:
    """The kubectl of this environment; skips the test where there is none."""
    beside = Path(sys.executable).parent / "kubectl"
    found = str(beside) if beside.exists() else shutil.which("kubectl")
    if found is None:
        pytest.skip("SKIPPED: no kubectl to compare with")
    return found


def kubectl(*arguments: str, manifest: str, folder: Path) -> Any:
    """kubectl's JSON output; None where it refuses the manifest."""
    file = folder / "manifest.yaml"
    file.write_text(manifest)
    done = subprocess.run(
        [kubectl_path(), *arguments, "-f", str(file), "-o", "json"],
        env={"HOME": str(folder), "KUBECONFIG": str(folder / "none"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(done.stdout) if done.returncode == 0 else None


def as_read(manifest: str, folder: Path) -> Any:
    """The object as kubectl reads it (one more annotation apart), untyped."""
    return kubectl("annotate", "--local", "--dry-run=client", "read=yes", manifest=manifest, folder=folder)


def as_typed(manifest: str, folder: Path) -> Any:
    """A workload after a trip through Kubernetes' own Go types."""
    return kubectl("set", "env", "--local", "READ=yes", manifest=manifest, folder=folder)
