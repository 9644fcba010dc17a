"""A Plan for people: the sum, one line a cluster, then each distinct change once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from fleetmgr.model.change import EMBEDDED, Change, ClusterPlan, ClusterStatus, Confirmation, Op, Plan, Verb
from fleetmgr.model.enumeration import counted
from fleetmgr.model.grouping import ChangeGroup
from fleetmgr.reporting.escape import visible, visible_lines
from fleetmgr.reporting.extra import extra_count, extra_lines
from fleetmgr.reporting.left import left_count, left_lines
from fleetmgr.reporting.noise import NOISE_WORDS, noise_lines
from fleetmgr.reporting.problems import failure_lines
from fleetmgr.reporting.refusals import refusal_lines
from fleetmgr.reporting.rollout import rollout_lines
from fleetmgr.reporting.style import OP_COLOURS, PLAIN, STATUS_COLOURS, SYMBOLS, Paint
from fleetmgr.reporting.table import columns
from fleetmgr.reporting.values import field_lines
from fleetmgr.reporting.wording import names

_WITHOUT_FIELDS = frozenset({Op.CREATE, Op.DELETE, Op.HOOK, Op.KEEP})
_BLOCKED = frozenset({Op.CONFLICT, Op.DENIED})
_NAMED = frozenset({Op.REPLACE, Op.ADOPT, Op.MOVE, Op.HOOK, Op.ORPHANED, Op.UNPROVEN, Op.CONFLICT, Op.DENIED})
FIELD_INDENT = " " * 10


def plan_text(plan: Plan, groups: Sequence[ChangeGroup], *, paint: Paint = PLAIN) -> str:
    """The whole text; ``groups`` are the plan's changes as ``planner.same_changes`` gives them."""
    lines = [paint("bold", plan_headline(plan)), "", *cluster_lines(plan, paint)]
    lines += forced_lines(groups, paint)
    for app, members in groupby(groups, key=lambda group: group.change.app):
        lines += ["", paint("bold", visible(app))]
        for group in members:
            lines += change_lines(group, paint)
    told = rollout_lines(plan)
    lines += ["", *told] if told else []
    lines += ["", *warning_lines(plan), *unverified_lines(plan), *noise_lines(plan, groups)]
    lines += extra_count(plan.clusters)
    lines += [*refusal_lines(plan), *closing_lines(plan)]
    return "\n".join(lines) + "\n"


def forced_lines(groups: Sequence[ChangeGroup], paint: Paint) -> list[str]:
    """What happens only because of ``--force``: told before everything else."""
    forced = [group for group in groups if group.change.forced]
    if not forced:
        return []
    lines = ["", paint("bold", f"Forced ({counted(len(forced), 'change')}), by --force alone:")]
    for group in forced:
        change = group.change
        what = paint(OP_COLOURS[change.op], f"{change.op.value} {visible(change.ref.short)}")
        why = (change.reason or "").partition(";")[0]
        lines.append(f"  {what} ({_on(group)}): {visible(why)}")
    return lines


def plan_headline(plan: Plan) -> str:
    """``Plan: 12 clusters, 3 changed (5 create, 7 update), 9 unchanged, 0 unreachable``."""
    statuses = Counter(cluster.status for cluster in plan.clusters)
    written, left = op_counts(plan.clusters)
    parts = [
        f"{statuses[ClusterStatus.CHANGED]} changed" + (f" ({written})" if written else ""),
        f"{statuses[ClusterStatus.UNCHANGED]} unchanged",
        f"{statuses[ClusterStatus.UNREACHABLE]} unreachable",
    ]
    if statuses[ClusterStatus.ERROR]:
        parts.append(f"{statuses[ClusterStatus.ERROR]} failed")
    head = "Plan to destroy" if plan.verb is Verb.DESTROY else "Plan"
    headline = f"{head}: {counted(len(plan.clusters), 'cluster')}, {', '.join(parts)}"
    headline = f"{headline}; not written: {left}" if left else headline
    others = left_count(plan.clusters)
    return f"{headline}; {others}" if others else headline


def op_counts(clusters: Sequence[ClusterPlan]) -> tuple[str, str]:
    """What would be written (``2 create, 1 update``) and what is only listed (``1 orphaned``)."""
    counts = Counter(change.op for cluster in clusters for change in cluster.changes)
    written = ", ".join(f"{counts[op]} {op.value}" for op in Op if op.writes and counts[op])
    listed = (op for op in Op if not op.writes and op is not Op.KEEP)
    return written, ", ".join(f"{counts[op]} {op.value}" for op in listed if counts[op])


def cluster_lines(plan: Plan, paint: Paint) -> list[str]:
    """One line a cluster; the reason and the hint of a failure below it."""
    rows = [[c.cluster, c.environment, c.status.value, cluster_note(c)] for c in plan.clusters]
    if not rows:
        return ["  (no clusters selected)"]

    def colour(row: int, column: int, text: str) -> str:
        return paint(STATUS_COLOURS[plan.clusters[row].status], text) if column == 2 else text  # noqa: PLR2004 - the status column

    table = columns([[visible(cell) for cell in row] for row in rows], indent="  ", paint=colour)
    lines: list[str] = []
    for cluster, line in zip(plan.clusters, table, strict=True):
        lines.append(line)
        if cluster.failure is not None:
            lines += [f"      {text}" for text in failure_lines(cluster.failure, paint)]
    return lines


