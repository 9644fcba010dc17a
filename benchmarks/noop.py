"""`python -m benchmarks noop`: a plan that finds nothing to do, beside `kubectl diff --server-side`.

100 Deployments on one cluster of the sandbox (it must be up), applied once; then both tools look for drift.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import BIN, Sample, interleaved, median, run_once, table

SANDBOX = os.environ.get("FLEET_BENCH_SANDBOX", "sandbox")
KUBECONFIG = Path.home() / ".kube" / f"fleetmgr-{SANDBOX}.yaml"
CONTEXT = f"{SANDBOX}-1"
COUNT = 100
GOAL = 0.6
SEEN = ("--for", "jsonpath={.status.observedGeneration}=1", "deployment", "--all", "--timeout", "300s")
"""What kubectl wait is to wait for: controllers have looked at what was applied."""
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: bench-{number:03d}
  namespace: {namespace}
  labels: {{app: bench-{number:03d}}}
spec:
  replicas: 0
  selector:
    matchLabels: {{app: bench-{number:03d}}}
  template:
    metadata:
      labels: {{app: bench-{number:03d}}}
    spec:
      containers:
        - name: main
          image: registry.example/bench:1.0.0
          env:
            - {{name: NUMBER, value: "{number}"}}
            - {{name: MODE, value: benchmark}}
          ports:
            - {{name: http, containerPort: 8080}}
          resources:
            requests: {{cpu: 10m, memory: 16Mi}}
            limits: {{memory: 32Mi}}
          readinessProbe:
            httpGet: {{path: /ready, port: http}}
"""
FLEET = """apiVersion: fleetmgr.dev/v1
kind: Fleet
name: bench
environments: [{{name: bench, sync: {{prune: true}}}}]
clusters: [{{name: bench-1, environment: bench, access: {{kubeconfig: {kubeconfig}, context: {context}}}}}]
apps: [{{name: bench, namespace: fleet-bench, source: {{type: manifests, path: apps/bench}}}}]
"""


def write_fleet(folder: Path) -> None:
    """A fleet of one app of 100 Deployments, and the same manifests once more for kubectl's own namespace."""
    for path, namespace in (("apps/bench", "fleet-bench"), ("kubectl", "kubectl-bench")):
        source = folder / path
        source.mkdir(parents=True)
        for number in range(COUNT):
            text = DEPLOYMENT.format(number=number, namespace=namespace)
            (source / f"{number:03d}.yaml").write_text(text)
    (folder / "fleet.yaml").write_text(FLEET.format(kubeconfig=KUBECONFIG, context=CONTEXT))


def main() -> None:
    """Print the table."""
    if not KUBECONFIG.exists():
        sys.exit("the sandbox is not up: fleet sandbox up --clusters 1")
    kubectl = [str(BIN / "kubectl"), "--kubeconfig", str(KUBECONFIG), "--context", CONTEXT]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_fleet(folder)
        fleet = str(BIN / "fleet")
        run_once([fleet, "apply", "--yes", "--no-wait"], cwd=folder)
        run_once([*kubectl, "create", "namespace", "kubectl-bench"])
        run_once([*kubectl, "apply", "--server-side", "-f", "kubectl"], cwd=folder)
        # what controllers write meanwhile would be a difference
        run_once([*kubectl, "-n", "kubectl-bench", "wait", *SEEN])
        diff = [*kubectl, "diff", "--server-side", "-f", "kubectl"]
        commands = {
            "kubectl diff --server-side": diff,
            "kubectl diff --server-side --concurrency=8": [*diff, "--concurrency", "8"],
            "fleet plan": [fleet, "plan", "--detailed-exitcode"],
        }
        try:
            show(interleaved(commands, runs=5, cwd=folder))
        finally:
            run_once([*kubectl, "delete", "namespace", "fleet-bench", "kubectl-bench", "--wait=false"])
            records = ["-n", "fleetmgr-system", "delete", "configmap", "-l", "fleetmgr.dev/fleet=bench"]
            run_once([*kubectl, *records])


def show(samples: dict[str, list[Sample]]) -> None:
    """The table with ratios of this very run."""
    base = min(median(s, "wall") for name, s in samples.items() if name.startswith("kubectl"))
    rows = [
        [
            name,
            f"{median(s, 'wall'):.2f} s",
            f"{min(x.wall for x in s):.2f} s",
            f"{median(s, 'cpu'):.2f} s",
            f"{median(s, 'memory'):.0f} MB",
            f"{median(s, 'wall') / base:.2f}",
        ]
        for name, s in samples.items()
    ]
    table([f"{COUNT} Deployments, nothing to do", "wall", "best", "CPU", "memory", "ratio"], rows)
    print(f"goal: fleet plan at most {GOAL} of kubectl diff --server-side at its best concurrency\n")
