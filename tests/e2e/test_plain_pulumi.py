"""Plain `pulumi` on a fleet that fleetmgr works on as well: nothing is written twice, nothing is lost.

Needs the Pulumi CLI with its Python language host and Kubernetes provider; without them it says SKIPPED: no pulumi CLI.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.fleets import Fleet
from tests.operations.integrity import verify

PROGRAMS = ("pulumi", "pulumi-language-python", "pulumi-resource-kubernetes")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not all(map(shutil.which, PROGRAMS)), reason="SKIPPED: no pulumi CLI"),
]
MAIN = "from fleetmgr.wiring.pulumi import run_program\n\nrun_program()\n"
SETTINGS = "{apiVersion: v1, kind: ConfigMap, metadata: {name: %s}, data: {a: b}}"
WEB = """\
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      replicas: 1
      selector: {matchLabels: {app: web}}
      template:
        metadata: {labels: {app: web}}
        spec: {containers: [{name: main, image: "web:1"}]}
    ---
    apiVersion: autoscaling/%s
    kind: HorizontalPodAutoscaler
    metadata: {name: web}
    spec:
      maxReplicas: 3
      scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
      %s
    """
V1 = WEB % ("v1", "targetCPUUtilizationPercentage: 80")
V2 = WEB % (
    "v2",
    "metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]",
)


class Cli:
    """The Pulumi CLI in a fleet's folder, with a file backend of its own."""

    def __init__(self, fleet: Fleet, folder: Path) -> None:
        self.fleet = fleet
        self.folder = folder
        self.more: dict[str, str] = {}
        (folder / "state").mkdir(parents=True)
        virtualenv = Path(sys.executable).parent.parent
        project = {
            "name": fleet.name,
            "main": "program/",
            "runtime": {"name": "python", "options": {"virtualenv": str(virtualenv)}},
            "options": {"refresh": "always"},
        }
        fleet.write("Pulumi.yaml", yaml.safe_dump(project))
        fleet.write("program/__main__.py", MAIN)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,  # noqa: TID251 - the CLI needs PATH and HOME as they are
            "PULUMI_BACKEND_URL": f"file://{self.folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_HOME": f"{self.folder}/home",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            **self.more,
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=self.fleet.root,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def __call__(self, *arguments: str) -> str:
        answer = self.run(*arguments)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    def resources(self) -> dict[str, dict[str, Any]]:
        """The state, by name."""
        exported = json.loads(self("stack", "export"))
        verify(exported, project=self.fleet.name, stack="one")
        return {entry["urn"].split("::", 3)[3]: entry for entry in exported["deployment"]["resources"]}


def uid(fleet: Fleet, kind: str, name: str) -> tuple[str, object]:
    metadata = fleet.get(kind, name)["metadata"]
    return metadata["uid"], metadata.get("generation")


def compare_states(fleet: Fleet, cli: Cli) -> None:
    """The engine's state is what we compute: names, order, options."""
    document = json.loads(fleet.run("export", "pulumi-state").out)
    ours = {e["urn"].split("::", 3)[3]: e for e in document["deployment"]["resources"]}
    theirs = cli.resources()
    assert ours.keys() == theirs.keys()
    for name, entry in ours.items():
        for key in ("urn", "id", "type", "parent", "protect", "retainOnDelete", "customTimeouts", "inputs"):
            if entry["type"] != "pulumi:providers:kubernetes":
                assert entry.get(key) == theirs[name].get(key), (name, key)
        for key in ("dependencies", "ignoreChanges"):
            assert sorted(entry.get(key, [])) == sorted(theirs[name].get(key, [])), (name, key)
    assert theirs[f"{fleet.ns}/web"]["outputs"]["metadata"]["uid"]


