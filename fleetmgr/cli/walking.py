"""What every command does that walks the fleet: open it and take the part that was selected."""

from __future__ import annotations

import re
from typing import ClassVar

from msgspec.structs import replace

from fleetmgr.cli.invocation import Invocation
from fleetmgr.errors import UsageError
from fleetmgr.model.consent import NO_CONSENT, Consent
from fleetmgr.model.limits import Allowance, allowance
from fleetmgr.model.pace import Pace
from fleetmgr.model.selection import Selection
from fleetmgr.model.verify import Verify
from fleetmgr.operations.walk import Walk
from fleetmgr.wiring import walk as wiring

_ADDRESS = re.compile(r"[A-Za-z]+(/[^/\s]+){1,2}")


def open_walk(invocation: Invocation) -> Walk:
    """The fleet of ``--file`` with its ports; raises InvalidInput with every problem of its files."""
    consent = _consent(invocation)
    walk = _opened(invocation)
    if invocation.lock_timeout and walk.lock is not None:
        walk = replace(walk, lock=replace(walk.lock, timeout=invocation.lock_timeout))
    pace = Pace(wait_for_windows=invocation.wait_for_windows, override_windows=invocation.override_windows)
    verify = Verify(invocation.verify)
    if invocation.extra_fields:
        walk = replace(walk, extra_fields=True)
    if invocation.allow_dirty:
        walk = replace(walk, dirty_reason=invocation.allow_dirty)
    said = invocation.adopt or invocation.force or verify is not Verify.AUTO
    if not said and consent == NO_CONSENT and pace == Pace():
        return walk
    return replace(
        walk,
        adopt=invocation.adopt,
        force=invocation.force,
        verify=verify,
        consent=consent,
        pace=pace,
    )


def _opened(invocation: Invocation) -> Walk:
    watch = invocation.stopwatch
    if watch is None:
        return wiring.open_walk(invocation.file, parallel=invocation.parallel, engine=invocation.engine)
    with watch.loading():
        walk = wiring.open_walk(invocation.file, parallel=invocation.parallel, engine=invocation.engine)
    watch.counts(walk.connector.sent)
    return walk


class UnclearConsent(UsageError):
    """A yes that cannot be understood is none."""

    code: ClassVar[str] = "FLT-6402"


def _consent(invocation: Invocation) -> Consent:
    unclear = [text for text in invocation.delete_protected if not _ADDRESS.fullmatch(text)]
    if unclear:
        raise UnclearConsent(
            f"--delete-protected {unclear[0]!r} names no object",
            hint="write KIND/NAMESPACE/NAME as the plan does, or KIND/NAME for one without a namespace",
        )
    return Consent(
        max_deletes=_allowed(invocation.max_deletes),
        confirm_deletes=invocation.confirm_deletes,
        protected=frozenset(invocation.delete_protected),
    )


def _allowed(text: str | None) -> Allowance | None:
    allowed = None if text is None else allowance(text, said_by="--max-deletes")
    if text is not None and allowed is None:
        raise UnclearConsent(
            f"--max-deletes {text!r} is neither a number of objects nor a percentage",
            hint="write --max-deletes 20 or --max-deletes 10%",
        )
    return allowed


def selection(invocation: Invocation) -> Selection:
    """What ``-e -c -a -l`` select."""
    return Selection(
        environments=invocation.environments,
        clusters=invocation.clusters,
        apps=invocation.apps,
        selectors=invocation.selectors,
    )
