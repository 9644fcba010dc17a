"""Errors: what, where, what to do next; for people and for programs."""

from __future__ import annotations

from fleetmgr.errors import FleetError, InvalidInput, Problem, Where
from fleetmgr.model.change import ClusterFailure
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.reporting.escape import visible, visible_lines
from fleetmgr.reporting.style import PLAIN, Paint

API_VERSION = "fleetmgr.dev/v1"


def problem_lines(problem: Problem, *, paint: Paint = PLAIN, label: str = "error") -> list[str]:
    """``error[FLT-1001]: message``, then ``at`` and ``hint`` indented, where known."""
    message, *more = visible_lines(problem.message)
    lines = [f"{paint('red', f'{label}[{problem.code}]:')} {message}", *(f"  {line}" for line in more)]
    if problem.where is not None and str(problem.where):
        lines.append(f"  at {visible(str(problem.where))}")
    if problem.hint:
        first, *rest = visible_lines(problem.hint)
        lines += [f"  hint: {first}", *(f"        {line}" for line in rest)]
    return lines


def error_text(error: FleetError, *, paint: Paint = PLAIN) -> str:
    """An error as the command line prints it; all problems of an input, with their count at the end."""
    problems = error.all_problems()
    lines = [line for problem in problems for line in problem_lines(problem, paint=paint)]
    if isinstance(error, InvalidInput):
        lines.append(f"{len(problems)} {'problem' if len(problems) == 1 else 'problems'}")
    return "\n".join(lines) + "\n"


def error_data(error: FleetError) -> JsonObject:
    """The failure of a whole run as data, kind ``Error``."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Error",
        "exitCode": int(error.exit_code),
        "reason": error.message,
        "errors": [problem_data(problem) for problem in error.all_problems()],
    }


def problem_data(problem: Problem) -> JsonObject:
    """``{code, message, hint?, where?}``."""
    data: JsonObject = {"code": problem.code, "message": problem.message}
    if problem.hint:
        data["hint"] = problem.hint
    if problem.where is not None and str(problem.where):
        data["where"] = where_data(problem.where)
    return data


def failure_lines(failure: ClusterFailure, paint: Paint) -> list[str]:
    """A cluster's failure below its line: reason first, then the hint."""
    problem = failure.problem
    first, *more = visible_lines(problem.message)
    lines = [f"{paint('red', f'error[{problem.code}]:')} {first}", *more]
    if problem.hint:
        lines.append(f"hint: {visible(problem.hint)}")
    return lines


def where_data(where: Where) -> JsonObject:
    """The parts of a place that are known."""
    parts = ("file", "line", "column", "cluster", "object", "field")
    return {part: value for part in parts if (value := getattr(where, part)) is not None}
