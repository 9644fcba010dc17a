"""A control plane that dies in the middle of an apply, and one whose store is put back to an earlier state: nothing is
done twice, nothing is deleted that the plan did not see, and the next apply converges."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetmgr.adapters.sandbox import processes
from fleetmgr.adapters.toolchain.errors import ToolUnavailable
from fleetmgr.ports.sandbox import UpRequest
from fleetmgr.wiring import sandbox as wiring
from tests.e2e.conftest import START_SECONDS, SandboxClusters, sandbox_name
from tests.e2e.fleets import Fleet
from tests.e2e.test_leases import FITS_NOWHERE, READY, lease, waiting
from tests.e2e.test_order import DEPLOYMENT, HOOK, JOB, config, named, runs

pytestmark = pytest.mark.e2e

MANY = 120


class Plane:
    """One control plane of its own, which may be killed and put back."""

    def __init__(self, name: str) -> None:
        self.ports = wiring.sandbox(name)
        self.tools = self.ports.toolchain.provide(_ignore)

    def up(self) -> SandboxClusters:
        """Start what does not run."""
        request = UpRequest(clusters=1, only=(), timeout=START_SECONDS)
        status = self.ports.sandbox.up(self.tools, request, _ignore)
        contexts = tuple(cluster.name for cluster in status.clusters)
        return SandboxClusters(kubeconfig=status.kubeconfig, contexts=contexts)

    def pids(self) -> dict[str, int]:
        """What runs, by the name of its program."""
        status = self.ports.sandbox.status()
        parts = [*status.shared, *(p for cluster in status.clusters for p in cluster.processes)]
        return {part.name: part.pid for part in parts if part.pid is not None}

    def kill(self, *programs: str) -> None:
        """As a machine that loses its power."""
        for program, pid in self.pids().items():
            if program in programs or not programs:
                os.kill(pid, signal.SIGKILL)
                while processes.find(pid) is not None:
                    time.sleep(0.02)  # noqa: TID251 - another process's end cannot be awaited otherwise

    def copy(self, folder: Path) -> None:
        """A backup of the store as it is at one moment."""
        etcd = self.pids()["etcd"]
        os.kill(etcd, signal.SIGSTOP)
        try:
            shutil.copytree(self._data, folder)
        finally:
            os.kill(etcd, signal.SIGCONT)

    def restore(self, folder: Path) -> None:
        """What happened since the backup never happened."""
        data = self._data
        self.kill()
        shutil.rmtree(data)
        shutil.copytree(folder, data)
        self.up()

    @property
    def _data(self) -> Path:
        return self.ports.sandbox.status().shared[0].log.parent.parent / "etcd-data"


def _ignore(line: str) -> None:
    del line


@pytest.fixture(scope="module")
def plane() -> Iterator[Plane]:
    try:
        made = Plane(f"{sandbox_name()}-r")
    except ToolUnavailable as error:
        pytest.skip(f"no control planes here: {error}")
    try:
        made.up()
        yield made
    finally:
        made.ports.sandbox.down((), _ignore, keep_data=False)


@pytest.fixture
def fleet(plane: Plane, tmp_path: Path) -> Iterator[Fleet]:
    """Apps ``web`` and ``api``, which needs it; prune is on."""
    made = Fleet(tmp_path / "fleet", plane.up())
    made.defaults = {"limits": {"maxDeletes": "100%"}}
    made.apps = [made.app("web"), made.app("api", dependsOn=["web"])]
    made.save()
    yield made
    made.discard()


def uids(fleet: Fleet) -> dict[str, str]:
    live = fleet.everything("configmap", "deployment", "job")
    return {name: item["metadata"]["uid"] for name, item in live.items()}


@pytest.mark.parametrize("program", ["kube-apiserver", "etcd"])
def test_a_control_plane_that_restarts_while_an_apply_waits(fleet: Fleet, plane: Plane, program: str) -> None:
    hook = named(JOB, "migrate", HOOK.format("PreSync"))
    fleet.manifests(config=config("settings"), deployment=FITS_NOWHERE, migrate=hook)
    fleet.manifests("api", config=config("of-api"))
    with waiting(fleet) as running:
        before = uids(fleet)
        plane.kill(program)
        plane.up()
        fleet.kubectl("wait", "--for=create", "--timeout=60s", "deployment/web")
        fleet.kubectl("patch", "deployment", "web", "--type=json", "-p", READY)
        out, err = running.communicate(timeout=120)
    assert running.returncode == 0, out + err
    after = uids(fleet)
    assert before.items() <= after.items()
    assert "ConfigMap/of-api" in after
    assert "holderIdentity" not in lease(fleet)["spec"]
    assert fleet.plan().ops() == {("update", "Deployment/web")}
    fleet.apply("--no-wait")
    assert uids(fleet) == after
    fleet.assert_settled()


def test_a_control_plane_that_dies_under_the_writes(fleet: Fleet, plane: Plane) -> None:
    fleet.manifests(
        config="---".join(config(f"settings-{n}") for n in range(MANY)),
        migrate=named(JOB, "migrate", HOOK.format("PreSync")),
    )
    fleet.manifests("api", config=config("of-api"))
    with fleet.start("apply", "--yes", "-o", "json") as running:
        assert running.stderr is not None
        seen = 0
        for line in running.stderr:
            seen += "created ConfigMap" in line
            if seen == MANY // 4:
                break
        plane.kill("kube-apiserver")
        plane.up()
        out, err = running.communicate(timeout=120)
    assert running.returncode in (0, 1, 4), out + err
    outcomes = [r["outcome"] for c in json.loads(out)["clusters"] for r in c["results"]]
    before = uids(fleet)
    assert outcomes.count("done") >= MANY // 4
    assert len(before) >= MANY // 4
    fleet.apply()
    after = uids(fleet)
    assert before.items() <= after.items(), "something was made twice"
    assert len(runs(fleet, "migrate")) == 1
    assert {f"ConfigMap/settings-{n}" for n in range(MANY)} | {"ConfigMap/of-api"} <= after.keys()
    fleet.assert_settled()


def test_a_store_that_was_put_back_is_planned_as_it_is(fleet: Fleet, plane: Plane, tmp_path: Path) -> None:
    fleet.manifests(keep=config("keep"), old=config("old"))
    fleet.apps = [fleet.app("web")]
    fleet.save()
    fleet.commit()
    fleet.apply()
    first = uids(fleet)
    plane.copy(tmp_path / "backup")
    fleet.apps = [fleet.app("web"), fleet.app("later")]
    fleet.save()
    fleet.manifests(keep=config("keep", "2"), new=config("new"))
    fleet.manifests("later", config=config("of-later"))
    fleet.kubectl("delete", "configmap", "keep")
    fleet.commit()
    fleet.apply()
    assert uids(fleet)["ConfigMap/keep"] != first["ConfigMap/keep"]
    fleet.manifests(keep=config("keep", "3"), new=config("new"))
    fleet.commit()
    saved = fleet.run("plan", "--out", str(tmp_path / "saved.plan"))
    assert saved.code == 0, saved.text
    plane.restore(tmp_path / "backup")

    stale = fleet.run("apply", str(tmp_path / "saved.plan"), "--yes")
    assert stale.code == 6, stale.text
    assert uids(fleet) == first
    assert fleet.plan().ops() == {
        ("update", "ConfigMap/keep"),
        ("create", "ConfigMap/new"),
        ("create", "ConfigMap/of-later"),
        ("delete", "ConfigMap/old"),
    }
    fleet.apply()
    after = uids(fleet)
    assert after.keys() - first.keys() == {"ConfigMap/new", "ConfigMap/of-later"}
    assert after["ConfigMap/keep"] == first["ConfigMap/keep"]
    assert sorted(fleet.records()) == ["later", "web"]
    fleet.assert_settled()


def test_a_store_that_is_put_back_while_an_apply_waits(fleet: Fleet, plane: Plane, tmp_path: Path) -> None:
    """The plan wanted to delete ``old``, but another one than the one that is there now."""
    ready = named(DEPLOYMENT, "web")
    fleet.manifests(keep=config("keep"), old=config("old"), deployment=ready)
    fleet.manifests("api", config=config("of-api"))
    fleet.apply()
    first = uids(fleet)
    plane.copy(tmp_path / "backup")
    fleet.kubectl("delete", "configmap", "old")
    fleet.apply()
    assert uids(fleet)["ConfigMap/old"] != first["ConfigMap/old"]
    fleet.manifests(keep=config("keep", "2"), deployment=FITS_NOWHERE)
    fleet.manifests("api", config=config("of-api", "2"))
    with waiting(fleet) as running:
        plane.restore(tmp_path / "backup")
        out, err = running.communicate(timeout=120)
    assert running.returncode in (6, 8), out + err
    assert uids(fleet)["ConfigMap/old"] == first["ConfigMap/old"]
    fleet.manifests(keep=config("keep", "2"), deployment=ready)
    fleet.apply()
    after = uids(fleet)
    assert "ConfigMap/old" not in after
    assert after["ConfigMap/keep"] == first["ConfigMap/keep"]
    fleet.assert_settled()
