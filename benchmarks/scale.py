"""`python -m benchmarks scale`: 100 and 1,000 clusters x 20 apps of 4 objects, expanded and rendered offline."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Sample, run_once, table

APPS = 20
SIZES = (100, 300, 1000)
GOAL_SECONDS = 8.0
GOAL_MEMORY = 600.0
OBJECTS = """apiVersion: v1
kind: ConfigMap
metadata: {{name: {app}}}
data: {{DOMAIN: "${{cluster.vars.domain}}", LEVEL: info}}
---
apiVersion: v1
kind: Service
metadata: {{name: {app}}}
spec:
  selector: {{app: {app}}}
  ports: [{{name: http, port: 80, targetPort: 8080}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {app}, labels: {{app: {app}}}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: {app}}}}}
  template:
    metadata: {{labels: {{app: {app}}}}}
    spec:
      containers:
        - name: main
          image: registry.example/{app}:1.0.0
          env:
            - {{name: DOMAIN, value: "${{cluster.vars.domain}}"}}
            - {{name: REGION, value: "${{cluster.labels.region}}"}}
          ports: [{{name: http, containerPort: 8080}}]
          resources: {{requests: {{cpu: 100m, memory: 128Mi}}, limits: {{memory: 256Mi}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {app}}}
spec:
  rules:
    - host: "{app}.${{cluster.vars.domain}}"
      http:
        paths:
          - {{path: /, pathType: Prefix, backend: {{service: {{name: {app}, port: {{name: http}}}}}}}}
"""
PROGRAM = """
import sys
from pathlib import Path
from fleetmgr.wiring.offline import open_offline
from fleetmgr.operations.render import render
loaded, fetcher, _ = open_offline(Path(sys.argv[1]))
count = sum(len(stack.resources) for stack in render(loaded, fetcher, loaded.fleet.clusters))
assert count == int(sys.argv[2]), count
"""


def write_fleet(folder: Path, clusters: int) -> None:
    """A fleet of ``clusters`` entries in three environments."""
    for number in range(APPS):
        source = folder / "apps" / f"app-{number:02d}"
        source.mkdir(parents=True)
        (source / "all.yaml").write_text(OBJECTS.format(app=f"app-{number:02d}"))
        for env in ("dev", "prod"):
            overlay = folder / "environments" / env / f"app-{number:02d}.yaml"
            overlay.parent.mkdir(parents=True, exist_ok=True)
            overlay.write_text(f"images: {{registry.example/app-{number:02d}: 1.1.{number}}}\n")
    lines = ["apiVersion: fleetmgr.dev/v1", "kind: Fleet", "name: scale", "environments:"]
    lines += [f"  - {{name: {env}}}" for env in ("dev", "staging", "prod")]
    lines += ["clusters:"]
    for number in range(clusters):
        env = ("dev", "staging", "prod")[number % 3]
        lines.append(
            f"  - {{name: c-{number:04d}, environment: {env}, labels: {{region: r{number % 7}}}, "
            f"vars: {{domain: c{number}.example}}, access: {{context: c-{number:04d}}}}}"
        )
    lines += ["apps:"]
    lines += [
        f"  - {{name: app-{n:02d}, namespace: app-{n:02d}, source: {{type: manifests, path: apps/app-{n:02d}}}}}"
        for n in range(APPS)
    ]
    (folder / "fleet.yaml").write_text("\n".join(lines) + "\n")


def main() -> None:
    """Print the table."""
    rows: list[list[str]] = []
    last: Sample | None = None
    for clusters in SIZES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_fleet(folder, clusters)
            objects = clusters * APPS * 4
            last = run_once([sys.executable, "-c", PROGRAM, str(folder / "fleet.yaml"), str(objects)])
        rows.append(
            [
                f"{clusters} clusters x {APPS} apps x 4 objects",
                f"{last.wall:.2f} s",
                f"{last.wall / (clusters * APPS) * 1000:.3f} ms",
                f"{last.memory:.0f} MB",
            ]
        )
    table(["expanded and rendered offline", "wall", "per target", "memory"], rows)
    print(f"goal: 1,000 clusters in at most {GOAL_SECONDS:.0f} s and {GOAL_MEMORY:.0f} MB, flat per target\n")
