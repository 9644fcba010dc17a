"""Every fleet that this repository shows is valid."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [ROOT, *sorted(path.parent for path in (ROOT / "examples").rglob("fleet.yaml"))]


def test_there_are_examples() -> None:
    assert len(FOLDERS) > 1


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(ROOT.parent).as_posix())
def test_an_example_is_valid(folder: Path) -> None:
    command = [sys.executable, "-m", "fleetmgr", "validate"]
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "fleet.yaml is valid" in answer.stdout
