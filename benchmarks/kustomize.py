"""`python -m benchmarks kustomize`: a fleet of 50 kustomizations, rendered with an empty cache and a full one."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.measure import BIN, table

TREES = 50
RUNS = 5
BASE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
"""


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, cache = Path(temporary, "fleet"), Path(temporary, "cache")
        _write(folder)
        environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
        cold = [_run(folder, environment, forget=cache) for _ in range(2)]
        cached = [_run(folder, environment) for _ in range(RUNS)]
    rows = [
        ["empty cache", f"{min(cold):.2f} s", str(TREES)],
        ["full cache", f"{min(cached):.2f} s", "0"],
    ]
    table([f"fleet validate, {TREES} kustomizations", "best", "processes"], rows)


def _write(folder: Path) -> None:
    apps = [
        f"  - {{name: app-{n}, namespace: app-{n}, source: {{type: kustomize, path: apps/{n}/overlays/dev}}}}\n"
        for n in range(TREES)
    ]
    files = {
        "fleet.yaml": "apiVersion: fleetmgr.dev/v1\nkind: Fleet\nname: many\nenvironments: [{name: dev}]\n"
        "clusters: [{name: dev-1, environment: dev, access: {context: a}}]\napps:\n" + "".join(apps)
    }
    for n in range(TREES):
        files[f"apps/{n}/base/kustomization.yaml"] = "resources: [web.yaml]\n"
        files[f"apps/{n}/base/web.yaml"] = BASE
        files[f"apps/{n}/overlays/dev/kustomization.yaml"] = f"resources: [../../base]\nnamePrefix: p{n}-\n"
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _run(folder: Path, environment: dict[str, str], *, forget: Path | None = None) -> float:
    """Seconds of one `fleet validate`."""
    if forget is not None:
        shutil.rmtree(forget, ignore_errors=True)
    start = time.perf_counter()
    subprocess.run(
        [str(BIN / "fleet"), "validate"], cwd=folder, env=environment, check=True, capture_output=True
    )
    return time.perf_counter() - start
