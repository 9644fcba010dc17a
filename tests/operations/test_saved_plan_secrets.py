"""Whatever a Secret holds: neither its value nor a plain digest of it is in a saved plan or in anything said of one."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fleetmgr.engine.binding import Seal, bind
from fleetmgr.model.change import Plan
from fleetmgr.model.objects import ObjectKey
from fleetmgr.model.saved_plan import PlanFile, Staleness
from fleetmgr.planner.grouping import same_changes
from fleetmgr.planner.outcome import plan_verdict
from fleetmgr.reporting.plan_data import plan_data
from fleetmgr.reporting.plan_file import (
    plan_file_data,
    plan_file_markdown,
    plan_file_text,
    plan_file_workflow,
)
from fleetmgr.reporting.plan_text import plan_text
from fleetmgr.reporting.unified import diff_text
from tests.operations.test_saved_plan import KEY, Saving, deny_key, secret
from tests.operations.worlds import config

words = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=8, max_size=20).map("KQ7x{}".format)
"""No word or digest that a plan holds anyway."""


def told(file: PlanFile, plan: Plan) -> Iterator[str]:
    """Everything that is shown of a plan, kept or not."""
    groups, stale, verdict = same_changes(plan), Staleness(), plan_verdict(plan)
    yield plan_file_text(file, stale, groups)
    yield plan_file_markdown(file, stale, groups)
    yield str(plan_file_workflow(file, stale, groups))
    yield json.dumps(plan_file_data(file, stale, verdict, verdict))
    yield plan_text(plan, groups)
    yield diff_text(plan)
    yield json.dumps(plan_data(plan, verdict, unchanged=True))
    yield repr(file)
    yield repr(plan)


def forms(value: str) -> Iterator[str]:
    """A value as it may be found, and digests that give it away to whoever tries words."""
    coded = base64.b64encode(value.encode()).decode()
    for text in (value, coded):
        yield text
        yield hashlib.sha256(text.encode()).hexdigest()
        yield base64.b64encode(text.encode()).decode()
    for body in ({"password": coded}, {"data": {"password": coded}}):
        for spaced in (json.dumps(body), json.dumps(body, separators=(",", ":"))):
            yield hashlib.sha256(spaced.encode()).hexdigest()


@settings(max_examples=12)
@given(
    live=words,
    wanted=words,
    meddled=words,
    keyed=st.booleans(),
    applied=st.booleans(),
    gone=st.booleans(),
)
def test_no_value_and_no_plain_digest_of_one_is_ever_told(
    live: str, wanted: str, meddled: str, *, keyed: bool, applied: bool, gone: bool
) -> None:
    assume(len({live, wanted, meddled}) == 3)  # nobody meddles by writing what is there
    with TemporaryDirectory() as folder:
        fleet = Saving(Path(folder), {"dev": ["dev-1"]})
        cluster = fleet.clusters["dev-1"]
        fleet.put(config("a"), secret(password=live))
        if applied:
            fleet.apply()
        fleet.put(config("a"), *([] if gone else [secret(password=wanted)]))
        cluster.fault = None if keyed else deny_key
        content = fleet.keep()
        cluster.fault = None
        file = fleet.read(content)
        assert file.saved is not None
        said = [content.decode(), *told(file, file.saved.plan)]
        if applied:
            coded = base64.b64encode(meddled.encode()).decode()
            cluster.edit("Secret", "shop", "db", {"data": {"password": coded}})
            if not (gone and keyed):  # a delete is bound to the object, whatever it holds
                said += fleet.refused(content)
    for value in (live, wanted, meddled):
        for form in forms(value):
            assert not [text for text in said if form in text]


@given(value=words, other=words, key=st.binary(min_size=32, max_size=32))
def test_a_digest_binds_value_object_cluster_and_key(value: str, other: str, key: bytes) -> None:
    def digest(text: str, *, name: str = "db", cluster: str = "dev-1", seal: bytes | None = key) -> str:
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "data": {"password": text}}
        return bind(ObjectKey("", "Secret", "shop", name), body, None, Seal(cluster=cluster, key=seal)).digest

    assert digest(value) == digest(value)
    assert (digest(value) == digest(other)) == (value == other)
    variants = {digest(value, name="b"), digest(value, cluster="dev-2"), digest(value, seal=key[::-1] + b"x")}
    assert digest(value) not in variants
    assert digest(value, seal=None) == ""


def test_the_key_itself_is_in_nothing() -> None:
    with TemporaryDirectory() as folder:
        fleet = Saving(Path(folder), {"dev": ["dev-1"]})
        fleet.put(secret(password="a" * 12))
        fleet.apply()
        fleet.put(secret(password="b" * 12))
        content = fleet.keep()
        key = fleet.clusters["dev-1"].body(*KEY)
        assert key is not None
        coded = key["data"]["key"]
        file = fleet.read(content)
        assert file.saved is not None
        for text in (content.decode(), *told(file, file.saved.plan)):
            assert coded not in text
            assert base64.b64decode(coded).hex() not in text
