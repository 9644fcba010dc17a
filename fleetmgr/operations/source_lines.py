"""A server's complaint about a field, told at the line where the field was written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from msgspec.structs import replace

from fleetmgr.errors import FleetError
from fleetmgr.model.change import Change, ClusterPlan, Op
from fleetmgr.model.objects import NO_DOCUMENT, Origin
from fleetmgr.model.target import FetchRequest
from fleetmgr.ports.source_fetcher import SourceFetcher
from fleetmgr.rendering.locate import field_position

_FIELD = re.compile(r"\.?\b((?:spec|metadata|data|rules|subjects|roleRef|webhooks)(?:[.\[][^\s:,;]*)?)")


def at_source_lines(fetcher: SourceFetcher, plans: Sequence[ClusterPlan]) -> list[ClusterPlan]:
    """The plans with the origin of each refused object moved to the field that the server names."""
    return [
        replace(part, changes=tuple(_located(fetcher, c) for c in part.changes))
        if any(c.op is Op.DENIED for c in part.changes)
        else part
        for part in plans
    ]


def _located(fetcher: SourceFetcher, change: Change) -> Change:
    if change.op is not Op.DENIED or change.origin is None or not change.reason:
        return change
    if change.origin.document == NO_DOCUMENT:
        return change
    named = _FIELD.search(change.reason)
    content = _content(fetcher, change.origin) if named else None
    if named is None or content is None:
        return change
    path = f"{change.origin.item}.{named[1]}" if change.origin.item else named[1]
    found = field_position(content, change.origin.document, path)
    if found is None:
        return change
    return replace(change, origin=replace(change.origin, line=found[0], column=found[1]))


def _content(fetcher: SourceFetcher, origin: Origin) -> bytes | None:
    """The file once more; one that cannot be read any more is told by its object's line."""
    folder = str(PurePosixPath(origin.file).parent)
    request = FetchRequest(type="manifests", path=folder, revision=origin.revision)
    try:
        files = fetcher.fetch(request).files
    except FleetError:
        return None
    return next((f.content for f in files if f.path == origin.file), None)
