"""Selections: flags narrow together; unknown names and empty results are usage errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetmgr.errors import UsageError
from fleetmgr.expansion import clusters, expand, expand_cluster
from fleetmgr.expansion.explain import explain
from fleetmgr.model.selection import Selection
from fleetmgr.spec import LoadedFleet
from tests.spec.folders import FULL_FILES, loaded


@pytest.fixture
def full(tmp_path: Path) -> LoadedFleet:
    return loaded(tmp_path, FULL_FILES)


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        (Selection(), ["dev-1", "prod-1", "prod-2"]),
        (Selection(environments=("prod",)), ["prod-1", "prod-2"]),
        (Selection(clusters=("prod-2", "dev-1")), ["dev-1", "prod-2"]),
        (Selection(environments=("prod",), apps=("web",)), ["prod-1"]),
        (Selection(selectors=("region=us",)), ["prod-1", "prod-2"]),
        (Selection(selectors=("region=us", "!legacy")), ["prod-1"]),
    ],
)
def test_clusters(full: LoadedFleet, selection: Selection, names: list[str]) -> None:
    assert [c.name for c in clusters(full, selection)] == names


def test_apps_narrow_the_targets_only(full: LoadedFleet) -> None:
    assert [t.name for t in expand(full, Selection(apps=("web",)))] == ["web@dev-1", "web@prod-1"]
    assert [t.app for t in expand_cluster(full, "prod-1")] == ["ingress", "web"]


@pytest.mark.parametrize(
    ("selection", "message", "hint"),
    [
        (Selection(environments=("prd",)), "there is no environment `prd`", "did you mean `prod`?"),
        (Selection(clusters=("x",)), "there is no cluster `x`", "clusters: dev-1, prod-1, prod-2"),
        (Selection(apps=("wbe",)), "there is no app `wbe`", "did you mean `web`?"),
        (Selection(selectors=("a in",)), "--selector 'a in': found ''", "Kubernetes selector"),
        (Selection(selectors=("a=b",)), "nothing matches --selector a=b", "must all hold"),
        (
            Selection(environments=("dev",), clusters=("prod-1",)),
            "nothing matches --environment dev --cluster",
            "",
        ),
        (Selection(clusters=("prod-2",), apps=("web",)), "nothing matches --cluster prod-2 --app web", ""),
    ],
)
def test_what_cannot_be_selected(full: LoadedFleet, selection: Selection, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        expand(full, selection)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")
    assert caught.value.exit_code == 64


@pytest.mark.parametrize(("app", "cluster"), [("wbe", "dev-1"), ("web", "dev-2"), ("web", "prod-2")])
def test_explain_of_what_is_not_there(full: LoadedFleet, app: str, cluster: str) -> None:
    with pytest.raises(UsageError):
        explain(full, app, cluster)


def test_unknown_cluster(full: LoadedFleet) -> None:
    with pytest.raises(UsageError, match="there is no cluster"):
        expand_cluster(full, "nope")


def test_everything() -> None:
    assert Selection().everything
    assert not Selection(apps=("a",)).everything
    assert not Selection(apps=("a",)).every_app
    assert Selection(clusters=("a",)).every_app
