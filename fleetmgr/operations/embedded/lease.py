"""One run per cluster entry: a Lease on the cluster, taken before the first write and renewed until the last.

Taken by compare and swap (the Lease exists first, empty; then its resourceVersion is the fence), so of two runs at
once one gets it. Who was not heard of is passed over by observed renewals, never by what clocks say.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from fleetmgr.engine.lease import (
    Observed,
    Standing,
    lease_body,
    looks_abandoned,
    observe,
    read_lease,
    standing,
)
from fleetmgr.errors import ExitCode, FleetError, Where
from fleetmgr.model.applyset import SYSTEM_NAMESPACE, lease_name
from fleetmgr.model.event import EventSink, LockAwaited
from fleetmgr.model.lease import DOUBTFUL, RENEW_EVERY, Holder, Lease
from fleetmgr.operations.embedded.entry import Entry
from fleetmgr.operations.embedded.scene import ensure_system_namespace
from fleetmgr.operations.embedded.stopping import raise_if_set
from fleetmgr.ports.clock import Clock
from fleetmgr.ports.cluster import ApiResource, ClusterClient
from fleetmgr.ports.cluster_errors import AccessDenied, ClusterError, ObjectConflict, ObjectGone
from fleetmgr.ports.processes import Processes
from fleetmgr.ports.stop import Stop

LEASES = ApiResource(
    group="coordination.k8s.io", version="v1", kind="Lease", plural="leases", namespaced=True
)
_LOOK_EVERY = 1.0


class Locked(FleetError):
    """Another run applies to this cluster entry."""

    code: ClassVar[str] = "FLT-8000"
    exit_code: ClassVar[ExitCode] = ExitCode.LOCKED


class LeaseLost(FleetError):
    """This run holds the lease no longer: somebody unlocked the entry, or another run took it over."""

    code: ClassVar[str] = "FLT-8001"
    exit_code: ClassVar[ExitCode] = ExitCode.LOCKED


class LockRequest(Struct, frozen=True, kw_only=True):
    """Who asks for leases, and for how many seconds a held one is waited for."""

    holder: Holder
    processes: Processes
    timeout: float = 0.0


class Tenure:
    """A lease that we hold. Thread-safe: writers ``check`` while a thread renews."""

    def __init__(self, client: ClusterClient, entry: Entry, lease: Lease, clock: Clock, asked: float) -> None:
        """``asked``: monotonic seconds when the request that gave us ``lease`` was begun."""
        self._client = client
        self._entry = entry
        self._lease = lease
        self._clock = clock
        self._renewed = asked
        self._lost: LeaseLost | None = None
        self._lock = threading.Lock()

    @property
    def token(self) -> int:
        """The fencing token: higher than that of every earlier holder."""
        return self._lease.transitions

    def check(self) -> None:
        """Before each write. Raises LeaseLost, or ClusterError when the lease is in doubt and cannot be renewed."""
        if self._lost is None and self._clock.monotonic() - self._renewed > DOUBTFUL:
            self.renew()
        if self._lost is not None:
            raise self._lost

    def renew(self) -> None:
        """Renew now. A lost lease stays lost; raises ClusterError when the cluster does not answer."""
        with self._lock:
            for _ in range(2):
                if self._lost is not None:
                    return
                asked = self._clock.monotonic()
                renewed = replace(self._lease, renewed=_micro(self._clock))
                try:
                    self._lease = _write(self._client, self._entry, renewed)
                except ObjectConflict:
                    self._look_again()
                else:
                    self._renewed = asked
                    return

    def release(self) -> None:
        """Give the lease back. Raises ClusterError; it then runs out by itself."""
        with self._lock:
            if self._lost is None:
                _write(self._client, self._entry, replace(self._lease, identity="", holder=None, plan_id=""))
                self._lost = self._gone("this run has given it back")

    def lose(self, why: str) -> LeaseLost:
        """Hold it no longer: something else shows that a later run has it."""
        self._lost = self._gone(why)
        return self._lost

    def _look_again(self) -> None:
        """Somebody wrote to the lease: a later holder, or a person's annotation."""
        found = read_entry(self._client, self._entry)
        if found is not None and (found.identity, found.transitions) == (
            self._lease.identity,
            self._lease.transitions,
        ):
            self._lease = replace(self._lease, version=found.version, unlocked=found.unlocked)
        elif found is None:
            self._lost = self._gone("its Lease was deleted")
        elif found.identity:
            self._lost = self._gone(f"it is held by {described(found)}")
        else:
            who = found.unlocked.get("unlocked-by", "somebody")
            self._lost = self._gone(f"{who} released it: {found.unlocked.get('unlock-reason', 'no reason')}")

    def _gone(self, why: str) -> LeaseLost:
        return LeaseLost(
            f"the lease on {self._entry.cluster} was lost while this run applied: {why}",
            where=Where(cluster=self._entry.cluster),
            hint="nothing was written after that; plan again",
        )


def described(lease: Lease) -> str:
    """Who holds it, for people."""
    holder = lease.holder
    if holder is None:
        return "nobody"
    where = f"pid {holder.pid} on {holder.host}" if holder.pid else holder.host
    parts = [where, f"since {lease.since}" if lease.since else "", f"plan {lease.plan_id[:12]}"]
    facts = ", ".join(part for part in parts if part and part != "plan ")
    command = f", running `{holder.command}`" if holder.command else ""
    return f"{holder.actor} ({facts}){command}"


