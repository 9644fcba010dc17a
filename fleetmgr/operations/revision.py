"""Which revision a walk is of, as it is shown and recorded."""

from __future__ import annotations

from fleetmgr.ports.repository import Repository


def revision_of(repository: Repository) -> str:
    """Commit id of HEAD, ``+dirty`` when the working tree differs from it; "" outside Git."""
    head = repository.head()
    if head is None:
        return ""
    return f"{head}+dirty" if repository.dirty() else head
