"""Cron schedules in local wall time: when something opens, daylight saving included.

The library is loaded when the first schedule is read: most fleets have none.
"""

from __future__ import annotations

import importlib
import zoneinfo
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

_FIELDS = 5
_SHIFT = timedelta(hours=4)
"""More than a clock is ever put forward or back."""
_ANY_TIME = datetime(2024, 1, 1, tzinfo=UTC).replace(tzinfo=None)


class BadSchedule(ValueError):
    """The text is no schedule of five fields, or one that never comes."""


class UnknownZone(ValueError):
    """There is no time zone of that name."""


class NoZoneData(ValueError):
    """This machine knows no time zones at all, as slim images of systems do."""


def zone_of(name: str) -> tzinfo:
    """The time zone of an IANA name; ``UTC`` is always there. Raises UnknownZone and NoZoneData."""
    if name == "UTC":
        return UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        if not zoneinfo.available_timezones():
            raise NoZoneData("this machine has no time zone data") from None
        raise UnknownZone(f"there is no time zone `{name[:80]}`") from None


def check_schedule(text: str) -> None:
    """Raises BadSchedule, with what is wrong."""
    found = len(text.split())
    if found != _FIELDS:
        raise BadSchedule(f"`{text[:80]}` has {found} fields instead of {_FIELDS}")
    try:
        first = next(_wall_times(text, _ANY_TIME), None)
    except (_library().CronSimError, ValueError) as error:
        raise BadSchedule(f"`{text[:80]}` is no schedule: {error}") from None
    if first is None:
        raise BadSchedule(f"`{text[:80]}` never comes")


def latest_opening(text: str, zone: str, at: datetime) -> datetime | None:
    """The last time at or before ``at`` (aware) when the schedule came, in its zone; None in 50 years.

    Daylight saving, as Debian's cron has it: a schedule of fixed hours and minutes comes right after the gap when
    its time is skipped, and once when its time comes twice; one with ``*`` follows the clock.
    """
    return _latest(text, zone, _minute(at))


def next_opening(text: str, zone: str, at: datetime) -> datetime | None:
    """The first time after ``at`` (aware) when the schedule comes, in its zone; None in 50 years."""
    return _next(text, zone, _minute(at))


def _minute(at: datetime) -> datetime:
    """Schedules come at full minutes."""
    return at.astimezone(UTC).replace(second=0, microsecond=0)


@lru_cache(maxsize=4096)
def _latest(text: str, zone: str, at: datetime) -> datetime | None:
    found = _openings(text, zone_of(zone), at + timedelta(minutes=1), lambda time: time <= at, back=True)
    return max(found).astimezone(zone_of(zone)) if found else None


@lru_cache(maxsize=4096)
def _next(text: str, zone: str, at: datetime) -> datetime | None:
    found = _openings(text, zone_of(zone), at, lambda time: time > at, back=False)
    return min(found).astimezone(zone_of(zone)) if found else None


def _openings(
    text: str, zone: tzinfo, start: datetime, wanted: Callable[[datetime], bool], *, back: bool
) -> list[datetime]:
    """The nearest wanted opening; around a change of the clocks, where wall time does not only go forward, every
    one that may be the nearest. In UTC: times of one zone are compared by their wall time in Python."""
    way = -1 if back else 1
    found: list[datetime] = []
    last: datetime | None = None
    begin = start.astimezone(zone).replace(tzinfo=None) - way * (
        timedelta() if _steady(start, zone) else _SHIFT
    )
    for wall in _wall_times(text, begin, back=back):
        if last is not None and (wall - last) * way > timedelta():
            break
        found += [time for time in _resolved(wall, zone, text) if wanted(time)]
        if found and last is None:
            if _steady(found[0], zone):
                break
            last = wall + way * _SHIFT
    return found


def _steady(time: datetime, zone: tzinfo) -> bool:
    """Whether no change of the clocks is near."""
    before, after = (time - _SHIFT).astimezone(zone), (time + _SHIFT).astimezone(zone)
    return before.utcoffset() == after.utcoffset()


def _resolved(wall: datetime, zone: tzinfo, text: str) -> list[datetime]:
    """The moments (UTC) at which ``wall`` is shown by the clocks of ``zone``: one, two, or none."""
    fixed = not any(field.startswith("*") for field in text.split()[:2])
    local = wall.replace(tzinfo=zone)
    moments = [local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    shown = [moment for moment in moments if moment.astimezone(zone).replace(tzinfo=None) == wall]
    if not shown and fixed:
        return _resolved(wall + timedelta(minutes=1), zone, text)
    return list(dict.fromkeys(shown[:1] if fixed else shown))


def _wall_times(text: str, since: datetime, *, back: bool = False) -> Iterator[datetime]:
    times: Iterator[datetime] = _library().CronSim(text, since, reverse=back)
    return times


@lru_cache(maxsize=1)
def _library() -> Any:
    return importlib.import_module("cronsim")
