"""GitHub workflow commands: folded groups, annotations at files and lines, outputs of a step.

A job's log is also where commands are read from, so that text from clusters and repositories stands between
``::stop-commands::TOKEN`` and ``::TOKEN::`` (docs.github.com/actions, "Stopping and starting workflow commands"),
and everything that stands inside of a command is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from fleetmgr.errors import Problem, Where
from fleetmgr.model.change import Op
from fleetmgr.model.jsontypes import Json, JsonObject, array_at, is_object, object_at
from fleetmgr.reporting.escape import cut, visible, visible_lines

Level = Literal["error", "warning", "notice"]
PER_LEVEL = 10
"""GitHub shows this many annotations of a level for one step; the rest would be dropped without a word."""
_MESSAGE_LIMIT = 3_000
_TITLE_LIMIT = 200
_AT_LINE_START = re.compile(r"(?m)^(\s*)::")
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


class Section(Struct, frozen=True, kw_only=True):
    """Lines of a log that fold under ``title``; without a title they are always seen."""

    title: str
    lines: tuple[str, ...]


class Annotation(Struct, frozen=True, kw_only=True):
    """A message of the checks page; ``file`` is relative to the folder of fleet.yaml."""

    level: Level
    title: str
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None


class Workflow(Struct, frozen=True, kw_only=True):
    """A result as a job's log shows it."""

    sections: tuple[Section, ...]
    annotations: tuple[Annotation, ...] = ()


def workflow_text(workflow: Workflow, *, stop: str, folder: str = "") -> str:
    """The commands. ``stop`` (the token) must not be guessable; ``folder`` leads from the repository to fleet.yaml."""
    lines: list[str] = []
    for section in workflow.sections:
        text = [visible(line) for line in section.lines]
        guarded = [f"::stop-commands::{stop}", *text, f"::{stop}::"]
        title = _escaped(visible(section.title), _DATA)
        lines += [f"::group::{title}", *guarded, "::endgroup::"] if title else guarded
    lines += [_command(annotation, folder) for annotation in _shown(workflow.annotations)]
    return "\n".join(lines) + "\n"


def problem_annotation(problem: Problem, level: Level = "error", *, about: str = "") -> Annotation:
    """A problem at its place; ``about`` (object, clusters) goes before the message."""
    where = problem.where or Where()
    place = " / ".join(part for part in (where.cluster, where.object, where.field) if part)
    lead = about or place
    hint = f"\nhint: {problem.hint}" if problem.hint else ""
    return Annotation(
        level=level,
        title=problem.code,
        message=f"{lead}: {problem.message}{hint}" if lead else f"{problem.message}{hint}",
        file=where.file,
        line=where.line,
        column=where.column,
    )


def step_outputs(document: JsonObject) -> str:
    """Lines for ``$GITHUB_OUTPUT`` from a result's data: ``changed``, ``exit_code`` and, of a plan, ``plan_id``."""
    plan_id = document.get("id") or document.get("planId")
    lines = [
        f"changed={'true' if _changed(document) else 'false'}",
        f"exit_code={int(document.get('exitCode') or 0)}",
    ]
    if isinstance(plan_id, str) and plan_id.isalnum():
        lines.append(f"plan_id={plan_id}")
    return "".join(f"{line}\n" for line in lines)


def defused(text: str) -> str:
    """``text`` without anything that a job's log would take for a command, in either of its spellings."""
    return _AT_LINE_START.sub(r"\1: :", text).replace("##[", "# #[")


def _changed(document: JsonObject) -> bool:
    """Whether a plan would write something, or an apply did."""
    if document.get("kind") == "ApplyResult":
        summary = object_at(document, "summary")
        return any(summary.get(op.value) for op in Op if op.writes)
    clusters = array_at(document, "clusters")
    return any(is_object(cluster) and cluster.get("status") == "changed" for cluster in clusters)


def _shown(annotations: Sequence[Annotation]) -> list[Annotation]:
    """At most ``PER_LEVEL`` of each level; the last of a longer list says how many there are."""
    kept: list[Annotation] = []
    for level in ("error", "warning", "notice"):
        of_level = [annotation for annotation in annotations if annotation.level == level]
        if len(of_level) > PER_LEVEL:
            left = len(of_level) - PER_LEVEL + 1
            more = Annotation(
                level=level, title="fleet", message=f"and {left} more; see the log of this step"
            )
            of_level = [*of_level[: PER_LEVEL - 1], more]
        kept += of_level
    return kept


def _command(annotation: Annotation, folder: str) -> str:
    file = _file(annotation, folder)
    placed = annotation if file else replace(annotation, line=None, column=None)
    properties: dict[str, Json] = {
        "file": file,
        "line": placed.line,
        "col": placed.column,
        "title": cut(visible(annotation.title), _TITLE_LIMIT),
    }
    told = ",".join(f"{k}={_escaped(str(v), _PROPERTY)}" for k, v in properties.items() if v is not None)
    message = cut("\n".join(visible_lines(annotation.message)), _MESSAGE_LIMIT)
    return f"::{annotation.level} {told}::{_escaped(message, _DATA)}"


def _file(annotation: Annotation, folder: str) -> str | None:
    """The path in the repository; None for a file of another revision, whose lines are not these."""
    if annotation.file is None or "@" in annotation.file:
        return None
    return visible(f"{folder.rstrip('/')}/{annotation.file}" if folder not in ("", ".") else annotation.file)


def _escaped(text: str, table: Mapping[str, str]) -> str:
    return "".join(table.get(character, character) for character in text)
