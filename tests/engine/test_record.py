"""The memory of an app: read back as written, older versions' too, and never too large for a ConfigMap."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fleetmgr.engine.inventory import parent_body, read_parent
from fleetmgr.engine.record import PACKED_KEY, RECORD_KEY, Fight, Record, read_record, record_data
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.memory import RunResult
from fleetmgr.model.objects import ObjectKey
from fleetmgr.model.policy import OnRemove, Prune

AT = "2026-11-21T01:00:00Z"
LIMIT = 1024 * 1024
texts = st.text(max_size=20)
maps = st.dictionaries(texts, texts, max_size=4)
results = st.builds(
    RunResult,
    at=texts,
    outcome=texts,
    plan_id=texts,
    revision=texts,
    actor=texts,
    reason=texts,
    dirty_reason=texts,
    counts=st.dictionaries(texts, st.integers(0, 9), max_size=3),
)
records = st.builds(
    Record,
    revision=st.none() | texts,
    artifact_digest=texts,
    plan_id=texts,
    actor=texts,
    applied_at=texts,
    prune=st.sampled_from(Prune),
    on_remove=st.sampled_from(OnRemove),
    objects=maps,
    results=st.lists(results, max_size=10).map(tuple),
    healthy_since=st.none() | texts,
    finished=maps,
    fights=st.dictionaries(
        texts, st.builds(Fight, manager=texts, times=st.integers(0, 9), at=texts), max_size=3
    ),
    drifted=maps,
)


@given(record=records)
def test_a_record_is_read_back_as_it_was_written(record: Record) -> None:
    body = parent_body(fleet="shop", cluster="dev-1", app="web", keys=(), record=record)
    read = read_parent(body)
    assert read.record == record
    assert read.app == "web"


@given(objects=st.integers(0, 400), seed=st.integers(0, 9))
def test_a_growing_record_is_packed_and_read_back(objects: int, seed: int) -> None:
    record = Record(objects=many(objects * 10, seed))
    assert read_record(record_data(record)) == record


def many(count: int, seed: int = 0) -> dict[str, str]:
    rng = random.Random(seed)  # noqa: S311 - no secret
    keys = (
        ObjectKey("apps", "Deployment", f"team-{i % 97}-namespace", f"service-{i}-{rng.randrange(10**6)}")
        for i in range(count)
    )
    return {f"{k.group_kind}/{k.namespace}/{k.name}": f"{rng.getrandbits(64):016x}" for k in keys}


def stored(record: Record) -> int:
    """Bytes as the API server counts them."""
    data = record_data(record)
    plain = sum(len(text.encode()) for text in data.get("data", {}).values())
    return plain + sum(len(base64.b64decode(text)) for text in data.get("binaryData", {}).values())


def test_a_small_record_can_be_read_by_people() -> None:
    data = record_data(Record(revision="abc", objects=many(100)))
    assert json.loads(data["data"][RECORD_KEY])["revision"] == "abc"
    assert "binaryData" not in data


def test_ten_thousand_objects_fit_with_all_their_digests() -> None:
    record = Record(objects=many(10_000), results=ten("x" * 5000))
    assert set(record_data(record)["binaryData"]) == {PACKED_KEY}
    assert stored(record) < LIMIT / 3
    assert read_record(record_data(record)) == record


def test_beyond_what_fits_the_digests_go_and_the_rest_stays() -> None:
    record = Record(objects=many(150_000), results=ten(), prune=Prune.ALWAYS, finished={"a": "b"})
    assert stored(record) < LIMIT
    assert read_record(record_data(record)) == replace(record, objects={})


def ten(reason: str = "") -> tuple[RunResult, ...]:
    record = Record()
    for number in range(25):
        run = RunResult(at=AT, outcome="failed", plan_id=str(number), reason=reason)
        record = replace(record, results=record.after(run))
    return record.results


def test_the_last_ten_results_are_kept_newest_first_with_short_reasons() -> None:
    kept = ten("x" * 5000)
    assert [r.plan_id for r in kept] == [str(n) for n in range(24, 14, -1)]
    assert max(len(r.reason) for r in kept) <= 303


OLD: dict[str, Any] = {
    "revision": "abc",
    "artifactDigest": "sha256:1",
    "planId": "p",
    "actor": "me",
    "appliedAt": AT,
    "prune": True,
    "objects": {"ConfigMap/shop/a": "0123456789abcdef"},
    "outcomes": [f"{AT} done 123456789abc", f"{AT} failed 123456789abd"],
    "finished": {},
}


@pytest.mark.parametrize(
    ("prune", "removal", "expected"),
    [
        (True, None, (Prune.ALWAYS, OnRemove.DELETE)),
        (False, None, (Prune.NEVER, OnRemove.ORPHAN)),
        ("confirm", None, (Prune.CONFIRM, OnRemove.CONFIRM)),
        ("true", "orphan", (Prune.ALWAYS, OnRemove.ORPHAN)),
    ],
)
def test_records_of_earlier_versions_are_read(
    prune: object, removal: str | None, expected: tuple[Prune, OnRemove]
) -> None:
    raw = {**OLD, "prune": prune} | ({"onRemove": removal} if removal else {})
    record = read_record({"data": {RECORD_KEY: json.dumps(raw)}})
    assert record is not None
    assert (record.prune, record.on_remove) == expected
    assert record.objects == OLD["objects"]
    assert [(r.outcome, r.plan_id) for r in record.results] == [
        ("done", "123456789abc"),
        ("failed", "123456789abd"),
    ]


def test_fields_of_later_versions_are_passed_over() -> None:
    raw = {**json.loads(record_data(Record(actor="me"))["data"][RECORD_KEY]), "later": {"more": 1}}
    raw["results"] = [{"at": AT, "outcome": "a word of later", "planId": "p", "more": 1}]
    record = read_record({"data": {RECORD_KEY: json.dumps(raw)}})
    assert record is not None
    assert record.results == (RunResult(at=AT, outcome="a word of later", plan_id="p"),)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": {RECORD_KEY: "{"}},
        {"data": {RECORD_KEY: "[]"}},
        {"data": {RECORD_KEY: '{"prune": "sometimes"}'}},
        {"data": {RECORD_KEY: '{"objects": 7}'}},
        {"data": {RECORD_KEY: 7}},
        {"binaryData": {PACKED_KEY: "not base64!"}},
        {"binaryData": {PACKED_KEY: base64.b64encode(b"not gzip").decode()}},
    ],
)
def test_what_cannot_be_read_is_no_record(body: JsonObject) -> None:
    assert read_record(body) is None


def test_no_policy_is_ever_read_as_a_permission_to_delete() -> None:
    record = read_record({"data": {RECORD_KEY: '{"actor": "me"}'}})
    assert record is not None
    assert (record.prune, record.on_remove) == (Prune.NEVER, OnRemove.ORPHAN)
