"""Targets: layers, variables, order, and every way in which a fleet cannot be expanded."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetmgr.errors import InvalidInput, Problem
from fleetmgr.expansion import expand, expand_cluster
from fleetmgr.expansion.explain import explain
from fleetmgr.model.policy import Prune, Retry
from fleetmgr.model.target import Target
from fleetmgr.spec import LoadedFleet
from tests.spec.folders import FULL, FULL_FILES, MINIMAL, loaded, told


@pytest.fixture
def full(tmp_path: Path) -> LoadedFleet:
    return loaded(tmp_path, FULL_FILES)


def one(fleet: LoadedFleet, name: str) -> Target:
    return next(t for t in expand(fleet) if t.name == name)


def refused(root: Path, files: dict[str, str] | str) -> str:
    with pytest.raises(InvalidInput) as caught:
        expand(loaded(root, files))
    return told(caught.value.problems)


def test_targets_are_in_cluster_order_then_dependency_order(full: LoadedFleet) -> None:
    names = [t.name for t in expand(full)]
    assert names == ["ingress@dev-1", "web@dev-1", "ingress@prod-1", "web@prod-1", "ingress@prod-2"]
    assert [t.name for t in expand_cluster(full, "prod-1")] == ["ingress@prod-1", "web@prod-1"]


def test_layers_fold_later_wins(full: LoadedFleet) -> None:
    dev, prod = one(full, "web@dev-1"), one(full, "web@prod-1")
    assert dev.overlay.replicas == {"web": 1}
    assert prod.overlay.replicas == {"web": 6, "api": 2}
    assert prod.overlay.images == {"nginx": "1.27.3"}
    assert prod.overlay.labels == {"team": "shop", "size": "small"}
    assert (dev.source.path, prod.source.path) == ("apps/dev", "apps/other")
    assert dev.variables["vars"] == {"replicas": 3, "host": "web.dev.shop.example", "only": "dev"}
    assert prod.variables["vars"] == {"replicas": 2}
    assert str(prod.source_where) == "environments/prod/web.yaml:3:49"
    assert str(prod.overlay_where["replicas.web"]) == "environments/prod/web.yaml:3:39"
    assert str(prod.overlay_where["replicas.api"]) == "fleet.yaml:28:33"


def test_roots_of_variables(full: LoadedFleet) -> None:
    variables = one(full, "web@dev-1").variables
    assert variables["cluster"] == {
        "name": "dev-1",
        "labels": {"region": "kr", "tier": "canary"},
        "vars": {"domain": "dev.shop.example"},
    }
    assert variables["environment"]["name"] == "dev"
    assert variables["environment"]["vars"]["host"] == "web.dev.shop.example"
    assert variables["app"] == {"name": "web", "namespace": "shop-web"}
    assert variables["fleet"] == {"name": "shop"}


def test_facts_of_a_target(full: LoadedFleet) -> None:
    web, ingress = one(full, "web@dev-1"), one(full, "ingress@dev-1")
    assert (web.timeout, ingress.timeout) == (300.0, 5400.0)
    assert (web.policy.prune, one(full, "web@prod-1").policy.prune) == (Prune.ALWAYS, Prune.NEVER)
    assert web.depends_on == ("ingress",)
    assert web.owned_namespace is None
    assert ingress.owned_namespace is not None
    assert ingress.owned_namespace.labels == (("level", "privileged"),)
    assert str(web.where) == "fleet.yaml:18:5"


@pytest.mark.parametrize(
    ("defaults", "environment", "app", "overlay", "prune"),
    [
        (None, None, None, None, False),
        ("true", None, None, None, True),
        ("false", "true", None, None, True),
        ("true", "false", None, None, False),
        (None, "true", "false", None, False),
        (None, "false", "true", None, False),
        (None, "true", None, "false", False),
        (None, None, None, "true", True),
    ],
)
def test_prune_is_the_strictest(
    tmp_path: Path,
    defaults: str | None,
    environment: str | None,
    app: str | None,
    overlay: str | None,
    *,
    prune: bool,
) -> None:
    def sync(value: str | None) -> str:
        return "" if value is None else f"sync: {{prune: {value}}}"

    text = MINIMAL.replace("{name: dev}", f"{{name: dev, {sync(environment)}}}")
    text = text.replace("path: apps/web}", f"path: x}}, overlays: {{dev: {{{sync(overlay)}}}}}, {sync(app)}")
    (target,) = expand(loaded(tmp_path, text + f"defaults: {{{sync(defaults)}}}\n"))
    assert target.policy.prune is (Prune.ALWAYS if prune else Prune.NEVER)


def test_each_key_of_retry_is_said_by_the_last_layer(tmp_path: Path) -> None:
    text = MINIMAL.replace("name: dev}", "name: dev, retry: {limit: 7, factor: 1.5}}", 1)
    text = text.replace("namespace: web,", "namespace: web, retry: {backoff: 1m, limit: 0},", 1)
    assert text.count("retry") == 2
    (target,) = expand(
        loaded(tmp_path, text + "defaults: {retry: {maxBackoff: 2m, limit: 9, backoff: 1s}}\n")
    )
    assert target.policy.retry == Retry(limit=0, backoff=60.0, factor=1.5, max_backoff=120.0)
    (plain,) = expand(loaded(tmp_path, MINIMAL))
    assert plain.policy.retry == Retry()


def test_overlay_namespace_moves_the_app(tmp_path: Path) -> None:
    text = MINIMAL.replace("path: apps/web}", "path: x}, overlays: {dev: {namespace: other}}")
    (target,) = expand(loaded(tmp_path, text))
    assert (target.namespace, target.overlay.namespace) == ("other", "other")
    assert target.variables["app"]["namespace"] == "other"


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("./apps//web/", "apps/web"),
        (".", "."),
        ("./", "."),
        ("a/../b", "b"),
        ("apps/$${x}", "apps/${x}"),
        ("..a", "..a"),
    ],
)
def test_source_paths_are_canonical(tmp_path: Path, written: str, path: str) -> None:
    (target,) = expand(loaded(tmp_path, MINIMAL.replace("apps/web", f'"{written}"')))
    assert target.source.path == path


@pytest.mark.parametrize("written", ["/etc", "../x", "a/../../x", "~/x", "${cluster.vars.up}"])
def test_source_paths_stay_inside(tmp_path: Path, written: str) -> None:
    text = MINIMAL.replace("apps/web", f'"{written}"').replace(
        "environment: dev}", "environment: dev, vars: {up: ..}}"
    )
    assert "FLT-1106" in {p.code for p in _problems(tmp_path, text)}


def _problems(root: Path, text: str) -> tuple[Problem, ...]:
    with pytest.raises(InvalidInput) as caught:
        expand(loaded(root, text))
    return caught.value.problems


def test_undefined_variables_are_named_with_place_and_target(tmp_path: Path) -> None:
    text = MINIMAL.replace("apps/web", '"apps/${cluster.vars.regoin}"')
    text = text.replace("environment: dev}", "environment: dev, vars: {region: kr}}")
    found = refused(tmp_path, text)
    assert found == (
        "fleet.yaml:6:68: `${cluster.vars.regoin}` is not defined for web@dev-1 (did you mean `region`?)"
    )
    text = MINIMAL.replace("{name: dev}", '{name: dev, vars: {a: "${nope}", b: "${vars.a}"}}')
    found = refused(tmp_path, text)
    assert "`${nope}`" in found
    assert "`${vars.a}`" in found


def test_values_keep_their_type_and_lists_are_no_text(tmp_path: Path) -> None:
    text = MINIMAL.replace("environment: dev}", "environment: dev, vars: {n: 3, l: [1]}}")
    text = text.replace("path: apps/web}", 'path: x}, vars: {n: "${cluster.vars.n}", l: "${cluster.vars.l}"}')
    (target,) = expand(loaded(tmp_path, text))
    assert target.variables["vars"] == {"n": 3, "l": [1]}
    assert "is a list or a map" in refused(
        tmp_path, text.replace('"${cluster.vars.l}"', '"x ${cluster.vars.l}"')
    )


def test_overlay_values_may_hold_variables(tmp_path: Path) -> None:
    values = 'labels: {env: "${environment.name}"}, images: {nginx: "${vars.tag}"}, vars: {tag: "1.2"}'
    overlay = f"overlays: {{dev: {{{values}}}}}"
    (target,) = expand(loaded(tmp_path, MINIMAL.replace("path: apps/web}", f"path: x}}, {overlay}")))
    assert target.overlay.labels == {"env": "dev"}
    assert target.overlay.images == {"nginx": "1.2"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "path: apps/web}",
            "path: x}, placement: {select: a=b}",
            "FLT-1101 the placement of app `web` selects no cluster",
        ),
        (
            "path: apps/web}",
            "path: x}, placement: {select: 'a in'}",
            "FLT-1105 `select` of app `web`: found ''",
        ),
        ("path: apps/web}", "path: x}, placement: {clusters: []}", "FLT-1101"),
    ],
)
def test_placements_that_select_nothing(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        expand(loaded(tmp_path, MINIMAL.replace(old, new)))
    (problem,) = caught.value.problems
    assert message in f"{problem.code} {problem.message}"


def test_overlays_and_exceptions_that_do_nothing(tmp_path: Path) -> None:
    files = dict(FULL_FILES)
    files["environments/prod/web.yaml"] += "  # prod-2 is legacy\n"
    files["environments/prod/web.yaml"] = "exceptions: {prod-2: {replicas: {web: 1}}}\n"
    found = refused(tmp_path, files)
    assert (
        "environments/prod/web.yaml:1:22: this exception does nothing: app `web` is not placed on `prod-2`"
        in found
    )
    files = dict(FULL_FILES)
    files["fleet.yaml"] = FULL.replace("environments: [dev, prod], select", "environments: [dev], select")
    found = refused(tmp_path, files)
    assert found.count("app `web` is not placed in `prod`") == 2
    assert "(fleet.yaml:20:16)" in found


def test_dependencies_must_be_placed_unless_optional(tmp_path: Path) -> None:
    files = dict(FULL_FILES)
    files["fleet.yaml"] = FULL.replace("    timeout: 1h30m", "    placement: {clusters: [prod-1]}")
    found = refused(tmp_path, files)
    assert "fleet.yaml:22:17: app `web` depends on `ingress` (fleet.yaml:32:16)" in found
    assert "not placed on dev-1" in found
    files["fleet.yaml"] = files["fleet.yaml"].replace("[ingress]", "[{name: ingress, optional: true}]")
    targets = {t.name: t for t in expand(loaded(tmp_path, files))}
    assert targets["web@dev-1"].depends_on == ()
    assert targets["web@prod-1"].depends_on == ("ingress",)


def test_explain_names_layer_and_place(full: LoadedFleet) -> None:
    values = {v.key: v for v in explain(full, "web", "prod-1")}
    shown = {k: (v.value, v.layer, str(v.where) if v.where else "") for k, v in values.items()}
    assert shown["replicas.web"] == (6, "exception prod-1", "environments/prod/web.yaml:3:39")
    assert shown["replicas.api"] == (2, "overlay prod", "fleet.yaml:28:33")
    assert shown["images.nginx"] == ("1.27.3", "overlay file prod", "environments/prod/web.yaml:1:17")
    assert shown["vars.replicas"] == (2, "app web", "fleet.yaml:23:22")
    assert shown["timeout"] == ("5m", "defaults", "fleet.yaml:4:21")
    assert shown["sync.prune"] == (False, "built-in", "")
    assert shown["cluster.vars.domain"] == ("p1", "cluster prod-1", "clusters/prod.yaml:1:74")
    assert list(values) == sorted(values)
    dev = {v.key: v.layer for v in explain(full, "web", "dev-1")}
    assert dev["sync.prune"] == dev["vars.only"] == "environment dev"
