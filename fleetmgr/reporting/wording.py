"""The small words that all reports share."""

from __future__ import annotations

from collections.abc import Sequence

from fleetmgr.errors import ExitCode
from fleetmgr.model.enumeration import listed
from fleetmgr.model.report import ClusterReport
from fleetmgr.reporting.escape import visible


def code_name(code: ExitCode) -> str:
    """An exit code in a word, for a cluster's line."""
    return {
        ExitCode.OK: "done",
        ExitCode.AUTH: "no access",
        ExitCode.PARTIAL: "unreachable",
        ExitCode.REFUSED: "refused",
        ExitCode.STALE: "stale",
        ExitCode.APPROVAL: "waiting",
        ExitCode.LOCKED: "locked",
        ExitCode.TIMEOUT: "timed out",
        ExitCode.INTERRUPTED: "interrupted",
        ExitCode.TERMINATED: "terminated",
    }.get(code, "failed")


def ended(cluster: ClusterReport) -> str:
    """How an apply of a cluster ended, in a word."""
    return code_name(cluster.exit_code) if cluster.begun else "not begun"


def names(clusters: Sequence[str], *, limit: int = 8) -> str:
    """Cluster names in a row, the rest of a long list counted."""
    return listed([visible(name) for name in clusters], limit=limit)
