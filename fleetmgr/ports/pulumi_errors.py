"""How the Pulumi engine says no. Secrets (passphrases, tokens, values) never appear in any of these.

PulumiError
|- CliMissing        exit 1    no `pulumi` found: how to install it, and that the embedded engine needs nothing
|- CliTooOld         exit 1
|- InstallFailed     exit 1    `fleet doctor --install pulumi`: no network, or the installer failed
|- PluginMissing     exit 1    the Kubernetes provider cannot be had
|- BackendRefused    exit 1/3  unreachable, or credentials missing or wrong
|- PassphraseMissing exit 3    no or a wrong passphrase, or another secrets provider that cannot be opened
|- StackLocked       exit 8    another run holds the stack
|- ForeignState      exit 5    the state is of another fleet or cluster
|- CannotDo          exit 5    what this engine cannot do in a run

A run that began and failed raises nothing: its Outcome has what was done, and ``failure`` or the steps' problems have
one of these codes (``exit_code_of``):

|- RunTimedOut       exit 9    it was told to stop because it took too long
|- ClusterUnreached  exit 4    the Kubernetes provider gets no answer
|- ClusterDenied     exit 3    the cluster knows us not, or forbids it
|- RunStopped        exit 1    somebody asked to stop; what was being written was finished
|- StepRefused       exit 1    the cluster or Pulumi refused a resource
"""

from __future__ import annotations

from typing import ClassVar

from fleetmgr.errors import ExitCode, FleetError, Problem


class PulumiError(FleetError):
    """The Pulumi CLI, its plugin or its backend failed."""

    code: ClassVar[str] = "FLT-9010"


class CliMissing(PulumiError):
    """There is no Pulumi CLI."""

    code: ClassVar[str] = "FLT-9011"


class CliTooOld(PulumiError):
    """The CLI is older than what the engine needs."""

    code: ClassVar[str] = "FLT-9012"


class InstallFailed(PulumiError):
    """The official installer could not install the CLI."""

    code: ClassVar[str] = "FLT-9024"


class PluginMissing(PulumiError):
    """The Kubernetes provider plugin is not there and cannot be installed."""

    code: ClassVar[str] = "FLT-9013"


class BackendRefused(PulumiError):
    """The state backend cannot be reached or used."""

    code: ClassVar[str] = "FLT-9014"


class BackendDenied(BackendRefused):
    """The state backend does not accept who we are."""

    exit_code: ClassVar[ExitCode] = ExitCode.AUTH


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


class RunTimedOut(PulumiError):
    """A run of the CLI took too long."""

    code: ClassVar[str] = "FLT-9019"
    exit_code: ClassVar[ExitCode] = ExitCode.TIMEOUT


class ClusterUnreached(PulumiError):
    """Pulumi's Kubernetes provider cannot reach the cluster."""

    code: ClassVar[str] = "FLT-9020"
    exit_code: ClassVar[ExitCode] = ExitCode.PARTIAL


class ClusterDenied(PulumiError):
    """The cluster refuses who Pulumi's Kubernetes provider acts as."""

    code: ClassVar[str] = "FLT-9021"
    exit_code: ClassVar[ExitCode] = ExitCode.AUTH


class RunStopped(PulumiError):
    """A run of the CLI was asked to stop before it was done."""

    code: ClassVar[str] = "FLT-9022"


class StepRefused(PulumiError):
    """One resource could not be brought to what the plan says."""

    code: ClassVar[str] = "FLT-9023"


_OF_RUNS = (RunTimedOut, ClusterUnreached, ClusterDenied, RunStopped, StepRefused)
_EXIT_CODES = {error.code: error.exit_code for error in _OF_RUNS}


def exit_code_of(problem: Problem) -> ExitCode:
    """What ``Outcome.failure`` or the problem of a step means for the exit code of its cluster."""
    return _EXIT_CODES.get(problem.code, ExitCode.FAILED)