def test_both_work_on_one_cluster_and_each_finds_what_the_other_left(
    fleets: Callable[..., Fleet], tmp_path: Path
) -> None:
    fleet = fleets()
    fleet.save()
    kept = SETTINGS % "kept" + "\n---\n" + SETTINGS % "dropped"
    fleet.manifests(web=V1, kept=kept)
    fleet.commit()
    cli = Cli(fleet, tmp_path / "first")
    cli("stack", "init", "one")
    cli("up", "--yes", "--skip-preview")
    fleet.assert_settled()
    before = uid(fleet, "deployments", "web")

    compare_states(fleet, cli)

    # another version of the same kind under another app: an update, never a delete
    autoscaler = uid(fleet, "hpa", "web")[0]
    fleet.apps[0] = fleet.app("renamed", source={"type": "manifests", "path": "apps/web"})
    fleet.save()
    fleet.manifests(web=V2, kept=SETTINGS % "kept")
    fleet.commit("Rename the app, another version, and a ConfigMap less")
    shown = cli("up", "--yes", "--skip-preview")
    assert uid(fleet, "hpa", "web")[0] == autoscaler, shown
    assert uid(fleet, "deployments", "web") == before
    assert fleet.get("configmaps", "dropped") == {}
    assert fleet.get("configmaps", "kept")

    # the embedded engine goes on where Pulumi stopped, Pulumi where the embedded engine stopped
    fleet.apply()
    fleet.assert_settled()
    cli("preview", "--expect-no-changes")

    # an empty state beside an inventory is refused; an exported one goes on
    other = Cli(fleet, tmp_path / "second")
    (fleet.root / "Pulumi.one.yaml").unlink(missing_ok=True)
    other("stack", "init", "one")
    for verb in (("preview",), ("up", "--yes", "--skip-preview")):
        refused = other.run(*verb)
        assert refused.returncode != 0
        assert "FLT-9031" in refused.stdout + refused.stderr
    assert uid(fleet, "deployments", "web") == before
    exported = tmp_path / "state.json"
    assert fleet.run("export", "pulumi-state", "one", "--out", str(exported)).code == 0
    other("stack", "import", "--file", str(exported))
    other("preview", "--refresh", "--expect-no-changes")


def test_what_our_policy_keeps_stays_when_it_leaves_git(fleets: Callable[..., Fleet], tmp_path: Path) -> None:
    fleet = fleets()
    fleet.prune = False
    fleet.save()
    fleet.manifests(kept=SETTINGS % "kept", other=SETTINGS % "other")
    fleet.commit()
    cli = Cli(fleet, tmp_path / "pulumi")
    cli("stack", "init", "one")
    cli("up", "--yes", "--skip-preview")
    kept = uid(fleet, "configmaps", "kept")
    fleet.manifests(other=SETTINGS % "other")
    fleet.commit("Take an object out")
    cli("up", "--yes", "--skip-preview")
    assert uid(fleet, "configmaps", "kept") == kept
    fleet.prune = True
    fleet.save()
    guarded = SETTINGS.replace("{name: %s}", '{name: %s, annotations: {fleetmgr.dev/protect: "true"}}')
    fleet.manifests(other=SETTINGS % "other", guarded=guarded % "guarded")
    fleet.commit("Prune from now on")
    cli("up", "--yes", "--skip-preview")
    fleet.manifests(other=SETTINGS % "other")
    fleet.commit("Take a protected object out")
    refused = cli.run("up", "--yes", "--skip-preview")
    assert refused.returncode != 0
    assert "protect" in refused.stdout + refused.stderr
    assert fleet.get("configmaps", "guarded")


def test_fleet_apply_takes_an_inventory_over_into_the_state(
    fleets: Callable[..., Fleet], tmp_path: Path
) -> None:
    fleet = fleets()
    fleet.prune = False
    fleet.save()
    fleet.manifests(web=V2, kept=SETTINGS % "kept")
    fleet.commit()
    fleet.apply()
    before = uid(fleet, "deployments", "web"), uid(fleet, "configmaps", "kept")
    cli = Cli(fleet, tmp_path / "pulumi")
    settings = yaml.safe_load((fleet.root / "fleet.yaml").read_text(encoding="utf-8"))
    settings["engine"] = {"type": "embedded", "backend": f"file://{cli.folder}/state"}
    fleet.write("fleet.yaml", yaml.safe_dump(settings))
    fleet.commit("A Pulumi program")
    taken = fleet.run("apply", "--engine", "pulumi", "--yes", "-o", "json", env=cli.environment)
    assert taken.code == 0, taken.text
    cli.more["KUBECONFIG"] = str(fleet.sandbox.kubeconfig)
    cli("stack", "select", "one")
    shown = cli("preview", "--expect-no-changes")
    assert (uid(fleet, "deployments", "web"), uid(fleet, "configmaps", "kept")) == before, shown
    fleet.manifests(web=V2)
    fleet.commit("Take an object out")
    cli("up", "--yes", "--skip-preview")
    assert uid(fleet, "configmaps", "kept") == before[1]
    assert fleet.plan().ops() == {("orphaned", "ConfigMap/kept")}
