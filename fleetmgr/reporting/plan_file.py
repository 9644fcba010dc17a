"""A saved plan as it is shown: what it is, whether it can still be true, then the plan as it was."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from fleetmgr.model.change import Plan
from fleetmgr.model.grouping import ChangeGroup
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.saved_plan import PlanFile, SavedPlan, Staleness
from fleetmgr.model.verdict import Verdict
from fleetmgr.reporting.escape import visible, visible_lines
from fleetmgr.reporting.github import Section, Workflow
from fleetmgr.reporting.markdown import Block, document, heading, html_code, marker, note
from fleetmgr.reporting.plan_data import plan_data
from fleetmgr.reporting.plan_text import plan_text, short_revision
from fleetmgr.reporting.problems import API_VERSION
from fleetmgr.reporting.style import PLAIN, Paint

_FLAGS = (("environments", "-e"), ("clusters", "-c"), ("apps", "-a"), ("selectors", "-l"))


def plan_of(saved: SavedPlan) -> Plan:
    """The plan with the id of its file."""
    return replace(saved.plan, id=saved.id)


def plan_file_text(
    file: PlanFile, staleness: Staleness, groups: Sequence[ChangeGroup], *, paint: Paint = PLAIN
) -> str:
    """``groups`` of the plan; without them (written by another version) the text that it was saved with."""
    first, *more = head_lines(file, staleness)
    lines = [paint("bold", first), *(paint("yellow", line) if _STALE in line else line for line in more)]
    return "\n".join([*lines, "", _body(file, groups, paint)])


def _body(file: PlanFile, groups: Sequence[ChangeGroup], paint: Paint) -> str:
    if file.saved is None:
        return "\n".join(visible_lines(file.text.rstrip("\n"))) + "\n"
    return plan_text(plan_of(file.saved), groups, paint=paint)


_STALE = "stale"


def head_lines(file: PlanFile, staleness: Staleness) -> list[str]:
    """What the file is."""
    at = f" at {visible(short_revision(file.revision))}" if file.revision else ""
    lines = [
        f"Saved plan {file.id[:12]} of fleet {visible(file.fleet)}{at}",
        f"  made {visible(file.made_at)} by {visible(file.actor)} with fleetmgr {visible(file.tool)}",
    ]
    if file.saved is not None:
        lines += _choices(file.saved)
        lines += [f"  {visible(c.name)}: {visible(c.note)}" for c in file.saved.clusters if c.note]
    since = f" since {visible(staleness.since)}" if staleness.since else ""
    lines += [f"  {_STALE}{since}: {visible(reason)}" for reason in staleness.reasons]
    return lines


def _choices(saved: SavedPlan) -> list[str]:
    given = [f"{flag} {visible(value)}" for name, flag in _FLAGS for value in getattr(saved.selection, name)]
    given += [f"--{visible(option)}" for option in saved.options]
    return [f"  made with: {' '.join(given)}"] if given else []


def plan_file_data(file: PlanFile, staleness: Staleness, verdict: Verdict, shown: Verdict) -> JsonObject:
    """Kind ``PlanFile``. ``verdict`` is that of showing, ``shown`` that of the plan as it was made."""
    saved = file.saved
    data: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": "PlanFile",
        "id": file.id,
        "fleetmgr": file.tool,
        "madeAt": file.made_at,
        "actor": file.actor,
        "fleet": file.fleet,
        "revision": file.revision,
        "exitCode": int(verdict.exit_code),
        "reason": verdict.reason,
        "stale": bool(staleness.reasons),
        "staleReasons": list(staleness.reasons),
        "staleSince": staleness.since,
        "notes": [f"{c.name}: {c.note}" for c in (saved.clusters if saved else ()) if c.note],
        "plan": plan_data(plan_of(saved), shown) if saved else None,
    }
    if saved is None:
        return data | {"text": file.text}
    selection = {name: list(getattr(saved.selection, name)) for name, _ in _FLAGS}
    return data | {"selection": selection, "options": list(saved.options)}


def plan_file_markdown(file: PlanFile, staleness: Staleness, groups: Sequence[ChangeGroup]) -> str:
    """What it is, and the plan in a block."""
    text = tuple(_body(file, groups, PLAIN).splitlines())
    first, *more = head_lines(file, staleness)
    return document(
        [marker("plan-file", file.fleet), heading(first), *note("About", [line.strip() for line in more])],
        [Block(summary=f"Plan {html_code(file.id[:12])}", lines=text, language="text")],
        whole="`fleet show FILE` shows all of it.",
    )


def plan_file_workflow(file: PlanFile, staleness: Staleness, groups: Sequence[ChangeGroup]) -> Workflow:
    """For the log of a job."""
    text = plan_file_text(file, staleness, groups)
    return Workflow(sections=(Section(title="", lines=tuple(text.rstrip("\n").split("\n"))),), annotations=())