def cluster_note(cluster: ClusterPlan) -> str:
    """What a cluster's line says behind its status: counts, and that we meet it for the first time."""
    written, left = op_counts([cluster])
    parts = [part for part in (written, left, left_count([cluster])) if part]
    if cluster.first_contact:
        parts.append("first contact")
    if cluster.engine != EMBEDDED:
        parts.append(f"by {cluster.engine}")
    return ", ".join(parts)


def change_lines(group: ChangeGroup, paint: Paint) -> list[str]:
    """One change: its object and clusters, then reason and fields where they tell something."""
    change = group.change
    brief = change.op in _WITHOUT_FIELDS
    word = f"{change.op.value} " if change.op in _NAMED else ""
    head = paint(OP_COLOURS[change.op], f"{SYMBOLS[change.op]:>5} {word}{visible(change.ref.short)}")
    line = f"{head} ({_on(group)}){_marks(change)}"
    if change.noise is not None:
        fields = [text for diff in change.diff for text in field_lines(change.ref, diff, paint)]
        said = f"{line} [noise]: {NOISE_WORDS[change.noise]}"
        return [said, *(f"{FIELD_INDENT}{text}" for text in (*fields, *_beside(change)))]
    if brief:
        told = change.reason is not None and not change.unverified
        line = f"{line}: {visible(change.reason or '')}" if told else line
        return [line, *(f"{FIELD_INDENT}{text}" for text in _beside(change))]
    told = change.reason is not None and not change.unverified  # said once for all of them, at the end
    below = visible_lines(change.reason or "") if told else []
    if change.op in _BLOCKED and change.origin is not None:
        below.append(f"at {visible(str(change.origin))}")
    below += [line for diff in change.diff for line in field_lines(change.ref, diff, paint)]
    below += _beside(change)
    return [line, *(f"{FIELD_INDENT}{text}" for text in below)]


def _beside(change: Change) -> list[str]:
    """What is no change and told with one."""
    return [*left_lines(change), *extra_lines(change)]


def _on(group: ChangeGroup) -> str:
    if len(group.clusters) == 1:
        return visible(group.clusters[0])
    same = "" if group.change.op in _WITHOUT_FIELDS else "same "
    return f"{same}on {counted(len(group.clusters), 'cluster')}: {names(group.clusters)}"


def _marks(change: Change) -> str:
    marks = ["unverified"] if change.unverified else []
    marks += ["forced"] if change.forced else []
    if change.needs is Confirmation.DELETES:
        marks.append("needs confirmation")
    if change.drift:
        marks.append(f"drift: {visible(change.writer)}" if change.writer else "drift")
    return "".join(f" [{mark}]" for mark in marks)


def warning_lines(plan: Plan) -> list[str]:
    """Each warning once, with the clusters that gave it."""
    found: dict[str, list[str]] = {}
    for cluster in plan.clusters:
        for warning in cluster.warnings:
            found.setdefault(warning, []).append(cluster.cluster)
    return [f"Warning ({names(clusters)}): {visible(text)}" for text, clusters in found.items()]


def unverified_lines(plan: Plan) -> list[str]:
    """Why the server could not check some objects: said once, not at every object."""
    reasons = Counter(
        change.reason or "the server could not be asked"
        for cluster in plan.clusters
        for change in cluster.changes
        if change.unverified
    )
    return [f"Unverified: {counted(n, 'object')}: {visible(reason)}" for reason, n in reasons.items()]


def closing_lines(plan: Plan) -> list[str]:
    """What the whole plan comes to, and its id."""
    lines: list[str] = []
    if plan.partial:
        stays = "stays" if plan.verb is Verb.DESTROY else "is neither pruned nor advanced"
        lines.append(f"Partial: what was not selected {stays}.")
    if all(cluster.status is ClusterStatus.UNCHANGED for cluster in plan.clusters):
        lines.append(nothing_to_do(plan, "changes"))
    at = f" at {visible(short_revision(plan.revision))}" if plan.revision else ""
    return [*lines, f"Plan {plan.id[:12]} of fleet {visible(plan.fleet)}{at}."]


_LISTED_ONLY = (Op.ORPHANED, Op.UNPROVEN, Op.CONFLICT, Op.DENIED)


def nothing_to_do(plan: Plan, what: str) -> str:
    """The sentence for a plan that writes nothing; it never calls a fleet "as desired" that is not."""
    listed = sum(plan.count(op) for op in _LISTED_ONLY)
    if plan.verb is Verb.DESTROY:
        return (
            f"Nothing to delete; left alone: {counted(listed, 'object')}." if listed else "Nothing to delete."
        )
    if listed:
        return f"No {what} to write; not as desired, and left alone: {counted(listed, 'object')}."
    if any(change.unverified for cluster in plan.clusters for change in cluster.changes):
        return f"No {what} found; what is unverified may differ."
    others = left_count(plan.clusters)
    return f"No {what}: every cluster is as desired{f', but for {others}' if others else ''}."


def short_revision(revision: str) -> str:
    """The first 12 characters of a commit id, ``+dirty`` kept."""
    commit, plus, rest = revision.partition("+")
    return f"{commit[:12]}{plus}{rest}"
