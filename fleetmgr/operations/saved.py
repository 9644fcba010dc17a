"""``fleet plan --out`` and ``fleet apply FILE``: a plan is kept with what it was made from, and applied only while all
of that is still so."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import orjson
from msgspec.structs import replace

from fleetmgr import __version__
from fleetmgr.engine.binding import Seal, bind, render_digest
from fleetmgr.engine.secrecy import is_secret, mask_diff, mask_pair
from fleetmgr.errors import ExitCode, FleetError, InvalidInput, Problem, Where
from fleetmgr.model.change import Change, ClusterFailure, ClusterPlan, ClusterStatus, Op, Plan
from fleetmgr.model.event import EventSink
from fleetmgr.model.jsontypes import Json, is_array, is_object
from fleetmgr.model.memory import RunResult
from fleetmgr.model.resource import Resource
from fleetmgr.model.saved_plan import Binding, PlanFile, SavedApp, SavedCluster, SavedPlan
from fleetmgr.model.selection import Selection
from fleetmgr.model.verify import Verify
from fleetmgr.operations.across import across
from fleetmgr.operations.embedded.keys import NoKey, obtain_key, read_key
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.operations.embedded.sending import as_compared
from fleetmgr.operations.plan import plan as make_plan
from fleetmgr.operations.revision import revision_of
from fleetmgr.operations.walk import Walk
from fleetmgr.planner.staleness import differences
from fleetmgr.spec.kept import plain

if TYPE_CHECKING:
    from fleetmgr.spec import LoadedFleet

_MOST_PROBLEMS = 40
_BOUND_WITHOUT_KEY = "the values of Secrets are bound by uid and resourceVersion only"
_NOT_PLANNED = "FLT-2052"


class StalePlan(InvalidInput):
    """What was planned is no longer true: every object and field that differs."""

    code: ClassVar[str] = "FLT-2045"
    exit_code: ClassVar[ExitCode] = ExitCode.STALE


class OtherVersion(FleetError):
    """Another version of fleetmgr made the plan."""

    code: ClassVar[str] = "FLT-2047"
    exit_code: ClassVar[ExitCode] = ExitCode.STALE


class OtherFleet(FleetError):
    """The plan is of another fleet."""

    code: ClassVar[str] = "FLT-2048"
    exit_code: ClassVar[ExitCode] = ExitCode.STALE


class OtherRevision(FleetError):
    """The repository, or fleet.yaml, is not as it was when the plan was made."""

    code: ClassVar[str] = "FLT-2049"
    exit_code: ClassVar[ExitCode] = ExitCode.STALE


class AppliedBefore(FleetError):
    """The plan was applied already; a plan is used once."""

    code: ClassVar[str] = "FLT-2050"
    exit_code: ClassVar[ExitCode] = ExitCode.STALE


def save(walk: Walk, plan: Plan, selection: Selection) -> SavedPlan:
    """Keep ``plan``, which this very walk has made. Where Secrets are part of it and there is no key yet, one is made
    on the cluster, if we may. Raises ClusterError."""
    return _bound(walk, plan, selection, keys=None)


def as_saved(walk: Walk, file: PlanFile, *, name: str) -> tuple[Walk, SavedPlan]:
    """The walk with the options that the plan was made with, and the plan.

    Raises OtherVersion, OtherFleet and OtherRevision: no cluster is asked for any of these.
    """
    where, again = Where(file=name), "plan again: `fleet plan --out FILE`"
    if file.saved is None or file.tool != __version__:
        raise OtherVersion(
            f"fleetmgr {file.tool} made this plan, and this is fleetmgr {__version__}",
            where=where,
            hint=f"apply it with fleetmgr {file.tool}, or {again}; `fleet show` reads it",
        )
    fleet = walk.loaded.fleet.name
    if file.fleet != fleet:
        raise OtherFleet(f"the plan is of fleet {file.fleet}, this is fleet {fleet}", where=where, hint=again)
    revision = revision_of(walk.repository)
    if file.revision != revision:
        raise OtherRevision(
            f"the plan is of revision {_named(file.revision)}, the repository is at {_named(revision)}",
            where=where,
            hint=f"check that revision out, or {again}",
        )
    if file.saved.fleet_digest != fleet_digest(walk.loaded):
        raise OtherRevision(
            "fleet.yaml, or a file that it includes, was changed since the plan", where=where, hint=again
        )
    options = file.saved.options
    asked = next((verify for verify in Verify if _asked(verify) in options), Verify.AUTO)
    return replace(walk, adopt="adopt" in options, force="force" in options, verify=asked), file.saved


def _asked(verify: Verify) -> str:
    return f"verify={verify}"


def _options(walk: Walk) -> tuple[str, ...]:
    said = {"adopt": walk.adopt, "force": walk.force, _asked(walk.verify): walk.verify is not Verify.AUTO}
    return tuple(name for name, on in said.items() if on)


def _named(revision: str) -> str:
    return revision or "none (no Git)"


def replan(walk: Walk, saved: SavedPlan, sink: EventSink) -> Plan:
    """Plan again and hold it to ``saved``; the plan to apply, with the saved one's id.

    What could not be looked at when the plan was made is left out. Raises StalePlan and AppliedBefore.
    """
    plan = make_plan(walk, saved.selection, sink)
    _check_unused(walk, saved)
    now = _bound(walk, plan, saved.selection, keys={c.name: c.key_id for c in saved.clusters})
    problems = differences(saved, now)
    if problems:
        raise StalePlan(_shortened(problems))
    then = {part.cluster: part for part in saved.plan.clusters}
    parts = tuple(_planned(then[part.cluster], part) for part in plan.clusters if part.cluster in then)
    return replace(plan, id=saved.id, clusters=parts)


def _shortened(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    more = len(problems) - _MOST_PROBLEMS
    if more <= 0:
        return tuple(problems)
    rest = Problem(message=f"and {more} more differences", code=StalePlan.code)
    return (*problems[:_MOST_PROBLEMS], rest)


def _planned(then: ClusterPlan, now: ClusterPlan) -> ClusterPlan:
    """``now``, unless the plan does not cover this cluster: then it is not written to."""
    if then.failure is None or now.failure is not None:
        return now
    problem = Problem(
        message=f"not in the saved plan: {then.failure.problem.message}",
        where=Where(cluster=then.cluster),
        hint="plan again to apply to it",
        code=_NOT_PLANNED,
    )
    return ClusterPlan(
        cluster=then.cluster,
        environment=then.environment,
        status=ClusterStatus.ERROR,
        failure=ClusterFailure(problem=problem, exit_code=then.failure.exit_code),
    )


def _check_unused(walk: Walk, saved: SavedPlan) -> None:
    for name, scene in sorted(walk.scenes.items()):
        for app in sorted(scene.apps):
            used = next((r for r in _results(scene, app) if r.plan_id == saved.id), None)
            if used is not None:
                raise AppliedBefore(
                    f"this plan was applied at {used.at} by {used.actor} (app {app}: {used.outcome})",
                    where=Where(cluster=name),
                    hint="a saved plan is applied once; plan again",
                )


def _results(scene: Scene, app: str) -> tuple[RunResult, ...]:
    record = scene.record(app)
    return record.results if record else ()


def _bound(walk: Walk, plan: Plan, selection: Selection, *, keys: Mapping[str, str] | None) -> SavedPlan:
    """``keys``: id of the key that each cluster was bound with; None to get or make them."""
    there = [part for part in plan.clusters if part.failure is None]

    def one(part: ClusterPlan) -> SavedCluster:
        return _cluster(walk.scenes[part.cluster], part, None if keys is None else keys.get(part.cluster, ""))

    clusters = across(one, there, parallel=walk.parallel, stop=walk.stop)
    return SavedPlan(
        tool=__version__,
        made_at=walk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        actor=walk.actor,
        nonce=os.urandom(16).hex(),
        fleet_digest=fleet_digest(walk.loaded),
        selection=selection,
        options=_options(walk),
        plan=replace(plan, clusters=tuple(_shown(part) for part in plan.clusters)),
        clusters=tuple(clusters),
    )


def _cluster(scene: Scene, part: ClusterPlan, key_id: str | None) -> SavedCluster:
    seal, note = _seal(scene, part, key_id)
    touched = [change for change in part.changes if change.op is not Op.KEEP]
    apps: list[SavedApp] = []
    for app in sorted(scene.apps):
        last = next(iter(_results(scene, app)), None)
        apps.append(
            SavedApp(
                name=app,
                render=render_digest((r for r in _rendered(scene) if r.app == app), seal),
                last=f"{last.at} {last.plan_id}" if last else "",
            )
        )
    return SavedCluster(
        name=part.cluster,
        apps=tuple(apps),
        bindings=tuple(_binding(scene, change, seal) for change in touched),
        key_id=seal.key_id,
        note=note,
    )


def _rendered(scene: Scene) -> Iterator[Resource]:
    yield from scene.resources.values()
    yield from (hook.resource for hook in scene.hooks.values())


def _binding(scene: Scene, change: Change, seal: Seal) -> Binding:
    if change.op is Op.HOOK:  # whatever is in its place goes before it runs
        return bind(change.ref.key, scene.hooks[change.ref.key].resource.inputs, None, seal)
    resource = scene.resources.get(change.ref.key)
    live = scene.live.get(change.ref.key)
    if resource is None or live is None:
        return bind(change.ref.key, resource.inputs if resource else None, live, seal)
    sent = as_compared(scene, resource, live, adopted=change.op is Op.ADOPT)
    return bind(change.ref.key, resource.inputs, live, seal, sent=sent)


def _seal(scene: Scene, part: ClusterPlan, key_id: str | None) -> tuple[Seal, str]:
    seal = Seal(cluster=scene.entry.cluster)
    secret = any(is_secret(r.inputs) for r in scene.selected())
    if key_id == "" or not (secret or any(_is_secret(change) for change in part.changes)):
        return seal, ""
    try:
        key = obtain_key(scene) if key_id is None else read_key(scene)
    except NoKey as error:
        return seal, f"{_BOUND_WITHOUT_KEY}: {error.message}"
    return replace(seal, key=key), ""


def _is_secret(change: Change) -> bool:
    return (change.ref.group, change.ref.kind) == ("", "Secret")


def _shown(part: ClusterPlan) -> ClusterPlan:
    """As it is kept: masked once more, whatever was handed over, and short where nothing changes."""
    return replace(part, changes=tuple(_masked(change) for change in part.changes))


def _masked(change: Change) -> Change:
    change = replace(change, extra=())
    if change.op is Op.KEEP:
        diff = mask_diff(change.diff) if _is_secret(change) else change.diff
        return replace(change, diff=diff, live=None, result=None, origin=None)
    if not _is_secret(change):
        return change
    live, result = mask_pair(change.live, change.result)
    return replace(change, diff=mask_diff(change.diff), live=live, result=result)


_UNSAID = frozenset({"access", "env", "overlays", "patches", "values", "vars"})
"""Keys of fleet.yaml whose content may be secret, so no digest is made of them. What they do to objects is in the
digests of what is rendered."""


def fleet_digest(loaded: LoadedFleet) -> str:
    """Over what fleet.yaml says of environments, clusters, apps and their rules."""
    said = _structure(plain(loaded.fleet))
    return "sha256:" + hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _structure(value: Json) -> Json:
    if is_object(value):
        return {key: _structure(item) for key, item in value.items() if key not in _UNSAID}
    return [_structure(item) for item in value] if is_array(value) else value
