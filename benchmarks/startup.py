"""`python -m benchmarks startup`: `fleet --help`, a Tab, and `fleet validate` of the demo beside its import floor."""

from __future__ import annotations

import sys

from benchmarks.measure import BIN, interleaved, median, table

HELP_GOAL = 0.150
VALIDATE_GOAL = 0.150
COMPLETION_GOAL = 0.100
TAB = "_FLEET_COMPLETE=bash_complete", "COMP_WORDS=fleet plan -c ", "COMP_CWORD=3"


def main() -> None:
    """Print the table."""
    fleet = str(BIN / "fleet")
    commands = {
        "fleet --help": [fleet, "--help"],
        "fleet plan -c TAB": ["env", *TAB, fleet],
        "floor: import click, yaml, pydantic": [sys.executable, "-c", "import click, yaml, pydantic"],
        "fleet validate": [fleet, "validate"],
    }
    samples = interleaved(commands, runs=15)
    rows = [
        [
            name,
            f"{median(s, 'wall') * 1000:.0f} ms",
            f"{min(x.wall for x in s) * 1000:.0f} ms",
            f"{median(s, 'memory'):.0f} MB",
        ]
        for name, s in samples.items()
    ]
    table(["command", "median", "best", "memory"], rows)
    floor = median(samples["floor: import click, yaml, pydantic"], "wall")
    above = median(samples["fleet validate"], "wall") - floor
    tab = median(samples["fleet plan -c TAB"], "wall")
    helped = median(samples["fleet --help"], "wall")
    table(
        ["figure", "measured", "goal"],
        [
            ["fleet --help", f"{helped * 1000:.0f} ms", f"{HELP_GOAL * 1000:.0f} ms"],
            ["names at a Tab", f"{tab * 1000:.0f} ms", f"{COMPLETION_GOAL * 1000:.0f} ms"],
            ["fleet validate above the floor", f"{above * 1000:.0f} ms", f"{VALIDATE_GOAL * 1000:.0f} ms"],
        ],
    )
