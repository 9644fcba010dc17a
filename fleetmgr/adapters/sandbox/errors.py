"""What can go wrong with a sandbox."""

from __future__ import annotations

from typing import ClassVar

from fleetmgr.errors import ExitCode, FleetError, UsageError


class SandboxStartFailed(FleetError):
    """A component ended before it was ready; the message ends with its last log lines."""

    code: ClassVar[str] = "FLT-4010"


class SandboxTimeout(FleetError):
    """A component did not become ready in time."""

    code: ClassVar[str] = "FLT-4011"
    exit_code: ClassVar[ExitCode] = ExitCode.TIMEOUT


class SandboxNoSpace(FleetError):
    """The disk is full, or too full to start."""

    code: ClassVar[str] = "FLT-4012"


class SandboxUnknown(UsageError):
    """No sandbox, or no cluster in it, has that name; or the name cannot be one."""

    code: ClassVar[str] = "FLT-4013"


class SandboxStateBroken(FleetError):
    """The sandbox's own files cannot be read or written."""

    code: ClassVar[str] = "FLT-4014"
