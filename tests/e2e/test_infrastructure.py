"""The demo's infrastructure and what stands on it: namespaces, CRDs and their objects, kustomize overlays."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import SandboxClusters
from tests.e2e.fleets import Fleet
from tests.e2e.test_main_job import INFRASTRUCTURE

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
FLEET = "infrastructure"


class Infrastructure(Fleet):
    """The demo fleet's infrastructure apps on one cluster, as environment ``dev``.

    Its name is always the same: cluster-scoped objects of an earlier run are its own.
    """

    NAMES = ("dev-1",)

    def __init__(self, root: Path, clusters: SandboxClusters) -> None:
        super().__init__(root, clusters, count=1)
        for folder in ("apps", "infrastructure"):
            shutil.copytree(ROOT / folder, root / folder)
        document = yaml.safe_load((ROOT / "fleet.yaml").read_text(encoding="utf-8"))
        document["name"] = FLEET
        document["environments"] = document["environments"][:1]
        document["clusters"] = [{**document["clusters"][0], "access": self.entry(0)["access"]}]
        document["apps"] = [
            {k: v for k, v in app.items() if k != "placement"}
            for app in document["apps"]
            if app["name"] in INFRASTRUCTURE
        ]
        self.write("fleet.yaml", yaml.safe_dump(document, sort_keys=False))
        self.commit("Start")


def test_crds_and_their_objects_and_kustomize_overlays_apply_in_one_go(
    sandbox_clusters: SandboxClusters, tmp_path: Path
) -> None:
    """Every seed example is among them; the second plan is empty."""
    fleet = Infrastructure(tmp_path / "infrastructure", sandbox_clusters)
    applied = fleet.apply()
    assert {outcome for _, _, outcome in applied.results()} <= {"done"}
    assert all(h["status"] == "Healthy" for c in applied.data["clusters"] for h in c["health"])
    context = sandbox_clusters.contexts[0]
    for namespace, thing in (
        ("argocd", "servicemonitor/argocd-metrics"),
        ("argocd", "networkpolicy/argocd-network-policy"),
        ("default", "sealedsecret/mysecret"),
        ("kube-system", "deployment/cluster-autoscaler"),
    ):
        assert sandbox_clusters.kubectl(context, "-n", namespace, "get", thing, "-o", "name").strip()
    assert fleet.plan().changes() == []
