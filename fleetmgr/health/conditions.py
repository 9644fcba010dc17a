"""What rules read and say: conditions, numbers and generations of a live object, and verdicts in one word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from fleetmgr.model.health import Health, HealthStatus
from fleetmgr.model.jsontypes import JsonObject, array_at, child, is_object
from fleetmgr.model.objects import GroupKind

Rule: TypeAlias = Callable[[JsonObject], Health]
Rules: TypeAlias = Mapping[GroupKind, Rule]

HEALTHY = Health(status=HealthStatus.HEALTHY)
UNSEEN = Health(status=HealthStatus.PROGRESSING, message="waiting for the controller to see the new spec")


def healthy(message: str) -> Health:
    """Healthy, with a note."""
    return Health(status=HealthStatus.HEALTHY, message=message)


def progressing(message: str) -> Health:
    """On its way."""
    return Health(status=HealthStatus.PROGRESSING, message=message)


def degraded(message: str) -> Health:
    """Will not get well by waiting."""
    return Health(status=HealthStatus.DEGRADED, message=message)


def suspended(message: str) -> Health:
    """Held on purpose."""
    return Health(status=HealthStatus.SUSPENDED, message=message)


def unknown(message: str) -> Health:
    """Nobody can say."""
    return Health(status=HealthStatus.UNKNOWN, message=message)


def number(live: JsonObject, *path: str, default: int = 0) -> int:
    """The whole number at ``path``; ``default`` where there is none."""
    value = child(live, *path)
    return int(value) if isinstance(value, (int, float)) else default


def text(live: JsonObject, *path: str) -> str:
    """The text at ``path``; "" where there is none."""
    value = child(live, *path)
    return value if isinstance(value, str) else ""


def conditions(live: JsonObject, *path: str) -> list[JsonObject]:
    """The conditions at ``path`` (``status.conditions`` when nothing is given)."""
    return [item for item in array_at(live, *(path or ("status", "conditions"))) if is_object(item)]


def condition(live: JsonObject, kind: str) -> JsonObject:
    """The status condition of a type, or an empty one."""
    for item in array_at(live, "status", "conditions"):
        if is_object(item) and item.get("type") == kind:
            return item
    return {}


def holds(live: JsonObject, kind: str) -> bool:
    """Whether the condition is True."""
    return condition(live, kind).get("status") == "True"


def fails(live: JsonObject, kind: str) -> bool:
    """Whether the condition is False (not: absent or Unknown)."""
    return condition(live, kind).get("status") == "False"


def said(item: JsonObject, otherwise: str = "") -> str:
    """What a condition says: its message, else its reason."""
    return str(item.get("message") or item.get("reason") or otherwise)


def observed(live: JsonObject) -> bool:
    """Whether the controller has seen the spec as it is now."""
    return number(live, "status", "observedGeneration") >= number(live, "metadata", "generation")


def stale(item: JsonObject, live: JsonObject) -> bool:
    """Whether a condition, or a status, was written for an earlier generation."""
    seen, wanted = item.get("observedGeneration"), child(live, "metadata", "generation")
    return isinstance(seen, int) and isinstance(wanted, int) and seen < wanted


def by_condition(kind: str, *, waiting: str) -> Rule:
    """True is Healthy, False is Degraded, anything else Progressing: what most operators mean by Ready."""

    def rule(live: JsonObject) -> Health:
        found = condition(live, kind)
        match found.get("status"):
            case "True":
                return healthy(str(found.get("message") or ""))
            case "False":
                return degraded(said(found, f"{kind} is False"))
            case _:
                return progressing(said(found, waiting))

    return rule


def by_phase(
    *path: str,
    good: tuple[str, ...],
    bad: tuple[str, ...],
    explained: tuple[str, ...],
    held: tuple[str, ...] = (),
    undecided: tuple[str, ...] = (),
) -> Rule:
    """A rule from the phase at ``path``; ``explained`` is where its message is. Any other phase is on its way."""

    def rule(live: JsonObject) -> Health:
        phase = text(live, *path)
        message = text(live, *explained) or (f"is {phase}" if phase else "has no status yet")
        if phase in good:
            return healthy(text(live, *explained))
        if phase in bad:
            return degraded(message)
        if phase in held:
            return suspended(message)
        return unknown(message) if phase in undecided else progressing(message)

    return rule
