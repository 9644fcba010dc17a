"""The plan's id is the same for equal plans, and different for different ones."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fleetmgr.model.change import Change, FieldDiff, Op
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.planner.build import build
from fleetmgr.planner.grouping import same_changes
from tests.reporting.fleets import (
    CANARY,
    IMAGE,
    SECRET,
    SERVICE,
    SETTINGS,
    WEB,
    change,
    cluster,
    example,
    plan_of,
)


def test_the_id_does_not_depend_on_the_order_of_clusters_and_changes() -> None:
    one = plan_of(cluster("a", change(Op.UPDATE, WEB, IMAGE), change(Op.CREATE, SERVICE)), cluster("b"))
    two = plan_of(cluster("b"), cluster("a", change(Op.CREATE, SERVICE), change(Op.UPDATE, WEB, IMAGE)))
    assert one.id == two.id
    assert len(one.id) == 64
    assert [c.cluster for c in two.clusters] == ["b", "a"]


def _with_body(change: Change, **metadata: object) -> Change:
    body: JsonObject = {"metadata": {"name": "web", **metadata}, "spec": {"replicas": 1}, "status": metadata}
    return replace(change, result=body)


def test_the_id_ignores_what_the_server_counts() -> None:
    base = change(Op.CREATE)
    one = plan_of(cluster("a", _with_body(base, uid="1", resourceVersion="7", generation=1)))
    two = plan_of(cluster("a", _with_body(base, uid="2", resourceVersion="8", generation=2)))
    other = plan_of(cluster("a", _with_body(base, labels={"a": "b"})))
    assert one.id == two.id
    assert one.id != other.id


def test_the_id_holds_no_trace_of_secret_values() -> None:
    def plan(value: str) -> str:
        diff = FieldDiff(path="/data/password", old="b", new=value)
        body: JsonObject = {
            "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": value}},
            "data": {"password": value},
        }
        return plan_of(cluster("a", replace(change(Op.UPDATE, SECRET, diff), result=body))).id

    assert plan(CANARY) == plan("other")


def test_the_id_changes_with_everything_that_would_be_done() -> None:
    clusters = (cluster("a", change(Op.UPDATE, WEB, IMAGE)),)
    ids = {
        build("shop", "r1", clusters, partial=False).id,
        build("shop", "r2", clusters, partial=False).id,
        build("other", "r1", clusters, partial=False).id,
        build("shop", "r1", clusters, partial=True).id,
        build("shop", "r1", (cluster("b", change(Op.UPDATE, WEB, IMAGE)),), partial=False).id,
        build("shop", "r1", (cluster("a", change(Op.DELETE, WEB)),), partial=False).id,
        build(
            "shop", "r1", (cluster("a", change(Op.UPDATE, WEB, replace(IMAGE, new="x"))),), partial=False
        ).id,
    }
    assert len(ids) == 7


def test_identical_changes_are_one_group() -> None:
    groups = [(g.change.op, g.change.ref, g.clusters) for g in same_changes(example())]
    assert groups == [
        (Op.CONFLICT, SETTINGS, ("dev-1",)),
        (Op.UPDATE, SECRET, ("staging-1",)),
        (Op.CREATE, SERVICE, ("dev-1", "staging-1")),
        (Op.UPDATE, WEB, ("dev-1", "staging-1")),
    ]


def test_kept_objects_are_grouped_only_where_asked() -> None:
    plan = plan_of(cluster("a", change(Op.KEEP)), cluster("b", change(Op.KEEP)))
    assert same_changes(plan) == ()
    (group,) = same_changes(plan, unchanged=True)
    assert group.clusters == ("a", "b")


_changes = st.builds(
    change,
    st.sampled_from(list(Op)),
    st.sampled_from([WEB, SERVICE, SETTINGS]),
    st.just(IMAGE),
    app=st.sampled_from("ab"),
)
_clusters = st.lists(st.lists(_changes, max_size=3), max_size=4)


@given(_clusters)
def test_every_change_is_in_exactly_one_group(content: list[list[Change]]) -> None:
    plan = plan_of(*(cluster(f"c-{n}", *changes) for n, changes in enumerate(content)))
    groups = same_changes(plan, unchanged=True)
    assert sum(len(g.clusters) for g in groups) == sum(len(c.changes) for c in plan.clusters)


@given(_clusters, st.randoms())
def test_the_id_is_stable_under_shuffling(content: list[list[Change]], random: Random) -> None:
    clusters = [cluster(f"c-{n}", *changes) for n, changes in enumerate(content)]
    shuffled = list(clusters)
    random.shuffle(shuffled)
    assert plan_of(*clusters).id == plan_of(*shuffled).id
