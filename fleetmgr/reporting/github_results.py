"""Each result as a GitHub job shows it: what folds, and what is annotated where."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from fleetmgr.errors import ExitCode, FleetError, Problem, Where
from fleetmgr.model.change import Change, ClusterFailure, Op, Plan
from fleetmgr.model.enumeration import counted
from fleetmgr.model.grouping import ChangeGroup, same_refusals
from fleetmgr.model.health import HealthStatus
from fleetmgr.model.report import CheckResult, Diagnosis, FleetStatus, Outcome, Report
from fleetmgr.model.validation import Validation
from fleetmgr.reporting.apply_text import report_text
from fleetmgr.reporting.doctor import diagnosis_text
from fleetmgr.reporting.drift_text import drift_lines, drift_text
from fleetmgr.reporting.extra import extra_count
from fleetmgr.reporting.github import Annotation, Level, Section, Workflow, problem_annotation
from fleetmgr.reporting.noise import noise_lines
from fleetmgr.reporting.plan_text import (
    change_lines,
    closing_lines,
    cluster_lines,
    forced_lines,
    plan_headline,
    unverified_lines,
    warning_lines,
)
from fleetmgr.reporting.problems import error_text
from fleetmgr.reporting.refusals import refusal_lines
from fleetmgr.reporting.rollout import rollout_lines
from fleetmgr.reporting.status import status_text
from fleetmgr.reporting.style import PLAIN
from fleetmgr.reporting.unified import diff_text, patch_title, patches
from fleetmgr.reporting.validation import validation_text
from fleetmgr.reporting.wording import names

_BLOCKED_CODE = "FLT-5020"
_BLOCKED = (Op.CONFLICT, Op.DENIED)


def plan_workflow(plan: Plan, groups: Sequence[ChangeGroup]) -> Workflow:
    """A group an app; denied objects, conflicts, drift and clusters without a result annotated."""
    apps = [(app, list(members)) for app, members in groupby(groups, key=lambda group: group.change.app)]
    sections = [
        Section(
            title="",
            lines=(plan_headline(plan), "", *cluster_lines(plan, PLAIN), *forced_lines(groups, PLAIN), ""),
        ),
        *(
            Section(
                title=f"{app}: {counted(len(members), 'change')}",
                lines=tuple(line for group in members for line in change_lines(group, PLAIN)),
            )
            for app, members in apps
        ),
        Section(
            title="",
            lines=(
                *rollout_lines(plan),
                *(*warning_lines(plan), *unverified_lines(plan), *noise_lines(plan, groups)),
                *extra_count(plan.clusters),
                *(*refusal_lines(plan), *closing_lines(plan)),
            ),
        ),
    ]
    return Workflow(sections=tuple(sections), annotations=_plan_annotations(plan, groups))


def drift_workflow(plan: Plan, groups: Sequence[ChangeGroup]) -> Workflow:
    """Drift is short: nothing folds, each drifted object is a warning."""
    drifted = [
        _at_origin(group.change, "\n".join(drift_lines(group, PLAIN)), title="drift") for group in groups
    ]
    return Workflow(sections=_plain(drift_text(plan, groups)), annotations=(*_failures(plan), *drifted))


def diff_workflow(plan: Plan) -> Workflow:
    """A group a distinct diff."""
    found = patches(plan)
    folded = tuple(Section(title=patch_title(p)[0], lines=(*patch_title(p)[1:], *p.lines)) for p in found)
    sections = folded or _plain(diff_text(plan))
    return Workflow(sections=sections, annotations=tuple(_failures(plan)))


def report_workflow(report: Report) -> Workflow:
    """What failed is an error at the manifest's line, once for all clusters where it is the same."""
    told: dict[Problem, list[str]] = {}
    failures: list[Annotation] = []
    for cluster in report.clusters:
        if cluster.failure is not None:
            failures.append(_failure(cluster.cluster, cluster.failure))
        for result in cluster.results:
            blocked = result.outcome is Outcome.SKIPPED and not result.op.writes
            if result.problem is not None and (result.outcome is Outcome.FAILED or blocked):
                told.setdefault(_anywhere(result.problem, result.ref.short), []).append(cluster.cluster)
    objects = [problem_annotation(p, about=f"{_object(p)} ({names(on)})") for p, on in told.items()]
    ill = [
        Annotation(
            level="warning", title=app.status.value, message=f"{app.app} on {c.cluster}: {app.message}"
        )
        for c in report.clusters
        for app in c.health
        if app.status not in (HealthStatus.HEALTHY, HealthStatus.SUSPENDED)
    ]
    stopped = [problem_annotation(report.stopped.problem)] if report.stopped else []
    annotations = (*failures, *objects, *stopped, *ill)
    return Workflow(sections=_plain(report_text(report)), annotations=annotations)


