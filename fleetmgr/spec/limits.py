"""``limits``: how much one apply may delete."""

from __future__ import annotations

from pydantic import Field

from fleetmgr.spec.fields import Bool, Count, Percentage
from fleetmgr.spec.overlay import SpecModel


class Limits(SpecModel):
    """What one apply may delete on one cluster. A guard: the strictest of environment, cluster and app holds."""

    max_deletes: Count | Percentage | None = Field(
        default=None,
        description="Objects that one apply may delete or replace on a cluster, or a part of those that it owns"
        " there such as 10%; unset is 10 or 10%, whichever is more. In an app: of that app's objects.",
    )
    allow_empty: Bool | None = Field(
        default=None,
        description="Whether an apply may delete everything that an app has on a cluster, or all that is there;"
        " false (default).",
    )
