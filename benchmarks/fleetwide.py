"""`python -m benchmarks fleetwide`: 50 clusters x 50 apps x 4 objects, with nothing to do, with one object changed, and
with one cluster that never answers.

The clusters are logical: entries that share the control planes of the sandbox (it must be up), each with namespaces of
its own. The first run creates 10,000 objects, which takes minutes; they stay until `fleetwide-clean`.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import tempfile
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

from benchmarks.measure import BIN, Sample, median, run_once, table
from benchmarks.noop import KUBECONFIG, SANDBOX

CLUSTERS, APPS, RUNS = 50, 50, 3
GOAL_SECONDS, GOAL_MEMORY = 6.0, 350
CONTEXTS = tuple(f"{SANDBOX}-{number}" for number in (1, 2))
NAME = "fleetwide"
NOTHING, CHANGED, SILENT = "nothing to do", "one object changed", "one cluster never answers"
OBJECTS = """apiVersion: v1
kind: ConfigMap
metadata: {{name: {app}, namespace: "fw-${{cluster.name}}"}}
data: {{level: "${{vars.level}}", text: "some settings of {app}"}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: {app}-more, namespace: "fw-${{cluster.name}}"}}
data: {{cluster: "${{cluster.name}}"}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: {app}, namespace: "fw-${{cluster.name}}"}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: {app}, namespace: "fw-${{cluster.name}}"}}
rules:
- {{apiGroups: [""], resources: [configmaps], verbs: [get, list, watch]}}
"""
DEAD = """apiVersion: v1
kind: Config
clusters: [{{name: dead, cluster: {{server: "https://127.0.0.1:{port}", insecure-skip-tls-verify: true}}}}]
users: [{{name: dead, user: {{token: none}}}}]
contexts: [{{name: dead, context: {{cluster: dead, user: dead}}}}]
"""


def write_fleet(folder: Path, *, changed: bool = False, dead: int | None = None) -> None:
    """The fleet. ``changed``: one object of one cluster is another; ``dead`` is the port of a server that never
    answers, in place of the last cluster."""
    for number in range(APPS):
        app = f"app-{number:02d}"
        source = folder / "apps" / app
        source.mkdir(parents=True, exist_ok=True)
        (source / "all.yaml").write_text(OBJECTS.format(app=app))
    lines = ["apiVersion: fleetmgr.dev/v1", "kind: Fleet", f"name: {NAME}"]
    lines += ["environments: [{name: bench, sync: {prune: true}}]", "clusters:"]
    for number in range(CLUSTERS):
        access = f"kubeconfig: {KUBECONFIG}, context: {CONTEXTS[number % len(CONTEXTS)]}"
        if dead is not None and number == CLUSTERS - 1:
            (folder / "dead.yaml").write_text(DEAD.format(port=dead))
            access = "kubeconfig: dead.yaml, context: dead"
        lines.append(f"- {{name: c{number:02d}, environment: bench, access: {{{access}}}}}")
    lines.append("apps:")
    for number in range(APPS):
        app = f"app-{number:02d}"
        other = (
            "overlays: {bench: {exceptions: {c00: {vars: {level: 2}}}}}, " if changed and not number else ""
        )
        source = f"source: {{type: manifests, path: apps/{app}}}"
        lines.append(f"- {{name: {app}, namespace: {NAME}, vars: {{level: 1}}, {other}{source}}}")
    (folder / "fleet.yaml").write_text("\n".join(lines) + "\n")


@contextlib.contextmanager
def black_hole() -> Generator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []

        def take() -> None:
            with contextlib.suppress(OSError):
                while True:
                    kept.append(server.accept()[0])

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        for connection in kept:
            connection.close()


def main() -> None:
    """Print the table."""
    if not KUBECONFIG.exists():
        sys.exit("the sandbox is not up: fleet sandbox up --clusters 2")
    fleet = str(BIN / "fleet")
    samples: dict[str, list[Sample]] = {}
    timings: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, black_hole() as port:
        folder = Path(name)
        write_fleet(folder)
        print("applying 10,000 objects where they are not there yet ...", flush=True)
        first = run_once([fleet, "apply", "--yes", "--no-wait"], cwd=folder)
        print(f"{first.wall:.0f} s\n", flush=True)
        report = folder / "plan.json"
        plan = [fleet, "plan", "--detailed-exitcode", "--timings", "-o", f"json={report}"]
        rounds: dict[str, tuple[int, dict[str, Any]]] = {
            NOTHING: (0, {}),
            CHANGED: (2, {"changed": True}),
            SILENT: (4, {"dead": port}),
        }
        for _ in range(RUNS):
            for title, (code, what) in rounds.items():
                write_fleet(folder, **what)
                samples.setdefault(title, []).append(run_once(plan, cwd=folder, expect=(code,)))
                timings[title] = json.loads(report.read_text())["timings"]
    show(samples, timings)


def show(samples: dict[str, list[Sample]], timings: dict[str, Any]) -> None:
    """The table, the requests, and how long the dead cluster alone took."""
    rows = [
        [
            name,
            f"{median(s, 'wall'):.2f} s",
            f"{min(x.wall for x in s):.2f} s",
            f"{median(s, 'cpu'):.2f} s",
            f"{max(x.memory for x in s):.0f} MB",
            ", ".join(f"{spent['count']} {verb}" for verb, spent in timings[name]["requests"].items()),
        ]
        for name, s in samples.items()
    ]
    header = [f"plan of {CLUSTERS} x {APPS} x 4 objects", "median", "best", "CPU", "memory", "requests"]
    table(header, rows)
    dead = next(c for c in timings[SILENT]["clusters"] if c["name"] == f"c{CLUSTERS - 1}")
    timeout = dead["phases"]["preview"]
    whole = median(samples[NOTHING], "wall") + timeout
    ratio = median(samples[SILENT], "wall") / whole
    print(
        f"the dead cluster was given up after {timeout:.1f} s; with it the run took {ratio:.2f} of both together"
    )
    print(f"goal: at most {GOAL_SECONDS:.0f} s and {GOAL_MEMORY} MB; the dead one at most 1.10\n")


def clean() -> None:
    """Delete what `fleetwide` made."""
    for context in CONTEXTS:
        kubectl = [str(BIN / "kubectl"), "--kubeconfig", str(KUBECONFIG), "--context", context]
        names = [f"fw-c{number:02d}" for number in range(CLUSTERS)]
        run_once([*kubectl, "delete", "namespace", *names, "--ignore-not-found", "--wait=false"])
        records = ["-n", "fleetmgr-system", "delete", "configmap,lease", "-l", f"fleetmgr.dev/fleet={NAME}"]
        run_once([*kubectl, *records])
