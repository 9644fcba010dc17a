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
NOWHERE = {"spec": {"template": {"spec": {"nodeSelector": {"nowhere": "true"}}}}}


class Waves(Fleet):
    """dev-1, then prod-1 (the canary) and ten more; ``ill`` ones get pods that no node takes."""

    def __init__(self, root: Path, clusters: SandboxClusters) -> None:
        super().__init__(root, clusters, count=3)
        self.namespaces = {self.ns_of(name) for name in EVERY} | {self.name}
        self.dead: set[str] = set()
        self.prod: dict[str, Any] = {}
        self.rollout: dict[str, Any] = {
            "waves": [{"name": "canary", "select": "tier=canary"}, {"name": "rest"}],
            "maxFailures": 0,
        }

    def ns_of(self, cluster: str) -> str:
        """Where a logical cluster keeps its objects."""
        return f"{self.name}-{cluster}"

    def context_of(self, cluster: str) -> str:
        """The control plane that it lives on."""
        return self.sandbox.contexts[EVERY.index(cluster) % 3]

    def roll(self, version: str, *, ill: tuple[str, ...] = ()) -> None:
        """Commit an image of that version."""
        self.manifests(web=WEB % version)
        exceptions: dict[str, Any] = {name: {"namespace": self.ns_of(name)} for name in EVERY}
        for name in ill:
            patch = {"target": {"kind": "Deployment", "name": "web"}, "patch": yaml.safe_dump(NOWHERE)}
            exceptions[name]["patches"] = [patch]
        for environment, names in (("dev", EVERY[:1]), ("prod", PROD)):
            overlay = {"exceptions": {name: exceptions[name] for name in names}}
            self.write(f"environments/{environment}/web.yaml", yaml.safe_dump(overlay))
        self.save()
        self.commit(f"Roll {version}")

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

    def image(self, cluster: str) -> str:
        """The version that a cluster has; "" for none."""
        answer = self.sandbox.try_kubectl(
            self.context_of(cluster),
            *("-n", self.ns_of(cluster), "get", "deployment", "web", "--ignore-not-found"),
            *("-o", "jsonpath={.spec.template.spec.containers[0].image}"),
        )
        return answer.stdout.removeprefix("nginx:")

    def versions(self) -> dict[str, str]:
        """Of every cluster."""
        return {name: self.image(name) for name in EVERY}

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


@pytest.fixture
def waves(sandbox_clusters: SandboxClusters, tmp_path: Path) -> Iterator[Waves]:
    """Version 1.25 everywhere."""
    fleet = Waves(tmp_path / "waves", sandbox_clusters)
    fleet.roll("1.25")
    fleet.result(code=0)
    assert set(fleet.versions().values()) == {"1.25"}
    yield fleet
    fleet.discard()


def test_a_failing_canary_leaves_the_rest_untouched(waves: Waves) -> None:
    waves.roll("1.26", ill=("prod-1",))
    result = waves.result("--timeout", "8s", code=4)
    assert {c["name"] for c in result["clusters"] if c.get("begun", True)} == {"dev-1", "prod-1"}
    assert waves.versions() == {**dict.fromkeys(EVERY, "1.25"), "dev-1": "1.26", "prod-1": "1.26"}
    again = waves.result("--timeout", "8s", code=4)
    assert again["summary"]["notBegun"] == 10
    waves.roll("1.27")
    waves.result(code=0)
    assert set(waves.versions().values()) == {"1.27"}


def test_max_failures_and_max_unavailable(waves: Waves) -> None:
    waves.rollout = {**waves.rollout, "maxFailures": 1}
    waves.roll("1.26", ill=("prod-1",))
    waves.result("--timeout", "8s", code=4)
    assert set(waves.versions().values()) == {"1.26"}
    waves.rollout = {**waves.rollout, "maxUnavailable": 1}
    waves.dead = {"prod-11"}
    waves.roll("1.27")
    result = waves.result("--timeout", "20s", code=5)
    assert "maxUnavailable is 1" in result["stopped"]["error"]["message"]


def test_pause_resume_and_abort_from_another_process(waves: Waves) -> None:
    waves.rollout = {**waves.rollout, "soak": "20s"}
    waves.roll("1.26")
    with waves.start("apply", "--yes") as running:
        shown = waves.until("must stay healthy")
        asked = waves.run("rollout", "pause", "--reason", "lunch")
        assert asked.code == 0, asked.text
        _, said = running.communicate(timeout=60)
        assert running.returncode == 7, said
    assert waves.image("prod-2") == "1.25"
    assert waves.run("apply", "--yes").code == 7
    waves.rollout = {**waves.rollout, "soak": "1s"}
    waves.save()
    resumed = waves.run("rollout", "resume", shown["id"], "--yes", "-o", "json")
    assert resumed.code == 6, resumed.text  # fleet.yaml is not as committed
    assert waves.run("rollout", "show").code == 0
    waves.rollout = {**waves.rollout, "soak": "20s"}
    waves.git("checkout", "-q", "--", ".")
    resumed = waves.run("rollout", "resume", shown["id"], "--yes", "-o", "json")
    assert resumed.code == 0, resumed.text
    assert set(waves.versions().values()) == {"1.26"}
    waves.roll("1.27")
    with waves.start("apply", "--yes") as running:
        waves.until("must stay healthy")
        assert waves.run("rollout", "abort", "--reason", "wrong image").code == 0
        running.communicate(timeout=60)
        assert running.returncode == 5
    assert waves.image("prod-2") == "1.26"


def test_killed_in_the_middle_of_a_wave(waves: Waves) -> None:
    waves.rollout = {**waves.rollout, "maxParallel": 1}
    waves.roll("1.26")
    with waves.start("apply", "--yes") as running:
        assert running.stderr is not None
        for line in running.stderr:
            if "prod-4: apply started" in line:
                break
        running.kill()
    half = waves.versions()
    assert half["prod-2"] == "1.26"
    assert half["prod-9"] == "1.25"
    waves.result(code=0)
    assert set(waves.versions().values()) == {"1.26"}


def test_a_failed_wave_goes_back(waves: Waves) -> None:
    waves.rollout = {**waves.rollout, "onFailure": "rollback"}
    waves.roll("1.26", ill=("prod-1",))
    result = waves.result("--timeout", "8s", code=4)
    (canary,) = [c for c in result["clusters"] if c["name"] == "prod-1"]
    assert canary["rolledBackTo"] == waves.git("rev-parse", "HEAD~1")[:12]
    assert waves.versions() == {**dict.fromkeys(EVERY, "1.25"), "dev-1": "1.26"}


def test_a_deny_window(waves: Waves) -> None:
    waves.prod = {"windows": [{"kind": "deny", "schedule": "0 0 * * *", "duration": "24h"}]}
    waves.roll("1.26")
    result = waves.result(code=5)
    assert result["summary"]["notBegun"] == 11
    assert waves.versions() == {**dict.fromkeys(EVERY, "1.25"), "dev-1": "1.26"}
    waves.result("--override-windows", "security fix", code=0)
    assert set(waves.versions().values()) == {"1.26"}


def test_an_interrupt_reports_and_the_same_command_goes_on(waves: Waves) -> None:
    waves.rollout = {**waves.rollout, "soak": "30s"}
    waves.roll("1.26")
    with waves.start("apply", "--yes", "-o", "json") as running:
        waves.until("must stay healthy")
        running.send_signal(2)
        out, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert json.loads(out)["summary"]["notBegun"] == 10
    waves.result(code=0)
    assert set(waves.versions().values()) == {"1.26"}
