"""`python -m benchmarks [startup] [noop] [writes] [scale] [kustomize] [health] [pulumi_registration]
[pulumi_engine]`: all of them without arguments.

`fleetwide` and `fleetwide-clean` only by name: the first makes 10,000 objects in the sandbox.
"""

from __future__ import annotations

import sys

from benchmarks import (
    fleetwide,
    health,
    kustomize,
    noop,
    pulumi_engine,
    pulumi_registration,
    scale,
    startup,
    writes,
)

BENCHMARKS = {
    "startup": startup.main,
    "noop": noop.main,
    "writes": writes.main,
    "scale": scale.main,
    "kustomize": kustomize.main,
    "health": health.main,
    "pulumi_registration": pulumi_registration.main,
    "pulumi_engine": pulumi_engine.main,
    "fleetwide": fleetwide.main,
    "fleetwide-clean": fleetwide.clean,
}
BY_NAME_ONLY = frozenset({"fleetwide", "fleetwide-clean"})


def main() -> None:
    """Run the named benchmarks."""
    names = sys.argv[1:] or [name for name in BENCHMARKS if name not in BY_NAME_ONLY]
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    for name in names:
        BENCHMARKS[name]()


if __name__ == "__main__":
    main()
