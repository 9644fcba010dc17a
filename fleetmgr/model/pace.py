"""How a person wants this run to go through its rollout."""

from __future__ import annotations

from msgspec import Struct


class Pace(Struct, frozen=True, kw_only=True):
    """``resume``: the rollout to go on with, lifting a person's pause; "" starts one, or goes on with what an
    interrupted run of the same revision left."""

    wait_for_windows: bool = False
    """Wait until a closed window opens, instead of ending with exit code 5."""
    override_windows: str = ""
    """Why windows are ignored in this run; "" obeys them."""
    resume: str = ""
    reason: str = ""
    """Why it is resumed."""


STEADY = Pace()
