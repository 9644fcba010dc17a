"""App x cluster in the width that there is: a column a cluster, a column an environment, or a list.

A state has a symbol and, where all is not well, its words; colours only repeat them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from fleetmgr.model.enumeration import counted
from fleetmgr.model.health import HealthStatus
from fleetmgr.model.report import ClusterState, FleetStatus, SyncStatus, TargetStatus
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.style import HEALTH_COLOURS, Paint
from fleetmgr.reporting.wording import code_name, names

Line = tuple[str, str]
"""Colour ("" for none) and text."""
Cell = list[Line]
_GAP = "   "
_VERSION = 20
"""Characters of a version at most."""
_NAMED = 3
"""Clusters that a summary names before it counts."""
_SETTLED = frozenset({HealthStatus.HEALTHY, HealthStatus.SUSPENDED})
_WELL = frozenset({SyncStatus.SYNCED.value, HealthStatus.HEALTHY.value})
_ABSENT: Cell = [("dim", ".")]
_UNSEEN: Cell = [("red", "?")]
_LEGEND = {
    "=": "Synced and Healthy",
    "~": "OutOfSync",
    "*": "Progressing",
    "!": "not Healthy",
    "?": "not known",
    ".": "not there",
}
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


def matrix(status: FleetStatus, *, width: int, paint: Paint) -> list[str]:
    """The widest form that fits into ``width`` columns, then what its symbols mean."""
    apps = list(dict.fromkeys(t.app for cluster in status.clusters for t in cluster.targets))
    rows = _by_cluster(status, apps)
    if _width(rows) > width:
        rows = _by_environment(status, apps)
    lines = _drawn(rows, paint) if _width(rows) <= width else _listed(status, apps, paint)
    used = _symbols(status)
    legend = "   ".join(f"{symbol} {words}" for symbol, words in _LEGEND.items() if symbol in used)
    return [*lines, "", *([paint("dim", legend)] if len(legend) <= width or used != {"="} else [])]


def version(images: Sequence[str]) -> str:
    """What runs, in a word: the tags of the images, each once; "" without images."""
    tags = list(dict.fromkeys(_tag(image) for image in images))
    shown = ",".join(tags[:2]) + (f" +{len(tags) - 2}" if len(tags) > 2 else "")  # noqa: PLR2004 - two are a word
    return visible(shown) if len(shown) <= _VERSION else visible(shown[: _VERSION - 2]) + ".."


def age(at: str, since: str | None) -> str:
    """``3d``, ``5h``, ``12m``, ``40s`` between two RFC 3339 times; "" when one is not known."""
    try:
        passed: timedelta = datetime.fromisoformat(at) - datetime.fromisoformat(since or "")
    except (ValueError, TypeError):
        return ""
    seconds = max(int(passed.total_seconds()), 0)
    return next((f"{seconds // size}{unit}" for size, unit in _UNITS if seconds >= size), f"{seconds}s")


def symbol(target: TargetStatus) -> str:
    """One of ``= ~ * ! ?``."""
    if target.health.status is HealthStatus.PROGRESSING:
        return "*"
    if target.health.status not in _SETTLED:
        return "!"
    return {SyncStatus.SYNCED: "=", SyncStatus.OUT_OF_SYNC: "~"}.get(target.sync, "?")


def state(target: TargetStatus) -> str:
    """``Synced/Healthy``, ``OutOfSync (2)/Degraded``."""
    pending = f" ({target.pending})" if target.pending else ""
    return f"{target.sync.value}{pending}/{target.health.status.value}"


def colour(target: TargetStatus) -> str:
    """That of its symbol."""
    if target.health.status in _SETTLED and target.sync is not SyncStatus.SYNCED:
        return "yellow"
    return HEALTH_COLOURS[target.health.status]


def _by_cluster(status: FleetStatus, apps: list[str]) -> list[list[Cell]]:
    titles: list[Cell] = [[("bold", "APP"), ("dim", "")]]
    for cluster in status.clusters:
        below = ("dim", visible(cluster.environment))
        if cluster.failure is not None:
            below = ("red", code_name(cluster.failure.exit_code))
        titles.append([("bold", visible(cluster.cluster)), below])
    rows = [titles]
    for app in apps:
        cells = [_cell(cluster, app, status.at) for cluster in status.clusters]
        rows.append([[("", visible(app))], *cells])
    return rows


def _cell(cluster: ClusterState, app: str, at: str) -> Cell:
    target = next((t for t in cluster.targets if t.app == app), None)
    if target is not None:
        return _target(target, at)
    return _UNSEEN if cluster.failure is not None else _ABSENT


def _target(target: TargetStatus, at: str) -> Cell:
    words = [symbol(target), version(target.images), age(at, target.since)]
    first = (colour(target), " ".join(word for word in words if word))
    unwell = [word for word in state(target).split("/") if word not in _WELL]
    return [first, *((colour(target), f"  {word}") for word in unwell)]


def _by_environment(status: FleetStatus, apps: list[str]) -> list[list[Cell]]:
    groups = _environments(status)
    titles: list[Cell] = [[("bold", "APP"), ("dim", "")]]
    for environment, clusters in groups.items():
        below = clusters[0].cluster if len(clusters) == 1 else counted(len(clusters), "cluster")
        titles.append([("bold", visible(environment)), ("dim", visible(below)), *_unread(clusters)])
    rows = [titles]
    for app in apps:
        cells = [_summary(clusters, app, status.at) for clusters in groups.values()]
        rows.append([[("", visible(app))], *cells])
    return rows


def _environments(status: FleetStatus) -> dict[str, list[ClusterState]]:
    groups: dict[str, list[ClusterState]] = {}
    for cluster in status.clusters:
        groups.setdefault(cluster.environment, []).append(cluster)
    return groups


def _unread(clusters: Sequence[ClusterState]) -> Cell:
    """How many could not be read, by how."""
    failed: dict[str, list[str]] = {}
    for cluster in clusters:
        if cluster.failure is not None:
            failed.setdefault(code_name(cluster.failure.exit_code), []).append(cluster.cluster)
    return [("red", f"{len(found)} {how}: {names(found, limit=_NAMED)}") for how, found in failed.items()]


def _summary(clusters: list[ClusterState], app: str, at: str) -> Cell:
    """An app on the clusters of an environment: versions, then how many are how."""
    if len(clusters) == 1:
        return _cell(clusters[0], app, at)
    targets = [t for cluster in clusters for t in cluster.targets if t.app == app]
    if not targets:
        return _UNSEEN if any(c.failure for c in clusters) else _ABSENT
    by_state: dict[tuple[str, str], list[TargetStatus]] = {}
    for target in targets:
        by_state.setdefault((symbol(target), state(target)), []).append(target)
    ordered = sorted(by_state.items(), key=lambda item: (item[0][0] != "=", -len(item[1])))
    lines: Cell = [("", text) for text in _versions(targets)]
    for (mark, words), members in ordered:
        which = "" if mark == "=" else f": {names([t.cluster for t in members], limit=_NAMED)}"
        lines.append((colour(members[0]), f"{mark} {len(members)} {words}{which}"))
    return lines


def _versions(targets: list[TargetStatus]) -> list[str]:
    found: dict[str, int] = {}
    for target in targets:
        text = version(target.images)
        if text:
            found[text] = found.get(text, 0) + 1
    if len(found) == 1:
        return list(found)
    return [f"{text} on {count}" for text, count in sorted(found.items(), key=lambda item: -item[1])]


def _listed(status: FleetStatus, apps: list[str], paint: Paint) -> list[str]:
    """For narrow terminals: app by app, a line or a few for each environment."""
    lines: list[str] = []
    groups = _environments(status)
    for app in apps:
        lines.append(paint("bold", visible(app)))
        cells = {
            visible(environment if len(clusters) > 1 else clusters[0].cluster): _summary(
                clusters, app, status.at
            )
            for environment, clusters in groups.items()
        }
        size = max(map(len, cells))
        for title, cell in cells.items():
            for number, (hue, text) in enumerate(cell if cell is not _ABSENT else ()):
                start = title if number == 0 else ""
                lines.append(f"  {start.ljust(size)}  {paint(hue, text) if hue else text}")
    unread = [(e, line) for e, clusters in groups.items() for line in _unread(clusters)]
    return lines + [f"{visible(e)}: {paint(colour, text)}" for e, (colour, text) in unread]


def _width(rows: Sequence[Sequence[Cell]]) -> int:
    return sum(_widths(rows)) + len(_GAP) * (len(rows[0]) - 1)


def _widths(rows: Sequence[Sequence[Cell]]) -> list[int]:
    return [max(len(text) for cell in column for _, text in cell) for column in zip(*rows, strict=True)]


def _drawn(rows: Sequence[Sequence[Cell]], paint: Paint) -> list[str]:
    widths = _widths(rows)
    lines: list[str] = []
    for cells in rows:
        for number in range(max(map(len, cells))):
            parts = [cell[number] if number < len(cell) else ("", "") for cell in cells]
            while len(parts) > 1 and not parts[-1][1]:
                parts.pop()
            padded = [
                (hue, text.ljust(size) if index + 1 < len(parts) else text)
                for index, ((hue, text), size) in enumerate(zip(parts, widths, strict=False))
            ]
            lines.append(
                _GAP.join(paint(hue, text) if hue and text.strip() else text for hue, text in padded)
            )
    return [line.rstrip() for line in lines]


def _symbols(status: FleetStatus) -> set[str]:
    used = {symbol(t) for cluster in status.clusters for t in cluster.targets}
    if any(cluster.failure for cluster in status.clusters):
        used.add("?")
    apps = {t.app for cluster in status.clusters for t in cluster.targets}
    if any(not c.failure and apps - {t.app for t in c.targets} for c in status.clusters):
        used.add(".")
    return used


def _tag(image: str) -> str:
    name, at, digest = image.partition("@")
    if at:
        return digest[: len("sha256:") + 7]
    _, colon, tag = name.rpartition(":")
    return tag if colon and "/" not in tag else "latest"
