"""Deleting what is no longer desired: last, backwards, and only if nothing went wrong."""

from __future__ import annotations

from collections.abc import Sequence

from fleetmgr.engine.order import stages
from fleetmgr.errors import FleetError, Problem
from fleetmgr.model.change import Change
from fleetmgr.model.report import Outcome
from fleetmgr.operations.embedded.live import in_parallel
from fleetmgr.operations.embedded.run import Run, check_stop, result_of, settle_all
from fleetmgr.operations.embedded.write import delete_object


def prune(run: Run, deletes: Sequence[Change]) -> None:
    """Delete what the plan says, backwards; nothing once something on this cluster has failed.

    Raises Interrupted and ClusterError.
    """
    if not deletes:
        return
    if run.failed_apps:
        for change in deletes:
            problem = Problem(message="not deleted: something else on this cluster failed first")
            run.results.append(result_of(change, Outcome.SKIPPED, problem))
        return

    def delete(change: Change) -> FleetError | tuple[str, ...]:
        try:
            if not delete_object(run.scene, change):
                run.lingering.add(change.ref)
        except FleetError as error:
            return error
        return ()

    for stage in reversed(stages(c.ref for c in deletes)):
        check_stop(run)
        members = [c for c in deletes if c.ref in stage]
        settle_all(run, members, in_parallel(delete, members))
