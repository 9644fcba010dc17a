"""What one run of Pulumi is asked to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fleetmgr.model.objects import ObjectKey
from fleetmgr.model.resource import Resource
from fleetmgr.operations.embedded.pulumi.state import stack_of, urn_of
from fleetmgr.operations.embedded.run import Run
from fleetmgr.ports.pulumi import Request, StateResource


def request_for(
    run: Run,
    known: Mapping[ObjectKey, StateResource],
    resources: Sequence[Resource],
) -> Request:
    """Write ``resources``, as they are to be sent."""
    scene = run.scene
    return Request(
        stack=stack_of(scene, resources, known),
        targets=tuple(urn_of(scene, r) for r in resources),
        seconds=patience(run, {r.app for r in resources}),
    )


def patience(run: Run, apps: set[str]) -> float | None:
    """Seconds that a run over some apps may take: what was said for this run, else what the most patient one says."""
    if run.options.timeout is not None:
        return run.options.timeout
    found = (run.scene.stack_app(app) for app in apps)
    return max((app.timeout for app in found if app is not None), default=None)
