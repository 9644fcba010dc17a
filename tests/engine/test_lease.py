"""When a lease may be taken over: by what an observer sees, never by what a clock says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fleetmgr.engine.lease import (
    Observed,
    Standing,
    lease_body,
    looks_abandoned,
    observe,
    read_lease,
    standing,
)
from fleetmgr.model.lease import DOUBTFUL, DURATION, RENEW_EVERY, Holder, Lease

HOLDER = Holder(actor="ann@host", host="host", pid=7, command="fleet apply -e prod", process="m/7/1")
HELD = Lease(
    name="shop.dev-1",
    version="5",
    uid="u",
    identity="ann@host_1",
    holder=HOLDER,
    plan_id="abc",
    since="2026-01-01T00:00:00.000000Z",
    renewed="2026-01-01T00:00:08.000000Z",
    transitions=3,
    unlocked={"unlocked-by": "bob", "unlock-reason": "runner died"},
)


def test_what_is_written_is_read_back() -> None:
    body = lease_body("shop", "dev-1", HELD)
    body["metadata"]["uid"] = "u"
    assert read_lease(body) == HELD


def test_a_free_lease_names_nobody_and_remembers_who_unlocked_it() -> None:
    body = lease_body("shop", "dev-1", replace(HELD, identity="", holder=None, plan_id=""))
    assert "holderIdentity" not in body["spec"]
    found = read_lease(body)
    assert found.holder is None
    assert found.transitions == 3
    assert found.unlocked["unlocked-by"] == "bob"


def test_what_others_wrote_into_it_is_no_crash() -> None:
    odd = {"metadata": {"annotations": {"fleetmgr.dev/pid": "x"}}, "spec": {"holderIdentity": "kubectl"}}
    lease = read_lease(odd)
    assert lease.holder is not None
    assert (lease.holder.actor, lease.holder.pid, lease.duration) == ("kubectl", 0, DURATION)


@given(
    st.lists(st.floats(min_value=0.1, max_value=DURATION - 0.1), min_size=1, max_size=20),
    st.timedeltas(min_value=timedelta(minutes=-10), max_value=timedelta(minutes=10)),
)
def test_a_holder_that_renews_is_never_passed_over_whatever_the_clocks_say(
    gaps: list[float], skew: timedelta
) -> None:
    """Each look sees a renewal that is newer than the last; the observer's clock is off by ``skew``."""
    now, observed = 0.0, None
    for number, gap in enumerate(gaps):
        stamp = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=now) + skew).isoformat()
        lease = replace(HELD, version=str(number), renewed=stamp)
        observed = observe(observed, lease, answered=now)
        assert standing(observed, asked=now, dead=False) is Standing.HELD
        now += gap


@given(st.floats(min_value=0, max_value=1e6), st.timedeltas())
def test_a_holder_that_is_silent_is_passed_over_after_its_duration(start: float, skew: timedelta) -> None:
    del skew
    observed = observe(None, HELD, answered=start)
    observed = observe(observed, HELD, answered=start + DURATION)
    assert standing(observed, asked=start + DURATION - 0.5, dead=False) is Standing.HELD
    assert standing(observed, asked=start + DURATION + 0.5, dead=False) is Standing.ABANDONED


def test_a_dead_process_is_passed_over_at_once_and_a_free_lease_too() -> None:
    seen = Observed(lease=HELD, since=0.0)
    assert standing(seen, asked=0.0, dead=True) is Standing.ABANDONED
    free = Observed(lease=replace(HELD, identity="", holder=None), since=0.0)
    assert standing(free, asked=0.0, dead=False) is Standing.FREE


def test_a_lease_that_was_made_anew_is_another_one() -> None:
    seen = observe(None, HELD, answered=0.0)
    assert observe(seen, replace(HELD, uid="other"), answered=9.0).since == 9.0


def test_clocks_only_say_whether_a_look_is_worth_its_while() -> None:
    at = datetime(2026, 1, 1, 0, 0, 8, tzinfo=UTC)
    assert not looks_abandoned(HELD, at + timedelta(seconds=20))
    assert looks_abandoned(HELD, at + timedelta(minutes=2))
    assert looks_abandoned(HELD, at - timedelta(minutes=10))
    assert looks_abandoned(replace(HELD, renewed="soon"), at)


def test_a_holder_doubts_before_others_may_pass_it_over() -> None:
    assert RENEW_EVERY * 2 < DOUBTFUL < DURATION
