"""A plan that another run has overtaken: it wrote to the entry after the plan had read it, and before this run got
the lease.

What was shown is what is done. So the cluster is read again, and the run goes on with what is still to do of what was
shown: what the other run has done is not done twice, and its records are built upon, not undone. Where anything else
is to be done now (the other run changed what this plan keeps), nothing is written.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec.structs import replace

from fleetmgr.errors import ExitCode, FleetError, Where
from fleetmgr.model.change import Change, Op
from fleetmgr.model.enumeration import listed
from fleetmgr.model.jsontypes import object_at
from fleetmgr.operations.embedded.entry import meet
from fleetmgr.operations.embedded.preview import preview
from fleetmgr.operations.embedded.run import Run
from fleetmgr.operations.embedded.scene import Scene, read_scene
from fleetmgr.operations.embedded.sending import differing_as_sent


class Overtaken(FleetError):
    """Another run has written to the entry since the plan was made, and what is to do now is not what was shown."""

    code: ClassVar[str] = "FLT-2053"
    exit_code: ClassVar[ExitCode] = ExitCode.STALE


def catch_up_with_others(run: Run) -> bool:
    """Have the run go on with what is still to do, where another run has written meanwhile; whether one has.

    Call it under the lease, before the first write. Raises Overtaken, WrongCluster and ClusterError.
    """
    before = run.scene
    if not _written_since(before):
        return False
    before.client.discover(fresh=True)
    scene = _read_again(before)
    plan = preview(scene)
    shown = {(c.app, c.ref): c for c in run.plan.changes if _acts(c)}
    other = [c for c in plan.changes if not _is_known(c, shown.get((c.app, c.ref)), scene, before)]
    if other:
        raise _overtaken(run, other)
    if over := len(shown) - sum(_acts(c) for c in plan.changes):
        run.warnings.append(
            f"another run has applied to {run.cluster} since this plan was made: {over} of {len(shown)} changes were "
            "no longer to do"
        )
    run.scene, run.plan = scene, plan
    return True


def _written_since(scene: Scene) -> bool:
    """Every run that writes objects writes the record of their app first (``parents.widen``)."""
    versions = {app: parent.version for app, parent in scene.parents.items()}
    found = meet(scene.client, scene.entry).parents
    return versions != {app: parent.version for app, parent in found.items()}


def _read_again(before: Scene) -> Scene:
    scene = read_scene(
        before.client,
        before.entry,
        before.stack,
        apps=before.apps,
        adopt=before.adopt,
        force=before.force,
    )
    return replace(
        scene,
        verify=before.verify,
        consent=before.consent,
        removing=before.removing,
        formerly=before.formerly,
        pulumi=before.pulumi,
    )


def _acts(change: Change) -> bool:
    return change.due or change.op in (Op.CONFLICT, Op.DENIED)


def _is_known(change: Change, shown: Change | None, scene: Scene, before: Scene) -> bool:
    """Whether nothing is to be done, or what ``shown`` says: with the same fields of the same object. What was to be
    done, and is held back now, is news as well."""
    if not _acts(change):
        return shown is None or change.op is Op.KEEP
    if shown is None or shown.op is not change.op:
        return False
    now, then = scene.live.get(change.ref.key), before.live.get(change.ref.key)
    if now is None or then is None:
        return now is then
    if object_at(now, "metadata").get("uid") != object_at(then, "metadata").get("uid"):
        return False
    resource = scene.resources.get(change.ref.key)
    return resource is None or (
        differing_as_sent(scene, resource, now) == differing_as_sent(before, resource, then)
    )


def _overtaken(run: Run, other: list[Change]) -> Overtaken:
    told = listed([f"{change.op.value} {change.ref.short}" for change in other], limit=1)
    return Overtaken(
        f"another run has applied to {run.cluster} since this plan was made, and what is to do now is not what "
        f"it showed: {told}",
        where=Where(cluster=run.cluster, object=str(other[0].ref)),
        hint="nothing was written; plan again and look at what changed",
    )
