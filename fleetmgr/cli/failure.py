"""How a run that did not end well is told: a message, perhaps JSON, perhaps a crash file, an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Mapping
from typing import ClassVar

import click

from fleetmgr.cli.crash import write_crash
from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.output import OutputFailed, Rendering, emit_failure
from fleetmgr.errors import ExitCode, FleetError, UsageError
from fleetmgr.reporting.github import defused
from fleetmgr.reporting.github_results import error_workflow
from fleetmgr.reporting.markdown_runs import error_markdown
from fleetmgr.reporting.problems import error_data, error_text
from fleetmgr.reporting.style import Paint


class Bug(FleetError):
    """We failed, not the user."""

    code: ClassVar[str] = "FLT-7000"
    exit_code: ClassVar[ExitCode] = ExitCode.BUG


def exit_code_of(error: BaseException, invocation: Invocation, environment: Mapping[str, str]) -> ExitCode:
    """Print what ``error`` means to the user and say with which code the process ends."""
    try:
        return _told(error, invocation, environment)
    except BrokenPipeError:
        return _unheard()


def _told(error: BaseException, invocation: Invocation, environment: Mapping[str, str]) -> ExitCode:
    match error:
        case BrokenPipeError():
            return _unheard()
        case click.exceptions.NoArgsIsHelpError():
            _complain(f"{error.format_message()}\n")
            return ExitCode.USAGE
        case KeyboardInterrupt() | click.Abort():
            return _stopped("Interrupted", ExitCode.INTERRUPTED)
        case Exception():
            return _tell(_as_fleet_error(error, environment), invocation)
        case _:
            return _stopped("Terminated", ExitCode.TERMINATED)


def _as_fleet_error(error: Exception, environment: Mapping[str, str]) -> FleetError:
    match error:
        case FleetError():
            return error
        case click.UsageError():
            return _usage(error)
        case click.ClickException():
            return FleetError(error.format_message())
        case _:
            return _bug(error, environment)


def _stopped(how: str, code: ExitCode) -> ExitCode:
    _complain(f"{how}: what was done so far stays; run the command again to go on.\n")
    return code


def _tell(error: FleetError, invocation: Invocation) -> ExitCode:
    settings = invocation.terminal
    paint = Paint(enabled=settings.colours(invocation.colour, tty=settings.stderr_tty))
    told = Rendering(
        text=lambda paint: error_text(error, paint=paint),
        data=lambda: error_data(error),
        markdown=lambda: error_markdown(error),
        workflow=lambda: error_workflow(error),
    )
    with contextlib.suppress(OutputFailed):  # a file that cannot be written may be what failed
        emit_failure(invocation, told)
    text = error_text(error, paint=paint)
    if invocation.stdout_format != "github":  # there the job's log has it already
        _complain(defused(text) if invocation.github.active else text)
    return error.exit_code


def _usage(error: click.UsageError) -> UsageError:
    command = error.ctx.command_path if error.ctx is not None else "fleet"
    return UsageError(error.format_message(), hint=f"see: {command} --help")


def _bug(error: Exception, environment: Mapping[str, str]) -> Bug:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    path = write_crash(error, environment, stamp=stamp)
    kept = f"{path} holds the details" if path else "the details could not be written to a file"
    return Bug(
        f"a bug in fleet: {type(error).__name__}",
        hint=f"{kept} (no values of variables); please attach them to a report",
    )


def _complain(text: str) -> None:
    click.echo(text, nl=False, err=True, color=True)


def _unheard() -> ExitCode:
    """Whoever read our output left (``fleet plan | head``): end without a word, and let exit flush nothing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.FAILED
