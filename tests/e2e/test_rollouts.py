"""Twelve clusters in waves on real control planes: logical ones, each with a namespace of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import SandboxClusters
from tests.e2e.fleets import Fleet

pytestmark = pytest.mark.e2e

PROD = [f"prod-{n}" for n in range(1, 12)]
EVERY = ["dev-1", *PROD]
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: main, image: "nginx:%s"}]
"""
NOWHERE = {
    "spec": {"progressDeadlineSeconds": 1, "template": {"spec": {"nodeSelector": {"nowhere": "true"}}}}
}
"""Degraded a second after it was written."""
PLAIN = {"waves": [{"name": "canary", "select": "tier=canary"}, {"name": "rest"}], "maxFailures": 0}


class Waves(Fleet):
    """dev-1, then prod-1 (the canary) and ten more; ``ill`` ones get pods that no node takes."""

    def __init__(self, root: Path, clusters: SandboxClusters) -> None:
        super().__init__(root, clusters, count=3)
        self.namespaces = {self.ns_of(name) for name in EVERY} | {self.name}
        self.dead: set[str] = set()
        self.prod: dict[str, Any] = {}
        self.rollout: dict[str, Any] = PLAIN
        self.version = 0

    def ns_of(self, cluster: str) -> str:
        """Where a logical cluster keeps its objects."""
        return f"{self.name}-{cluster}"

    def context_of(self, cluster: str) -> str:
        """The control plane that it lives on."""
        return self.sandbox.contexts[EVERY.index(cluster) % 3]

    def everywhere(self) -> str:
        """Put one version on every cluster, unless they have one already; which it is."""
        self.dead, self.prod, self.rollout = set(), {}, PLAIN
        found = {*self.versions().values()}
        if len(found) != 1 or found == {""}:
            found = {self.roll()}
            self.result(code=0)
        assert {*self.versions().values()} == found
        return found.pop()

    def roll(self, *, ill: tuple[str, ...] = (), pinned: bool = False) -> str:
        """Commit an image of another version, and return that; ``pinned`` has prod's overlay name its commit."""
        self.version += 1
        self.manifests(web=WEB % self.version)
        pins: dict[str, Any] = {}
        if pinned:
            self.commit(f"Build {self.version}")
            pins = {"revision": self.git("rev-parse", "HEAD").strip()}
        exceptions: dict[str, Any] = {name: {"namespace": self.ns_of(name)} for name in EVERY}
        for name in ill:
            patch = {"target": {"kind": "Deployment", "name": "web"}, "patch": yaml.safe_dump(NOWHERE)}
            exceptions[name]["patches"] = [patch]
        for environment, names in (("dev", EVERY[:1]), ("prod", PROD)):
            overlay = {"exceptions": {name: exceptions[name] for name in names}}
            overlay |= pins if environment == "prod" else {}
            self.write(f"environments/{environment}/web.yaml", yaml.safe_dump(overlay))
        self.save()
        self.commit(f"Roll {self.version}")
        return str(self.version)

    def save(self) -> None:
        """Write fleet.yaml."""
        clusters = [
            {
                "name": name,
                "environment": "prod" if name in PROD else "dev",
                "labels": {"tier": "canary"} if name == "prod-1" else {},
                "access": self._access(name),
            }
            for name in EVERY
        ]
        document = {
            "apiVersion": "fleetmgr.dev/v1",
            "kind": "Fleet",
            "name": self.name,
            "defaults": {"timeout": "60s", "sync": {"prune": True}},
            "environments": [{"name": "dev"}, {"name": "prod", "rollout": self.rollout, **self.prod}],
            "clusters": clusters,
            "apps": self.apps,
        }
        self.write("fleet.yaml", yaml.safe_dump(document, sort_keys=False))

    def _access(self, name: str) -> dict[str, str]:
        if name in self.dead:
            gone = self.root / "gone.kubeconfig"
            text = self.sandbox.kubeconfig.read_text(encoding="utf-8")
            config = yaml.safe_load(text)
            for cluster in config["clusters"]:
                cluster["cluster"]["server"] = "https://127.0.0.1:9"
            gone.write_text(yaml.safe_dump(config), encoding="utf-8")
            return {"kubeconfig": str(gone), "context": self.context_of(name)}
        return {"kubeconfig": str(self.sandbox.kubeconfig), "context": self.context_of(name)}

    def versions(self) -> dict[str, str]:
        """Of every cluster; "" for none."""
        found = dict.fromkeys(EVERY, "")
        names = {self.ns_of(name): name for name in EVERY}
        for context in self.sandbox.contexts:
            where = ("get", "deployments", "-A", "-l", f"fleetmgr.dev/fleet={self.name}", "-o", "json")
            for item in json.loads(self.sandbox.kubectl(context, *where))["items"]:
                image = item["spec"]["template"]["spec"]["containers"][0]["image"]
                found[names[item["metadata"]["namespace"]]] = image.removeprefix("nginx:")
        return found

    def result(self, *arguments: str, code: int) -> Any:
        """``fleet apply -o json``: its result."""
        answer = self.run("apply", "--yes", "-o", "json", *arguments)
        assert answer.code == code, answer.text
        return answer.data

    def until(self, status: str) -> dict[str, Any]:
        """Wait until the newest rollout stands so, or soaks (``must stay healthy``)."""
        found: list[dict[str, Any]] = []
        for _ in range(120):
            answer = self.run("rollout", "list", "-o", "json")
            found = json.loads(answer.out)["rollouts"] if answer.out else []
            if found and (found[0]["status"] == status or status in found[0]["why"]):
                return found[0]
            time.sleep(0.5)  # noqa: TID251 - another process is waited for
        raise AssertionError(found)

    def discard(self) -> None:
        """What ``Fleet.discard`` does, and the rollouts."""
        super().discard()
        for context in self.sandbox.contexts:
            label = f"fleetmgr.dev/rollouts-of={self.name}"
            self.sandbox.try_kubectl(
                context, "-n", "fleetmgr-system", "delete", "configmaps", "-l", label, "--wait=false"
            )


