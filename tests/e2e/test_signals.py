"""A real apply that is told to stop: once it finishes what it writes, twice it leaves; the next apply goes on."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

import pytest

from tests.e2e.fleets import Fleet
from tests.e2e.test_engine_traps import CONFIG
from tests.e2e.test_leases import FITS_NOWHERE, lease, waiting

pytestmark = pytest.mark.e2e


@pytest.fixture
def fleet(fleets: Callable[..., Fleet]) -> Fleet:
    """One cluster and an app that never gets ready: its apply stays at work."""
    made = fleets()
    made.save()
    made.manifests(config=CONFIG, deployment=FITS_NOWHERE)
    return made


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_one_signal_ends_the_wait_gives_the_lease_back_and_tells_what_was_done(
    fleet: Fleet, number: signal.Signals, code: int
) -> None:
    with waiting(fleet, "-o", "json") as running:
        running.send_signal(number)
        out, err = running.communicate(timeout=60)
    assert running.returncode == code, out + err
    assert "Traceback" not in err
    results = {(r["object"]["kind"], r["outcome"]) for r in json.loads(out)["clusters"][0]["results"]}
    assert {("ConfigMap", "done"), ("Deployment", "done")} <= results
    assert "apply again" in out + err
    assert "holderIdentity" not in lease(fleet)["spec"]
    fleet.manifests(config=CONFIG)
    fleet.apply()
    fleet.assert_settled()


def test_a_second_signal_leaves_at_once_and_the_next_apply_goes_on(fleet: Fleet) -> None:
    with waiting(fleet) as running:
        running.send_signal(signal.SIGINT)
        assert running.stderr is not None
        for line in running.stderr:
            if "once more" in line:
                break
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=30)
    assert running.returncode == 130, err
    assert "Traceback" not in err
    fleet.manifests(config=CONFIG)
    fleet.apply()
    fleet.assert_settled()
