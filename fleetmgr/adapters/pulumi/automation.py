"""The Automation API as we run it: inline programs, one process of the CLI an operation.

The SDK's stack selects the stack, and after an update asks for its outputs and its history with secrets shown: four
more processes, which leave secrets of the stack in our memory. We name the stack in each command and ask for neither.
"""

from __future__ import annotations

import logging
import warnings
from datetime import UTC, datetime
from pathlib import Path

from pulumi.automation import LocalWorkspace, OutputMap, Stack, UpdateSummary
from pulumi.automation._stack import StackInitMode  # the only way to make a subclass of Stack

from fleetmgr.adapters.pulumi.command import Command

# An event that the SDK cannot read is printed, with the values in it. It is counted instead (events.Recorder).
warnings.filterwarnings("ignore", message="Failed to parse engine event")
# The program's calls fail when the CLI dies under it. That is told as the failure of the run, not as a traceback.
logging.getLogger("grpc._server").setLevel(logging.CRITICAL)


class _Workspace(LocalWorkspace):
    """A work folder whose project file is there already, and in which nothing is selected."""

    def select_stack(self, stack_name: str) -> None:
        """Every command names its stack."""


class QuietStack(Stack):
    """A stack of which only previews, updates and their events are wanted."""

    def outputs(self) -> OutputMap:
        """None: our program exports nothing."""
        return {}

    def info(self, show_secrets: bool = True) -> UpdateSummary | None:  # noqa: FBT001, FBT002, ARG002 - the SDK's
        """A stand-in: what the update did is known from its events."""
        return UpdateSummary(
            kind="update",
            start_time=datetime.fromtimestamp(0, UTC),
            message="",
            environment={},
            config={},
            result="",
        )


def quiet_stack(name: str, folder: Path, command: Command) -> QuietStack:
    """The stack ``name`` whose project file is in ``folder``; asks no backend."""
    workspace = _Workspace(work_dir=str(folder), pulumi_command=command)
    return QuietStack(name, workspace, StackInitMode.SELECT)
