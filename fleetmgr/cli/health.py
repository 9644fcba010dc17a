"""``fleet health``: how the objects in files are, for people who write health rules."""

from __future__ import annotations

import sys

import click

from fleetmgr.cli.invocation import DEFAULT_FILE, Invocation
from fleetmgr.cli.options import file_option, output_options
from fleetmgr.cli.output import Rendering, emit
from fleetmgr.errors import ExitCode
from fleetmgr.health.custom import NONE, CustomRules
from fleetmgr.model.health import HealthStatus
from fleetmgr.model.jsontypes import Json
from fleetmgr.operations.health_files import JudgedObject, health_of_files
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.style import HEALTH_COLOURS, Paint
from fleetmgr.reporting.table import columns
from fleetmgr.spec import load

_WELL = frozenset({HealthStatus.HEALTHY, HealthStatus.SUSPENDED})
_TITLES = ["FILE", "KIND", "NAME", "HEALTH", "MESSAGE"]
_STATUS = 3


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(allow_dash=True))
@click.option("--exit-code", is_flag=True, help="Exit with 1 when an object is not Healthy or Suspended.")
@file_option
@output_options
@click.pass_obj
def health(invocation: Invocation, files: tuple[str, ...], *, exit_code: bool) -> ExitCode:
    """Say the health of every object in files or folders of YAML or JSON (- reads standard input), offline.

    The health rules of fleet.yaml hold, when there is one. Nobody can say here who serves a class or what pods do:
    on a cluster, `fleet status` and `fleet apply` say more. The exit code is 0 however the objects are, and 1 when
    a file cannot be read.

    \b
    Example:
      kubectl get kafka,deploy -o yaml | fleet health -
      fleet health examples/ -o json
    """
    found = health_of_files(files, stdin=sys.stdin.buffer.read, custom=_custom(invocation))
    emit(invocation, Rendering(text=lambda paint: _text(found, paint), data=lambda: _rows(found)))
    ill = any(item.health.status not in _WELL for item in found)
    return ExitCode.FAILED if exit_code and ill else ExitCode.OK


def _custom(invocation: Invocation) -> CustomRules:
    """The rules of the fleet that was named, or of the one here if there is any."""
    if invocation.file == DEFAULT_FILE and not invocation.file.exists():
        return NONE
    return CustomRules(load(invocation.file).fleet.health)


def _rows(found: list[JudgedObject]) -> Json:
    """A list, one map an object."""
    return [
        {
            "file": item.file,
            "kind": item.kind,
            "namespace": item.namespace,
            "name": item.name,
            "status": item.health.status.value,
            "message": item.health.message,
        }
        for item in found
    ]


def _text(found: list[JudgedObject], paint: Paint) -> str:
    if not found:
        return "No Kubernetes object in these files.\n"

    def colour(row: int, column: int, text: str) -> str:
        if row == 0:
            return paint("bold", text)
        return paint(HEALTH_COLOURS[found[row - 1].health.status], text) if column == _STATUS else text

    return "\n".join([*columns([_TITLES, *map(_line, found)], paint=colour), ""])


def _line(item: JudgedObject) -> list[str]:
    name = f"{item.namespace}/{item.name}" if item.namespace else item.name
    return [
        visible(cell) for cell in (item.file, item.kind, name, item.health.status.value, item.health.message)
    ]
