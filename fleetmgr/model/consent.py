"""What the person or pipeline behind one run has said yes to, beyond the run itself."""

from __future__ import annotations

from msgspec import Struct

from fleetmgr.model.limits import Allowance


class Consent(Struct, frozen=True, kw_only=True):
    """``max_deletes``: so much may be deleted in this run, whatever fleet.yaml allows."""

    max_deletes: Allowance | None = None


NO_CONSENT = Consent()
