"""URNs taken apart, and how they are asked for as targets."""

from __future__ import annotations

from typing import NamedTuple

from fleetmgr.model.urn import APP_TYPE, STACK_TYPE

_PREFIX = "urn:pulumi:"
_KUBERNETES = "kubernetes:"
_PARTS = 4
PROVIDER_TYPES = "pulumi:providers:"


class Urn(NamedTuple):
    """``type`` is the resource's own, without those of its parents."""

    stack: str
    project: str
    type: str
    name: str

    @property
    def ours(self) -> bool:
        """Whether it stands for an object: not for the stack, a provider or a component."""
        return self.type not in {STACK_TYPE, APP_TYPE} and not self.type.startswith(PROVIDER_TYPES)

    @property
    def secret(self) -> bool:
        """Whether it stands for a Secret."""
        return self.type == "kubernetes:core/v1:Secret"

    @property
    def object(self) -> str:
        """``apps/v1/Deployment/ns/name``, as everywhere else."""
        if not self.type.startswith(_KUBERNETES):
            return f"{self.type} {self.name}"
        version, _, kind = self.type.removeprefix(_KUBERNETES).rpartition(":")
        return f"{version.removeprefix('core/')}/{kind}/{self.name}"


def parsed(urn: str) -> Urn | None:
    """The parts of ``urn``; None for what is none. Names may hold colons (RBAC), the other parts do not."""
    parts = urn.removeprefix(_PREFIX).split("::", 3)
    if not urn.startswith(_PREFIX) or len(parts) != _PARTS:
        return None
    stack, project, qualified, name = parts
    return Urn(stack, project, qualified.rpartition("$")[2], name)


def as_target(urn: str, *, known: bool) -> str:
    """What --target and --exclude take; ``known`` is what the state and the program hold.

    A refresh refuses one that the state does not hold, before the program could say that it will be there, and the end
    of a run one that the refresh found gone (deployment_executor.go, ``checkTargets``), but only one that is spelled
    out: a star that has nothing to stand for makes a pattern of it, which still matches nothing else in this stack.
    """
    return urn if known else urn.replace(_PREFIX, f"{_PREFIX}*", 1)
