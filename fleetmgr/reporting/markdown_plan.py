"""Plan, drift and diff as Markdown for a pull request: the sum first, each distinct change once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from fleetmgr.model.change import LIVE_AND_DESIRED, ClusterPlan, ClusterStatus, Op, Plan
from fleetmgr.model.enumeration import counted
from fleetmgr.model.grouping import ChangeGroup
from fleetmgr.reporting.drift_text import drift_headline, drift_lines, no_drift
from fleetmgr.reporting.extra import extra_count
from fleetmgr.reporting.markdown import Block, Row, code, document, heading, html_code, marker, note, table
from fleetmgr.reporting.noise import noise_lines
from fleetmgr.reporting.plan_text import (
    FIELD_INDENT,
    change_lines,
    cluster_note,
    forced_lines,
    nothing_to_do,
    plan_headline,
    short_revision,
    unverified_lines,
    warning_lines,
)
from fleetmgr.reporting.problems import failure_lines
from fleetmgr.reporting.refusals import refusal_lines
from fleetmgr.reporting.rollout import rollout_lines
from fleetmgr.reporting.style import PLAIN
from fleetmgr.reporting.unified import Patch, patch_title, patches

_TITLES = ("Cluster", "Environment", "Status", "Changes")


def plan_markdown(plan: Plan, groups: Sequence[ChangeGroup]) -> str:
    """The plan for a pull request; ``groups`` as for ``plan_text``."""
    blocks = [
        Block(
            summary=_summary(app, [(g.change.op, len(g.clusters)) for g in members]),
            lines=tuple(line for group in members for line in _marked(group)),
        )
        for app, members in _by_app(groups)
    ]
    return document(
        [
            marker("plan", plan.fleet),
            heading(plan_headline(plan)),
            *_clusters(plan),
            *note("Forced by --force alone", [line.strip() for line in forced_lines(groups, PLAIN)[2:]]),
        ],
        blocks,
        [
            *note("Rollout", rollout_lines(plan)),
            *note("Refused", refusal_lines(plan)),
            *note(
                "Warnings",
                [
                    *warning_lines(plan),
                    *unverified_lines(plan),
                    *noise_lines(plan, groups),
                    *extra_count(plan.clusters),
                ],
            ),
            *_closing(plan, "changes"),
        ],
        whole="the whole plan is in the log of this run (`fleet plan`) or in the file of `-o json=FILE`.",
    )


def drift_markdown(plan: Plan, groups: Sequence[ChangeGroup]) -> str:
    """The drift, a block an app."""
    blocks = [
        Block(
            summary=f"{html_code(app)}: {counted(len(members), 'drifted object')}",
            lines=tuple(line for group in members for line in drift_lines(group, PLAIN)),
            language="text",
        )
        for app, members in _by_app(groups)
    ]
    clean = all(cluster.status is ClusterStatus.UNCHANGED for cluster in plan.clusters)
    unsure = unverified_lines(plan)
    return document(
        [marker("drift", plan.fleet), heading(_words(drift_headline(plan))), *_clusters(plan)],
        blocks,
        [*note("Warnings", unsure), *([no_drift(unsure=bool(unsure))] if clean else [])],
        whole="everything is in the log of this run (`fleet drift`) or in the file of `-o json=FILE`.",
    )


def diff_markdown(plan: Plan) -> str:
    """The unified diffs, a block a distinct one."""
    found = patches(plan)
    return document(
        [marker("diff", plan.fleet), heading(plan_headline(plan)), *_clusters(plan)],
        [_patch(patch) for patch in found],
        _closing(plan, "differences"),
        whole="everything is in the log of this run (`fleet diff`) or in the file of `-o json=FILE`.",
    )


def _patch(patch: Patch) -> Block:
    title, *reason = patch_title(patch)
    return Block(summary=html_code(title), lines=(title, *reason, *patch.lines))


def _by_app(groups: Sequence[ChangeGroup]) -> list[tuple[str, list[ChangeGroup]]]:
    return [(app, list(members)) for app, members in groupby(groups, key=lambda group: group.change.app)]


def _summary(app: str, ops: Sequence[tuple[Op, int]]) -> str:
    """``web: 2 create, 1 conflict``, counted over all clusters."""
    counts: Counter[Op] = Counter()
    for op, number in ops:
        counts[op] += number
    return f"{html_code(app)}: {', '.join(f'{counts[op]} {op.value}' for op in Op if counts[op])}"


def _marked(group: ChangeGroup) -> list[str]:
    """The lines of a change with the symbol in the first column, where diffs are coloured by it."""
    head, *below = change_lines(group, PLAIN)
    return [head.lstrip(), *(f"    {line.removeprefix(FIELD_INDENT)}" for line in below)]


def _clusters(plan: Plan) -> list[str]:
    rows = [_row(cluster) for cluster in plan.clusters]
    failures = [
        line for cluster in plan.clusters if cluster.failure is not None for line in _failure(cluster)
    ]
    return [*table(_TITLES, rows, noun="cluster"), *note("Without a result", failures)]


def _row(cluster: ClusterPlan) -> Row:
    cells = (code(cluster.cluster), code(cluster.environment), cluster.status.value, cluster_note(cluster))
    quiet = cluster.status is ClusterStatus.UNCHANGED and not cluster_note(cluster)
    return Row(cells=cells, state=cluster.status.value, quiet=quiet)


def _failure(cluster: ClusterPlan) -> list[str]:
    if cluster.failure is None:
        return []
    lines = failure_lines(cluster.failure, PLAIN)
    return [f"{cluster.cluster}: {cluster.status.value}", *(f"    {line}" for line in lines)]


def _closing(plan: Plan, what: str) -> list[str]:
    lines: list[str] = []
    if plan.partial:
        lines.append("Partial: what was not selected is neither pruned nor advanced.")
    if all(cluster.status is ClusterStatus.UNCHANGED for cluster in plan.clusters):
        before, after = plan.compared
        lines.append(
            nothing_to_do(plan, what)
            if plan.compared == LIVE_AND_DESIRED
            else f"No {what} between {code(before)} and {code(after)}."
        )
    at = f" at {code(short_revision(plan.revision))}" if plan.revision else ""
    return [*lines, f"Plan {code(plan.id[:12])} of fleet {code(plan.fleet)}{at}."]


def _words(headline: str) -> str:
    """A headline without the part that a repository may have written."""
    return headline.partition(" (desired: ")[0]
