"""How wide the terminal is, for the views that fold."""

from __future__ import annotations

import shutil

from fleetmgr.cli.invocation import Invocation
from fleetmgr.reporting.status import WIDTH


def terminal_width(invocation: Invocation) -> int:
    """Columns of standard output's terminal (COLUMNS wins); a fixed width where there is none, so that logs of
    the same fleet look alike."""
    return shutil.get_terminal_size((WIDTH, 24)).columns if invocation.terminal.stdout_tty else WIDTH
