"""Cluster plans -> the Plan of the fleet, with an id that two equal plans share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from fleetmgr.model.change import EMBEDDED, Change, ClusterPlan, FieldDiff, Op, Plan
from fleetmgr.model.jsontypes import Json, JsonObject, is_object
from fleetmgr.model.upkeep import visible


def build(fleet: str, revision: str, clusters: Sequence[ClusterPlan], *, partial: bool) -> Plan:
    """The Plan of ``fleet`` at ``revision``; ``clusters`` stay in their order.

    The id is the SHA-256 (hex) of what would be done and where. It does not depend on the order of the
    clusters, on versions and counters of live objects, on texts of errors, nor on values of Secrets:
    a digest over a weak password could be guessed by anyone who may read the id.
    """
    parts = sorted(_cluster(cluster) for cluster in clusters)
    digest = _digest([_canonical([fleet, revision, partial]), *parts])
    return Plan(id=digest, fleet=fleet, revision=revision, clusters=tuple(clusters), partial=partial)


def _canonical(content: Json) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _digest(lines: list[str]) -> str:
    """Canonical JSON never holds a newline, so the lines cannot run into each other."""
    return hashlib.sha256("\n".join(lines).encode("ascii")).hexdigest()


def _cluster(plan: ClusterPlan) -> str:
    """One line: what the cluster is, and the digest of its changes."""
    changes = sorted(_canonical(_change(c)) for c in plan.changes if c.op is not Op.KEEP)
    failure = plan.failure.problem.code if plan.failure else None
    known = [plan.cluster, plan.environment, plan.status.value, plan.first_contact, failure]
    engine = [] if plan.engine == EMBEDDED else [plan.engine]
    return _canonical([*known, *engine, _digest(changes)])


def _change(change: Change) -> JsonObject:
    secret = change.ref.group == "" and change.ref.kind == "Secret"
    hook: JsonObject = {"hook": [change.hook.phase, change.hook.wave]} if change.hook else {}
    return {
        **hook,
        "op": change.op.value,
        "app": change.app,
        "object": list(change.ref),
        "diff": [_field(diff, secret=secret) for diff in change.diff],
        "result": _stable(change.result, secret=secret),
        "drift": change.drift,
        "unverified": change.unverified,
        **({"needs": change.needs.value} if change.needs else {}),
    }


def _field(diff: FieldDiff, *, secret: bool) -> list[Json]:
    hidden = diff.sensitive or (secret and not diff.path.startswith("/metadata/labels"))
    return [diff.path, hidden] if hidden else [diff.path, diff.old, diff.new]


def _stable(body: JsonObject | None, *, secret: bool) -> JsonObject | None:
    """``body`` without what the server counts, and of a Secret only the keys."""
    if body is None:
        return None
    stable = visible(body)
    if secret:
        for part in ("data", "stringData"):
            values = stable.get(part)
            if is_object(values):
                stable[part] = sorted(values)
    return stable
