"""A fleet that was checked before is the very fleet that checking gives, and what is kept of it holds no value."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetmgr.errors import InvalidInput
from fleetmgr.expansion import expand
from fleetmgr.spec import LoadedFleet
from fleetmgr.spec.gathering import gather
from fleetmgr.spec.kept import data_of, freeze, plain, thaw
from fleetmgr.spec.loader import checked
from tests.spec.folders import FULL_FILES, MINIMAL, write

ROOT = Path(__file__).parents[2]
TEXT = st.sampled_from(["", "a", "1", "true", "${cluster.name}", "ä b"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-2, 2) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
MAPS = st.dictionaries(st.sampled_from(["x", "y"]), st.sampled_from(["v", "w"]), max_size=2)
DURATION = st.sampled_from(["5s", "1h30m"])
SELECT = st.sampled_from(["x=v", "!z"]) | st.just({"x": "v"})
AMOUNT = st.integers(0, 5) | st.sampled_from(["10%", "100%"])


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any part of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


SYNC = some(
    prune=st.booleans() | st.just("confirm"),
    replace=st.just("ask"),
    onRemove=st.sampled_from(["delete", "orphan"]),
)
RETRY = some(limit=st.integers(0, 9), backoff=DURATION, factor=st.sampled_from([1, 2, 2.5]))
LIMITS = some(maxDeletes=AMOUNT, allowEmpty=st.booleans())
CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "images": MAPS,
    "replicas": st.dictionaries(st.just("web"), st.integers(0, 9)),
    "labels": MAPS,
    "vars": st.dictionaries(st.just("v"), JSON),
    "namePrefix": st.just("p-"),
    "patches": st.lists(
        st.fixed_dictionaries(
            {"patch": st.sampled_from([{"metadata": {"labels": {"a": "b"}}}, [], "x: y"])},
            optional={"target": some(kind=st.just("Deployment"), name=st.just("web"))},
        ),
        max_size=2,
    ),
    "sync": SYNC,
}
OVERLAY = some(**CHANGES, exceptions=st.dictionaries(st.just("c0"), some(**CHANGES)))
ENVIRONMENT = some(
    vars=st.dictionaries(st.just("v"), JSON),
    sync=SYNC,
    limits=LIMITS,
    retry=RETRY,
    windows=st.just([{"kind": "deny", "schedule": "0 18 * * 5", "duration": "2h"}]),
    rollout=some(maxParallel=AMOUNT, soak=DURATION, waves=st.just([{"name": "all"}])),
)
CLUSTER = some(
    labels=MAPS,
    vars=st.dictionaries(st.just("v"), JSON),
    limits=LIMITS,
    access=some(context=st.just("c"), impersonate=st.just({"user": "u", "extra": {"k": ["v"]}})),
)
APP = some(
    createNamespace=st.booleans(),
    placement=some(select=SELECT, environments=st.just(["dev"])),
    dependsOn=st.just([{"name": "other", "optional": True}]) | st.just(["other"]),
    overlays=st.dictionaries(st.just("dev"), OVERLAY),
    ignoreDifferences=st.just([{"kind": "Deployment", "pointers": ["/spec/replicas"]}]),
    timeout=DURATION,
    **{name: CHANGES[name] for name in ("labels", "vars", "sync")},
)


@st.composite
def fleets(draw: st.DrawFn) -> dict[str, Any]:
    """A fleet.yaml as data, with any of the optional keys."""
    source = {"type": "manifests", "path": "apps/web"}
    namespace = draw(st.just("web") | st.just({"name": "web", "labels": {"a": "b"}}))
    return {
        "apiVersion": "fleetmgr.dev/v1",
        "kind": "Fleet",
        "name": "shop",
        "environments": [{"name": "dev", **draw(ENVIRONMENT)}],
        "clusters": [{"name": f"c{i}", "environment": "dev", **draw(CLUSTER)} for i in range(2)],
        "apps": [
            {"name": "web", "namespace": namespace, "source": source, **draw(APP)},
            {"name": "other", "namespace": "other", "source": source},
        ],
        **draw(some(defaults=some(timeout=DURATION, sync=SYNC, retry=RETRY))),
    }


def said(value: object) -> object:
    """Which fields were written, all the way down."""
    if isinstance(value, dict):
        return {key: said(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, (list, tuple)):
        return [said(item) for item in cast("list[Any]", value)]
    written: object = getattr(value, "model_fields_set", None)
    if written is None:
        return str(type(value))
    return sorted(cast("set[str]", written)), {name: said(item) for name, item in vars(value).items()}


def both(path: Path) -> tuple[LoadedFleet, LoadedFleet]:
    """As checked, and as it comes back from what is kept."""
    gathered = gather(path)
    full = checked(gathered)
    return full, thaw(freeze(full, gathered), gather(path))


def assert_same(full: LoadedFleet, again: LoadedFleet) -> None:
    assert plain(again.fleet) == plain(full.fleet) == full.fleet.model_dump(mode="json")
    assert said(again.fleet) == said(full.fleet)
    assert {k: plain(v) for k, v in again.overlays.items()} == {k: plain(v) for k, v in full.overlays.items()}
    assert said(dict(again.overlays)) == said(dict(full.overlays))
    assert_equal(full.fleet, again.fleet)
    for one, other in itertools.product(range(len(full.fleet.clusters)), repeat=2):
        ours, theirs = again.fleet.clusters[one], again.fleet.clusters[other]
        checked_ours, checked_theirs = full.fleet.clusters[one], full.fleet.clusters[other]
        assert (ours.access == theirs.access) == (checked_ours.access == checked_theirs.access)
        assert (ours == theirs) == (checked_ours == checked_theirs)
    assert (again.root, again.files) == (full.root, full.files)
    for path in (("apps", "web", "source", "path"), ("clusters", 0), ("overlays", "prod", "web", "images")):
        assert again.where(*path) == full.where(*path)


def expanded(loaded: LoadedFleet) -> object:
    """The targets, or what is wrong with them."""
    try:
        return expand(loaded)
    except InvalidInput as error:
        return error.problems


def assert_equal(full: object, again: object) -> None:
    """Equal from both sides, model by model, and to what comes back a second time."""
    assert again == full
    assert full == again


@given(fleets(), OVERLAY)
def test_any_fleet_comes_back_as_it_was_checked(fleet: dict[str, Any], overlay: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        files = {"fleet.yaml": json.dumps(fleet), "environments/dev/web.yaml": json.dumps(overlay)}
        full, again = both(write(Path(folder), files))
        assert_same(full, again)
        assert expanded(again) == expanded(full)


@pytest.mark.parametrize("files", [FULL_FILES, {"fleet.yaml": MINIMAL}])
def test_includes_overlay_files_and_places_come_back(tmp_path: Path, files: Mapping[str, str]) -> None:
    full, again = both(write(tmp_path, files))
    assert_same(full, again)
    assert expanded(again) == expanded(full)


@pytest.mark.parametrize("path", [ROOT / "fleet.yaml", *sorted((ROOT / "examples").glob("**/fleet.yaml"))])
def test_the_repositorys_own_fleets_come_back(path: Path) -> None:
    assert_same(*both(path))


def test_what_is_kept_holds_no_value(tmp_path: Path) -> None:
    canary = "canary-7f3a"
    fleet = MINIMAL.replace(
        "{name: dev-1,", f"{{name: dev-1, vars: {{password: {canary}}}, labels: {{a: {canary}}},"
    )
    fleet = fleet.replace("namespace: web,", f"namespace: web, vars: {{deep: [{{token: {canary}}}]}},")
    gathered = gather(
        write(tmp_path, {"fleet.yaml": fleet, "environments/dev/web.yaml": f"images: {{n: {canary}}}\n"})
    )
    kept = freeze(checked(gathered), gathered)
    assert canary.encode() not in kept
    assert b"dev-1" not in kept


def test_a_value_that_changed_is_the_new_one_and_a_shape_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, {"fleet.yaml": MINIMAL})
    gathered = gather(path)
    kept = freeze(checked(gathered), gathered)
    other = gather(write(tmp_path, {"fleet.yaml": MINIMAL.replace("name: shop", "name: store")}))
    assert thaw(kept, other).fleet.name == "store"
    assert data_of(other) != data_of(gathered)
    smaller = gather(write(tmp_path, {"fleet.yaml": MINIMAL.replace("namespace: web, ", "")}))
    with pytest.raises(ValueError, match="other files"):
        thaw(kept, smaller)


def test_nothing_that_came_back_can_be_changed(tmp_path: Path) -> None:
    _, again = both(write(tmp_path, {"fleet.yaml": MINIMAL}))
    with pytest.raises(AttributeError):
        setattr(again.fleet, "name", "other")  # noqa: B010 - the checker knows that it is frozen


def test_a_number_of_any_size_comes_back(tmp_path: Path) -> None:
    text = MINIMAL.replace("{name: dev}", "{name: dev, vars: {n: 123456789012345678901234567890}}")
    full, again = both(write(tmp_path, {"fleet.yaml": text}))
    assert again.fleet.environments[0].vars == full.fleet.environments[0].vars
