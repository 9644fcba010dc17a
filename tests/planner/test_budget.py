"""The delete budget: what is too much, what is never too much, and that more deletes are never fewer."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fleetmgr.model.change import Change, ClusterPlan, ClusterStatus, Confirmation, Op, Plan
from fleetmgr.model.limits import Allowance, AppLimits, ClusterLimits, allowance
from fleetmgr.model.objects import ObjectRef
from fleetmgr.planner.budget import losses, refusals
from fleetmgr.planner.build import build

BUILT_IN = ClusterLimits()
LIVE = (Op.KEEP, Op.UPDATE, Op.REPLACE, Op.DELETE, Op.MOVE, Op.ORPHANED)


def config(name: str, kind: str = "ConfigMap") -> ObjectRef:
    return ObjectRef("", "v1", kind, "shop", name)


def changes(op: Op, count: int, app: str = "web", start: int = 0) -> list[Change]:
    return [Change(op=op, app=app, ref=config(f"{app}.{n}")) for n in range(start, start + count)]


def entry(*found: Change, removed: Sequence[str] = (), owned: dict[str, int] | None = None) -> ClusterPlan:
    here: dict[str, int] = dict(owned or {})
    for change in found:
        if change.op in LIVE:
            here[change.app] = here.get(change.app, 0) + 1
    return ClusterPlan(
        cluster="dev-1",
        environment="dev",
        status=ClusterStatus.CHANGED,
        changes=found,
        owned=here,
        removed=tuple(removed),
    )


def plan(*parts: ClusterPlan) -> Plan:
    return build("shop", "r", parts, partial=False)


def codes(
    part: ClusterPlan, limits: ClusterLimits = BUILT_IN, allowed: Allowance | None = None
) -> list[tuple[str, str | None]]:
    found = refusals(plan(part), {"dev-1": limits}, allowed=allowed)
    return [(r.problem.code, r.app) for r in found]


@pytest.mark.parametrize(
    ("keeps", "deletes", "refused"),
    [(1, 10, False), (1, 11, True), (180, 20, False), (180, 21, True), (100, 0, False)],
)
def test_ten_or_a_tenth_whichever_is_more(keeps: int, deletes: int, refused: bool) -> None:
    part = entry(*changes(Op.KEEP, keeps), *changes(Op.DELETE, deletes, start=keeps))
    assert codes(part) == ([("FLT-5002", None)] if refused else [])


def test_replaces_count() -> None:
    part = entry(*changes(Op.REPLACE, 6), *changes(Op.DELETE, 6, start=6))
    (refusal,) = refusals(plan(part), {"dev-1": BUILT_IN})
    assert "6 delete and 6 replace of the 12 objects" in refusal.problem.message
    assert "--max-deletes 12" in (refusal.problem.hint or "")
    assert len(refusal.objects) == 12


def test_what_is_only_listed_does_not_count() -> None:
    part = entry(
        *changes(Op.ORPHANED, 40), *changes(Op.UNPROVEN, 40, start=40), *changes(Op.KEEP, 1, start=99)
    )
    assert codes(part) == []


def test_an_app_that_renders_nothing_is_refused_and_names_its_objects() -> None:
    part = entry(*changes(Op.DELETE, 2), *changes(Op.KEEP, 3, "api"))
    (refusal,) = refusals(plan(part), {"dev-1": BUILT_IN})
    assert (refusal.problem.code, refusal.app) == ("FLT-5003", "web")
    assert refusal.objects == (config("web.0"), config("web.1"))
    assert "app web would become empty" in refusal.problem.message


def test_what_waits_for_a_confirmation_is_not_deleted_and_does_not_count() -> None:
    waiting = [replace(change, needs=Confirmation.DELETES) for change in changes(Op.DELETE, 30)]
    assert codes(entry(*waiting)) == []
    assert codes(entry(*waiting, *changes(Op.DELETE, 2, "api"))) == [("FLT-5003", "api")]


def test_an_app_that_gets_something_else_is_not_empty() -> None:
    for op in (Op.CREATE, Op.ADOPT, Op.MOVE, Op.CONFLICT, Op.DENIED, Op.ORPHANED):
        part = entry(*changes(Op.DELETE, 2), *changes(op, 1, start=2), *changes(Op.KEEP, 1, "api"))
        assert codes(part) == [], op


def test_an_entry_that_would_be_empty_is_refused_once() -> None:
    part = entry(*changes(Op.DELETE, 30), *changes(Op.DELETE, 30, "api"), removed=("web", "api"))
    assert codes(part) == [("FLT-5003", None)]
    assert codes(entry(*changes(Op.DELETE, 1), removed=("web",))) == [("FLT-5003", None)]


def test_what_was_not_selected_keeps_an_entry_from_being_empty() -> None:
    part = entry(*changes(Op.DELETE, 1), removed=("web",), owned={"api": 4})
    assert codes(part) == []


def test_one_app_may_go_and_several_at_once_may_not() -> None:
    kept = changes(Op.KEEP, 5, "api")
    assert codes(entry(*changes(Op.DELETE, 2), *kept, removed=("web",))) == []
    two = [*changes(Op.DELETE, 2), *changes(Op.DELETE, 2, "old")]
    (refusal,) = refusals(plan(entry(*two, *kept, removed=("old", "web"))), {"dev-1": BUILT_IN})
    assert refusal.problem.code == "FLT-5004"
    assert "2 of 3 apps" in refusal.problem.message
    assert "old, web" in refusal.problem.message
    many = [c for n in range(20) for c in changes(Op.KEEP, 2, f"app{n}")]
    assert codes(entry(*two, *many, removed=("old", "web"))) == []


def test_limits_of_the_file() -> None:
    lost = [*changes(Op.DELETE, 5), *changes(Op.KEEP, 15, start=5)]
    ten = ClusterLimits(
        max_deletes=(Allowance(number=10, percent=True, said_by="cluster dev-1"),), binding=True
    )
    (refusal,) = refusals(plan(entry(*lost)), {"dev-1": ten})
    assert "more than the 10% that cluster dev-1 allows" in refusal.problem.message
    more = (*ten.max_deletes, Allowance(number=50, said_by="environment dev"))
    assert codes(entry(*lost), replace(ten, max_deletes=more)) == [("FLT-5002", None)]
    fifty = ClusterLimits(max_deletes=(Allowance(number=50, said_by="environment dev"),), binding=True)
    assert codes(entry(*changes(Op.DELETE, 50), *changes(Op.KEEP, 1, start=50)), fifty) == []
    none = ClusterLimits(max_deletes=(Allowance(number=0, said_by="environment dev"),), binding=True)
    assert codes(entry(*changes(Op.DELETE, 1), *changes(Op.KEEP, 1, start=50)), none) == [("FLT-5002", None)]


def test_limits_of_an_app() -> None:
    web = AppLimits(max_deletes=Allowance(number=2, said_by="app web"))
    part = entry(*changes(Op.DELETE, 3), *changes(Op.KEEP, 9, start=3))
    assert codes(part, ClusterLimits(apps={"web": web})) == [("FLT-5002", "web")]
    generous = AppLimits(max_deletes=Allowance(number=40, said_by="app web"))
    part = entry(*changes(Op.DELETE, 30), *changes(Op.KEEP, 9, start=30))
    assert codes(part, ClusterLimits(apps={"web": generous})) == []  # nobody said so of this cluster
    said = ClusterLimits(max_deletes=(Allowance(number=5),), binding=True, apps={"web": generous})
    assert codes(part, said) == [("FLT-5002", None)]


def test_empty_may_be_allowed() -> None:
    part = entry(*changes(Op.DELETE, 2), *changes(Op.KEEP, 3, "api"))
    assert codes(part, ClusterLimits(apps={"web": AppLimits(allow_empty=True)})) == []
    assert codes(part, ClusterLimits(apps={"api": AppLimits(allow_empty=True)})) == [("FLT-5003", "web")]
    alone = entry(*changes(Op.DELETE, 2))
    assert codes(alone, ClusterLimits(apps={"web": AppLimits(allow_empty=True)})) == []
    assert codes(alone, ClusterLimits(allow_empty=True)) == []


def test_the_command_line_is_the_last_word() -> None:
    part = entry(*changes(Op.DELETE, 30))
    for text, refused in (("30", False), ("29", True), ("100%", False), ("99%", True), ("0", True)):
        found = codes(part, allowed=allowance(text, said_by="--max-deletes"))
        assert found == ([("FLT-5002", None)] if refused else []), text


@pytest.mark.parametrize("text", ["", "-1", "101%", "1.5", "ten", "10 %", "%"])
def test_what_is_no_allowance(text: str) -> None:
    assert allowance(text, said_by="") is None


def generated(op: Op, name: str, kind: str = "ConfigMap") -> Change:
    return Change(op=op, app="web", ref=config(name, kind))


def test_a_hash_successor_is_an_update() -> None:
    old, new = "settings-b2m9k2t5h4", "settings-62m9k2t5h4"
    for kind in ("ConfigMap", "Secret"):
        assert losses([generated(Op.DELETE, old, kind), generated(Op.CREATE, new, kind)]) == []
        assert losses([generated(Op.DELETE, old, kind), generated(Op.KEEP, new, kind)]) == []
    assert losses([generated(Op.DELETE, "a-abcdefghij"), generated(Op.CREATE, "a-zyxwvutsrq")]) == []
    left = [
        [
            generated(Op.DELETE, "users-abcdefghij"),
            generated(Op.KEEP, "users-zyxwvutsrq"),
        ],  # other people's data
        [generated(Op.DELETE, old), generated(Op.CREATE, "other-62m9k2t5h4")],
        [generated(Op.DELETE, old), generated(Op.CREATE, new, "Secret")],
        [generated(Op.DELETE, old), replace(generated(Op.CREATE, new), app="api")],
        [generated(Op.DELETE, old), generated(Op.CREATE, "settings")],
    ]
    for pair in left:
        assert losses(pair) == [pair[0]]
    two = [generated(Op.DELETE, old), generated(Op.DELETE, "settings-72m9k2t5h4"), generated(Op.CREATE, new)]
    assert losses(two) == [two[1]]


some_ops = st.lists(st.tuples(st.sampled_from(list(Op)), st.sampled_from(["web", "api", "db"])), max_size=60)


def made(picked: Sequence[tuple[Op, str]], removed: Sequence[str] = ()) -> ClusterPlan:
    return entry(
        *(Change(op=op, app=app, ref=config(f"c{n}")) for n, (op, app) in enumerate(picked)), removed=removed
    )


@given(some_ops)
def test_a_plan_without_deletes_is_never_refused(picked: list[tuple[Op, str]]) -> None:
    kept = [(op, app) for op, app in picked if op not in (Op.DELETE, Op.REPLACE)]
    strict = ClusterLimits(max_deletes=(Allowance(number=0),), binding=True)
    assert codes(made(kept), strict) == []


@given(some_ops, st.sampled_from(["web", "api", "db"]), st.integers(0, 30))
def test_one_more_delete_never_makes_a_refused_plan_acceptable(
    picked: list[tuple[Op, str]], app: str, limit: int
) -> None:
    """The object that goes was there before: it turns from kept to deleted."""
    for limits in (BUILT_IN, ClusterLimits(max_deletes=(Allowance(number=limit),), binding=True)):
        before = codes(made([*picked, (Op.KEEP, app)]), limits)
        after = codes(made([*picked, (Op.DELETE, app)]), limits)
        assert not before or after


@given(some_ops, st.sets(st.sampled_from(["web", "api", "db"])))
def test_everything_is_allowed_by_a_hundred_per_cent(picked: list[tuple[Op, str]], removed: set[str]) -> None:
    assert codes(made(picked, tuple(removed)), allowed=Allowance(number=100, percent=True)) == []


@given(some_ops, st.integers(0, 40))
def test_a_higher_limit_refuses_no_more(picked: list[tuple[Op, str]], limit: int) -> None:
    lower = ClusterLimits(max_deletes=(Allowance(number=limit),), binding=True)
    higher = ClusterLimits(max_deletes=(Allowance(number=limit + 1),), binding=True)
    assert bool(codes(made(picked), lower)) or not codes(made(picked), higher)


@given(some_ops)
def test_an_entry_never_loses_everything_without_a_yes(picked: list[tuple[Op, str]]) -> None:
    part = made([(op if op in (Op.DELETE, Op.UNPROVEN) else Op.DELETE, app) for op, app in picked])
    assert bool(codes(part)) == any(c.op is Op.DELETE for c in part.changes)