@pytest.fixture(scope="module")
def shared(sandbox_clusters: SandboxClusters, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Waves]:
    """One fleet for all tests here."""
    fleet = Waves(tmp_path_factory.mktemp("waves"), sandbox_clusters)
    yield fleet
    fleet.discard()


@pytest.fixture
def waves(shared: Waves) -> Waves:
    """One version everywhere, no rollout under way."""
    shared.everywhere()
    return shared


def test_a_failing_canary_leaves_the_rest_untouched(waves: Waves) -> None:
    old = waves.everywhere()
    bad = waves.roll(ill=("prod-1",))
    result = waves.result(code=4)
    assert {c["name"] for c in result["clusters"] if c.get("begun", True)} == {"dev-1", "prod-1"}
    assert waves.versions() == {**dict.fromkeys(EVERY, old), "dev-1": bad, "prod-1": bad}
    again = waves.result(code=4)
    assert again["summary"]["notBegun"] == 10
    good = waves.roll()
    waves.result(code=0)
    assert set(waves.versions().values()) == {good}


def test_max_failures_and_max_unavailable(waves: Waves) -> None:
    waves.rollout = {**PLAIN, "maxFailures": 1}
    bad = waves.roll(ill=("prod-1",))
    waves.result(code=4)
    assert set(waves.versions().values()) == {bad}
    waves.rollout = {**PLAIN, "maxUnavailable": 1}
    waves.dead = {"prod-11"}
    waves.roll()
    result = waves.result(code=5)
    assert "maxUnavailable is 1" in result["stopped"]["error"]["message"]


def test_pause_resume_and_abort_from_another_process(waves: Waves) -> None:
    old = waves.everywhere()
    waves.rollout = {**PLAIN, "soak": "10s"}
    new = waves.roll()
    with waves.start("apply", "--yes") as running:
        shown = waves.until("must stay healthy")
        asked = waves.run("rollout", "pause", "--reason", "lunch")
        assert asked.code == 0, asked.text
        _, said = running.communicate(timeout=60)
        assert running.returncode == 7, said
    assert waves.versions()["prod-2"] == old
    assert waves.run("apply", "--yes").code == 7
    waves.rollout = {**PLAIN, "soak": "1s"}
    waves.save()
    resumed = waves.run("rollout", "resume", shown["id"], "--yes", "-o", "json")
    assert resumed.code == 6, resumed.text  # fleet.yaml is not as committed
    assert waves.run("rollout", "show").code == 0
    waves.git("checkout", "-q", "--", ".")
    resumed = waves.run("rollout", "resume", shown["id"], "--yes", "-o", "json")
    assert resumed.code == 0, resumed.text
    assert set(waves.versions().values()) == {new}
    waves.rollout = {**PLAIN, "soak": "1h"}
    waves.roll()
    with waves.start("apply", "--yes") as running:
        waves.until("must stay healthy")
        assert waves.run("rollout", "abort", "--reason", "wrong image").code == 0
        running.communicate(timeout=60)
        assert running.returncode == 5
    assert waves.versions()["prod-2"] == new


def test_killed_in_the_middle_of_a_wave(waves: Waves) -> None:
    old = waves.everywhere()
    waves.rollout = {**PLAIN, "maxParallel": 1}
    new = waves.roll()
    with waves.start("apply", "--yes") as running:
        assert running.stderr is not None
        for line in running.stderr:
            if "prod-4: apply started" in line:
                break
        running.kill()
    half = waves.versions()
    assert half["prod-2"] == new
    assert half["prod-9"] == old
    waves.result(code=0)
    assert set(waves.versions().values()) == {new}


def test_a_failed_wave_goes_back_also_behind_a_pinned_revision(waves: Waves) -> None:
    old = waves.everywhere()
    waves.rollout = {**PLAIN, "onFailure": "rollback"}
    before = waves.git("log", "-1", "--format=%H", "--grep", f"^Roll {old}$")[:12]
    bad = waves.roll(ill=("prod-1",), pinned=True)
    result = waves.result(code=4)
    (canary,) = [c for c in result["clusters"] if c["name"] == "prod-1"]
    assert canary["rolledBackTo"] == before
    assert waves.versions() == {**dict.fromkeys(EVERY, old), "dev-1": bad}


def test_a_deny_window(waves: Waves) -> None:
    old = waves.everywhere()
    waves.prod = {"windows": [{"kind": "deny", "schedule": "0 0 * * *", "duration": "24h"}]}
    new = waves.roll()
    result = waves.result(code=5)
    assert result["summary"]["notBegun"] == 11
    assert waves.versions() == {**dict.fromkeys(EVERY, old), "dev-1": new}
    waves.result("--override-windows", "security fix", code=0)
    assert set(waves.versions().values()) == {new}


def test_an_interrupt_reports_and_the_same_command_goes_on(waves: Waves) -> None:
    waves.rollout = {**PLAIN, "soak": "10s"}
    new = waves.roll()
    with waves.start("apply", "--yes", "-o", "json") as running:
        waves.until("must stay healthy")
        running.send_signal(2)
        out, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert json.loads(out)["summary"]["notBegun"] == 10
    waves.result(code=0)
    assert set(waves.versions().values()) == {new}
