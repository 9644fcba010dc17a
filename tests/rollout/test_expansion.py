"""Waves, budgets and windows of fleet.yaml: what they mean, and every mistake at its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetmgr.errors import InvalidInput, Problem
from fleetmgr.expansion import clusters, expand_cluster, fleet_rollout
from fleetmgr.expansion.waves import resolved
from fleetmgr.model.rollout import EnvironmentRollout, OnFailure, WindowKind
from fleetmgr.spec import load
from tests.spec.folders import HEAD, loaded

APPS = "apps: [{name: web, namespace: web, source: {type: manifests, path: apps/web}}]\n"
CLUSTERS = "clusters:\n" + "".join(
    f"  - {{name: p{n}, environment: prod, labels: {{tier: {'canary' if n == 3 else 'main'}}}}}\n"
    for n in range(1, 6)
)


def fleet(environment: str, clusters: str = CLUSTERS, apps: str = APPS) -> str:
    return f"{HEAD}environments:\n  - name: dev\n  - name: prod\n{environment}{clusters}{apps}"


def prod(tmp_path: Path, environment: str) -> EnvironmentRollout:
    return fleet_rollout(loaded(tmp_path, {"fleet.yaml": fleet(environment)})).environments[1]


def problems(tmp_path: Path, text: str) -> list[Problem]:
    (tmp_path / "fleet.yaml").write_text(text)
    with pytest.raises(InvalidInput) as caught:
        expand_cluster(load(tmp_path / "fleet.yaml"), "p1")
    return list(caught.value.problems)


def told(tmp_path: Path, text: str) -> list[tuple[str, str, str]]:
    return [(p.code, str(p.where), p.message) for p in problems(tmp_path, text)]


def test_without_a_rollout_an_environment_is_one_wave_of_all(tmp_path: Path):
    found = prod(tmp_path, "")
    assert [(w.name, w.clusters) for w in found.waves] == [("", ("p1", "p2", "p3", "p4", "p5"))]
    assert not found.declared
    assert (found.max_parallel, found.max_unavailable, found.max_failures) == (None, None, None)


def test_the_first_wave_that_fits_has_a_cluster_and_the_last_takes_the_rest(tmp_path: Path):
    found = prod(
        tmp_path,
        """\
    rollout:
      waves:
        - {name: canary, select: "tier=canary"}
        - {name: half, count: "50%"}
        - {name: none, select: {tier: nothing}}
        - {name: last, clusters: [p5, p1]}
        - {name: rest}
      maxParallel: "30%"
      maxUnavailable: 1
      maxFailures: 0
      soak: 10m
      deadline: 1h
      onFailure: rollback
""",
    )
    assert [(w.name, w.clusters) for w in found.waves] == [
        ("canary", ("p3",)),
        ("half", ("p1", "p2", "p4")),
        ("none", ()),
        ("last", ("p5",)),
        ("rest", ()),
    ]
    assert (found.max_parallel, found.max_unavailable, found.max_failures) == (2, 1, 0)
    assert (found.soak, found.deadline, found.on_failure) == (600.0, 3600.0, OnFailure.ROLLBACK)
    assert found.declared


def test_a_rollout_without_waves_is_one_wave_with_budgets(tmp_path: Path):
    found = prod(tmp_path, "    rollout: {onFailure: continue}\n")
    assert len(found.waves) == 1
    assert found.on_failure is OnFailure.CONTINUE


@given(st.integers(0, 100), st.integers(0, 1000))
def test_percentages_are_rounded_up(percent: int, total: int):
    number = resolved(f"{percent}%", total)
    assert number is not None
    assert number * 100 >= percent * total > (number - 1) * 100 or (number == 0 and percent * total == 0)


def test_clusters_in_no_wave_are_named(tmp_path: Path):
    text = fleet("    rollout:\n      waves:\n        - {name: canary, select: tier=canary}\n")
    assert told(tmp_path, text) == [
        ("FLT-1120", "fleet.yaml:9:9", "no wave of environment `prod` has p1, p2, p4, p5")
    ]


def test_every_mistake_is_told_at_once_with_its_place(tmp_path: Path):
    text = fleet(
        """\
    rollout:
      waves:
        - {name: a, select: "tier=canary", count: 1}
        - {name: b}
        - {name: a, clusters: [p1, p9]}
        - {name: c, select: "tier in"}
      maxParallel: 0
      maxFailures: 1
      deadline: 0s
      onFailure: continue
    windows:
      - {kind: deny, schedule: "0 18 * *", duration: 1h}
      - {kind: deny, schedule: "0 0 30 2 *", duration: 0s, timezone: Asia/Soul}
