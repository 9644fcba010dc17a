"""The border of the program: help, lazy loading, errors, crashes, pipes, signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import click
import pytest

from fleetmgr.cli.main import COMMANDS, LazyCommands, Terminated
from fleetmgr.cli.main import fleet as root
from fleetmgr.errors import ExitCode, FleetError, InvalidInput, Problem, Where
from tests.cli.conftest import Cli, Fleet
from tests.reporting.fleets import CANARY


def test_help_lists_every_verb_by_section(cli: Cli) -> None:
    result = cli("--help")
    assert result.code == 0
    assert "Plan and apply:\n  plan (preview)  Show what the fleet would become.\n" in result.out
    assert all(entry.help in result.out for entry in COMMANDS.values())
    assert result.out.endswith("    fleet apply -e prod    make it so\n")


def test_help_and_version_load_nothing_heavy() -> None:
    code = dedent("""\
        import sys
        from fleetmgr.cli.main import run
        run(["--help"], environment={}); run(["--version"], environment={})
        heavy = ("pydantic", "yaml", "urllib3", "rich", "git", "pulumi", "orjson", "asyncio", "fleetmgr.model",
                 "fleetmgr.wiring", "fleetmgr.spec", "fleetmgr.reporting")
        print([name for name in heavy if name in sys.modules], file=sys.stderr)
        """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_verb_loads_and_its_help_ends_with_an_example(cli: Cli, name: str) -> None:
    assert isinstance(root, LazyCommands)
    assert root.get_command(click.Context(root), name) is not None
    result = cli(name, "--help")
    assert result.code == 0
    _, found, example = result.out.rpartition("\n  Example:\n")
    assert found
    assert all(line.startswith("    ") for line in example.splitlines())


def test_a_verb_that_does_not_exist(cli: Cli) -> None:
    result = cli("plann")
    assert result.code == 64
    assert result.err == dedent("""\
        error[FLT-6400]: No such command 'plann'. (Did you mean one of: 'explain', 'plan'?)
          hint: see: fleet --help
        """)


@pytest.mark.parametrize(
    "args",
    [
        ["plan", "--no-such-flag"],
        ["plan", "surplus"],
        ["plan", "-o", "xml"],
        ["plan", "-o", "json="],
        ["plan", "--parallel", "0"],
        ["plan", "--color", "sometimes"],
        ["completion", "tcsh"],
        ["--no-such-flag"],
        [],
    ],
)
def test_usage_errors_are_64(cli: Cli, fleet: Fleet, args: list[str]) -> None:
    result = cli(*args)
    assert result.code == 64
    assert result.out == ""
    assert result.err
    assert fleet.opened == []


def test_an_error_tells_what_where_and_what_to_do(cli: Cli, fleet: Fleet) -> None:
    fleet.error = FleetError(
        "it \x1b[31mbroke", where=Where(cluster="dev-1", object="Pod a/b"), hint="mend it"
    )
    result = cli("plan")
    assert (result.code, result.out) == (1, "")
    assert result.err == dedent("""\
        error[FLT-0001]: it \\x1b[31mbroke
          at dev-1 / Pod a/b
          hint: mend it
        """)


def test_all_problems_of_an_input_are_told(cli: Cli, fleet: Fleet) -> None:
    problems = (
        Problem(
            message="unknown field 'replica'",
            where=Where(file="fleet.yaml", line=3, column=5),
            code="FLT-1001",
        ),
        Problem(message="no such environment", hint="did you mean dev?", code="FLT-1002"),
    )
    fleet.error = InvalidInput(problems)
    result = cli("status", "-o", "json")
    assert result.code == 1
    assert result.err == dedent("""\
        error[FLT-1001]: unknown field 'replica'
          at fleet.yaml:3:5
        error[FLT-1002]: no such environment
          hint: did you mean dev?
        2 problems
        """)
    assert json.loads(result.out) == {
        "apiVersion": "fleetmgr.dev/v1",
        "kind": "Error",
        "exitCode": 1,
        "reason": "unknown field 'replica'",
        "errors": [
            {
                "code": "FLT-1001",
                "message": "unknown field 'replica'",
                "where": {"file": "fleet.yaml", "line": 3, "column": 5},
            },
            {"code": "FLT-1002", "message": "no such environment", "hint": "did you mean dev?"},
        ],
    }


def test_a_whole_failure_reaches_every_file(cli: Cli, fleet: Fleet, tmp_path: Path) -> None:
    fleet.error = FleetError("no answer", hint="is the VPN up?")
    files = ["-o", "yaml=no/such/folder", "-o", "json=a.json", "-o", "markdown=a.md", "-o", "text=a.txt"]
    result = cli("plan", *files)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("error[FLT-0001]: no answer\n")
    assert json.loads((tmp_path / "a.json").read_text())["kind"] == "Error"
    assert (tmp_path / "a.md").read_text().startswith("<!-- fleet-error -->")
    assert not (tmp_path / "a.txt").exists()


def test_a_usage_error_is_data_too(cli: Cli, fleet: Fleet) -> None:
    assert json.loads(cli("plan", "-o", "json", "--parallel", "0").out)["exitCode"] == 64
    twice = cli("plan", "-o", "json", "-o", "yaml")
    assert twice.code == 64
    assert "only one format can go to standard output" in twice.err
    assert fleet.opened == []


def test_a_bug_leaves_a_report_without_secrets(cli: Cli, fleet: Fleet) -> None:
    token = "ghp_" + "a1B2" * 9
    local = CANARY
    fleet.error = KeyError(f"token={token} https://me:pw@git.example/x", len(local))
    result = cli("plan", "-o", "yaml", XDG_STATE_HOME=str(cli.home / "state"))
    assert result.code == 70
    (report,) = (cli.home / "state" / "fleetmgr" / "crash").iterdir()
    assert result.err.startswith("error[FLT-7000]: a bug in fleet: KeyError\n  hint: ")
    assert str(report) in result.err
    text = report.read_text()
    assert "open_walk" in text
    assert "Traceback" in text
    assert report.stat().st_mode & 0o777 == 0o600
    for secret in (token, "me:pw", local):
        assert secret not in text + result.err + result.out
    assert "kind: Error" in result.out
    assert "exitCode: 70" in result.out


def test_a_crash_report_goes_to_the_temporary_folder_when_there_is_no_other(
    cli: Cli, fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    fleet.error = RuntimeError("x")
    result = cli("plan", XDG_STATE_HOME=str(tmp_path / "file"))
    assert result.code == 70
    assert f"{tmp_path}/" in result.err


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (
            KeyboardInterrupt(),
            130,
            "Interrupted: what was done so far stays; run the command again to go on.\n",
        ),
        (click.Abort(), 130, "Interrupted: what was done so far stays; run the command again to go on.\n"),
        (Terminated(), 143, "Terminated: what was done so far stays; run the command again to go on.\n"),
        (click.ClickException("odd"), 1, "error[FLT-0001]: odd\n"),
    ],
)
def test_other_ends(cli: Cli, fleet: Fleet, error: BaseException, code: int, message: str) -> None:
    fleet.error = error
    result = cli("plan")
    assert result.code == code
    assert result.err.lstrip("\n") == message


def _process(code: str) -> subprocess.Popen[bytes]:
    program = f"import sys\nfrom fleetmgr.cli import main\n{code}"
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


_WAITING = """
import threading, types
import click
@click.command()
def version():
    sys.stdout.write("waiting\\n"); sys.stdout.flush()
    threading.Event().wait()
sys.modules["fleetmgr.cli.version"] = types.SimpleNamespace(version=version)
sys.argv = ["fleet", "version"]
main.main()
"""


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGTERM, 143, b"Terminated:"), (signal.SIGINT, 130, b"Interrupted:")]
)
def test_signals(number: signal.Signals, code: int, word: bytes) -> None:
    with _process(_WAITING) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"waiting\n"
        process.send_signal(number)
        _, err = process.communicate()
    assert process.returncode == code
    assert word in err
    assert b"Traceback" not in err


_ENDLESS = """
import types
import click
@click.command()
def version():
    while True:
        click.echo("x" * 1000)
sys.modules["fleetmgr.cli.version"] = types.SimpleNamespace(version=version)
sys.argv = ["fleet", "version"]
main.main()
"""


def test_a_reader_that_leaves_is_no_error() -> None:
    with _process(_ENDLESS) as process:
        assert process.stdout is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_python_m_fleetmgr() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fleetmgr", "plan", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "100"},  # noqa: TID251 - passed through to a child
    )
    assert done.stdout.startswith("Usage: fleet plan [OPTIONS]\n")


def test_exit_codes_are_what_the_process_returns(cli: Cli, fleet: Fleet) -> None:
    class Locked(FleetError):
        exit_code = ExitCode.LOCKED

    fleet.error = Locked("x")
    assert cli("plan").code == 8
