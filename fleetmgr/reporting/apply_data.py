"""What an apply did as plain data: kind ``ApplyResult``."""

from __future__ import annotations

from collections import Counter

from fleetmgr.errors import ExitCode
from fleetmgr.model.change import Op, Verb
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.report import ClusterReport, ObjectResult, Outcome, Report
from fleetmgr.model.verdict import Verdict
from fleetmgr.reporting.plan_data import object_data
from fleetmgr.reporting.problems import API_VERSION, problem_data


def report_data(report: Report, verdict: Verdict) -> JsonObject:
    """``summary`` counts clusters by how they ended and finished writes by op."""
    data: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": "ApplyResult",
        "planId": report.plan_id,
        "fleet": report.fleet,
        "revision": report.revision,
        "partial": report.partial,
        "exitCode": int(verdict.exit_code),
        "reason": verdict.reason,
        "summary": _summary(report),
        "clusters": [_cluster(cluster) for cluster in report.clusters],
    }
    if report.verb is Verb.DESTROY:
        data["verb"] = report.verb.value
    if report.stopped is not None:
        stopped = report.stopped
        data["stopped"] = {"exitCode": int(stopped.exit_code), "error": problem_data(stopped.problem)}
    if report.rollout is not None:
        data["rollout"] = {"id": report.rollout.id, "status": report.rollout.status.value}
    return data


def _summary(report: Report) -> JsonObject:
    results = [result for cluster in report.clusters for result in cluster.results]
    outcomes = Counter(result.outcome for result in results)
    done = Counter(result.op for result in results if result.outcome is Outcome.DONE)
    codes = [cluster.exit_code for cluster in report.clusters if cluster.begun]
    return {
        "clusters": len(report.clusters),
        "succeeded": codes.count(ExitCode.OK),
        "unreachable": codes.count(ExitCode.PARTIAL),
        "failed": sum(1 for code in codes if code not in (ExitCode.OK, ExitCode.PARTIAL)),
        "notBegun": len(report.clusters) - len(codes),
        "objects": {outcome.value: outcomes[outcome] for outcome in Outcome},
        **{op.value: done[op] for op in Op if op.writes},
    }


def _cluster(cluster: ClusterReport) -> JsonObject:
    data: JsonObject = {
        "name": cluster.cluster,
        "environment": cluster.environment,
        "exitCode": int(cluster.exit_code),
        "seconds": round(cluster.seconds, 3),
    }
    if not cluster.begun:
        data["begun"] = False
    if cluster.rolled_back is not None:
        data["rolledBackTo"] = cluster.rolled_back
    if cluster.warnings:
        data["warnings"] = list(cluster.warnings)
    if cluster.failure is not None:
        data["error"] = problem_data(cluster.failure.problem)
    data["results"] = [_result(result) for result in cluster.results]
    data["health"] = [{"app": a.app, "status": a.status.value, "message": a.message} for a in cluster.health]
    return data


def _result(result: ObjectResult) -> JsonObject:
    data: JsonObject = {
        "op": result.op.value,
        "app": result.app,
        **object_data(result.ref),
        "outcome": result.outcome.value,
    }
    return data | ({"error": problem_data(result.problem)} if result.problem else {})