"""
    )
    assert told(tmp_path, text) == [
        ("FLT-1124", "fleet.yaml:18:32", "`0 18 * *` has 4 fields instead of 5"),
        ("FLT-1124", "fleet.yaml:19:32", "`0 0 30 2 *` is no schedule: Bad day-of-month"),
        ("FLT-1125", "fleet.yaml:19:70", "there is no time zone `Asia/Soul`"),
        ("FLT-1127", "fleet.yaml:19:56", "`duration` must be more than zero"),
        ("FLT-1127", "fleet.yaml:13:20", "`maxParallel` must be at least 1"),
        ("FLT-1127", "fleet.yaml:15:17", "`deadline` must be more than zero"),
        (
            "FLT-1127",
            "fleet.yaml:14:20",
            "`maxFailures` says when to stop, and `onFailure: continue` never stops",
        ),
        ("FLT-1121", "fleet.yaml:9:51", "wave `a` selects by `select` and by `count`"),
        (
            "FLT-1121",
            "fleet.yaml:10:18",
            "wave `b` takes every cluster that is left: none is for `c`",
        ),
        ("FLT-1122", "fleet.yaml:11:18", "wave `a` is declared twice, first at fleet.yaml:9:18"),
        ("FLT-1123", "fleet.yaml:11:36", "there is no cluster `p9` in environment `prod`"),
        ("FLT-1105", "fleet.yaml:12:29", "`select` of wave `c`: found '' expected: '('"),
    ]
    hints = {p.code: p.hint for p in problems(tmp_path, text)}
    assert hints["FLT-1125"] == "did you mean `Asia/Seoul`?"


@pytest.mark.parametrize(
    ("rollout", "message"),
    [
        ("{maxParallel: half}", "`maxParallel` must be a percentage such as 10%"),
        ('{maxFailures: "101%"}', "`maxFailures` must be a percentage such as 10%"),
        ("{maxUnavailable: -1}", "`maxUnavailable` must be a whole number or a percentage such as 10%"),
        ("{soak: 10}", "`soak` must be a string, not a number"),
        ("{onFailure: stop}", "`onFailure` must be `pause`, `continue` or `rollback`"),
        ("{waves: [{count: 1}]}", "`name` is missing"),
        ("{wave: []}", "unknown field `wave`"),
    ],
)
def test_what_is_no_rollout(tmp_path: Path, rollout: str, message: str):
    (tmp_path / "fleet.yaml").write_text(fleet(f"    rollout: {rollout}\n"))
    with pytest.raises(InvalidInput) as caught:
        load(tmp_path / "fleet.yaml")
    assert any(message in p.message for p in caught.value.problems), caught.value.problems


def test_windows_of_environments_clusters_and_apps(tmp_path: Path):
    text = fleet(
        """\
    windows: [{kind: deny, schedule: "0 18 * * 5", duration: 62h, timezone: Asia/Seoul, description: weekend}]
""",
        """\
clusters:
  - name: p1
    environment: prod
    windows: [{kind: allow, schedule: "0 9 * * 1-5", duration: 8h}]
  - {name: p2, environment: prod}
""",
        """\
apps:
  - name: web
    namespace: web
    source: {type: manifests, path: apps/web}
    windows: [{kind: deny, schedule: "0 0 1 * *", duration: 24h}]
""",
    )
    found = fleet_rollout(loaded(tmp_path, {"fleet.yaml": text}))
    prod = found.environments[1]
    assert [(w.owner, w.kind, w.duration, w.timezone, w.description, w.clusters) for w in prod.windows] == [
        ("environment prod", WindowKind.DENY, 223200.0, "Asia/Seoul", "weekend", None),
        ("cluster p1", WindowKind.ALLOW, 28800.0, "UTC", "", ("p1",)),
    ]
    assert [(a.app, [w.owner for w in a.windows]) for a in found.apps] == [("web", ["app web"])]


def test_a_fleet_without_windows_never_loads_the_cron_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse() -> object:
        raise AssertionError

    monkeypatch.setattr("fleetmgr.model.schedule._library", refuse)
    assert clusters(loaded(tmp_path, {"fleet.yaml": fleet("    rollout: {maxFailures: 0}\n")}))
    assert prod(tmp_path, "").windows == ()