def status_workflow(status: FleetStatus) -> Workflow:
    """Degraded apps and clusters that could not be read are annotated."""
    failures = [_failure(c.cluster, c.failure) for c in status.clusters if c.failure is not None]
    ill = [
        Annotation(
            level="warning",
            title=t.health.status.value,
            message=f"{t.app} on {t.cluster}: {t.health.message}",
        )
        for c in status.clusters
        for t in c.targets
        if t.health.status in (HealthStatus.DEGRADED, HealthStatus.MISSING)
    ]
    return Workflow(sections=_plain(status_text(status)), annotations=(*failures, *ill))


def diagnosis_workflow(diagnosis: Diagnosis) -> Workflow:
    """Checks that did not pass are annotated."""
    found = tuple(
        Annotation(
            level="error" if check.result is CheckResult.FAILED else "warning",
            title=check.name,
            message="\n".join(
                part for part in (f"{check.cluster or 'this machine'}: {check.message}", check.hint) if part
            ),
        )
        for check in diagnosis.checks
        if check.result is not CheckResult.OK
    )
    return Workflow(sections=_plain(diagnosis_text(diagnosis)), annotations=found)


def validation_workflow(validation: Validation) -> Workflow:
    """Every problem at its file and line."""
    found = [problem_annotation(problem) for problem in validation.problems]
    found += [problem_annotation(problem, "warning") for problem in validation.warnings]
    return Workflow(sections=_plain(validation_text(validation)), annotations=tuple(found))


def error_workflow(error: FleetError) -> Workflow:
    """The failure of a whole run, at its files and lines."""
    found = tuple(problem_annotation(problem) for problem in error.all_problems())
    return Workflow(sections=_plain(error_text(error)), annotations=found)


def _plain(text: str) -> tuple[Section, ...]:
    return (Section(title="", lines=tuple(text.rstrip("\n").split("\n"))),)


def _plan_annotations(plan: Plan, groups: Sequence[ChangeGroup]) -> tuple[Annotation, ...]:
    found = [*_failures(plan)]
    found += [problem_annotation(g.problem, about=names(g.clusters)) for g in same_refusals(plan)]
    for group in groups:
        change = group.change
        about = f"{change.ref.short} ({names(group.clusters)})"
        if change.op in _BLOCKED:
            reason = change.reason or "it is not ours"
            found.append(
                _at_origin(change, f"{change.op.value} {about}: {reason}", title=_BLOCKED_CODE, level="error")
            )
        elif change.drift:
            by = f" by {change.writer}" if change.writer else ""
            found.append(_at_origin(change, f"{about} was changed on the cluster{by}", title="drift"))
    return tuple(found)


def _at_origin(change: Change, message: str, *, title: str, level: Level = "warning") -> Annotation:
    origin = change.origin
    if origin is None or origin.revision is not None:  # its lines are not those of the commit that is shown
        return Annotation(level=level, title=title, message=message)
    return Annotation(
        level=level,
        title=title,
        message=message,
        file=origin.file,
        line=origin.line,
        column=origin.column,
    )


def _failures(plan: Plan) -> list[Annotation]:
    return [_failure(c.cluster, c.failure) for c in plan.clusters if c.failure is not None]


def _failure(cluster: str, failure: ClusterFailure) -> Annotation:
    level = "warning" if failure.exit_code is ExitCode.PARTIAL else "error"
    return problem_annotation(failure.problem, level, about=cluster)


def _anywhere(problem: Problem, short: str) -> Problem:
    """``problem`` without its cluster, so that the same one of many clusters is one."""
    where = problem.where
    placed = (
        Where(object=short)
        if where is None
        else Where(file=where.file, line=where.line, column=where.column, object=short)
    )
    return Problem(message=problem.message, where=placed, hint=problem.hint, code=problem.code)


def _object(problem: Problem) -> str:
    return problem.where.object or "" if problem.where is not None else ""
