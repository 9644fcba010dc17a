"""Why a program could not be had."""

from __future__ import annotations

from typing import ClassVar

from fleetmgr.errors import FleetError


class ToolUnavailable(FleetError):
    """Not found, not downloadable, and no way to build it."""

    code: ClassVar[str] = "FLT-4020"


class ToolBuildFailed(FleetError):
    """The compiler, or fetching its inputs, failed; the message ends with its last lines."""

    code: ClassVar[str] = "FLT-4021"


class ToolNoSpace(FleetError):
    """The disk is full, or too full to build."""

    code: ClassVar[str] = "FLT-4022"


class ToolWrongVersion(FleetError):
    """A program that was named explicitly is missing or of another minor version."""

    code: ClassVar[str] = "FLT-4023"
