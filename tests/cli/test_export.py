"""``fleet export pulumi-state``: where it writes, and what it says of what it left out."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from fleetmgr.cli import export
from fleetmgr.operations.export_state import StateExport
from tests.cli.conftest import Cli


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fleet of two clusters."""
    clusters = [SimpleNamespace(name="dev-1"), SimpleNamespace(name="dev-2")]
    walk = SimpleNamespace(loaded=SimpleNamespace(fleet=SimpleNamespace(clusters=clusters)))

    def opened(_invocation: object) -> object:
        return walk

    def exported(_walk: object, cluster: str) -> StateExport:
        secrets = tuple(f"v1/Secret/shop/s{n}" for n in range(7))
        return StateExport(cluster=cluster, document={"version": 3}, objects=2, secrets=secrets)

    monkeypatch.setattr(export, "open_walk", opened)
    monkeypatch.setattr(export, "exported_state", exported)


def test_to_standard_output(cli: Cli) -> None:
    result = cli("export", "pulumi-state", "dev-1")
    assert (result.code, json.loads(result.out)) == (0, {"version": 3})
    assert "wrote 2 objects of dev-1\n" in result.err
    assert "left out, Secrets: " in result.err
    assert "v1/Secret/shop/s4 and 2 more" in result.err


def test_to_a_file_for_its_owner_only(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text("something that is longer than what is written there")
    path.chmod(0o644)
    result = cli("export", "pulumi-state", "dev-1", "--out", str(path))
    assert (result.code, result.out) == (0, "")
    assert json.loads(path.read_text()) == {"version": 3}
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_and_a_pipe_stay_what_they_are(cli: Cli, tmp_path: Path) -> None:
    path, link = tmp_path / "state.json", tmp_path / "link.json"
    link.symlink_to(path)
    assert cli("export", "pulumi-state", "dev-1", "--out", str(link)).code == 0
    assert link.is_symlink()
    assert json.loads(path.read_text()) == {"version": 3}
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert cli("export", "pulumi-state", "dev-1", "--out", str(pipe)).code == 0
        assert json.loads(os.read(reader, 1000)) == {"version": 3}
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_where_nothing_can_be_written(cli: Cli, tmp_path: Path) -> None:
    result = cli("export", "pulumi-state", "dev-1", "--out", str(tmp_path / "nowhere" / "state.json"))
    assert result.code == 1
    assert "FLT-6403" in result.err
    assert [*tmp_path.glob("nowhere*")] == []


def test_of_which_cluster(cli: Cli) -> None:
    result = cli("export", "pulumi-state")
    assert result.code == 64
    assert "FLT-9032" in result.err
    assert "dev-1, dev-2" in result.err
    result = cli("export", "pulumi-state", "dev-3")
    assert result.code == 64
    assert "no cluster `dev-3`" in result.err
