"""For any fleet: targets satisfy their placement, dependencies come first, order of input changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fleetmgr.errors import InvalidInput
from fleetmgr.expansion import expand
from fleetmgr.model.selector import selector_of
from fleetmgr.model.target import Target
from fleetmgr.spec import load

ENVIRONMENTS = ("dev", "prod")
LABELS = st.dictionaries(st.sampled_from(["region", "tier"]), st.sampled_from(["a", "b"]))
SELECT = st.sampled_from(["", "region=a", "region!=a", "tier in (a, b)", "!tier", "region,tier"])


@st.composite
def fleets(draw: st.DrawFn) -> dict[str, Any]:
    """A fleet.yaml as data; later apps may depend on earlier ones."""
    clusters = [
        {"name": f"c{i}", "environment": draw(st.sampled_from(ENVIRONMENTS)), "labels": draw(LABELS)}
        for i in range(draw(st.integers(1, 5)))
    ]
    apps: list[dict[str, Any]] = []
    for i in range(draw(st.integers(1, 5))):
        earlier = [a["name"] for a in apps]
        needed = draw(st.lists(st.sampled_from(earlier), unique=True)) if earlier else []
        apps.append(
            {
                "name": f"a{i}",
                "namespace": "x",
                "source": {"type": "manifests", "path": "apps/${environment.name}"},
                "placement": {"select": draw(SELECT)},
                "dependsOn": [{"name": name, "optional": True} for name in needed],
                "vars": {"v": i},
            }
        )
    return {
        "apiVersion": "fleetmgr.dev/v1",
        "kind": "Fleet",
        "name": "shop",
        "environments": [{"name": name, "vars": {"e": name}} for name in ENVIRONMENTS],
        "clusters": clusters,
        "apps": apps,
    }


def targets_of(fleet: dict[str, Any]) -> tuple[Target, ...] | None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "fleet.yaml"
        path.write_text(json.dumps(fleet))
        try:
            return expand(load(path))
        except InvalidInput as error:
            assert {p.code for p in error.problems} == {"FLT-1101"}  # noqa: PT017 - the only way to fail here
            return None


def facts(target: Target) -> tuple[object, ...]:
    return (
        target.name,
        target.source,
        target.overlay,
        target.variables,
        set(target.depends_on),
        target.policy,
    )


@settings(deadline=None)
@given(fleets())
def test_targets_are_exactly_what_the_placements_select(fleet: dict[str, Any]) -> None:
    targets = targets_of(fleet)
    if targets is None:
        return
    expected = {
        f"{app['name']}@{cluster['name']}"
        for app in fleet["apps"]
        for cluster in fleet["clusters"]
        if selector_of(app["placement"]["select"]).matches(cluster["labels"])
    }
    assert {t.name for t in targets} == expected
    assert len(targets) == len(expected)
    order = [c["name"] for c in fleet["clusters"]]
    assert [order.index(t.cluster) for t in targets] == sorted(order.index(t.cluster) for t in targets)


@settings(deadline=None)
@given(fleets())
def test_dependencies_come_first(fleet: dict[str, Any]) -> None:
    seen: set[tuple[str, str]] = set()
    for target in targets_of(fleet) or ():
        assert all((target.cluster, needed) in seen for needed in target.depends_on)
        seen.add((target.cluster, target.app))


@settings(deadline=None)
@given(fleets(), st.randoms(use_true_random=False))
def test_order_of_input_changes_no_target(fleet: dict[str, Any], random: Any) -> None:
    before = targets_of(fleet)
    for section in ("clusters", "apps", "environments"):
        random.shuffle(fleet[section])
    after = targets_of(fleet)
    assert (before is None) == (after is None)
    key = str
    assert sorted(map(facts, before or ()), key=key) == sorted(map(facts, after or ()), key=key)


@settings(deadline=None)
@given(fleets())
def test_expansion_is_a_function_of_the_fleet(fleet: dict[str, Any]) -> None:
    assert targets_of(fleet) == targets_of(fleet)
