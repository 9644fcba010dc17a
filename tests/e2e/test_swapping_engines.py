"""Engines take turns under running objects: embedded, pulumi, embedded, over edits, and no object is the wiser.

With the real CLI on a real control plane; where there is none, tests/operations/test_pulumi_engine.py has the same on
a cluster and a stack in memory.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.fleets import Answer, Fleet
from tests.e2e.test_plain_pulumi import PROGRAMS

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not all(map(shutil.which, PROGRAMS)), reason="SKIPPED: no pulumi CLI"),
]
ENCODED = "bm90LWZvci1hbnlib2R5"  # `not-for-anybody` in base64
KINDS = ("deployment", "service", "configmap", "secret", "pdb", "role", "hpa")
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "web:%s", resources: {requests: {cpu: 0.1}}}]}
"""
STEADY = """\
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}
---
apiVersion: v1
kind: Secret
metadata: {name: token}
stringData: {password: not-for-anybody}
---
{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: web}, spec: {selector: {}, minAvailable: 0}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: nothing}, rules: []}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: other}, minReplicas: 1, maxReplicas: 2}
"""


def config(name: str, value: str) -> str:
    """A ConfigMap."""
    return f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}, data: {{k: '{value}'}}}}\n"


class Turns:
    """One fleet that both engines apply in turn."""

    def __init__(self, fleet: Fleet, state: Path) -> None:
        self.fleet = fleet
        self.state = state
        self.environment = {
            **os.environ,  # noqa: TID251 - as a child inherits it
            "XDG_STATE_HOME": str(state),
            "PULUMI_CONFIG_PASSPHRASE": "open sesame",
        }
        self.said: list[str] = []

    def write(self, image: str, **configs: str) -> None:
        """What Git holds from now on."""
        maps = "---\n".join(config(name, value) for name, value in configs.items())
        self.fleet.manifests(web=WEB % image, steady=STEADY, maps=maps)
        self.fleet.save()
        self.fleet.commit()

    def run(self, engine: str, *arguments: str) -> Answer:
        answer = self.fleet.run(*arguments, "--engine", engine, "-o", "json", env=self.environment)
        self.said.append(answer.text)
        return answer

    def apply(self, engine: str, *arguments: str) -> set[tuple[str, str, str]]:
        done = self.run(engine, "apply", "--yes", "--no-wait", *arguments)
        assert done.code == 0, done.text
        for other in ("embedded", "pulumi"):  # whoever applied, both have nothing left to do
            plan = self.run(other, "plan", "--detailed-exitcode")
            assert plan.code == 0, (other, plan.text)
        return done.results()

    def owned(self) -> dict[str, Any]:
        """Of each object what must not change: uid, generation, and our fields."""
        text = self.fleet.kubectl("get", ",".join(KINDS), "-o", "json", "--show-managed-fields")
        found: dict[str, Any] = {}
        for body in json.loads(text)["items"]:
            metadata = body["metadata"]
            ours = [e for e in metadata["managedFields"] if e["manager"].startswith("fleetmgr")]
            fields = [(e["operation"], e["fieldsV1"]) for e in ours]
            if ours:
                found[f"{body['kind']}/{metadata['name']}"] = (
                    metadata["uid"],
                    metadata.get("generation"),
                    fields,
                )
        return found

    def registered(self) -> str:
        """The state as it lies in the backend."""
        (file,) = self.state.rglob("stacks/**/one.json")
        return file.read_text()


@pytest.fixture
def turns(fleets: Callable[..., Fleet], tmp_path: Path) -> Iterator[Turns]:
    made = Turns(fleets(), tmp_path / "state")
    yield made
    made.run("pulumi", "destroy", "--all", "--yes", "--confirm", made.fleet.name)


def test_engines_take_turns_and_no_object_is_the_wiser(turns: Turns) -> None:
    turns.write("1", a="1", b="1", c="1")
    turns.apply("embedded")
    before = turns.owned()
    assert len(before) == 9

    assert turns.apply("pulumi") == set(), "taking over writes nothing"
    assert turns.owned() == before
    assert all(f"{turns.fleet.ns}/{name}" in turns.registered() for name in ("a", "b", "c", "token", "web"))

    turns.write("2", a="1", b="2")
    assert turns.apply("embedded") == {
        ("update", "Deployment/web", "done"),
        ("update", "ConfigMap/b", "done"),
        ("delete", "ConfigMap/c", "done"),
    }
    turns.fleet.kubectl("create", "configmap", "c", "--from-literal=k=theirs")

    turns.write("3", a="1", d="1")
    assert turns.apply("pulumi") == {
        ("update", "Deployment/web", "done"),
        ("create", "ConfigMap/d", "done"),
        ("delete", "ConfigMap/b", "done"),
    }
    theirs = turns.fleet.get("configmap", "c")
    assert theirs["data"] == {"k": "theirs"}, "what somebody made in the place of an object of ours stays"

    turns.fleet.kubectl("patch", "deployment", "web", "-p", '{"spec": {"replicas": 5}}')
    drift = turns.run("pulumi", "drift")
    assert [c["object"]["name"] for c in drift.changes()] == ["web"]
    assert turns.apply("pulumi") == {("update", "Deployment/web", "done")}

    turns.write("3", a="1")
    assert turns.apply("embedded") == {("delete", "ConfigMap/d", "done")}
    after = turns.owned()
    untouched = before.keys() - {"Deployment/web", "ConfigMap/b", "ConfigMap/c"}
    assert {name: after[name] for name in untouched} == {name: before[name] for name in untouched}
    assert after["Deployment/web"][0] == before["Deployment/web"][0]

    for text in (turns.registered(), *turns.said):
        assert ENCODED not in text
        assert "not-for-anybody" not in text


def test_a_delete_takes_nothing_along_that_depends_on_it(turns: Turns) -> None:
    """The state says that the Deployment depends on the last ConfigMap, the gate of its stage."""
    kept = "annotations: {fleetmgr.dev/protect: 'true'}"
    turns.write("1", a="1", z="1")
    turns.fleet.write("apps/web/kept.yaml", WEB.replace("{name: web}", f"{{name: kept, {kept}}}", 1) % "1")
    turns.fleet.commit()
    turns.apply("pulumi")
    before = turns.owned()
    (turns.fleet.root / "apps/web/kept.yaml").unlink()
    turns.write("1", a="1")
    assert turns.run("pulumi", "apply", "--yes", "--no-wait").results() == {("delete", "ConfigMap/z", "done")}
    after = turns.owned()
    assert after == {name: fields for name, fields in before.items() if name != "ConfigMap/z"}
    assert "Deployment/kept" in after


def test_a_cluster_that_is_gone_is_a_result(turns: Turns) -> None:
    turns.write("1", a="1")
    entry = turns.fleet.entry(0)
    turns.fleet.entries.append(
        {**entry, "name": "gone", "access": {**entry["access"], "context": "no-such-context"}}
    )
    turns.fleet.save()
    turns.fleet.commit()
    done = turns.run("pulumi", "apply", "--yes", "--no-wait")
    assert done.code == 4, done.text
    assert turns.fleet.get("deployment", "web")
