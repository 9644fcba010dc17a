"""``fleet diff``: live objects against desired ones as unified diffs of YAML, each distinct one once."""

from __future__ import annotations

import difflib
import json
from collections.abc import Hashable
from itertools import groupby

import yaml
from msgspec import Struct

from fleetmgr.model.change import LIVE_AND_DESIRED, Change, ClusterStatus, Op, Plan
from fleetmgr.model.enumeration import counted
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.verdict import Verdict
from fleetmgr.reporting.clusters import cluster_data
from fleetmgr.reporting.escape import visible, visible_lines
from fleetmgr.reporting.plan_data import object_data
from fleetmgr.reporting.plan_text import nothing_to_do
from fleetmgr.reporting.problems import API_VERSION, failure_lines
from fleetmgr.reporting.sides import sides
from fleetmgr.reporting.style import OP_COLOURS, PLAIN, Paint
from fleetmgr.reporting.values import coloured, field_lines
from fleetmgr.reporting.wording import names


class Patch(Struct, frozen=True, kw_only=True):
    """How one object changes on ``clusters``; ``lines`` are a unified diff, escaped, without colours."""

    change: Change
    clusters: tuple[str, ...]
    lines: tuple[str, ...]


def patches(plan: Plan) -> tuple[Patch, ...]:
    """The plan's changes by (app, object); those that change the same lines on several clusters are one."""
    found: dict[Hashable, tuple[Change, tuple[str, ...], list[str]]] = {}
    written: dict[str, tuple[str, ...]] = {}
    for cluster in plan.clusters:
        for change in cluster.changes:
            if change.op is not Op.KEEP:
                lines = _remembered(change, written, plan.compared)
                changed = tuple(line for line in lines if line[:1] in ("+", "-"))
                key = (change.app, change.op, change.ref, change.reason, change.unverified, changed)
                found.setdefault(key, (change, lines, []))[2].append(cluster.cluster)
    made = [Patch(change=c, clusters=tuple(clusters), lines=lines) for c, lines, clusters in found.values()]
    made.sort(key=lambda patch: (patch.change.app, patch.change.ref))
    return tuple(made)


def _remembered(
    change: Change, written: dict[str, tuple[str, ...]], compared: tuple[str, str]
) -> tuple[str, ...]:
    """The patch of ``change``; equal objects on many clusters are written as YAML once."""
    live, result = sides(change)
    fields = [[d.path, d.old, d.new, d.sensitive] for d in change.diff]
    key = json.dumps([change.op.value, list(change.ref), live, result, fields], sort_keys=True)
    if key not in written:
        written[key] = _lines(change, live, result, compared)
    return written[key]


def diff_text(plan: Plan, *, paint: Paint = PLAIN) -> str:
    """All patches, then the clusters that could not be compared."""
    lines: list[str] = []
    for _, members in groupby(patches(plan), key=lambda patch: patch.change.app):
        for patch in members:
            lines += [*_header(patch, paint), *(coloured(line, paint) for line in patch.lines), ""]
    for cluster in plan.clusters:
        if cluster.failure is not None:
            reason = failure_lines(cluster.failure, paint)
            lines += [
                f"{visible(cluster.cluster)}: {cluster.status.value}",
                *(f"    {text}" for text in reason),
            ]
    if all(cluster.status is ClusterStatus.UNCHANGED for cluster in plan.clusters) and not lines:
        before, after = plan.compared
        lines.append(
            nothing_to_do(plan, "differences")
            if plan.compared == LIVE_AND_DESIRED
            else f"No differences between {visible(before)} and {visible(after)}."
        )
    return "\n".join(lines).rstrip("\n") + "\n"


def diff_data(plan: Plan, verdict: Verdict) -> JsonObject:
    """Kind ``Diff``: each distinct patch with its clusters, and how each cluster came out."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Diff",
        "id": plan.id,
        "fleet": plan.fleet,
        "revision": plan.revision,
        "partial": plan.partial,
        "exitCode": int(verdict.exit_code),
        "reason": verdict.reason,
        "clusters": [
            {
                **cluster_data(cluster, verdict),
                "status": cluster.status.value,
            }
            for cluster in plan.clusters
        ],
        "changes": [_patch_data(patch) for patch in patches(plan)],
    }


def _patch_data(patch: Patch) -> JsonObject:
    data: JsonObject = {
        "op": patch.change.op.value,
        "app": patch.change.app,
        **object_data(patch.change.ref),
        "clusters": list(patch.clusters),
        "patch": "".join(f"{line}\n" for line in patch.lines),
    }
    return data | ({"reason": patch.change.reason} if patch.change.reason else {})


def patch_title(patch: Patch) -> list[str]:
    """What changes where, then why, as comment lines; without colours."""
    change = patch.change
    same = f"same on {counted(len(patch.clusters), 'cluster')}: " if len(patch.clusters) > 1 else ""
    unverified = " [unverified]" if change.unverified else ""
    title = f"{change.op.value} {visible(change.ref.short)} ({same}{names(patch.clusters)}){unverified}"
    reason = [f"# {text}" for text in visible_lines(change.reason)] if change.reason else []
    return [title, *reason]


def _header(patch: Patch, paint: Paint) -> list[str]:
    title, *reason = patch_title(patch)
    return [paint(OP_COLOURS[patch.change.op], title), *reason]


def _lines(
    change: Change, live: JsonObject | None, result: JsonObject | None, compared: tuple[str, str]
) -> tuple[str, ...]:
    """The unified diff; field diffs where the engine did not hand over the objects."""
    removed = change.op is Op.DELETE
    if not change.op.writes or (live is None and result is None) or (result is None and not removed):
        return tuple(line for diff in change.diff for line in field_lines(change.ref, diff, PLAIN))
    name = visible(str(change.ref))
    old = "/dev/null" if live is None or change.op is Op.CREATE else f"{visible(compared[0])}/{name}"
    new = "/dev/null" if removed else f"{visible(compared[1])}/{name}"
    before = [] if old == "/dev/null" else _yaml_lines(live)
    after = [] if removed else _yaml_lines(result)
    return tuple(difflib.unified_diff(before, after, old, new, lineterm=""))


class _Dumper(yaml.CSafeDumper):
    """Block scalars for texts of several lines, no anchors."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


def _text_node(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)  # pyright: ignore[reportUnknownMemberType] - its stub leaves value untyped


_Dumper.add_representer(str, _text_node)


def _yaml_lines(body: JsonObject | None) -> list[str]:
    text: str = yaml.dump(body, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=10_000)
    return visible_lines(text)
