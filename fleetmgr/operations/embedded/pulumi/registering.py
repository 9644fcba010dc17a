"""Bringing Pulumi's state up to what is live: what the embedded engine made is registered (Pulumi's create is an apply
that changes nothing of it), what it deleted is forgotten. No object changes."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from fleetmgr.engine.ownership import Owner
from fleetmgr.errors import FleetError
from fleetmgr.model.change import Op
from fleetmgr.model.objects import ObjectKey
from fleetmgr.model.resource import Resource
from fleetmgr.operations.embedded.live import in_parallel
from fleetmgr.operations.embedded.pulumi.requesting import request_for
from fleetmgr.operations.embedded.pulumi.state import held
from fleetmgr.operations.embedded.run import Run, settle_dead
from fleetmgr.operations.embedded.write import ready_to_write
from fleetmgr.ports.pulumi import PulumiStack


class Behind(Struct, frozen=True, kw_only=True):
    """What the state lacks, and the URNs of what it holds too much."""

    unknown: tuple[Resource, ...] = ()
    gone: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to bring up to date."""
        return bool(self.unknown or self.gone)


def behind(run: Run) -> Behind:
    """What of the selected apps the embedded engine has done since Pulumi's last run. Raises PulumiError."""
    scene = run.scene
    if scene.pulumi is None:
        return Behind()
    state = scene.pulumi.state()
    known = held(state)
    kept = {c.ref.key for c in run.plan.changes if c.op is Op.KEEP and not c.unverified}
    ours = {key for key in kept if _is_ours(run, key)}
    return Behind(
        unknown=tuple(r for key, r in scene.resources.items() if key in ours and key not in known),
        gone=tuple(entry.urn for key, entry in known.items() if _is_gone(run, key)),
    )


def _is_ours(run: Run, key: ObjectKey) -> bool:
    live = run.scene.live.get(key)
    return live is not None and run.scene.whose(live).owner is Owner.OURS


def _is_gone(run: Run, key: ObjectKey) -> bool:
    """No longer desired, and no longer there as ours: were it left in the state, plain ``pulumi up`` would delete what
    somebody else has made since. Only where all apps were looked at."""
    scene = run.scene
    everything = scene.parents.keys() | {app.name for app in scene.stack.apps}
    return everything <= scene.apps and key not in scene.resources and not _is_ours(run, key)


def catch_up(run: Run, missing: Behind) -> None:
    """Register and forget, in one run. An object that cannot be registered is a warning: nothing is wrong on the
    cluster. Raises ClusterError and PulumiError."""
    stack = run.scene.pulumi
    if stack is None:
        return
    if missing.gone:
        stack.forget(missing.gone)
    if missing.unknown:
        _register(run, stack, missing.unknown)


def _register(run: Run, stack: PulumiStack, resources: Sequence[Resource]) -> None:
    def look(resource: Resource) -> Resource | FleetError:
        try:
            return ready_to_write(run.scene, resource)
        except FleetError as error:
            return error

    answers = in_parallel(look, list(resources))
    settle_dead(answers)
    problems = [answer.problem() for answer in answers if isinstance(answer, FleetError)]
    ready = [answer for answer in answers if not isinstance(answer, FleetError)]
    if ready:
        request = request_for(run, held(stack.state()), ready)
        outcome = stack.up(request, stop=run.stop, on_step=lambda _: None)
        run.warnings += outcome.warnings
        problems += [step.problem for step in outcome.steps if step.problem is not None]
        problems += [outcome.failure] if outcome.failure is not None and not problems else []
    run.warnings += [f"not registered with Pulumi: {problem}" for problem in problems]
