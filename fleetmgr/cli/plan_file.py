"""Saved plans on disk: written for their owner alone, read back, held to the fleet before they are applied."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.output import echo, to_owner
from fleetmgr.cli.progress import shown
from fleetmgr.cli.walking import open_walk, selection
from fleetmgr.errors import UsageError
from fleetmgr.model.change import Plan
from fleetmgr.model.saved_plan import PlanFile
from fleetmgr.model.selection import Selection
from fleetmgr.model.verify import Verify
from fleetmgr.operations.saved import as_saved, replan, save
from fleetmgr.operations.walk import Walk
from fleetmgr.planner.grouping import same_changes
from fleetmgr.planner.plan_file import decode, encode
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.plan_text import plan_text


def kept(walk: Walk, plan: Plan, selected: Selection, path: Path) -> Plan:
    """Write ``plan`` to ``path`` (mode 0600); the plan with the id that its file has."""
    saved = save(walk, plan, selected)
    text = plan_text(saved.plan, same_changes(saved.plan))
    content, identifier = encode(saved, text, packed=path.suffix == ".gz")
    to_owner("plan", path, content)  # it says a lot about the clusters
    for cluster in saved.clusters:
        if cluster.note:
            echo(f"{visible(cluster.name)}: {visible(cluster.note)}\n", err=True)
    echo(
        f"Kept in {visible(str(path))}; apply exactly this with: fleet apply {visible(str(path))}\n", err=True
    )
    return replace(plan, id=identifier)


def planned(invocation: Invocation, path: Path) -> tuple[Walk, Selection, Plan]:
    """The plan of a file, if it is still true. Raises UsageError when options say something else than the file."""
    given = selection(invocation)
    said = invocation.adopt or invocation.force or invocation.verify != Verify.AUTO
    if not given.everything or said:
        raise UsageError(
            "a saved plan says itself what is applied: -e, -c, -a, -l, --adopt, --force and --verify do not go with it",
            hint="leave them out, or plan again with them: `fleet plan --out FILE`",
        )
    file = read(path)
    walk, saved = as_saved(open_walk(invocation), file, name=str(path))
    with shown(invocation) as sink:
        return walk, saved.selection, replan(walk, saved, sink)


def read(path: Path) -> PlanFile:
    """The file as it is. Raises UsageError (not there) and NotAPlanFile."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the saved plan cannot be read: {error.strerror or error}",
            hint="give the FILE of `fleet plan --out FILE`",
        ) from error
    return decode(content, name=str(path))
