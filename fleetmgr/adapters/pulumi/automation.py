"""The Automation API as we run it: inline programs, one process of the CLI an operation.

The SDK's stack selects the stack, and after an update asks for its outputs and its history with secrets shown: four
more processes, which leave secrets of the stack in our memory. We name the stack in each command and ask for neither.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
from pulumi.automation import LocalWorkspace, OutputMap, Stack, UpdateSummary
from pulumi.automation._stack import StackInitMode  # the only way to make a subclass of Stack
from pulumi.runtime.proto import engine_pb2
from pulumi.runtime.settings import get_engine

from fleetmgr.adapters.pulumi.command import Command

_PATIENCE, _PAUSE = 100, 0.02

# An event that the SDK cannot read is printed, with the values in it. It is counted instead (events.Recorder).
warnings.filterwarnings("ignore", message="Failed to parse engine event")
# The program's calls fail when the CLI dies under it. That is told as the failure of the run, not as a traceback.
logging.getLogger("grpc._server").setLevel(logging.CRITICAL)


def quiet_log() -> None:
    """To be called by the program that runs: what it logs for debugging goes nowhere, and logging never fails.

    The SDK logs four times a resource, each a call to the CLI, which throws it away; and where the CLI has gone, its
    own cleaning up would fail over a log line and leave an event loop behind.
    """
    engine: Any = get_engine()
    log = engine.Log

    def quiet(request: Any, *args: Any, **more: Any) -> object:
        if request.severity == engine_pb2.DEBUG:
            return None
        try:
            return log(request, *args, **more)
        except grpc.RpcError:
            return None

    engine.Log = quiet


def close_left_open(loop: asyncio.AbstractEventLoop | None) -> None:
    """Close the loop of a program whose CLI was stopped under it: the SDK may fail before it does so itself."""
    waiting = threading.Event()
    for _ in range(_PATIENCE):
        if loop is None or loop.is_closed():
            return
        if not loop.is_running():
            break
        waiting.wait(_PAUSE)
    if loop is not None and not loop.is_running():
        loop.close()


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
