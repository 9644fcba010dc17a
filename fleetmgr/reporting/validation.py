"""``fleet validate`` for people and for programs."""

from __future__ import annotations

from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.validation import FleetSize, Validation
from fleetmgr.reporting.problems import API_VERSION, problem_data, problem_lines
from fleetmgr.reporting.style import PLAIN, Paint


def validation_text(validation: Validation, *, paint: Paint = PLAIN) -> str:
    """Problems and their count, or one line that says what is valid."""
    lines = [line for w in validation.warnings for line in problem_lines(w, paint=paint, label="warning")]
    for problem in validation.problems:
        lines += problem_lines(problem, paint=paint)
    if validation.size is not None:
        lines.append(f"{validation.file} is valid: {_counted(validation.size)}")
    else:
        count = len(validation.problems)
        lines.append(f"{validation.file} is not valid: {_plural(count, 'problem')}")
    return "\n".join(lines) + "\n"


def validation_data(validation: Validation) -> JsonObject:
    """Kind ``Validation``: valid, problems and warnings, and the fleet's size when it is valid."""
    data: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": "Validation",
        "valid": validation.valid,
        "problems": [problem_data(p) for p in validation.problems],
        "warnings": [problem_data(p) for p in validation.warnings],
    }
    size = validation.size
    if size is not None:
        data["fleet"] = size.fleet
        data["summary"] = {
            "environments": size.environments,
            "clusters": size.clusters,
            "apps": size.apps,
            "targets": size.targets,
        }
    return data


def _counted(size: FleetSize) -> str:
    counts = (
        (size.environments, "environment"),
        (size.clusters, "cluster"),
        (size.apps, "app"),
        (size.targets, "target"),
    )
    return ", ".join([f"fleet {size.fleet}", *(_plural(count, noun) for count, noun in counts)])


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
