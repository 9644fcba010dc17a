"""The program that plain `pulumi` runs: what it asks for, and when it registers nothing."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pulumi
import pytest

from fleetmgr.adapters.pulumi.collector import paused
from fleetmgr.adapters.pulumi.program import TAKEN_OVER, Selection
from fleetmgr.adapters.pulumi.running import Ready, run
from fleetmgr.engine.registering import registered as completed
from fleetmgr.errors import UsageError
from tests.adapters.pulumi.recording import recorded, registered
from tests.adapters.pulumi.test_program import example

KNOWN = {TAKEN_OVER: {"fleet": "shop", "cluster": "dev-1"}}


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The program leaves the cyclic collector off: its process would end."""
    monkeypatch.setattr("pulumi.get_root_directory", lambda: "/fleet")
    yield
    gc.enable()


def ready(*, inventory: Sequence[str] = (), prepared: list[str] | None = None) -> Ready:
    def prepare() -> Sequence[str]:
        made = prepared if prepared is not None else []
        made.append("web")
        return made

    return Ready(selection=Selection(stack=completed(example())), inventory=tuple(inventory), prepare=prepare)


def test_it_asks_for_its_stack_in_the_folder_of_its_project() -> None:
    asked: list[tuple[Path, str]] = []

    def select(root: Path, cluster: str) -> Ready:
        asked.append((root, cluster))
        return ready()

    requests = registered(lambda: run(select), project="shop", stack="dev-1")
    assert asked == [(Path("/fleet"), "dev-1")]
    assert len(requests) == len(example().resources) + 2


def test_a_project_of_another_name_is_refused() -> None:
    with pytest.raises(pulumi.RunError, match=r"project `other`.*fleet `shop`"):
        registered(lambda: run(lambda _root, _cluster: ready()), project="other", stack="dev-1")


def test_expected_failures_end_without_a_traceback() -> None:
    def select(_root: Path, cluster: str) -> Ready:
        raise UsageError(f"no cluster `{cluster}`")

    with pytest.raises(pulumi.RunError, match="no cluster `dev-9`"):
        registered(lambda: run(select), project="shop", stack="dev-9")


@pytest.mark.parametrize("preview", [True, False])
def test_a_first_run_on_a_cluster_with_an_inventory_registers_nothing(*, preview: bool) -> None:
    prepared: list[str] = []
    with pytest.raises(
        pulumi.RunError, match=r"FLT-9031.*apps api, web.*fleet apply --engine pulumi -c dev-1"
    ):
        recorded(
            lambda: run(lambda _root, _cluster: ready(inventory=("api", "web"), prepared=prepared)),
            project="shop",
            stack="dev-1",
            preview=preview,
        )
    assert not prepared


def test_a_run_leaves_the_output_that_the_next_one_looks_for() -> None:
    first = recorded(lambda: run(lambda _root, _cluster: ready()), project="shop", stack="dev-1")
    assert first.exported == KNOWN
    again = recorded(
        lambda: run(lambda _root, _cluster: ready(inventory=("web",))),
        project="shop",
        stack="dev-1",
        outputs=first.exported,
    )
    assert again.requests.keys() == first.requests.keys()


@pytest.mark.parametrize("preview", [True, False])
def test_namespaces_are_made_by_an_update_only(*, preview: bool) -> None:
    prepared: list[str] = []
    recorded(
        lambda: run(lambda _root, _cluster: ready(prepared=prepared)),
        project="shop",
        stack="dev-1",
        preview=preview,
    )
    assert bool(prepared) is not preview


def test_the_collector_stands_still_until_the_last_run_ends() -> None:
    states: list[bool] = []
    inner_done = threading.Event()

    def inner() -> None:
        with paused():
            states.append(gc.isenabled())
        inner_done.set()

    with paused():
        threading.Thread(target=inner).start()
        assert inner_done.wait(10)
        states.append(gc.isenabled())
    assert states == [False, False]
    assert gc.isenabled()
