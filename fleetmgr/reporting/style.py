"""Colours, which never carry a meaning of their own: every state also has a symbol or a word."""

from __future__ import annotations

from msgspec import Struct

from fleetmgr.model.change import ClusterStatus, Op
from fleetmgr.model.health import HealthStatus

_RESET = "\x1b[0m"
_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}

SYMBOLS = {
    Op.CREATE: "+",
    Op.UPDATE: "~",
    Op.REPLACE: "-/+",
    Op.DELETE: "-",
    Op.ADOPT: "&",
    Op.MOVE: ">",
    Op.HOOK: "*",
    Op.ORPHANED: "?",
    Op.UNPROVEN: "?",
    Op.CONFLICT: "!",
    Op.DENIED: "!",
    Op.KEEP: "=",
}
OP_COLOURS = {
    Op.CREATE: "green",
    Op.UPDATE: "yellow",
    Op.REPLACE: "red",
    Op.DELETE: "red",
    Op.ADOPT: "yellow",
    Op.MOVE: "cyan",
    Op.HOOK: "cyan",
    Op.ORPHANED: "cyan",
    Op.UNPROVEN: "cyan",
    Op.CONFLICT: "red",
    Op.DENIED: "red",
    Op.KEEP: "dim",
}
STATUS_COLOURS = {
    ClusterStatus.CHANGED: "yellow",
    ClusterStatus.UNCHANGED: "green",
    ClusterStatus.UNREACHABLE: "red",
    ClusterStatus.ERROR: "red",
}
HEALTH_COLOURS = {
    HealthStatus.HEALTHY: "green",
    HealthStatus.SUSPENDED: "cyan",
    HealthStatus.PROGRESSING: "yellow",
    HealthStatus.MISSING: "red",
    HealthStatus.DEGRADED: "red",
    HealthStatus.UNKNOWN: "red",
}


class Paint(Struct, frozen=True, kw_only=True):
    """Adds ANSI colours, or nothing at all."""

    enabled: bool = False

    def __call__(self, colour: str, text: str) -> str:
        """``text`` in ``colour`` (``bold dim red green yellow blue cyan``)."""
        if not self.enabled or not text:
            return text
        return f"\x1b[{_CODES[colour]}m{text}{_RESET}"


PLAIN = Paint()
