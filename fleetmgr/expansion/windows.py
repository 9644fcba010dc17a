"""Windows of fleet.yaml, with their schedules and time zones checked."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fleetmgr.errors import Problem
from fleetmgr.model.rollout import Window, WindowKind
from fleetmgr.model.schedule import BadSchedule, NoZoneData, UnknownZone, check_schedule, zone_of
from fleetmgr.spec.plain import seconds
from fleetmgr.spec.suggest import suggest

if TYPE_CHECKING:
    from fleetmgr.spec import LoadedFleet
    from fleetmgr.spec.rollout import Window as WindowSpec

BAD_SCHEDULE = "FLT-1124"
UNKNOWN_ZONE = "FLT-1125"
NO_ZONES = "FLT-1126"
CANNOT_WORK = "FLT-1127"


def windows_of(
    loaded: LoadedFleet, written: Sequence[WindowSpec], owner: tuple[str, str], problems: list[Problem]
) -> tuple[Window, ...]:
    """The windows of ``owner``, ("environments", "prod") for one; what is wrong is appended to ``problems``."""
    section, name = owner
    for index, window in enumerate(written):
        problems += _wrong(loaded, window, (section, name, "windows", index))
    return tuple(
        Window(
            kind=WindowKind(window.kind),
            schedule=window.schedule,
            duration=seconds(window.duration),
            timezone=window.timezone,
            description=window.description,
            owner=f"{section[:-1]} {name}",
            clusters=(name,) if section == "clusters" else None,
        )
        for window in written
    )


def _wrong(loaded: LoadedFleet, window: WindowSpec, path: tuple[str | int, ...]) -> Iterator[Problem]:
    try:
        check_schedule(window.schedule)
    except BadSchedule as error:
        where = loaded.where(*path, "schedule")
        hint = "minute, hour, day of month, month, day of week: `0 18 * * 5` is Friday at 18:00"
        yield Problem(message=str(error), where=where, hint=hint, code=BAD_SCHEDULE)
    try:
        zone_of(window.timezone)
    except UnknownZone as error:
        hint = suggest(window.timezone, sorted(zoneinfo.available_timezones()), what="time zones")
        yield Problem(message=str(error), where=loaded.where(*path, "timezone"), hint=hint, code=UNKNOWN_ZONE)
    except NoZoneData as error:
        hint = "install the system's tzdata package, or the Python package tzdata beside fleetmgr"
        yield Problem(message=str(error), where=loaded.where(*path, "timezone"), hint=hint, code=NO_ZONES)
    if seconds(window.duration) == 0:
        where = loaded.where(*path, "duration")
        yield Problem(message="`duration` must be more than zero", where=where, code=CANNOT_WORK)
