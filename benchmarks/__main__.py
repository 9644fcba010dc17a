"""`python -m benchmarks [startup] [noop] [scale] [kustomize] [health]`: all of them without arguments."""

from __future__ import annotations

import sys

from benchmarks import health, kustomize, noop, scale, startup

BENCHMARKS = {
    "startup": startup.main,
    "noop": noop.main,
    "scale": scale.main,
    "kustomize": kustomize.main,
    "health": health.main,
}


def main() -> None:
    """Run the named benchmarks."""
    names = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    for name in names:
        BENCHMARKS[name]()


if __name__ == "__main__":
    main()
