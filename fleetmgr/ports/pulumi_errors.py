"""How the Pulumi engine says no. Secrets (passphrases, tokens, values) never appear in any of these.

PulumiError
|- CliMissing        exit 1    no `pulumi` found: how to install it, and that the embedded engine needs nothing
|- CliTooOld         exit 1
|- PluginMissing     exit 1    the Kubernetes provider cannot be had
|- BackendRefused    exit 1/3  unreachable, or credentials missing or wrong
|- PassphraseMissing exit 3    no or a wrong passphrase, or another secrets provider that cannot be opened
|- StackLocked       exit 8    another run holds the stack
|- ForeignState      exit 5    the state is of another fleet or cluster
|- CannotDo          exit 5    what this engine cannot do in a run
"""

from __future__ import annotations

from typing import ClassVar

from fleetmgr.errors import ExitCode, FleetError


class PulumiError(FleetError):
    """The Pulumi CLI, its plugin or its backend failed."""

    code: ClassVar[str] = "FLT-9010"


class CliMissing(PulumiError):
    """There is no Pulumi CLI."""

    code: ClassVar[str] = "FLT-9011"


class CliTooOld(PulumiError):
    """The CLI is older than what the engine needs."""

    code: ClassVar[str] = "FLT-9012"


class PluginMissing(PulumiError):
    """The Kubernetes provider plugin is not there and cannot be installed."""

    code: ClassVar[str] = "FLT-9013"


class BackendRefused(PulumiError):
    """The state backend cannot be reached or used."""

    code: ClassVar[str] = "FLT-9014"


class PassphraseMissing(PulumiError):
    """The stack's secrets cannot be opened."""

    code: ClassVar[str] = "FLT-9015"
    exit_code: ClassVar[ExitCode] = ExitCode.AUTH


class StackLocked(PulumiError):
    """Another run holds the stack."""

    code: ClassVar[str] = "FLT-9016"
    exit_code: ClassVar[ExitCode] = ExitCode.LOCKED


class ForeignState(PulumiError):
    """The stack's state belongs to another fleet or cluster."""

    code: ClassVar[str] = "FLT-9017"
    exit_code: ClassVar[ExitCode] = ExitCode.REFUSED


class CannotDo(PulumiError):
    """Something that the Pulumi engine cannot do in a run; the embedded engine can."""

    code: ClassVar[str] = "FLT-9018"
    exit_code: ClassVar[ExitCode] = ExitCode.REFUSED
