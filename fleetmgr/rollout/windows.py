"""Whether windows let a cluster be begun now, and when they will.

The windows of one owner follow Argo CD's rule (``SyncWindows.CanSync``, argo-cd pkg/apis/application/v1alpha1): none
is open; an active deny is closed; else an active allow is open; else any allow that is not active is closed; else
open. Owners (environment, cluster, app) are guards: each of them must be open.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from fleetmgr.model.rollout import Window, WindowKind
from fleetmgr.model.schedule import latest_opening, next_opening, zone_of
from fleetmgr.model.timespan import span

_HORIZON = timedelta(days=366)
_CHANGES = 500
"""Openings and closings that are looked at, at most."""


class Closed(Struct, frozen=True, kw_only=True):
    """No start now. ``opens``: when, in the zone of the window that is closed; None: not within a year."""

    why: str
    opens: datetime | None


def closed(windows: Sequence[Window], cluster: str, at: datetime) -> Closed | None:
    """What keeps ``cluster`` from being begun at ``at`` (aware); None: nothing does."""
    binding = [w for w in windows if w.clusters is None or cluster in w.clusters]
    if not binding:
        return None
    shut = _shut(binding, at)
    return shut and Closed(why=told(shut), opens=_opens(binding, shut, at))


def told(window: Window) -> str:
    """A window for people: ``environment prod denies changes from `0 18 * * 5` for 62h (Asia/Seoul): freeze``."""
    verb = "denies changes" if window.kind is WindowKind.DENY else "allows changes only"
    about = f": {window.description}" if window.description else ""
    length = span(window.duration)
    return f"{window.owner} {verb} from `{window.schedule}` for {length} ({window.timezone}){about}"


def active(window: Window, at: datetime) -> bool:
    """Whether the window is open at ``at``: from its opening on, until just before its end."""
    return _end(window, at) > at


def _end(window: Window, at: datetime) -> datetime:
    """The end of the opening that came last; before ``at`` when it is over or there was none."""
    opening = latest_opening(window.schedule, window.timezone, at)
    if opening is None:
        return at - timedelta(seconds=1)
    return opening.astimezone(UTC) + timedelta(seconds=window.duration)


def _shut(binding: Sequence[Window], at: datetime) -> Window | None:
    """The window that keeps changes out at ``at``."""
    for owner in dict.fromkeys(w.owner for w in binding):
        own = [w for w in binding if w.owner == owner]
        allows = [w for w in own if w.kind is WindowKind.ALLOW]
        for window in own:
            if window.kind is WindowKind.DENY and active(window, at):
                return window
        if allows and not any(active(window, at) for window in allows):
            return allows[0]
    return None


def _opens(binding: Sequence[Window], shut: Window, at: datetime) -> datetime | None:
    """Steps from change to change until nothing is shut any more."""
    zone = zone_of(shut.timezone)
    time, closing = at, shut
    for _ in range(_CHANGES):
        later = _changes(binding, closing, time)
        if later is None or later - at > _HORIZON:
            return None
        time = later
        found = _shut(binding, time)
        if found is None:
            return time.astimezone(zone)
        closing = found
    return None


def _changes(binding: Sequence[Window], closing: Window, at: datetime) -> datetime | None:
    """When ``closing`` may stop to keep changes out: a deny ends, or an allow of its owner opens."""
    if closing.kind is WindowKind.DENY:
        return _end(closing, at)
    allows = [w for w in binding if w.owner == closing.owner and w.kind is WindowKind.ALLOW]
    found = [next_opening(w.schedule, w.timezone, at) for w in allows]
    return min((opening.astimezone(UTC) for opening in found if opening), default=None)
