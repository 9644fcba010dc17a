"""`python -m benchmarks pulumi_engine`: 100 Deployments through both engines, and our Pulumi program beside a bare one.

Needs a sandbox that is up, and the Pulumi CLI with its Python language host and Kubernetes provider; without them it
says SKIPPED.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import yaml

from benchmarks.measure import BIN, Sample, run_once, table
from benchmarks.noop import CONTEXT, COUNT, DEPLOYMENT, KUBECONFIG

PROGRAMS = ("pulumi", "pulumi-language-python", "pulumi-resource-kubernetes")
RUNS = 3
GOAL = 1.10
"""Wall time of our program over that of the bare one."""
PREVIEW = ("pulumi", "preview", "--non-interactive", "--refresh=false")
UP = ("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--refresh=false")
BARE = """\
import gc
import json

import pulumi

gc.disable()
goals = json.load(open("../goals.json"))
settings = goals["provider"]
versioned = pulumi.ResourceOptions(version=goals["version"])
provider = pulumi.ProviderResource("kubernetes", "kubernetes", settings, versioned)
for goal in goals["resources"]:
    options = pulumi.ResourceOptions(provider=provider, version=goals["version"])
    pulumi.CustomResource(goal["type"], goal["name"], goal["inputs"], options)
"""
OURS = "from fleetmgr.wiring.pulumi import run_program\n\nrun_program()\n"


def main() -> None:
    """Print both tables."""
    if not all(map(shutil.which, PROGRAMS)):
        print("\nPulumi engine: SKIPPED: no pulumi CLI\n")
        return
    if not KUBECONFIG.exists():
        sys.exit("the sandbox is not up: fleet sandbox up --clusters 1")
    engines()
    programs()


def engines() -> None:
    """Create, nothing to do, update: each engine in a fleet of its own, taking turns."""
    samples: dict[tuple[str, str], Sample] = {}
    with tempfile.TemporaryDirectory() as name:
        for step in ("create", "nothing to do", "update"):
            for engine in ("embedded", "pulumi"):
                with fleet(Path(name) / engine, f"bench-{engine}") as environment:
                    folder = Path(name) / engine
                    if step == "update":
                        _write(folder, image="registry.example/bench:2.0.0")
                    verb = ("plan",) if step == "nothing to do" else ("apply", "--yes", "--no-wait")
                    command = [str(BIN / "fleet"), *verb, "--engine", engine]
                    samples[step, engine] = run_once(command, cwd=folder, env=environment)
        for engine in ("embedded", "pulumi"):
            _clean(f"bench-{engine}")
    rows = [
        (f"{step}, {engine}", f"{s.wall:.2f} s", f"{s.cpu:.2f} s", f"{s.memory:.0f} MB")
        for (step, engine), s in samples.items()
    ]
    table((f"{COUNT} Deployments", "wall", "CPU", "largest process"), rows)


def programs() -> None:
    """Previews of the same resources by the real CLI: creates, then nothing to do."""
    rows: list[tuple[str, ...]] = []
    with tempfile.TemporaryDirectory() as name:
        folders = {"ours": Path(name) / "ours", "bare": Path(name) / "bare"}
        with fleet(folders["ours"], "bench-program") as environment:
            _project(folders["ours"], "bench-program", OURS)
            _goals(folders["ours"], folders["bare"], environment)
            _project(folders["bare"], "bench-program", BARE)
            backends = {k: {**environment, "PULUMI_BACKEND_URL": f"file://{name}/state-{k}"} for k in folders}
            for which, folder in folders.items():
                (Path(name) / f"state-{which}").mkdir()
                run_once(["pulumi", "stack", "init", "bench-1"], cwd=folder, env=backends[which])
            for step in ("creates", "nothing to do"):
                found: dict[str, list[Sample]] = {which: [] for which in folders}
                for _ in range(RUNS):
                    for which, folder in folders.items():
                        found[which].append(run_once(list(PREVIEW), cwd=folder, env=backends[which]))
                best = {which: min(s.wall for s in samples) for which, samples in found.items()}
                ratio = best["ours"] / best["bare"]
                told = "yes" if ratio <= GOAL else "NO"
                rows.append((step, f"{best['ours']:.2f} s", f"{best['bare']:.2f} s", f"{ratio:.2f}", told))
                if step == "creates":
                    for which, folder in folders.items():
                        run_once(list(UP), cwd=folder, env=backends[which])
        _clean("bench-program")
    table((f"pulumi preview, {COUNT} Deployments", "ours", "bare", "ratio", "goal met"), rows)
    print(f"goal: ours at most {GOAL} of a hand-written program of the same resources, best of {RUNS}\n")


@contextmanager
def fleet(folder: Path, name: str) -> Generator[dict[str, str]]:
    """A fleet of ``COUNT`` Deployments in a namespace of its own; the environment for Pulumi."""
    if not folder.exists():
        folder.mkdir(parents=True)
        _write(folder, image="registry.example/bench:1.0.0")
        access = {"kubeconfig": str(KUBECONFIG), "context": CONTEXT}
        app = {"name": "bench", "namespace": name, "source": {"type": "manifests", "path": "apps/bench"}}
        document = {
            "apiVersion": "fleetmgr.dev/v1",
            "kind": "Fleet",
            "name": name,
            "environments": [{"name": "bench", "sync": {"prune": True}}],
            "clusters": [{"name": "bench-1", "environment": "bench", "access": access}],
            "apps": [app],
            "engine": {"type": "embedded", "backend": f"file://{folder}/state"},
        }
        (folder / "state").mkdir()
        (folder / "fleet.yaml").write_text(yaml.safe_dump(document))
    yield {
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_HOME": os.environ.get("PULUMI_HOME", f"{folder}/home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def _write(folder: Path, *, image: str) -> None:
    source = folder / "apps/bench"
    source.mkdir(parents=True, exist_ok=True)
    for number in range(COUNT):
        text = DEPLOYMENT.format(number=number, namespace="NAMESPACE").replace("  namespace: NAMESPACE\n", "")
        (source / f"{number:03d}.yaml").write_text(text.replace("registry.example/bench:1.0.0", image))


def _project(folder: Path, name: str, program: str) -> None:
    runtime = {"name": "python", "options": {"virtualenv": str(BIN.parent)}}
    folder.mkdir(exist_ok=True)
    (folder / "Pulumi.yaml").write_text(
        yaml.safe_dump({"name": name, "runtime": runtime, "main": "program/"})
    )
    (folder / "program").mkdir()
    (folder / "program/__main__.py").write_text(program)


def _goals(ours: Path, bare: Path, environment: Mapping[str, str]) -> None:
    """The very resources that ours registers, for the bare program: an exported state has them."""
    run_once([str(BIN / "fleet"), "apply", "--yes", "--no-wait"], cwd=ours, env=dict(environment))
    run_once([str(BIN / "fleet"), "export", "pulumi-state", "--out", "state.json"], cwd=ours)
    _forget("bench-program")
    exported = json.loads((ours / "state.json").read_text())["deployment"]["resources"]
    provider = next(e for e in exported if e["type"] == "pulumi:providers:kubernetes")
    objects = [e for e in exported if e["type"].startswith("kubernetes:")]
    settings = {k: v for k, v in provider["inputs"].items() if k != "version"}
    named = [{"type": e["type"], "name": e["urn"].split("::", 3)[3], "inputs": e["inputs"]} for e in objects]
    (bare / "program").parent.mkdir(exist_ok=True)
    document = {"provider": settings, "version": provider["inputs"]["version"], "resources": named}
    (bare / "goals.json").write_text(json.dumps(document))


def _kubectl(*arguments: str) -> None:
    run_once([str(BIN / "kubectl"), "--kubeconfig", str(KUBECONFIG), "--context", CONTEXT, *arguments])


def _forget(name: str) -> None:
    """The inventory, so that a first run of Pulumi is not refused."""
    _kubectl("-n", "fleetmgr-system", "delete", "configmaps", "-l", f"fleetmgr.dev/fleet={name}")


def _clean(name: str) -> None:
    _forget(name)
    _kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


if __name__ == "__main__":
    main()
