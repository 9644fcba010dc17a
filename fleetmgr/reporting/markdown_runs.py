"""Apply, status, doctor and validate as Markdown: the sum first, then what is not well."""

from __future__ import annotations

from fleetmgr.errors import ExitCode, FleetError
from fleetmgr.model.enumeration import counted
from fleetmgr.model.health import HealthStatus
from fleetmgr.model.report import CheckResult, ClusterReport, Diagnosis, FleetStatus, Report, SyncStatus
from fleetmgr.model.validation import Validation
from fleetmgr.reporting.apply_text import PAST_VERBS, report_headline, report_note, report_text
from fleetmgr.reporting.doctor import diagnosis_counts
from fleetmgr.reporting.markdown import Block, Row, code, document, heading, marker, note, table
from fleetmgr.reporting.plan_text import short_revision
from fleetmgr.reporting.problems import error_text, failure_lines, problem_lines
from fleetmgr.reporting.style import PLAIN
from fleetmgr.reporting.validation import validation_text
from fleetmgr.reporting.wording import code_name, ended

_WHOLE = "everything is in the log of this run or in the file of `-o json=FILE`."


def report_markdown(report: Report) -> str:
    """What an apply did: a row a cluster; what failed folds out."""
    rows = [
        Row(
            cells=(code(c.cluster), code(c.environment), ended(c), report_note(c)),
            state=ended(c),
            quiet=c.exit_code is ExitCode.OK,
        )
        for c in report.clusters
    ]
    fine = all(_well(cluster) for cluster in report.clusters)
    text = tuple(report_text(report).splitlines())
    at = f" at {code(short_revision(report.revision))}" if report.revision else ""
    plan = f"plan {code(report.plan_id[:12])} of fleet {code(report.fleet)}{at}."
    whole = all(cluster.exit_code is ExitCode.OK for cluster in report.clusters)
    past = PAST_VERBS[report.verb]
    return document(
        [
            marker(report.verb.value, report.fleet),
            heading(report_headline(report)),
            *table(("Cluster", "Environment", "Result", "Objects"), rows, noun="cluster"),
        ],
        [] if fine else [Block(summary="Details", lines=text, language="text")],
        [f"{past.capitalize()} {plan}" if whole else f"Not everything was {past} of {plan}"],
        whole=_WHOLE,
    )


def _well(cluster: ClusterReport) -> bool:
    healthy = all(app.status in (HealthStatus.HEALTHY, HealthStatus.SUSPENDED) for app in cluster.health)
    return cluster.exit_code is ExitCode.OK and healthy and not cluster.warnings


def status_markdown(status: FleetStatus) -> str:
    """A row a target; those in sync and Healthy give way when there are too many."""
    targets = [target for cluster in status.clusters for target in cluster.targets]
    rows = [
        Row(
            cells=(
                code(t.app),
                code(t.cluster),
                t.sync.value + (f" ({t.pending})" if t.pending else ""),
                t.health.status.value,
                code(short_revision(t.revision)) if t.revision else "-",
                code(t.applied_at) if t.applied_at else "never",
            ),
            state=f"{t.sync.value} {t.health.status.value}",
            quiet=t.sync is SyncStatus.SYNCED and t.health.status is HealthStatus.HEALTHY,
        )
        for t in targets
    ]
    ill = [
        f"{t.app} on {t.cluster}: {t.health.status.value}: {t.health.message}"
        for t in targets
        if t.health.status is not HealthStatus.HEALTHY and t.health.message
    ]
    failures = [
        line
        for c in status.clusters
        if c.failure is not None
        for line in (f"{c.cluster}: {code_name(c.failure.exit_code)}", *failure_lines(c.failure, PLAIN))
    ]
    synced = sum(1 for t in targets if t.sync is SyncStatus.SYNCED)
    healthy = sum(1 for t in targets if t.health.status is HealthStatus.HEALTHY)
    title = f"{counted(len(status.clusters), 'cluster')}; {counted(len(targets), 'target')}"
    return document(
        [
            marker("status", status.fleet),
            heading(f"Status: {title}, {synced} synced, {healthy} healthy"),
            *table(("App", "Cluster", "Sync", "Health", "Revision", "Since"), rows, noun="target"),
        ],
        [],
        [*note("Not healthy", ill), *note("Without a result", failures)],
        whole=_WHOLE,
    )


def diagnosis_markdown(diagnosis: Diagnosis) -> str:
    """A row a check."""
    rows = [
        Row(
            cells=(
                check.result.value,
                code(check.cluster) if check.cluster else "this machine",
                code(check.name),
                code(f"{check.message} (hint: {check.hint})" if check.hint else check.message),
            ),
            state=check.result.value,
            quiet=check.result is CheckResult.OK,
        )
        for check in diagnosis.checks
    ]
    return document(
        [
            marker("doctor"),
            heading(f"Doctor: {diagnosis_counts(diagnosis)}"),
            *table(("Result", "Cluster", "Check", "Message"), rows, noun="check"),
        ],
        [],
        whole=_WHOLE,
    )


def validation_markdown(validation: Validation) -> str:
    """Problems as they are printed, or that there are none."""
    name = validation.size.fleet if validation.size is not None else ""
    problems = counted(len(validation.problems), "problem")
    title = "the fleet is valid" if validation.valid else f"the fleet is not valid: {problems}"
    warnings = [line for w in validation.warnings for line in problem_lines(w, label="warning")]
    found = [line for problem in validation.problems for line in problem_lines(problem)]
    closing = [] if found or warnings else validation_text(validation).splitlines()
    return document(
        [marker("validate", name), heading(f"Validate: {title}")],
        [Block(summary=problems, lines=tuple(found), language="text")] if found else [],
        [*note("Warnings", warnings), *(code(line) for line in closing)],
        whole=_WHOLE,
    )


def error_markdown(error: FleetError) -> str:
    """The failure of a whole run."""
    lines = tuple(error_text(error).splitlines())
    block = Block(summary=f"Error {error.code}", lines=lines, language="text")
    title = heading(f"Failed with exit code {int(error.exit_code)} ({error.code})")
    return document([marker("error"), title], [block], whole=_WHOLE)
