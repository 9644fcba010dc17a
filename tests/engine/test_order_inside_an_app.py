"""The pure order: steps keep waves and dependencies whatever the input's order, and can be told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fleetmgr.engine.order import steps
from fleetmgr.engine.waiting import order_of
from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.ordering import Ordering
from tests.operations.test_hooks import job
from tests.operations.test_waves import wave
from tests.operations.worlds import App, World, config, deployment

KINDS = ("ConfigMap", "Service", "Deployment")


def ref(number: int) -> ObjectRef:
    return ObjectRef("", "v1", KINDS[number % 3], "shop", f"o-{number}")


@st.composite
def apps(draw: st.DrawFn) -> list[tuple[ObjectRef, Ordering]]:
    """Objects that depend on earlier ones of no later wave: what rendering lets through."""
    objects: list[tuple[ObjectRef, Ordering]] = []
    for number in range(draw(st.integers(0, 8))):
        own = draw(st.integers(-2, 2))
        allowed = [r.key for r, ordering in objects if ordering.wave <= own]
        needed = draw(st.lists(st.sampled_from(allowed), unique=True)) if allowed else []
        objects.append((ref(number), Ordering(wave=own, depends_on=tuple(needed))))
    return draw(st.permutations(objects))


@given(apps())
def test_steps_keep_waves_and_dependencies(objects: list[tuple[ObjectRef, Ordering]]) -> None:
    found = steps(objects)
    place = {r.key: number for number, step in enumerate(found) for r in step}
    assert sorted(r for step in found for r in step) == sorted(r for r, _ in objects)
    for one, ordering in objects:
        assert all(place[one.key] > place[key] for key in ordering.depends_on)
        assert all(
            place[one.key] > place[other.key] for other, theirs in objects if theirs.wave < ordering.wave
        )
    assert found == steps(sorted(objects, key=lambda item: item[0]))


def test_the_order_can_be_told() -> None:
    world = World()
    world.apps = {
        "db": App(manifests=[config("db")]),
        "web": App(
            manifests=[job("check", "PostSync"), job("migrate", "PreSync"), deployment(), wave(config(), 2)],
            depends_on=("db",),
        ),
    }
    db, web = order_of(world.stack())
    assert (db.app, db.needed_by, web.after) == ("db", ("web",), ("db",))
    told = [(s.phase, s.wave, [r.name for r in (*s.members, *s.hooks)], s.waits_for) for s in web.steps]
    assert told == [
        ("PreSync", 0, ["migrate"], ""),
        ("Sync", 0, ["web"], "its PreSync hooks"),
        ("Sync", 2, ["settings"], "what comes before to be Healthy"),
        ("PostSync", 0, ["check"], "the whole app to be Healthy"),
    ]
