"""``limits``: who says what, and that the strictest holds."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from fleetmgr.expansion.limits import limits_of
from fleetmgr.model.limits import ClusterLimits
from fleetmgr.spec import load

FLEET = """
apiVersion: fleetmgr.dev/v1
kind: Fleet
name: shop
defaults: {{{defaults}}}
environments: [{{name: dev{environment}}}]
clusters: [{{name: dev-1, environment: dev, access: {{context: c}}{cluster}}}]
apps: [{{name: web, namespace: web, source: {{type: manifests, path: apps/web}}{app}}}]
"""


def limits(tmp_path: Path, **said: str) -> ClusterLimits:
    names = ("defaults", "environment", "cluster", "app")
    given = {n: f"{'' if n == 'defaults' else ', '}limits: {{{said[n]}}}" if n in said else "" for n in names}
    (tmp_path / "fleet.yaml").write_text(dedent(FLEET).format(**given), encoding="utf-8")
    loaded = load(tmp_path / "fleet.yaml")
    return limits_of(loaded, loaded.fleet.clusters[0])


def allowances(found: ClusterLimits) -> list[tuple[str, str]]:
    return [(str(a), a.said_by) for a in found.max_deletes]


def test_nobody_says_anything(tmp_path: Path) -> None:
    assert limits(tmp_path) == ClusterLimits()


def test_defaults_hold_where_nobody_else_says_anything(tmp_path: Path) -> None:
    found = limits(tmp_path, defaults='maxDeletes: "10%", allowEmpty: true')
    assert (allowances(found), found.binding, found.allow_empty) == ([("10%", "defaults")], False, True)
    found = limits(tmp_path, defaults='maxDeletes: "10%", allowEmpty: true', cluster="maxDeletes: 5")
    assert (allowances(found), found.binding, found.allow_empty) == ([("5", "cluster dev-1")], True, True)


def test_environment_and_cluster_both_hold(tmp_path: Path) -> None:
    found = limits(tmp_path, environment="maxDeletes: 50", cluster='maxDeletes: "5%"')
    assert allowances(found) == [("50", "environment dev"), ("5%", "cluster dev-1")]


@pytest.mark.parametrize(
    ("said", "entry", "app"),
    [
        ({"environment": "allowEmpty: true"}, True, True),
        ({"environment": "allowEmpty: true", "cluster": "allowEmpty: false"}, False, False),
        ({"environment": "allowEmpty: true", "app": "allowEmpty: false"}, True, False),
        ({"app": "allowEmpty: true"}, False, True),
        ({"environment": "allowEmpty: false", "app": "allowEmpty: true"}, False, False),
        ({"defaults": "allowEmpty: true", "app": "maxDeletes: 3"}, True, True),
    ],
)
def test_empty_is_allowed_where_everybody_allows_it(
    tmp_path: Path, said: dict[str, str], entry: bool, app: bool
) -> None:
    found = limits(tmp_path, **said)
    of_app = found.apps["web"].allow_empty if "web" in found.apps else found.allow_empty
    assert (found.allow_empty, of_app) == (entry, app)


def test_an_app_says_it_of_itself(tmp_path: Path) -> None:
    found = limits(tmp_path, app="maxDeletes: 3")
    assert str(found.apps["web"].max_deletes) == "3"
    assert found.max_deletes == ()
