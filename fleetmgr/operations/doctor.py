"""``fleet doctor``: would a plan and an apply work? This machine's tools, then each cluster, per verb and kind."""

from __future__ import annotations

from collections.abc import Iterator

from fleetmgr.errors import ExitCode, FleetError, Problem
from fleetmgr.expansion import clusters as selected_clusters
from fleetmgr.model.applyset import SYSTEM_NAMESPACE
from fleetmgr.model.report import CheckResult, Diagnosis, DoctorCheck
from fleetmgr.model.resource import Stack
from fleetmgr.model.selection import Selection
from fleetmgr.operations.across import across
from fleetmgr.operations.embedded.entry import CONFIG_MAPS, NAMESPACES, meet
from fleetmgr.operations.embedded.live import in_parallel
from fleetmgr.operations.entries import entry_of
from fleetmgr.operations.render import render
from fleetmgr.operations.walk import Walk
from fleetmgr.ports.cluster import AccessQuery, ApiResource, ClusterClient, Discovery
from fleetmgr.reporting.wording import counted
from fleetmgr.spec import Cluster

READ = ("get", "list")
WRITE = ("create", "patch", "delete")


def doctor(walk: Walk, selection: Selection) -> Diagnosis:
    """Every check of every selected cluster; raises InvalidInput when the fleet itself is wrong."""
    chosen = selected_clusters(walk.loaded, selection)
    stacks = list(render(walk.loaded, walk.fetcher, chosen))
    checks = list(_local(walk))

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
        yield from _access(cluster, stack, client, discovery)
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


def _access(
    cluster: Cluster, stack: Stack, client: ClusterClient, discovery: Discovery
) -> Iterator[DoctorCheck]:
    """May we do what the plan needs? Reads first, since without them there is no plan at all."""
    queries = list(_queries(stack, discovery))
    allowed = in_parallel(lambda pair: client.allowed(pair[1]), queries)
    denied = [q for (_, q), yes in zip(queries, allowed, strict=True) if not yes]
    reads = [q for q in denied if q.verb in READ]
    writes = [q for q in denied if q.verb in WRITE]
    if reads:
        yield DoctorCheck(
            name="read",
            result=CheckResult.FAILED,
            message=f"may not {_wording(reads)}",
            cluster=cluster.name,
            hint="without these there is no plan: bind a role that has them",
            exit_code=ExitCode.AUTH,
        )
    else:
        yield _ok(cluster, "read", "may read everything that a plan needs")
    if writes:
        yield DoctorCheck(
            name="write",
            result=CheckResult.WARNING,
            message=f"may not {_wording(writes)}",
            cluster=cluster.name,
            hint="plans are shown as unverified; an apply needs these",
        )
    else:
        yield _ok(cluster, "write", "may write everything that an apply needs")


def _queries(stack: Stack, discovery: Discovery) -> Iterator[tuple[ApiResource, AccessQuery]]:
    seen: set[tuple[str, str, str]] = set()
    needs = [(CONFIG_MAPS, SYSTEM_NAMESPACE), (NAMESPACES, "")]
    for resource in stack.everything():
        served = discovery.find(*resource.ref[:3])
        if served is not None:
            needs.append((served, resource.ref.namespace if served.namespaced else ""))
    for served, namespace in needs:
        if (served.group, served.plural, namespace) in seen:
            continue
        seen.add((served.group, served.plural, namespace))
        for verb in (*READ, *WRITE):
            yield (
                served,
                AccessQuery(verb=verb, group=served.group, resource=served.plural, namespace=namespace),
            )


def _wording(queries: list[AccessQuery]) -> str:
    """``patch deployments.apps in shop-web; delete services in shop-web``."""
    parts: dict[tuple[str, str], list[str]] = {}
    for q in queries:
        name = f"{q.resource}.{q.group}" if q.group else q.resource
        parts.setdefault((name, q.namespace), []).append(q.verb)
    return "; ".join(
        f"{'/'.join(verbs)} {name}{f' in {ns}' if ns else ''}" for (name, ns), verbs in parts.items()
    )
