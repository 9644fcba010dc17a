"""`python -m benchmarks writes`: creating and updating, beside kubectl.

100 Deployments of no replicas on one cluster of the sandbox (it must be up). Each round both tools create theirs in a
namespace of their own, then every manifest changes and both look at what that would do.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.measure import BIN, Sample, median, run_once, table
from benchmarks.noop import CONTEXT, COUNT, DEPLOYMENT, KUBECONFIG, SEEN

ROUNDS = 3
GOAL = 1.2
FLEET = """apiVersion: fleetmgr.dev/v1
kind: Fleet
name: {name}
environments: [{{name: bench, sync: {{prune: true}}}}]
clusters: [{{name: bench-1, environment: bench, access: {{kubeconfig: {kubeconfig}, context: {context}}}}}]
apps: [{{name: bench, namespace: {name}, createNamespace: false, source: {{type: manifests, path: apps/bench}}}}]
"""
CREATE = "create: kubectl apply --server-side"
FLEET_CREATE = "create: fleet apply --yes --no-wait"
DIFF = "update: kubectl diff --server-side"
FAST_DIFF = "update: kubectl diff --server-side --concurrency=8"
PLAN = "update: fleet plan"


def write(folder: Path, namespace: str, image: str) -> None:
    """The manifests for one namespace."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(COUNT):
        text = DEPLOYMENT.format(number=number, namespace=namespace).replace("bench:1.0.0", f"bench:{image}")
        (folder / f"{number:03d}.yaml").write_text(text)


def main() -> None:
    """Print the table."""
    if not KUBECONFIG.exists():
        sys.exit("the sandbox is not up: fleet sandbox up --clusters 1")
    samples: dict[str, list[Sample]] = {name: [] for name in (CREATE, FLEET_CREATE, DIFF, FAST_DIFF, PLAN)}
    with tempfile.TemporaryDirectory() as name:
        for number in range(ROUNDS):
            one_round(Path(name), number, samples)
    show(samples)


def one_round(top: Path, number: int, samples: dict[str, list[Sample]]) -> None:
    """Create, then change everything and look."""
    kubectl = [str(BIN / "kubectl"), "--kubeconfig", str(KUBECONFIG), "--context", CONTEXT]
    fleet = str(BIN / "fleet")
    ours, theirs, folder = f"bench-{number}-fleet", f"bench-{number}-kubectl", top / str(number)
    write(folder / "apps/bench", ours, "1.0.0")
    write(folder / "kubectl", theirs, "1.0.0")
    (folder / "fleet.yaml").write_text(FLEET.format(name=ours, kubeconfig=KUBECONFIG, context=CONTEXT))
    for namespace in (ours, theirs):
        run_once([*kubectl, "create", "namespace", namespace])
    try:
        apply = [*kubectl, "apply", "--server-side", "-f", "kubectl"]
        creates = [(CREATE, apply, theirs), (FLEET_CREATE, [fleet, "apply", "--yes", "--no-wait"], ours)]
        for title, command, namespace in creates if number % 2 else reversed(creates):
            samples[title].append(run_once(command, cwd=folder))
            run_once(
                [*kubectl, "-n", namespace, "wait", *SEEN]
            )  # else the controllers work against the next one
        write(folder / "apps/bench", ours, "2.0.0")
        write(folder / "kubectl", theirs, "2.0.0")
        diff = [*kubectl, "diff", "--server-side", "-f", "kubectl"]
        for _ in range(ROUNDS):
            samples[DIFF].append(run_once(diff, cwd=folder, expect=(1,)))
            samples[FAST_DIFF].append(run_once([*diff, "--concurrency", "8"], cwd=folder, expect=(1,)))
            samples[PLAN].append(run_once([fleet, "plan", "--detailed-exitcode"], cwd=folder, expect=(2,)))
    finally:
        run_once([*kubectl, "delete", "namespace", ours, theirs, "--wait=false"])
        records = ["-n", "fleetmgr-system", "delete", "configmap", "-l", f"fleetmgr.dev/fleet={ours}"]
        run_once([*kubectl, *records])


def show(samples: dict[str, list[Sample]]) -> None:
    """The table with ratios of this very run."""
    rows: list[list[str]] = []
    for names in ((CREATE, FLEET_CREATE), (DIFF, FAST_DIFF, PLAN)):
        base = min(median(samples[name], "wall") for name in names[:-1])
        rows += [
            [
                name,
                f"{median(samples[name], 'wall'):.2f} s",
                f"{min(x.wall for x in samples[name]):.2f} s",
                f"{median(samples[name], 'cpu'):.2f} s",
                f"{median(samples[name], 'memory'):.0f} MB",
                f"{median(samples[name], 'wall') / base:.2f}",
            ]
            for name in names
        ]
    table([f"{COUNT} Deployments", "wall", "best", "CPU", "memory", "ratio"], rows)
    print(f"goal: fleet at most {GOAL} of kubectl\n")
