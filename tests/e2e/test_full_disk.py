"""A disk that takes nothing any more: what the clusters are told never depends on it, and files stay whole."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.fleets import PROGRAM, Answer, Fleet
from tests.e2e.test_engine_traps import CONFIG

pytestmark = pytest.mark.e2e


@pytest.fixture
def fleet(fleets: Callable[..., Fleet]) -> Fleet:
    """One cluster, ConfigMap ``settings`` is to be changed."""
    made = fleets()
    made.save()
    made.manifests(config=CONFIG)
    made.apply()
    made.manifests(config=CONFIG.replace('"1"', '"2"'))
    return made


def on_full_disk(fleet: Fleet, cache: Path, *arguments: str) -> Answer:
    """Files can be made, and nothing be written to them; ``cache`` is what is remembered on this machine."""
    done = subprocess.run(
        ["env", f"XDG_CACHE_HOME={cache}", str(PROGRAM), *arguments],
        cwd=fleet.root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Answer(code=done.returncode, out=done.stdout, err=done.stderr)


def value(fleet: Fleet) -> str:
    return fleet.get("configmap", "settings")["data"]["a"]


def test_a_plan_is_shown_and_an_apply_is_done(fleet: Fleet, tmp_path: Path) -> None:
    planned = on_full_disk(fleet, tmp_path / "cache", "plan", "--detailed-exitcode")
    assert planned.code == 2, planned.text
    assert "settings" in planned.out
    applied = on_full_disk(fleet, tmp_path / "cache", "apply", "--yes")
    assert applied.code == 0, applied.text
    assert value(fleet) == "2"
    fleet.assert_settled()


def test_a_saved_plan_that_cannot_be_written_leaves_the_earlier_one(fleet: Fleet, tmp_path: Path) -> None:
    saved = tmp_path / "kept" / "saved.plan"
    saved.parent.mkdir()
    assert fleet.run("plan", "--out", str(saved)).code == 0
    before = saved.read_bytes()
    failed = on_full_disk(fleet, tmp_path / "cache", "plan", "--out", str(saved))
    assert failed.code == 1, failed.text
    assert "FLT-6403" in failed.err
    assert str(saved) in failed.err
    assert [*saved.parent.iterdir()] == [saved], "nothing half-written is left"
    assert saved.read_bytes() == before
    assert fleet.run("apply", str(saved), "--yes").code == 0
    assert value(fleet) == "2"


def test_a_report_that_cannot_be_written_does_not_hide_what_was_done(fleet: Fleet, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    answer = on_full_disk(fleet, tmp_path / "cache", "apply", "--yes", "-o", "text", "-o", f"json={report}")
    assert answer.code == 1, answer.text
    assert "FLT-6403" in answer.err
    assert value(fleet) == "2"
