"""``fleet remove``: an app, cluster or environment out of fleet.yaml. Nothing on a cluster is touched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from fleetmgr.errors import FleetError, Problem, UsageError, Where
from fleetmgr.expansion import expand
from fleetmgr.model.enumeration import listed
from fleetmgr.model.policy import OnRemove
from fleetmgr.operations.edits import SECTIONS, Proposal, WouldBeInvalid, find, proposed
from fleetmgr.ports.fleet_file import Edit, FleetFile

if TYPE_CHECKING:
    from fleetmgr.spec import LoadedFleet


class OverlaysLeft(UsageError):
    """Overlay files would match nothing without the entry."""

    code: ClassVar[str] = "FLT-6422"


def overlays_of(file: FleetFile, kind: str, name: str) -> tuple[str, ...]:
    """The overlay files that are only there for this entry; raises UnknownEntry."""
    find(file, kind, name)
    match kind:
        case "app":
            return file.overlays(app=name)
        case "environment":
            return file.overlays(environment=name)
        case _:
            return ()


def remove(
    file: FleetFile, kind: str, name: str, *, overlays: bool, loaded: LoadedFleet | None = None
) -> Proposal:
    """``overlays``: delete overlay files as well. ``loaded`` is the fleet before, for what to say of an app.

    Raises UnknownEntry, OverlaysLeft, and WouldBeInvalid with everything that still needs the entry.
    """
    left = overlays_of(file, kind, name)
    if kind == "environment":
        _must_be_empty(file, name)
    if left and not overlays:
        raise OverlaysLeft(
            f"{', '.join(left)} would match nothing without {kind} `{name}`",
            hint="add --overlays to delete them as well",
        )
    edits: list[Edit] = [file.remove(SECTIONS[kind], name), *map(file.delete, left)]
    return proposed(file, "remove", kind, name, edits, _consequences(kind, name, loaded))


def _must_be_empty(file: FleetFile, name: str) -> None:
    inside = [item for item in file.items("clusters") if item.data.get("environment") == name]
    if not inside:
        return
    problems = tuple(
        Problem(
            message=f"cluster `{item.name}` is in environment `{name}`",
            where=Where(file=item.file, line=item.line),
            code=WouldBeInvalid.code,
        )
        for item in inside
    )
    last = Problem(
        message=f"nothing was written: environment `{name}` is not empty",
        hint="remove its clusters first, or give them another environment",
        code=WouldBeInvalid.code,
    )
    raise WouldBeInvalid((*problems, last))


def _consequences(kind: str, name: str, loaded: LoadedFleet | None) -> Sequence[str]:
    match kind:
        case "cluster":
            return ["what was applied to this cluster stays on it: removing the entry deletes nothing"]
        case "app" if loaded is not None:
            return _of_app(name, loaded)
        case _:
            return []


def _of_app(name: str, loaded: LoadedFleet) -> list[str]:
    """Prune or orphan, as the files say now; what counts is what the app's last apply said."""
    try:
        targets = [target for target in expand(loaded) if target.app == name]
    except FleetError:  # the fleet is checked elsewhere
        return []
    pruned = [target.cluster for target in targets if target.policy.on_remove is OnRemove.DELETE]
    kept = [target.cluster for target in targets if target.policy.on_remove is not OnRemove.DELETE]
    notes: list[str] = []
    if pruned:
        notes.append(f"an apply will delete its objects on {listed(pruned)} (prune is on)")
    if kept:
        notes.append(f"its objects stay as orphaned on {listed(kept)} (prune is off)")
    if pruned or kept:
        notes.append("what counts is the prune setting of its last apply there: look at `fleet plan` first")
    return notes
