"""Windows: Argo CD's rule for one owner, all owners must allow, daylight saving in local wall time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetmgr.model import schedule
from fleetmgr.model.rollout import Window, WindowKind
from fleetmgr.model.schedule import (
    BadSchedule,
    NoZoneData,
    UnknownZone,
    check_schedule,
    latest_opening,
    next_opening,
    zone_of,
)
from fleetmgr.model.timespan import span
from fleetmgr.rollout.windows import active, closed, told

FRIDAY = "0 18 * * 5"


def deny(text: str, hours: float = 1, zone: str = "UTC", owner: str = "environment prod") -> Window:
    return Window(kind=WindowKind.DENY, schedule=text, duration=hours * 3600, timezone=zone, owner=owner)


def allow(text: str, hours: float = 1, zone: str = "UTC", owner: str = "environment prod") -> Window:
    return Window(kind=WindowKind.ALLOW, schedule=text, duration=hours * 3600, timezone=zone, owner=owner)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def is_closed(at: str, *windows: Window) -> bool:
    return closed(windows, "c", utc(at)) is not None


def opens(at: str, *windows: Window) -> str | None:
    found = closed(windows, "c", utc(at))
    assert found is not None
    return found.opens.isoformat() if found.opens else None


def test_no_window_is_open():
    assert not is_closed("2026-11-21T12:00")


def test_a_deny_is_closed_from_its_opening_until_just_before_its_end():
    window = deny("0 12 * * *")
    assert not is_closed("2026-11-21T11:59:59", window)
    assert is_closed("2026-11-21T12:00", window)
    assert is_closed("2026-11-21T12:59:59", window)
    assert not is_closed("2026-11-21T13:00", window)


def test_an_allow_that_is_not_active_is_closed_and_a_deny_wins_over_it():
    assert is_closed("2026-11-21T11:00", allow("0 12 * * *"))
    assert not is_closed("2026-11-21T12:30", allow("0 12 * * *"))
    assert not is_closed("2026-11-21T12:30", allow("0 12 * * *"), allow("0 3 * * *"))
    assert is_closed("2026-11-21T12:30", allow("0 12 * * *"), deny("30 12 * * *"))


def test_every_owner_must_allow():
    environment, app = allow("0 12 * * *", 4), allow("0 14 * * *", 4, owner="app web")
    assert is_closed("2026-11-21T12:30", environment, app)
    assert not is_closed("2026-11-21T14:30", environment, app)
    assert is_closed("2026-11-21T16:30", environment, app)
    assert opens("2026-11-21T16:30", environment, app) == "2026-11-22T14:00:00+00:00"


def test_the_weekend_of_the_example_ends_on_monday_morning_in_seoul():
    window = deny(FRIDAY, 62, "Asia/Seoul")
    assert is_closed("2026-11-21T12:00", window)
    assert opens("2026-11-21T12:00", window) == "2026-11-23T08:00:00+09:00"
    assert told(window) == f"environment prod denies changes from `{FRIDAY}` for 62h (Asia/Seoul)"


def test_openings_that_overlap_are_one():
    window = deny("0 */2 * * *", 3)
    assert opens("2026-11-21T12:00", window) is None
    assert opens("2026-11-21T12:00", deny("0 12,14 * * *", 3)) == "2026-11-21T17:00:00+00:00"


def test_a_window_of_another_cluster_does_not_bind():
    window = Window(kind=WindowKind.DENY, schedule="* * * * *", duration=60, clusters=("other",))
    assert closed([window], "c", utc("2026-11-21T12:00")) is None


def test_a_time_that_daylight_saving_skips_opens_right_after_the_gap():
    # Berlin, 2026-03-29: 02:00 is 03:00 (01:00 UTC)
    window = deny("30 2 * * *", 1, "Europe/Berlin")
    assert not is_closed("2026-03-29T00:59", window)
    assert is_closed("2026-03-29T01:00", window)
    assert is_closed("2026-03-29T01:59", window)
    assert not is_closed("2026-03-29T02:00", window)


def test_a_time_that_comes_twice_opens_once():
    # Berlin, 2026-10-25: 03:00 is 02:00 again (01:00 UTC)
    window = deny("30 2 * * *", 1, "Europe/Berlin")
    assert not is_closed("2026-10-25T00:29", window)
    assert is_closed("2026-10-25T00:30", window)
    assert is_closed("2026-10-25T01:10", window)  # 02:10 for the second time
    assert not is_closed("2026-10-25T01:30", window)  # 02:30 for the second time


def test_wall_time_is_kept_over_the_change():
    window = deny("0 9 * * *", 1, "Europe/Berlin")
    assert is_closed("2026-03-28T08:30", window)
    assert is_closed("2026-03-29T07:30", window)
    assert not is_closed("2026-03-29T08:30", window)


@pytest.mark.parametrize(
    "text",
    ["0 18 * * FRI", "*/15 9-17 * * mon-fri", "0 0 L * *", "0 0 * * 1#2", "0 0 1,15 * *", "59 23 29 2 *"],
)
def test_schedules_that_are_read(text: str):
    check_schedule(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 18 * *", "has 4 fields"),
        ("0 0 18 * * 5", "has 6 fields"),
        ("@daily", "has 1 fields"),
        ("60 * * * *", "Bad minute"),
        ("0 24 * * *", "Bad hour"),
        ("0 0 30 2 *", "Bad day-of-month"),
        ("0 0 * * 5-1", "Bad day-of-week"),
        ("*/0 * * * *", "Bad minute"),
        ("a b c d e", "Bad minute"),
    ],
)
def test_what_is_no_schedule(text: str, message: str):
    with pytest.raises(BadSchedule, match=message):
        check_schedule(text)


def test_zones():
    assert zone_of("UTC") is UTC
    assert zone_of("Asia/Seoul") == ZoneInfo("Asia/Seoul")
    for name in ("Asia/Soul", "../etc/passwd", "/etc/localtime", "Asia", ""):
        with pytest.raises(UnknownZone):
            zone_of(name)


def test_a_system_without_time_zones_is_told_apart(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(schedule.zoneinfo, "available_timezones", set[str])
    assert zone_of("UTC") is UTC
    with pytest.raises(NoZoneData):
        zone_of("Nowhere/AtAll")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.25, "250ms"), (59, "59s"), (5400, "1h30m"), (223200, "62h"), (3661, "1h1m1s")],
)
def test_spans(seconds: float, text: str):
    assert span(seconds) == text


ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Seoul"])
SCHEDULES = st.builds(
    "{} {} * * {}".format,
    st.sampled_from(["0", "30", "*/20", "15,45"]),
    st.sampled_from(["*", "2", "0-3", "*/6"]),
    st.sampled_from(["*", "0", "5"]),
)
TIMES = st.one_of(
    st.datetimes(datetime(2026, 3, 27), datetime(2026, 4, 6)),  # noqa: DTZ001 - made aware below
    st.datetimes(datetime(2026, 10, 23), datetime(2026, 11, 3)),  # noqa: DTZ001 - made aware below
).map(lambda time: time.replace(tzinfo=UTC))


@settings(max_examples=150, deadline=None)
@given(SCHEDULES, ZONES, TIMES)
def test_before_and_after_meet_around_daylight_saving(text: str, zone: str, at: datetime):
    before, after = latest_opening(text, zone, at), next_opening(text, zone, at)
    assert before is not None
    assert after is not None
    assert before.astimezone(UTC) <= at < after.astimezone(UTC)
    assert next_opening(text, zone, before) == after
    assert latest_opening(text, zone, after) == after
    assert latest_opening(text, zone, after.astimezone(UTC) - timedelta(minutes=1)) == before


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.builds(
            Window,
            kind=st.sampled_from(WindowKind),
            schedule=SCHEDULES,
            timezone=ZONES,
            duration=st.sampled_from([60.0, 1800.0, 3600.0, 30 * 3600.0]),
            owner=st.sampled_from(["environment e", "cluster c", "app a"]),
        ),
        min_size=1,
        max_size=3,
    ),
    TIMES,
)
def test_what_is_promised_to_open_does(windows: list[Window], at: datetime):
    found = closed(windows, "c", at)
    if found is None or found.opens is None:
        return
    assert found.opens > at
    assert closed(windows, "c", found.opens) is None
    just_before = found.opens.astimezone(UTC) - timedelta(seconds=1)
    assert just_before < at or closed(windows, "c", just_before) is not None
    assert any(active(w, at) == (w.kind is WindowKind.DENY) for w in windows)
