"""``fleet doctor``: each check with its result, and what to do about those that did not pass."""

from __future__ import annotations

from collections import Counter

from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.report import CheckResult, Diagnosis, DoctorCheck
from fleetmgr.model.verdict import Verdict
from fleetmgr.reporting.escape import visible, visible_lines
from fleetmgr.reporting.problems import API_VERSION
from fleetmgr.reporting.style import PLAIN, Paint
from fleetmgr.reporting.table import columns

_COLOURS = {CheckResult.OK: "green", CheckResult.WARNING: "yellow", CheckResult.FAILED: "red"}


def diagnosis_text(diagnosis: Diagnosis, *, paint: Paint = PLAIN) -> str:
    """One line a check, hints indented below it, the sum at the end."""
    checks = diagnosis.checks
    if not checks:
        return "Nothing to check.\n"
    rows = [
        [c.result.value, *(visible(t) for t in (c.cluster or "this machine", c.name, c.message))]
        for c in checks
    ]

    def colour(row: int, column: int, text: str) -> str:
        return paint(_COLOURS[checks[row].result], text) if column == 0 else text

    lines: list[str] = []
    for check, line in zip(checks, columns(rows, paint=colour), strict=True):
        lines.append(line)
        if check.hint:
            lines += [f"         hint: {text}" for text in visible_lines(check.hint)]
    return "\n".join([*lines, "", f"Doctor: {diagnosis_counts(diagnosis)}"]) + "\n"


def diagnosis_counts(diagnosis: Diagnosis) -> str:
    """``3 ok, 0 warning, 1 failed``."""
    counts = Counter(check.result for check in diagnosis.checks)
    return ", ".join(f"{counts[result]} {result.value}" for result in CheckResult)


def diagnosis_data(diagnosis: Diagnosis, verdict: Verdict) -> JsonObject:
    """Kind ``Diagnosis``."""
    counts = Counter(check.result for check in diagnosis.checks)
    return {
        "apiVersion": API_VERSION,
        "kind": "Diagnosis",
        "exitCode": int(verdict.exit_code),
        "reason": verdict.reason,
        "summary": {result.value: counts[result] for result in CheckResult},
        "checks": [_check(check) for check in diagnosis.checks],
    }


def _check(check: DoctorCheck) -> JsonObject:
    data: JsonObject = {"name": check.name, "result": check.result.value, "message": check.message}
    if check.cluster is not None:
        data["cluster"] = check.cluster
    if check.hint:
        data["hint"] = check.hint
    return data | {"exitCode": int(check.exit_code)}