def acquire(  # noqa: PLR0913 - what a lease is taken with
    client: ClusterClient,
    entry: Entry,
    request: LockRequest,
    *,
    plan_id: str,
    floor: int,
    clock: Clock,
    stop: Stop,
    sink: EventSink,
) -> Tenure:
    """Take the lease of ``entry``; its token will be higher than ``floor``.

    Raises Locked when it is held for longer than the request waits, and ClusterError (AccessDenied, ObjectGone
    where Leases may not be used or are not served).
    """
    identity = f"{request.holder.actor}_{secrets.token_hex(8)}"
    began = clock.monotonic()
    observed: Observed | None = None
    told = ""
    while True:
        raise_if_set(stop)
        asked = clock.monotonic()
        lease = _existing(client, entry)
        observed = observe(observed, lease, answered=clock.monotonic())
        holder = lease.holder
        dead = holder is not None and request.processes.dead(holder.process)
        if lease.identity == identity:  # an answer to an earlier attempt was lost on the way
            return Tenure(client, entry, lease, clock, asked)
        if standing(observed, asked=asked, dead=dead) is not Standing.HELD:
            now = _micro(clock)
            mine = replace(
                lease,
                identity=identity,
                holder=request.holder,
                plan_id=plan_id,
                since=now,
                renewed=now,
                transitions=max(lease.transitions, floor) + 1,
            )
            with suppress(ObjectConflict):  # somebody else was quicker: look again
                return Tenure(client, entry, _write(client, entry, mine), clock, asked)
            continue
        patience = request.timeout
        if looks_abandoned(lease, clock.now()):
            patience = max(patience, lease.duration + 2 * _LOOK_EVERY)
        if clock.monotonic() - began >= patience:
            raise _locked(entry, lease)
        if told != lease.identity:
            sink(LockAwaited(cluster=entry.cluster, holder=described(lease)))
            told = lease.identity
        clock.sleep(min(_LOOK_EVERY, max(patience - (clock.monotonic() - began), 0.05)))


def _locked(entry: Entry, lease: Lease) -> Locked:
    return Locked(
        f"another run applies to {entry.cluster}: {described(lease)}; last sign of life {lease.renewed} by its clock",
        where=Where(cluster=entry.cluster, object=f"Lease {SYSTEM_NAMESPACE}/{lease.name}"),
        hint=f"wait for it with --lock-timeout 5m; if that run is dead: fleet unlock {entry.cluster} --reason TEXT",
    )


@contextmanager
def renewed(tenure: Tenure) -> Generator[None]:
    """Renew in the background inside the block, then release. A renewal that fails is tried again; what comes of
    it is told by the next ``check``."""
    over = threading.Event()

    def keep() -> None:
        while not over.wait(RENEW_EVERY):
            with suppress(ClusterError):
                tenure.renew()

    thread = threading.Thread(target=keep, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        with suppress(ClusterError):
            tenure.release()


def release_by_hand(
    client: ClusterClient, entry: Entry, lease: Lease, *, by: str, reason: str, clock: Clock
) -> None:
    """Release exactly ``lease`` whoever holds it, and keep who did so and why. Raises ClusterError,
    ObjectConflict when it has changed meanwhile."""
    at = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    notes = {"unlocked-by": by, "unlocked-at": at, "unlock-reason": reason}
    free = replace(
        lease, identity="", holder=None, plan_id="", transitions=lease.transitions + 1, unlocked=notes
    )
    _write(client, entry, free)


def _existing(client: ClusterClient, entry: Entry) -> Lease:
    """The lease, made when it is not there yet: empty, so that two who make it at once make the same."""
    found = read_entry(client, entry)
    if found is not None:
        return found
    ensure_system_namespace(client, entry.manager)
    body = lease_body(entry.fleet, entry.cluster)
    client.apply(LEASES, body, manager=entry.manager, force=True, dry_run=False)
    made = read_entry(client, entry)
    if made is None:
        raise ObjectGone("the Lease that was just made is gone", cluster=entry.cluster, status=404)
    return made


def read_entry(client: ClusterClient, entry: Entry) -> Lease | None:
    """The lease of an entry as it is; None before its first apply. Raises ClusterError."""
    name = lease_name(entry.fleet, entry.cluster)
    body = client.get(LEASES, namespace=SYSTEM_NAMESPACE, name=name)
    return read_lease(body) if body is not None else None


def is_held(client: ClusterClient, entry: Entry, request: LockRequest, *, clock: Clock) -> bool:
    """Whether another run seems to be at work on an entry, at one look; where Leases may not be used, none does.
    Raises ClusterError."""
    try:
        lease = read_entry(client, entry)
    except AccessDenied:
        return False
    if lease is None or not lease.identity or looks_abandoned(lease, clock.now()):
        return False
    return lease.holder is None or not request.processes.dead(lease.holder.process)


def _write(client: ClusterClient, entry: Entry, lease: Lease) -> Lease:
    body = lease_body(entry.fleet, entry.cluster, lease)
    return read_lease(client.apply(LEASES, body, manager=entry.manager, force=True, dry_run=False).body)


def _micro(clock: Clock) -> str:
    """A MicroTime: six digits, as the API reads them."""
    return clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
