"""What every command does that walks the fleet: open it and take the part that was selected."""

from __future__ import annotations

from typing import ClassVar

from msgspec.structs import replace

from fleetmgr.cli.invocation import Invocation
from fleetmgr.errors import UsageError
from fleetmgr.model.consent import NO_CONSENT, Consent
from fleetmgr.model.limits import allowance
from fleetmgr.model.pace import Pace
from fleetmgr.model.selection import Selection
from fleetmgr.operations.walk import Walk
from fleetmgr.wiring import walk as wiring


def open_walk(invocation: Invocation) -> Walk:
    """The fleet of ``--file`` with its ports; raises InvalidInput with every problem of its files."""
    consent = _consent(invocation)
    walk = wiring.open_walk(invocation.file, parallel=invocation.parallel)
    if invocation.lock_timeout and walk.lock is not None:
        walk = replace(walk, lock=replace(walk.lock, timeout=invocation.lock_timeout))
    pace = Pace(wait_for_windows=invocation.wait_for_windows, override_windows=invocation.override_windows)
    return replace(walk, adopt=invocation.adopt, force=invocation.force, consent=consent, pace=pace)


class UnclearConsent(UsageError):
    """A yes that cannot be understood is none."""

    code: ClassVar[str] = "FLT-6402"


def _consent(invocation: Invocation) -> Consent:
    text = invocation.max_deletes
    if text is None:
        return NO_CONSENT
    allowed = allowance(text, said_by="--max-deletes")
    if allowed is None:
        raise UnclearConsent(
            f"--max-deletes {text!r} is neither a number of objects nor a percentage",
            hint="write --max-deletes 20 or --max-deletes 10%",
        )
    return Consent(max_deletes=allowed)


def selection(invocation: Invocation) -> Selection:
    """What ``-e -c -a -l`` select."""
    return Selection(
        environments=invocation.environments,
        clusters=invocation.clusters,
        apps=invocation.apps,
        selectors=invocation.selectors,
    )
