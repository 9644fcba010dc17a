"""``fleet version``: what a bug report needs to say."""

from __future__ import annotations

import importlib.metadata
import platform

import click

from fleetmgr import __version__
from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import output_options
from fleetmgr.cli.output import Rendering, emit
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.reporting.problems import API_VERSION

_LIBRARIES = (
    "click",
    "GitPython",
    "orjson",
    "pulumi",
    "pulumi-kubernetes",
    "pydantic",
    "PyYAML",
    "rich",
    "urllib3",
)


@click.command()
@click.option("--verbose", is_flag=True, help="Also the versions of the libraries.")
@output_options
@click.pass_obj
def version(invocation: Invocation, *, verbose: bool) -> int:
    """Print the version of fleetmgr and of Python.

    \b
    Example:
      fleet version -o json
    """
    data: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": "Version",
        "fleetmgr": __version__,
        "python": platform.python_version(),
    }
    if verbose:
        data["libraries"] = {name: _installed(name) for name in _LIBRARIES}

    def text(_: object) -> str:
        named = {"fleetmgr": __version__, "Python": data["python"], **data.get("libraries", {})}
        return "".join(f"{name} {number}\n" for name, number in named.items())

    emit(invocation, Rendering(text=text, data=lambda: data))
    return 0


def _installed(name: str) -> str:
    """From the package's metadata: importing pulumi only to ask takes half a second."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
