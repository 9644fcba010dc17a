"""``fleet doctor``: would a plan and an apply work? This machine's tools, then each cluster, per verb and kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from fleetmgr.errors import ExitCode, FleetError, Problem
from fleetmgr.expansion import clusters as selected_clusters
from fleetmgr.model.applyset import SYSTEM_NAMESPACE
from fleetmgr.model.enumeration import counted
from fleetmgr.model.report import CheckResult, Diagnosis, DoctorCheck
from fleetmgr.model.resource import Stack
from fleetmgr.model.selection import Selection
from fleetmgr.operations.across import across
from fleetmgr.operations.embedded.entry import Contact, meet
from fleetmgr.operations.embedded.live import in_parallel
from fleetmgr.operations.embedded.scene import exists
from fleetmgr.operations.entries import entry_of
from fleetmgr.operations.render import render
from fleetmgr.operations.rights import Purpose, as_rules, in_words, rights_needed
from fleetmgr.operations.walk import Walk
from fleetmgr.ports.cluster import ClusterClient, Discovery

if TYPE_CHECKING:
    from fleetmgr.spec import Cluster


def doctor(walk: Walk, selection: Selection) -> Diagnosis:
    """Every check of every selected cluster; raises InvalidInput when the fleet itself is wrong."""
    chosen = selected_clusters(walk.loaded, selection)
    stacks = list(render(walk.loaded, walk.fetcher, chosen))
    checks = [*_local(walk), *walk.tools(chosen)]

    def one(pair: tuple[Cluster, Stack]) -> list[DoctorCheck]:
        return list(_cluster(walk, pair[0], pair[1]))

    for found in across(one, list(zip(chosen, stacks, strict=True)), parallel=walk.parallel, stop=walk.stop):
        checks += found
    return Diagnosis(checks=tuple(checks))


def _local(walk: Walk) -> Iterator[DoctorCheck]:
    fleet = walk.loaded.fleet
    yield DoctorCheck(
        name="fleet",
        result=CheckResult.OK,
        message=f"fleet {fleet.name}: {counted(len(fleet.clusters), 'cluster')}, {counted(len(fleet.apps), 'app')}",
    )
    head = walk.repository.head()
    if head is None:
        yield DoctorCheck(
            name="git",
            result=CheckResult.WARNING,
            message="fleet.yaml is not in a Git repository with a commit",
            hint="commit it, so that every apply can be told by its revision and undone by a revert",
        )
    else:
        dirty = ", with uncommitted changes" if walk.repository.dirty() else ""
        yield DoctorCheck(name="git", result=CheckResult.OK, message=f"commit {head[:12]}{dirty}")


def _cluster(walk: Walk, cluster: Cluster, stack: Stack) -> Iterator[DoctorCheck]:
    try:
        client = walk.connector.connect(cluster.name)
        version = client.version()
        yield _ok(cluster, "reach", f"{client.server} answers, Kubernetes {version}")
        contact = meet(client, entry_of(walk.loaded, cluster))
        known = f"the inventory of {counted(len(contact.parents), 'app')}"
        met = "first contact: no marker yet" if contact.first else known
        yield _ok(cluster, "identity", met)
        discovery = client.discover()
        yield _served(cluster, stack, discovery)
        yield from _access(cluster, stack, client, discovery, contact)
    except FleetError as error:
        yield _failed(cluster, error.problem(), error.exit_code)


def _ok(cluster: Cluster, name: str, message: str) -> DoctorCheck:
    return DoctorCheck(name=name, result=CheckResult.OK, message=message, cluster=cluster.name)


def _failed(cluster: Cluster, problem: Problem, code: ExitCode) -> DoctorCheck:
    return DoctorCheck(
        name="reach",
        result=CheckResult.FAILED,
        message=problem.message,
        cluster=cluster.name,
        hint=problem.hint,
        exit_code=code,
    )


def _served(cluster: Cluster, stack: Stack, discovery: Discovery) -> DoctorCheck:
    wanted = sorted({r.ref[:3] for r in stack.everything()})
    absent = [
        f"{kind} in {f'{group}/' if group else ''}{version}"
        for group, version, kind in wanted
        if discovery.find(group, version, kind) is None
    ]
    if absent:
        return DoctorCheck(
            name="kinds",
            result=CheckResult.WARNING,
            message=f"not served: {', '.join(absent)}",
            cluster=cluster.name,
            hint="their CRDs must come from an app of this fleet or be installed first",
        )
    if discovery.incomplete:
        groups = ", ".join(discovery.incomplete)
        return DoctorCheck(
            name="kinds",
            result=CheckResult.WARNING,
            message=f"API groups that do not answer: {groups}",
            cluster=cluster.name,
            hint="check their APIServices",
        )
    return _ok(cluster, "kinds", f"{counted(len(wanted), 'kind')} needed, all served")


class _Wording(Struct, frozen=True, kw_only=True):
    """What a check of some rights says: all is well, what it means that one is missing."""

    well: str
    without: str
    result: CheckResult = CheckResult.WARNING


_WORDING = {
    Purpose.READ: _Wording(
        well="may read everything that a plan needs",
        without="without these there is no plan",
        result=CheckResult.FAILED,
    ),
    Purpose.WRITE: _Wording(
        well="may write everything that an apply needs",
        without="plans are shown as unverified; an apply needs these",
    ),
    Purpose.LOCK: _Wording(
        well="may take the lease that keeps two applies apart",
        without="without these nothing keeps another run from applying at the same time",
    ),
    Purpose.WATCH: _Wording(
        well="may watch what an apply waits for",
        without="without these an apply asks again and again while it waits",
    ),
    Purpose.SECRETS: _Wording(
        well="may keep the key that binds Secrets into saved plans",
        without="without these a saved plan binds Secrets by their version, and is stale at any write to them",
    ),
}


def _access(
    cluster: Cluster, stack: Stack, client: ClusterClient, discovery: Discovery, contact: Contact
) -> Iterator[DoctorCheck]:
    """May we do what plan and apply need? Reads first, since without them there is no plan at all."""
    homes = sorted({SYSTEM_NAMESPACE, *(r.ref.namespace for r in stack.everything() if r.ref.namespace)})
    there = in_parallel(lambda name: exists(client, name), homes)
    absent = [name for name, found in zip(homes, there, strict=True) if not found]
    needed = rights_needed(stack, discovery, contact.parents.values(), absent)
    allowed = in_parallel(lambda right: client.allowed(right.query), needed)
    missing = [right for right, yes in zip(needed, allowed, strict=True) if not yes]
    for purpose in Purpose:
        queries = [right.query for right in missing if right.purpose is purpose]
        wording = _WORDING[purpose]
        if queries:
            yield DoctorCheck(
                name=purpose.value,
                result=wording.result,
                message=f"may not {in_words(queries)}",
                cluster=cluster.name,
                hint="\n".join([f"{wording.without}; bind a role that has them:", *as_rules(queries)]),
                exit_code=ExitCode.AUTH if wording.result is CheckResult.FAILED else ExitCode.OK,
            )
        elif any(right.purpose is purpose for right in needed):
            yield _ok(cluster, purpose.value, wording.well)
