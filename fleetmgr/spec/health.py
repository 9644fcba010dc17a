"""Health rules of a fleet's own kinds: ``health:`` of fleet.yaml."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from fleetmgr.spec.overlay import SpecModel

Status: TypeAlias = Literal["Healthy", "Suspended", "Progressing", "Degraded", "Missing", "Unknown"]


class HealthRule(SpecModel):
    """One status and when it holds."""

    status: Status = Field(description="The status that the object has.")
    when: str = Field(
        min_length=1, description="CEL that is true of the object (`self`); has() asks for fields."
    )
    message: str | None = Field(default=None, description="Why, as plain text.")
    message_expression: str | None = Field(
        default=None, min_length=1, description="Why, as CEL that gives a string; wins over `message`."
    )


class KindHealth(SpecModel):
    """Health of one kind; goes before the built-in rule of that kind."""

    group: str = Field(default="", description="API group; left out for the core group.")
    kind: str = Field(min_length=1, description="Kind.")
    rules: tuple[HealthRule, ...] = Field(description="The first that holds decides.")
    default: Status | None = Field(
        default=None, description="Status when no rule holds; left out, the built-in judgement."
    )
