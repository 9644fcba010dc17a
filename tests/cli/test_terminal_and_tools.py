"""Colours, progress, completion and version."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from pathlib import Path

import pytest

from fleetmgr import __version__
from fleetmgr.cli.main import run
from fleetmgr.cli.progress import PlainLines
from fleetmgr.cli.terminal import terminal_settings
from fleetmgr.errors import ExitCode, Problem
from fleetmgr.model.change import Op
from fleetmgr.model.event import ClusterFinished, ClusterStarted, Event, ObjectChanged, ObjectFailed, Waiting
from fleetmgr.reporting.events import sentence
from tests.cli.conftest import Cli
from tests.reporting.fleets import WEB


@pytest.mark.parametrize(
    ("environment", "tty", "mode", "expected"),
    [
        ({}, True, "auto", True),
        ({}, False, "auto", False),
        ({}, True, "never", False),
        ({}, False, "always", True),
        ({"NO_COLOR": "1"}, True, "auto", False),
        ({"NO_COLOR": ""}, True, "auto", True),
        ({"NO_COLOR": "1"}, True, "always", True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, "auto", False),
        ({"FORCE_COLOR": "1"}, False, "auto", True),
        ({"FORCE_COLOR": "0"}, False, "auto", False),
        ({"CLICOLOR_FORCE": "1"}, False, "auto", True),
        ({"TERM": "dumb"}, True, "auto", False),
        ({"GITHUB_ACTIONS": "true"}, False, "auto", True),
        ({"CI": "true"}, False, "auto", False),
    ],
)
def test_colours(environment: dict[str, str], tty: bool, mode: str, expected: bool) -> None:
    settings = terminal_settings(environment, stdin_tty=tty, stdout_tty=tty, stderr_tty=tty)
    assert settings.colours(mode, tty=tty) is expected


@pytest.mark.parametrize(
    ("environment", "tty", "expected"),
    [({}, True, True), ({}, False, False), ({"TERM": "dumb"}, True, False), ({"CI": "1"}, True, False)],
)
def test_when_a_table_is_drawn(environment: dict[str, str], tty: bool, expected: bool) -> None:
    settings = terminal_settings(environment, stdin_tty=tty, stdout_tty=tty, stderr_tty=tty)
    assert settings.can_redraw is expected


EVENTS: list[tuple[Event, str]] = [
    (ClusterStarted(cluster="a", phase="apply"), "apply started"),
    (ObjectChanged(cluster="a", app="web", op=Op.CREATE, ref=WEB), "created Deployment shop-web/web"),
    (
        ObjectFailed(cluster="a", app="web", ref=WEB, problem=Problem(message="no\x1b[2J")),
        "failed Deployment shop-web/web: no\\x1b[2J",
    ),
    (
        Waiting(cluster="a", app="web", ready=1, total=3, message="pods are starting"),
        "waiting for web, 1 of 3 ready: pods are starting",
    ),
    (
        ClusterFinished(cluster="a", phase="apply", exit_code=ExitCode.OK, summary="1 created"),
        "apply finished: 1 created",
    ),
    (
        ClusterFinished(cluster="a", phase="apply", exit_code=ExitCode.PARTIAL, summary=""),
        "apply unreachable",
    ),
]


@pytest.mark.parametrize(("event", "expected"), EVENTS)
def test_events_in_words(event: Event, expected: str) -> None:
    assert sentence(event) == expected
    lines: list[str] = []
    PlainLines(lines.append, lambda: "12:00:00")(event)
    assert lines == [f"12:00:00 a: {expected}\n"]


def test_version(cli: Cli) -> None:
    assert cli("version").out == f"fleetmgr {__version__}\nPython {platform.python_version()}\n"


def test_version_as_data_with_libraries(cli: Cli) -> None:
    data = json.loads(cli("version", "--verbose", "-o", "json").out)
    assert (data["kind"], data["fleetmgr"]) == ("Version", __version__)
    assert "pulumi" in data["libraries"]
    assert cli("--version").out == f"fleetmgr {__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(cli: Cli, shell: str) -> None:
    result = cli("completion", shell)
    assert result.code == 0
    assert "_FLEET_COMPLETE" in result.out


Complete = Callable[..., list[str]]


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Complete:
    monkeypatch.chdir(tmp_path)

    def ask(*words: str) -> list[str]:
        monkeypatch.setenv("_FLEET_COMPLETE", "zsh_complete")
        monkeypatch.setenv("COMP_WORDS", " ".join(("fleet", *words)))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        with pytest.raises(SystemExit):
            run([], environment={})
        captured = capsys.readouterr()
        assert captured.err == ""
        return captured.out.splitlines()[1::3]

    return ask


FLEET = """\
apiVersion: fleetmgr.dev/v1
kind: Fleet
name: hello
environments: [{name: dev}]
clusters: [{name: dev-1, environment: dev, access: {context: kind-dev}}]
apps: [{name: web, namespace: web, source: {type: manifests, path: apps/web}}]
"""


def test_verbs_complete_from_the_table(complete: Complete) -> None:
    assert complete("pl") == ["plan"]
    assert complete("s") == ["show", "status", "schema", "sandbox"]


def test_names_complete_from_fleet_yaml(complete: Complete, tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text(FLEET)
    assert complete("plan", "-c", "") == ["dev-1"]
    assert complete("plan", "-e", "d") == ["dev"]
    assert complete("plan", "-a", "x") == []
    (tmp_path / "other.yaml").write_text(FLEET.replace("dev-1", "other-1"))
    assert complete("plan", "-f", "other.yaml", "-c", "") == ["other-1"]
    assert complete("plan", "-o", "j") == ["json"]


@pytest.mark.parametrize("content", ["{", "a: [", "kind: Fleet", ""])
def test_completion_is_silent_when_the_fleet_is_broken(
    complete: Complete, tmp_path: Path, content: str
) -> None:
    (tmp_path / "fleet.yaml").write_text(content)
    assert complete("plan", "-c", "") == []
