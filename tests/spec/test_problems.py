"""What is wrong, where exactly, what would be right: every rule of fleet.yaml with its message."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetmgr.errors import InvalidInput, UsageError
from fleetmgr.spec import load
from tests.spec.folders import FULL_FILES, HEAD, MINIMAL, problems, told, write

APP = "apps: [{name: web, namespace: web, source: {type: manifests, path: apps/web}}]"
CLUSTER = "{name: dev-1, environment: dev}"


def changed(old: str, new: str) -> str:
    assert old in MINIMAL
    return MINIMAL.replace(old, new)


def env(more: str) -> str:
    return changed("{name: dev}", f"{{name: dev, {more}}}")


def cluster(more: str) -> str:
    return changed(CLUSTER, CLUSTER.replace("}", f", {more}}}"))


def app(more: str) -> str:
    return changed("path: apps/web}", f"path: apps/web}}, {more}")


def source(text: str) -> str:
    return changed("type: manifests, path: apps/web", text)


CASES = [
    # unknown and refused fields; § stands where the problem is
    (cluster("§lables: {}"), "FLT-1003", "unknown field `lables`", "`labels`"),
    (MINIMAL + "§color: red\n", "FLT-1003", "unknown field `color`", "fields here: apiVersion"),
    (
        MINIMAL + "§dr: x\n",
        "FLT-1005",
        "`dr` is not yet supported by this version of fleetmgr (0.1.0)",
        None,
    ),
    (env("§promotion: {from: x}"), "FLT-1005", "`promotion`", None),
    (env("sync: {§auto: false}"), "FLT-1005", "`auto`", None),
    (source("type: §helm, chart: x"), "FLT-1005", "`type: helm`", "type: manifests"),
    (source("type: manifests, path: ., §git: x"), "FLT-1005", "`git`", None),
    # types and forms
    (cluster("labels: {a: §1.20}"), "FLT-1004", "`labels.a` must be a string, not a number", '"1.20"'),
    (changed("namespace: web", "namespace: §7"), "FLT-1004", "`namespace` must be a string or a map", None),
    (changed("name: web", "name: §Web"), "FLT-1004", "DNS label", None),
    (source("type: manifests, path: x, recurse: §1"), "FLT-1004", "`recurse` must be true or false", None),
    (source('type: manifests, path: §""'), "FLT-1004", "`path` must not be empty", None),
    (app("timeout: §600"), "FLT-1004", "`timeout` must be a string", "30s"),
    (app("timeout: §ten"), "FLT-1004", "duration", None),
    (app("timeout: §0s"), "FLT-1004", "more than zero", None),
    (changed(CLUSTER, "{include: §a**/x.yaml}"), "FLT-1002", "is no pattern", None),
    (app("dependsOn: §x"), "FLT-1004", "`dependsOn` must be a list", "[x]"),
    (app("overlays: {dev: {replicas: {web: §-1}}}"), "FLT-1004", "at least 0", None),
    (changed("{name: web, namespace: web", "§{name: web"), "FLT-1004", "`namespace` is missing", None),
    (changed(CLUSTER, CLUSTER + ", §5"), "FLT-1004", "must be a map, not a number", None),
    # names
    (
        changed("environment: dev}", "environment: §prod}"),
        "FLT-1008",
        "no environment `prod`",
        "environments: dev",
    ),
    (changed("path: apps/web}", "path: x}, dependsOn: [§wbe]"), "FLT-1008", "there is no app `wbe`", "`web`"),
    (app("placement: {clusters: [§dev-2]}"), "FLT-1008", "there is no cluster `dev-2`", "`dev-1`"),
    (app("placement: {environments: [§dve]}"), "FLT-1008", "no environment `dve`", "`dev`"),
    (app("overlays: {§qa: {}}"), "FLT-1008", "no environment `qa`", None),
    (app("overlays: {dev: {exceptions: {§dev-9: {}}}}"), "FLT-1008", "no cluster `dev-9`", "`dev-1`"),
    (app("dependsOn: §[web]"), "FLT-1010", "dependency cycle web -> web", None),
    (
        changed(CLUSTER, f"{CLUSTER}, {CLUSTER.replace('dev-1', '§dev-1')}"),
        "FLT-1007",
        "first at fleet.yaml:5:19",
        None,
    ),
    (cluster("access: {context: x, inCluster: §true}"), "FLT-1007", "excludes", None),
    (cluster('labels: {a: §"b c"}'), "FLT-1013", "value of label `a`", None),
    (cluster('labels: {§"a b": c}'), "FLT-1013", "`a b` is no label key", None),
    # engines
    (MINIMAL + "engine: {type: §terraform}\n", "FLT-1004", "`type` must be `embedded` or `pulumi`", None),
    (MINIMAL + "engine: {§state: x}\n", "FLT-1003", "unknown field `state`", "backend"),
    (MINIMAL + "engine: {backend: §ftp://x}\n", "FLT-1004", "a URL such as file:///", None),
    (MINIMAL + "engine: {backend: §'postgres://u:p@db/x'}\n", "FLT-1004", "without credentials", None),
    (MINIMAL + "engine: {secretsProvider: §vault}\n", "FLT-1004", "awskms", None),
    (MINIMAL + "engine: {parallel: §0}\n", "FLT-1004", "at least 1", None),
    (env("engine: {timeout: §0m}"), "FLT-1004", "more than zero", None),
    (env("engine: {organization: §acme}"), "FLT-1004", "needs Pulumi Cloud", "https://api.pulumi.com"),
    (MINIMAL + "engine: {backend: 's3://b', organization: §acme}\n", "FLT-1004", "the backend of dev", None),
    # the file as a whole
    (MINIMAL + 'requiredVersion: §">=9"\n', "FLT-1011", "requires fleetmgr >=9; this is 0.1.0", None),
    (MINIMAL + 'requiredVersion: §"9 or so"\n', "FLT-1011", "version specifiers", None),
    ("§" + HEAD, "FLT-1012", "no environments and no clusters and no apps", "clusters: [{name"),
    (f"§{HEAD}environments: []\nclusters: []\napps: []\n", "FLT-1012", "no clusters", "apps: [{name"),
    (MINIMAL + "§name: again\n", "FLT-1001", "duplicate key `name`, first at fleet.yaml:3:1", None),
    (changed(CLUSTER, "{include: §../x.yaml}"), "FLT-1002", "leaves the folder", None),
    (changed(CLUSTER, "{include: [§/etc/passwd]}"), "FLT-1002", "leaves the folder", None),
    (changed(CLUSTER, '{include: §"*.yaml"}'), "FLT-1002", "matches fleet.yaml itself", "clusters/*.yaml"),
    (changed(CLUSTER, "{include: §none/*.yaml}"), "FLT-1002", "matches no file", None),
    (changed(CLUSTER, "§{include: 5}"), "FLT-1002", "an include is", None),
]


@pytest.mark.parametrize(("marked", "code", "message", "hint"), CASES)
def test_problem(tmp_path: Path, marked: str, code: str, message: str, hint: str | None) -> None:
    before, _, after = marked.partition("§")
    found = problems(tmp_path, before + after)
    matching = [p for p in found if p.code == code and message in p.message]
    assert matching, told(found)
    column = len(before) - before.rfind("\n")
    assert str(matching[0].where) == f"fleet.yaml:{before.count(chr(10)) + 1}:{column}", told(found)
    assert hint is None or hint in (matching[0].hint or "")


def test_all_problems_of_all_files_at_once(tmp_path: Path) -> None:
    files = dict(FULL_FILES)
    files["fleet.yaml"] = (
        files["fleet.yaml"].replace("timeout: 5m", "timeout: soon").replace("[ingress]", "[ingres]")
    )
    files["clusters/prod.yaml"] += "- {name: prod-3, environment: prd}\n"
    files["environments/prod/web.yaml"] += "values: {}\n"
    files["environments/prod/wbe.yaml"] = "replicas: {web: 1}\n"
    files["environments/staging/web.yaml"] = "{}\n"
    found = told(problems(tmp_path, files))
    assert [line.partition(": ")[0] for line in found.splitlines()] == [
        "fleet.yaml:4:21",
        "fleet.yaml:22:17",
        "clusters/prod.yaml:3:31",
        "environments/prod/wbe.yaml",
        "environments/prod/web.yaml:4:1",
        "environments/staging",
    ]
    assert "did you mean `ingress`?" in found
    assert "did you mean `web`?" in found


def test_more_problems_than_anyone_reads_are_counted(tmp_path: Path) -> None:
    found = problems(tmp_path, MINIMAL + "".join(f"f{i}: 1\n" for i in range(2000)))
    assert len(found) == 501
    assert found[-1].message == "and 1500 more problems in this file"


def test_refused_source_type_is_one_problem(tmp_path: Path) -> None:
    text = MINIMAL.replace("type: manifests, path: apps/web", "type: helm, repo: r, chart: c, version: 1.2")
    assert len(problems(tmp_path, text)) == 1


def test_cycle_names_every_place(tmp_path: Path) -> None:
    app = "{{name: {0}, namespace: x, source: {{type: manifests, path: x}}, dependsOn: [{1}]}}"
    apps = ",\n  ".join(app.format(*pair) for pair in ("ab", "bc", "ca"))
    text = MINIMAL[: MINIMAL.index("apps:")] + f"apps: [\n  {apps}]\n"
    (problem,) = problems(tmp_path, text)
    assert problem.code == "FLT-1010"
    assert "a -> b -> c -> a" in problem.message or "-> a" in problem.message
    for line in (7, 8, 9):
        assert f"fleet.yaml:{line}:" in problem.message


def test_exception_for_a_cluster_of_another_environment(tmp_path: Path) -> None:
    files = dict(FULL_FILES)
    files["environments/prod/web.yaml"] = "exceptions: {dev-1: {replicas: {web: 1}}}"
    (problem,) = problems(tmp_path, files)
    assert "cluster `dev-1` is in environment `dev` (fleet.yaml:12:18), not in `prod`" in problem.message
    assert str(problem.where) == "environments/prod/web.yaml:1:14"


def test_two_overlays_of_one_app(tmp_path: Path) -> None:
    files = {
        "fleet.yaml": MINIMAL,
        "environments/dev/web.yaml": "replicas: {web: 1}",
        "environments/dev/web.yml": "replicas: {web: 1}",
        "environments/dev.yaml": "replicas: {web: 1}",
    }
    found = told(problems(tmp_path, files))
    assert "the first is environments/dev/web.yaml" in found
    assert "environments/dev.yaml: matches nothing" in found


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text("{name: x, environment: dev}")
    root = tmp_path / "fleet"
    write(root, {"fleet.yaml": MINIMAL.replace(CLUSTER, "{include: c/*.yaml}"), "c/keep": ""})
    (root / "c/x.yaml").symlink_to(outside)
    (root / "environments").mkdir()
    (root / "environments/dev").symlink_to(tmp_path)
    with pytest.raises(InvalidInput) as caught:
        load(root / "fleet.yaml")
    assert told(caught.value.problems).count("leaves the folder of fleet.yaml") == 2


def test_included_file_cannot_include(tmp_path: Path) -> None:
    files = {"fleet.yaml": MINIMAL.replace(CLUSTER, "{include: c.yaml}"), "c.yaml": "- include: d.yaml"}
    assert "cannot include others" in told(problems(tmp_path, files))


def test_missing_empty_and_odd_files(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="fleet init"):
        load(tmp_path / "fleet.yaml")
    assert "fleet.yaml is empty" in told(problems(tmp_path, "# nothing\n"))
    assert "holds no map" in told(problems(tmp_path, "- a\n"))
    with pytest.raises(InvalidInput, match="cannot read"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "defaultNamespace: x\nhelm: {chart: y}\n",
            "Rancher Fleet (`defaultNamespace`, `helm`), another product",
        ),
        ("targetCustomizations: []\n", "Rancher Fleet"),
        (
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\n",
            "a Application (argoproj.io/v1alpha1) of Argo CD",
        ),
        ("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n", "of Flux"),
        ("apiVersion: apps/v1\nkind: Deployment\n", "this is a Deployment (apps/v1), not a Fleet"),
        ("apiVersion: fleetmgr.dev/v2\nkind: Fleet\n", "written for fleetmgr.dev/v2"),
    ],
)
def test_files_of_other_products(tmp_path: Path, text: str, message: str) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.code == "FLT-1006"
    assert message in problem.message
    assert problem.hint


WORDS = st.sampled_from(
    ["apiVersion: fleetmgr.dev/v1", "kind: Fleet", "name: ", "apps: ", "clusters: ", "environments: ", "source: ",
     "include: ", "overlays: ", "namespace: ", "placement: ", "select: ", "dependsOn: ", "vars: ", "&a ", "*a ",
     "dev", "web", "dev-1", "", "x", "1.5", "true", "null", "~", "[", "]", "{", "}", ": ", ", ", "- ", "\n", "\n  "]
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(WORDS, max_size=40).map("".join))
def test_any_text_loads_or_is_refused_with_places(tmp_path: Path, text: str) -> None:
    try:
        load(write(tmp_path, {"fleet.yaml": MINIMAL + text}))
    except InvalidInput as error:
        assert all(p.where and p.where.file for p in error.problems)  # noqa: PT017 - any refusal will do, but placed


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["name", "source", "path", "select", "namespace", "dev", "exceptions", "include", "sync"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from(["apps", "clusters", "environments", "defaults", "requiredVersion", "name"]),
)
def test_any_data_loads_or_is_refused_with_places(tmp_path: Path, data: object, section: str) -> None:
    lines = [line for line in MINIMAL.splitlines() if not line.startswith(f"{section}:")]
    text = "\n".join([*lines, f"{section}: {json_text(data)}\n"])
    try:
        load(write(tmp_path, {"fleet.yaml": text}))
    except InvalidInput as error:
        assert all(p.where and p.where.file for p in error.problems)  # noqa: PT017 - any refusal will do, but placed


def json_text(data: object) -> str:
    """JSON is YAML."""
    return json.dumps(data)
