"""The whole program of Pulumi.yaml: what is run when somebody calls the Pulumi CLI by hand.

A Pulumi stack is a cluster entry, the Pulumi project the fleet. A program cannot see its own state, and an empty one
is dangerous where the embedded engine has already been at work: what Git dropped meanwhile would never be found. So
every run leaves an output behind; without it, on a cluster that holds an inventory, nothing is registered.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from pathlib import Path

import pulumi

from fleetmgr.adapters.pulumi.program import TAKEN_OVER, Selection, register
from fleetmgr.errors import FleetError
from fleetmgr.veiled import Veiled

FIRST_RUN = "FLT-9031"
_READ_OUTPUTS = "pulumi:pulumi:readStackOutputs"


class Ready(Veiled, frozen=True, kw_only=True):
    """What is to be registered; ``inventory`` are the apps that the cluster says we have applied there, ``prepare``
    makes what must be there before an update and answers with the namespaces that it made."""

    VEILED = frozenset({"selection"})

    selection: Selection
    inventory: Sequence[str]
    prepare: Callable[[], Sequence[str]]


def run(select: Callable[[Path, str], Ready]) -> None:
    """Ask ``select`` (folder of Pulumi.yaml, stack name) and register what it says.

    Expected failures end in a RunError, which the CLI shows without a traceback.
    """
    gc.disable()  # the process ends with the program; see ``collector``
    try:
        ready = select(Path(pulumi.get_root_directory()), pulumi.get_stack())
        _check(ready)
        if not pulumi.runtime.is_dry_run():
            for name in ready.prepare():
                pulumi.log.info(f"created the namespace {name} (createNamespace)")
    except FleetError as error:
        raise pulumi.RunError(_told(error)) from None
    _warn(ready.selection)
    register(ready.selection)


def _told(error: FleetError) -> str:
    problem = error.problem()
    return f"{problem.code}: {error}" if problem.code not in str(error) else str(error)


def _check(ready: Ready) -> None:
    stack = ready.selection.stack
    project = pulumi.get_project()
    if project != stack.fleet:
        raise pulumi.RunError(
            f"Pulumi.yaml names the project `{project}`, fleet.yaml the fleet `{stack.fleet}`: make them equal"
        )
    if ready.inventory and not _known_to_state():
        raise pulumi.RunError(
            f"{FIRST_RUN}: cluster {stack.cluster} already holds objects of this fleet (apps "
            f"{', '.join(ready.inventory)}), and this Pulumi stack knows nothing of them: objects that Git no longer "
            f"names would stay for ever. Run `fleet apply --engine pulumi -c {stack.cluster}` once, with this "
            "backend as `engine.backend` in fleet.yaml: it takes them over into the state; then `pulumi up` works."
        )


def _known_to_state() -> bool:
    """Whether an earlier run has left its output in the state of this very stack."""
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    try:
        answer: object = pulumi.runtime.invoke(_READ_OUTPUTS, {"name": name}).value
    except Exception as error:  # noqa: BLE001 - the SDK raises no narrower class
        raise pulumi.RunError(f"the state of this stack cannot be read: {error}") from None
    outputs = answer.get("outputs") if isinstance(answer, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - untyped in the SDK
    return isinstance(outputs, dict) and TAKEN_OVER in outputs


def _warn(selection: Selection) -> None:
    for problem in selection.stack.warnings:
        pulumi.log.warn(str(problem))
    if selection.stack.hooks:
        names = ", ".join(hook.resource.ref.short for hook in selection.stack.hooks)
        pulumi.log.warn(f"hooks run with `fleet apply` only, not with the Pulumi CLI: {names}")
