"""``fleet diff``: live objects against desired ones as unified diffs of YAML, each distinct one once."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from itertools import groupby

import yaml

from fleetmgr.errors import ExitCode
from fleetmgr.model.change import Change, ClusterStatus, Op, Plan
from fleetmgr.model.jsontypes import JsonObject, is_object
from fleetmgr.model.verdict import Verdict
from fleetmgr.reporting.escape import visible, visible_lines
from fleetmgr.reporting.plan_data import object_data
from fleetmgr.reporting.problems import API_VERSION, failure_lines, problem_data
from fleetmgr.reporting.redaction import LAST_APPLIED, hidden_data, is_secret
from fleetmgr.reporting.style import OP_COLOURS, PLAIN, Paint
from fleetmgr.reporting.values import coloured, field_lines
from fleetmgr.reporting.wording import counted, names

_VOLATILE = frozenset(
    {"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """How one object changes on ``clusters``; ``lines`` are a unified diff, escaped, without colours."""

    change: Change
    clusters: tuple[str, ...]
    lines: tuple[str, ...]


def patches(plan: Plan) -> tuple[Patch, ...]:
    """The plan's changes by (app, object); equal ones of several clusters are one Patch."""
    found: dict[str, tuple[Change, JsonObject | None, JsonObject | None, list[str]]] = {}
    for cluster in plan.clusters:
        for change in cluster.changes:
            if change.op is Op.KEEP:
                continue
            live, result = _sides(change)
            fields = [[d.path, d.old, d.new, d.sensitive] for d in change.diff]
            content = [change.app, change.op.value, list(change.ref), live, result, fields, change.reason]
            key = json.dumps(content, sort_keys=True)
            found.setdefault(key, (change, live, result, []))[3].append(cluster.cluster)
    made = [
        Patch(change=change, clusters=tuple(clusters), lines=_lines(change, live, result))
        for change, live, result, clusters in found.values()
    ]
    made.sort(key=lambda patch: (patch.change.app, patch.change.ref))
    return tuple(made)


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
        lines.append("No differences: every cluster is as desired.")
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
                "name": cluster.cluster,
                "environment": cluster.environment,
                "status": cluster.status.value,
                "exitCode": int(verdict.clusters.get(cluster.cluster, ExitCode.OK)),
                **({"error": problem_data(cluster.failure.problem)} if cluster.failure else {}),
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


def _header(patch: Patch, paint: Paint) -> list[str]:
    change = patch.change
    same = f"same on {counted(len(patch.clusters), 'cluster')}: " if len(patch.clusters) > 1 else ""
    unverified = " [unverified]" if change.unverified else ""
    title = f"{change.op.value} {visible(change.ref.short)} ({same}{names(patch.clusters)}){unverified}"
    reason = [f"# {text}" for text in visible_lines(change.reason)] if change.reason else []
    return [paint(OP_COLOURS[change.op], title), *reason]


def _sides(change: Change) -> tuple[JsonObject | None, JsonObject | None]:
    """The object before and after, without what the server counts and without values of Secrets."""
    live, result = _cleaned(change.live), _cleaned(change.result)
    if is_secret(change.ref):
        before, after = hidden_data(change.live, change.result)
        live = _with_data(live, before)
        result = _with_data(result, after)
    return live, result


def _with_data(body: JsonObject | None, data: JsonObject) -> JsonObject | None:
    if body is None:
        return None
    shown = {
        key: value
        for key, value in body.items()
        if key in ("apiVersion", "kind", "metadata", "type", "immutable")
    }
    return shown | ({"data": data} if data else {})


def _cleaned(body: JsonObject | None) -> JsonObject | None:
    if body is None:
        return None
    kept: JsonObject = {key: value for key, value in body.items() if key != "status"}
    if is_object(metadata := kept.get("metadata")):
        kept["metadata"] = {key: value for key, value in metadata.items() if key not in _VOLATILE}
        if is_object(annotations := metadata.get("annotations")):
            shown = {key: value for key, value in annotations.items() if key != LAST_APPLIED}
            kept["metadata"] |= {"annotations": shown}
            if not shown:
                del kept["metadata"]["annotations"]
    return kept


def _lines(change: Change, live: JsonObject | None, result: JsonObject | None) -> tuple[str, ...]:
    """The unified diff; field diffs where the engine did not hand over the objects."""
    removed = change.op is Op.DELETE
    if not change.op.writes or (live is None and result is None) or (result is None and not removed):
        return tuple(line for diff in change.diff for line in field_lines(change.ref, diff, PLAIN))
    name = visible(str(change.ref))
    old = "/dev/null" if live is None or change.op is Op.CREATE else f"live/{name}"
    new = "/dev/null" if removed else f"desired/{name}"
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
