"""The Pulumi CLI as the engine of one cluster entry: what is asked of it, and what it says.

Identity is the URN (``Resource.urn``); Pulumi's property paths, never values, tell what differs.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from msgspec import Struct

from fleetmgr.errors import Problem
from fleetmgr.model.resource import Stack
from fleetmgr.ports.stop import Stop


class StepOp(Enum):
    """What Pulumi does with one resource; the parts of a replacement are told as one REPLACE."""

    SAME = "same"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    IMPORT = "import"
    FORGET = "forget"
    """Leaves the state; the object stays (``retainOnDelete``, or gone with its namespace)."""


class Step(Struct, frozen=True, kw_only=True):
    """One resource in one run. ``fields`` are property paths that differ; ``problem`` why it failed."""

    urn: str
    op: StepOp
    fields: tuple[str, ...] = ()
    problem: Problem | None = None


class Request(Struct, frozen=True, kw_only=True):
    """One run over ``stack``, all of whose resources are registered with the inputs and options they carry.

    Only ``targets`` (URNs) are looked at and changed, the rest of the state stays as it is; a target that is not in
    ``stack`` is deleted. None means the whole stack, deletes included. ``replacing`` are targets to be replaced
    whatever the provider thinks of their difference. Live objects are always read first (refresh). ``seconds`` bounds
    the run; None leaves it to the engine's own limit.
    """

    stack: Stack
    targets: tuple[str, ...] | None
    replacing: tuple[str, ...] = ()
    seconds: float | None = None


class Outcome(Struct, frozen=True, kw_only=True):
    """What a run did. ``failure`` is set when the run as a whole failed, with or without failed steps;
    ``warnings`` are Pulumi's own, without secrets."""

    steps: tuple[Step, ...] = ()
    failure: Problem | None = None
    warnings: tuple[str, ...] = ()


class StateResource(Struct, frozen=True, kw_only=True):
    """One Kubernetes resource of the state; ``id`` is ``namespace/name`` or ``name``."""

    urn: str
    type: str
    name: str
    id: str
    protect: bool = False


class StackState(Struct, frozen=True, kw_only=True):
    """What the backend holds of a stack, without values. ``pending`` are URNs whose operation was cut off."""

    exists: bool
    resources: tuple[StateResource, ...] = ()
    pending: tuple[str, ...] = ()


class PulumiStack(Protocol):
    """The stack of one cluster entry. Every method raises PulumiError (ports.pulumi_errors)."""

    def state(self) -> StackState:
        """Read from the backend; makes no stack."""
        ...

    def preview(self, request: Request, *, stop: Stop) -> Outcome:
        """What ``up`` would do; writes nothing, no state either."""
        ...

    def up(self, request: Request, *, stop: Stop, on_step: Callable[[Step], None]) -> Outcome:
        """Perform; makes the stack when there is none. ``on_step`` is told each resource as it ends, from a thread of
        the engine. When ``stop`` is set, what is being written is finished and nothing else begun."""
        ...

    def forget(self, urns: tuple[str, ...]) -> None:
        """Take resources out of the state; live objects stay."""
        ...

    def remove(self) -> None:
        """Remove the stack itself, which must be empty."""
        ...

    def deployment(self) -> bytes:
        """The state as ``pulumi stack export`` writes it (secrets stay encrypted)."""
        ...


class PulumiEngine(Protocol):
    """Opens stacks; knows the CLI, its plugins and the backends of the fleet."""

    def stack(self, cluster: str) -> PulumiStack:
        """The stack of an entry. Raises CliMissing, CliTooOld, PluginMissing before anything runs side by side."""
        ...
