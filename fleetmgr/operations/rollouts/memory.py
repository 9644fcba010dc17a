"""Reading and writing rollout records on clusters. There is no state file: any machine that reaches a
participating cluster knows how a rollout stands, and can ask it to pause."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct, field
from msgspec.structs import replace

from fleetmgr.errors import FleetError
from fleetmgr.model.applyset import CLUSTER_LABEL, SYSTEM_NAMESPACE
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.resource import field_manager
from fleetmgr.operations.embedded.entry import CONFIG_MAPS, NAMESPACES
from fleetmgr.ports.cluster import ClusterClient
from fleetmgr.ports.cluster_errors import ObjectConflict, ObjectGone
from fleetmgr.rollout.record import (
    KEPT_ROLLOUTS,
    ROLLOUTS_LABEL,
    RolloutRecord,
    read_record,
    record_body,
    record_name,
    united,
)

_TRIES = 5
"""Writers that meet at one record: each reads again and tries again."""
_AT_A_TIME = 8


class Shelf:
    """The records of one entry. Every method raises ClusterError."""

    def __init__(self, connect: Callable[[], ClusterClient], *, fleet: str, cluster: str) -> None:
        """Nothing is asked yet, nor connected."""
        self._connect = connect
        self._fleet = fleet
        self._cluster = cluster

    def all(self) -> list[RolloutRecord]:
        """Every readable record of this entry, newest first."""
        return [record for _, record in self._stored()]

    def read(self, rollout: str) -> RolloutRecord | None:
        """One record."""
        body = self._get(rollout)
        return read_record(body) if body is not None else None

    def write(self, record: RolloutRecord, *, create_namespace: bool = False) -> RolloutRecord:
        """Write ``record`` with the requests that others have added meanwhile; returns what is stored now.

        A copy with a higher counter stays as it is: another process has taken the rollout over. Our namespace is
        made only where ``create_namespace`` says so; elsewhere nothing is remembered (ObjectGone).
        """

        def newest(stored: RolloutRecord | None) -> RolloutRecord:
            if stored is None:
                return record
            newer = stored if stored.counter > record.counter else record
            return _with_requests(newer, stored, record)

        try:
            return self._change(record.id, newest)
        except ObjectGone:
            if not create_namespace:
                raise
        body: JsonObject = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": SYSTEM_NAMESPACE},
        }
        self._connect().apply(
            NAMESPACES, body, manager=field_manager(self._fleet), force=False, dry_run=False
        )
        return self._change(record.id, newest)

    def forget_old(self) -> None:
        """Keep the newest records only."""
        for body, _ in self._stored()[KEPT_ROLLOUTS:]:
            metadata = object_at(body, "metadata")
            self._connect().delete(
                CONFIG_MAPS,
                namespace=SYSTEM_NAMESPACE,
                name=str(metadata["name"]),
                uid=str(metadata["uid"]),
            )

    def _stored(self) -> list[tuple[JsonObject, RolloutRecord]]:
        selector = f"{ROLLOUTS_LABEL}={self._fleet},{CLUSTER_LABEL}={self._cluster}"
        bodies = self._connect().list(CONFIG_MAPS, namespace=SYSTEM_NAMESPACE, selector=selector)
        found = [(body, record) for body in bodies if (record := read_record(body)) is not None]
        return sorted(found, key=lambda pair: pair[1].id, reverse=True)

    def _get(self, rollout: str) -> JsonObject | None:
        name = record_name(self._fleet, self._cluster, rollout)
        return self._connect().get(CONFIG_MAPS, namespace=SYSTEM_NAMESPACE, name=name)

    def _change(self, rollout: str, change: Callable[[RolloutRecord | None], RolloutRecord]) -> RolloutRecord:
        """Read, change and write, fenced to what was read."""
        for _ in range(_TRIES - 1):
            try:
                return self._try(rollout, change)
            except ObjectConflict:
                continue
        return self._try(rollout, change)

    def _try(self, rollout: str, change: Callable[[RolloutRecord | None], RolloutRecord]) -> RolloutRecord:
        body = self._get(rollout)
        stored = read_record(body) if body is not None else None
        record = change(stored)
        if record != stored:
            version = str(object_at(body or {}, "metadata").get("resourceVersion", ""))
            self._connect().apply(
                CONFIG_MAPS,
                record_body(record, self._cluster, resource_version=version),
                manager=field_manager(self._fleet),
                force=True,
                dry_run=False,
            )
        return record


def _with_requests(record: RolloutRecord, *copies: RolloutRecord) -> RolloutRecord:
    requests = united(*(copy.requests for copy in copies))
    return record if requests == record.requests else replace(record, requests=requests)


class Heard(Struct, frozen=True, kw_only=True):
    """What each cluster answered, or why it did not."""

    records: dict[str, tuple[RolloutRecord, ...]] = field(
        default_factory=dict[str, tuple[RolloutRecord, ...]]
    )
    failures: dict[str, FleetError] = field(default_factory=dict[str, FleetError])

    def copies(self) -> list[RolloutRecord]:
        """Of all clusters."""
        return [record for records in self.records.values() for record in records]


def ask_all(shelves: Mapping[str, Shelf], work: Callable[[str, Shelf], Iterable[RolloutRecord]]) -> Heard:
    """``work`` on the shelf of every cluster at once; one that fails is told and hinders nobody."""
    heard = Heard()

    def ask(name: str) -> None:
        try:
            heard.records[name] = tuple(work(name, shelves[name]))
        except FleetError as error:
            heard.failures[name] = error

    if shelves:
        with ThreadPoolExecutor(max_workers=min(_AT_A_TIME, len(shelves))) as pool:
            list(pool.map(ask, shelves))
    return heard
