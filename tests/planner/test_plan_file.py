"""Files of saved plans: read back as written, refused when a bit is wrong, readable when of another version."""

from __future__ import annotations

import gzip
import hashlib
import json

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from fleetmgr.errors import ExitCode
from fleetmgr.model.change import Adoption, Change, FieldDiff, Op
from fleetmgr.model.objects import ObjectRef, Origin
from fleetmgr.model.saved_plan import Binding, SavedApp, SavedCluster, SavedPlan
from fleetmgr.model.selection import Selection
from fleetmgr.planner.plan_file import NotAPlanFile, decode, encode
from fleetmgr.planner.staleness import differences
from tests.reporting.fleets import cluster, failure, plan_of

GONE = failure("no answer", ExitCode.PARTIAL)
texts = st.text(st.characters(codec="utf-8"), max_size=12)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
refs = st.builds(
    ObjectRef, texts, texts, st.sampled_from(("Deployment", "Secret", "ConfigMap")), texts, texts
)
diffs = st.builds(FieldDiff, path=texts, old=json_values, new=json_values, sensitive=st.booleans())
changes = st.builds(
    Change,
    op=st.sampled_from(Op),
    app=texts,
    ref=refs,
    diff=st.lists(diffs, max_size=3).map(tuple),
    reason=st.none() | texts,
    drift=st.booleans(),
    adoption=st.none() | st.builds(Adoption, managers=st.just(("kubectl",)), kept=texts),
    origin=st.none() | st.just(Origin(file="a.yaml", line=3)),
    live=st.none() | st.dictionaries(texts, json_values, max_size=3),
    result=st.none() | st.dictionaries(texts, json_values, max_size=3),
)


def decoded_equally(planned: tuple[Change, ...]) -> bool:
    """Two changes of one object cannot be told apart; a plan never has them."""
    return len({change.ref.key for change in planned}) == len(planned)


def saved_of(*planned: Change) -> SavedPlan:
    parts = (cluster("dev-1", *planned), cluster("dev-2", failed=GONE))
    bindings = tuple(Binding(key=c.ref.key, uid="u", digest="sha256:1") for c in planned)
    return SavedPlan(
        tool="0.1.0",
        made_at="2026-11-21T01:00:00Z",
        actor="tester",
        nonce="n",
        fleet_digest="sha256:f",
        selection=Selection(apps=("web",)),
        options=("adopt",),
        plan=plan_of(*parts),
        clusters=(
            SavedCluster(name="dev-1", apps=(SavedApp(name="web", render="sha256:r"),), bindings=bindings),
        ),
    )


@given(planned=st.lists(changes, max_size=4), packed=st.booleans())
def test_a_plan_is_read_back_as_it_was_kept(planned: list[Change], packed: bool) -> None:
    assume(decoded_equally(tuple(planned)))
    saved = saved_of(*planned)
    content, identifier = encode(saved, "text", packed=packed)
    file = decode(content, name="f")
    assert file.saved == replace(saved, id=identifier)
    assert (file.id, file.text, file.fleet) == (identifier, "text", "shop")
    assert not differences(saved, file.saved or saved)


WHOLE = encode(
    saved_of(Change(op=Op.CREATE, app="web", ref=ObjectRef("", "v1", "Pod", "a", "b"))), "text", packed=False
)[0]
PACKED = gzip.compress(WHOLE, mtime=0)


@given(length=st.integers(0, len(WHOLE) - 2))
def test_a_file_that_was_cut_off_is_refused(length: int) -> None:
    with pytest.raises(NotAPlanFile):
        decode(WHOLE[:length], name="f")


@given(length=st.integers(0, len(PACKED) - 1))
def test_a_packed_file_that_was_cut_off_is_refused(length: int) -> None:
    with pytest.raises(NotAPlanFile):
        decode(PACKED[:length], name="f")


@given(position=st.integers(0, len(WHOLE) - 2), byte=st.integers(33, 126))
def test_a_file_in_which_one_character_was_changed_is_refused_or_means_the_same(
    position: int, byte: int
) -> None:
    changed = WHOLE[:position] + bytes([byte]) + WHOLE[position + 1 :]
    try:
        same = json.loads(changed) == json.loads(WHOLE)
    except ValueError:
        same = False
    if same:
        assert decode(changed, name="f") == decode(WHOLE, name="f")
    else:
        with pytest.raises(NotAPlanFile):
            decode(changed, name="f")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty, cut off"),
        (b"[]", "empty, cut off"),
        (b"\x1f\x8bnonsense", "empty, cut off"),
        (b"[" * 100_000, "empty, cut off"),
        (b'{"apiVersion": "fleetmgr.dev/v1", "kind": "Plan"}', "no saved plan (kind Plan"),
        (b'{"apiVersion": "plan.fleetmgr.dev/v1", "kind": "SavedPlan"}', "was changed after it was made"),
    ],
)
def test_what_is_no_plan_file_says_so(content: bytes, said: str) -> None:
    with pytest.raises(NotAPlanFile) as raised:
        decode(content, name="plan.json")
    assert said in str(raised.value)
    assert "plan.json" in str(raised.value)


def test_what_a_later_version_wrote_can_still_be_shown() -> None:
    document = json.loads(WHOLE)
    document["plan"]["plan"]["clusters"][0]["changes"][0]["op"] = "teleport"
    document["more"] = {"of": "later"}
    content = rewritten(document)
    file = decode(content, name="f")
    assert file.saved is None
    assert (file.text, file.fleet, file.tool) == ("text", "shop", "0.1.0")


def test_fields_of_a_later_version_are_passed_over() -> None:
    document = json.loads(WHOLE)
    document["plan"]["later"] = 1
    document["plan"]["plan"]["clusters"][0]["changes"][0]["later"] = [1]
    assert decode(rewritten(document), name="f").saved is not None


def rewritten(document: dict[str, object]) -> bytes:
    """With the digest that its content has."""
    document.pop("digest")
    digest = hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return json.dumps({**document, "digest": f"sha256:{digest}"}).encode()
