"""`make demo`: the main job on three real control planes, explained line by line.

Every step checks what it promises and stops with an error where the promise is not kept.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
KUBECONFIG = Path.home() / ".kube" / "fleetmgr-sandbox.yaml"
PLAIN = bool(os.environ.get("NO_COLOR")) or not sys.stdout.isatty()


class Demo:
    """Runs the steps and keeps their times."""

    def __init__(self) -> None:
        self.times: list[tuple[str, float]] = []

    def run(self, *, heading: str, command: Sequence[str], expect: Sequence[int] = (0,)) -> None:
        """Show a line of explanation and a command, run it, check its exit code."""
        say(heading)
        print(f"{dim('$')} {bold(shlex.join(command))}", flush=True)
        started = time.monotonic()
        code = subprocess.run(resolve(command), cwd=ROOT, check=False).returncode
        self.times.append((shlex.join(command), time.monotonic() - started))
        if code not in expect:
            stop(f"`{shlex.join(command)}` ended with {code}, expected {' or '.join(map(str, expect))}")

    def finish(self) -> None:
        """How long it took, and how to go on."""
        say("Times")
        for name, seconds in self.times:
            print(f"  {seconds:7.1f} s  {name}")
        print(f"  {sum(s for _, s in self.times):7.1f} s  in all")
        say("The clusters stay up. Look around, change a file under apps/ or environments/, plan again:")
        for line in (
            "source .venv/bin/activate",
            "fleet status",
            "fleet plan",
            f"kubectl --kubeconfig {display(KUBECONFIG)} --context sandbox-1 get pods -A",
            "fleet sandbox status",
            "make demo-down          # stops everything",
        ):
            print(f"  {line}")


def resolve(command: Sequence[str]) -> list[str]:
    """The command with the programs of this checkout's virtual environment."""
    program = BIN / command[0]
    return [str(program) if program.exists() else command[0], *command[1:]]


def bold(text: str) -> str:
    """Bold on a terminal."""
    return text if PLAIN else f"\x1b[1m{text}\x1b[0m"


def dim(text: str) -> str:
    """Dim on a terminal."""
    return text if PLAIN else f"\x1b[2m{text}\x1b[0m"


def say(text: str) -> None:
    """A line that explains."""
    print(f"\n{bold('#')} {text}", flush=True)


def stop(text: str) -> None:
    """The promise is broken."""
    print(f"\ndemo: {text}", file=sys.stderr)
    sys.exit(1)


def display(path: Path) -> str:
    """A path below the home folder as a person writes it."""
    return f"~/{path.relative_to(Path.home())}"


def kubectl(context: str, *arguments: str) -> list[str]:
    """A kubectl command against one cluster of the sandbox."""
    return ["kubectl", "--kubeconfig", str(KUBECONFIG), "--context", context, *arguments]


def check_drift() -> None:
    """`fleet drift -o json` must name exactly the two objects that were changed by hand."""
    answer = subprocess.run(
        resolve(["fleet", "drift", "-o", "json"]), cwd=ROOT, check=True, capture_output=True, text=True
    )
    clusters = json.loads(answer.stdout)["clusters"]
    found = sorted((c["name"], change["resource"]) for c in clusters for change in c["changes"])
    expected = [("prod-1", "v1/Service/shop/web"), ("staging-1", "apps/v1/Deployment/shop/api")]
    if found != expected:
        stop(f"drift is {found}, expected {expected}")


def main() -> None:
    """The whole demo."""
    demo = Demo()
    demo.run(
        heading="Three real Kubernetes control planes on this machine (built on the first run, then cached).",
        command=["fleet", "sandbox", "up", "--clusters", "3"],
    )
    demo.run(
        heading="One plan for the whole fleet, from live state. Equal changes are shown once.",
        command=["fleet", "plan"],
    )
    demo.run(
        heading="Make it so: apps in dependency order, clusters in parallel, each waits until it is Healthy.",
        command=["fleet", "apply", "--yes"],
    )
    demo.run(
        heading="Plan again: nothing to do. With --detailed-exitcode, 0 says so to scripts.",
        command=["fleet", "plan", "--detailed-exitcode"],
    )
    demo.run(
        heading="Somebody changes things by hand: replicas 2 -> 5 in staging, a Service deleted in prod.",
        command=kubectl("sandbox-2", "--namespace", "shop", "scale", "deployment/api", "--replicas", "5"),
    )
    demo.run(
        heading="(the second change)",
        command=kubectl("sandbox-3", "--namespace", "shop", "delete", "service/web"),
    )
    demo.run(
        heading="Drift: what differs though nobody changed Git, and who wrote it. 2 = there is some.",
        command=["fleet", "drift", "--detailed-exitcode"],
        expect=(2,),
    )
    check_drift()
    demo.run(heading="An apply heals it.", command=["fleet", "apply", "--yes"])
    demo.run(
        heading="And nothing is left to do.",
        command=["fleet", "plan", "--detailed-exitcode"],
    )
    demo.run(heading="Every app on every cluster.", command=["fleet", "status"])
    demo.finish()


if __name__ == "__main__":
    main()
