"""How often an apply tries an object again whose cluster fails for a moment."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictFloat, StrictInt

from fleetmgr.spec.fields import Count, Duration
from fleetmgr.spec.overlay import SpecModel


class Retry(SpecModel):
    """What is tried again: webhooks that do not answer, namespaces that are just being deleted, errors inside the API
    server. Conflicts, denials and invalid objects never are. Each key is said by the last layer that says it."""

    limit: Count | None = Field(default=None, description="Further attempts for an object; 0 is none (3).")
    backoff: Duration | None = Field(default=None, description="Pause before the first of them (2s).")
    factor: Annotated[StrictInt | StrictFloat, Field(ge=1, le=100)] | None = Field(
        default=None, description="By how much the pause grows each time (2)."
    )
    max_backoff: Duration | None = Field(default=None, description="The longest pause (30s).")
