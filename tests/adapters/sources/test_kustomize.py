"""The kustomize source: what kustomize says, from the working tree and from a commit."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from fleetmgr.adapters.sources.refusals import SourceNotFound
from fleetmgr.errors import InvalidInput
from fleetmgr.model.artifact import Artifact
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.ports.kustomizer import KustomizeFailed, KustomizeTree
from fleetmgr.rendering.manifests import parse_artifact
from tests.adapters.sources.trees import CONFIG, WEB, Checkout
from tests.rendering.kubectl import kubectl_path

SEEDS = Path(__file__).resolve().parents[2] / "rendering" / "data"
PATCH = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: nginx-app}
spec:
  template:
    spec:
      containers:
      - {name: nginx, env: [{name: LOG_LEVEL, value: debug}]}
"""


@pytest.fixture(params=["working tree", "commit"])
def checkout(request: pytest.FixtureRequest, tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "repo", committed=request.param == "commit")


def objects(artifact: Artifact) -> list[JsonObject]:
    parsed = parse_artifact(artifact)
    assert parsed.problems == ()
    return [manifest.body for manifest in parsed.manifests]


def plain_kustomize(folder: Path) -> list[JsonObject]:
    done = subprocess.run([kubectl_path(), "kustomize", str(folder)], capture_output=True, check=True)
    return list(yaml.safe_load_all(done.stdout))


def by_name(found: list[JsonObject]) -> list[JsonObject]:
    return sorted(found, key=lambda body: (body["kind"], body["metadata"]["name"]))


def test_the_dev_overlay_of_the_seed_examples_gives_what_kustomize_gives(checkout: Checkout) -> None:
    top = "applications/nginx-app"
    checkout.write(
        {
            f"{top}/base/kustomization.yaml": "resources: [deployment.yaml]\n",
            f"{top}/base/deployment.yaml": (SEEDS / "002-line219-deployment.yaml").read_bytes(),
            f"{top}/overlays/dev/kustomization.yaml": (SEEDS / "002-line251-kustomization.yaml").read_bytes(),
            f"{top}/overlays/dev/patch.yaml": PATCH,
        }
    )

    artifact = checkout.fetch("kustomize", f"{top}/overlays/dev")

    found = objects(artifact)
    assert found == plain_kustomize(checkout.root / top / "overlays/dev")
    assert found[0]["metadata"]["name"] == "dev-nginx-app"
    assert found[0]["spec"]["replicas"] == 2
    assert parse_artifact(artifact).manifests[0].origin.file == f"{top}/base/deployment.yaml"


def test_a_deprecated_field_is_one_warning_with_its_place(checkout: Checkout) -> None:
    checkout.write(
        {
            "base/kustomization.yaml": "resources: [a.yaml]\n",
            "base/a.yaml": CONFIG,
            "app/kustomization.yaml": "bases: [../base]\ncommonLabels: {a: b}\n",
        }
    )

    (warning,) = parse_artifact(checkout.fetch("kustomize", "app")).warnings

    assert warning.code == "FLT-1354"
    assert warning.where is not None
    assert (warning.where.file or "").startswith("app/kustomization.yaml")
    assert warning.where.line == 1
    assert "`bases` (use `resources`)" in warning.message
    assert "`commonLabels` (use `labels`)" in warning.message


def test_generators_components_and_links_inside_the_repository_work(checkout: Checkout) -> None:
    checkout.write(
        {
            "base/kustomization.yaml": "resources: [web.yaml]\n",
            "base/web.yaml": WEB,
            "parts/labels/kustomization.yaml": (
                "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
                "labels: [{pairs: {team: a}}]\n"
            ),
            "app/kustomization.yaml": (
                "resources: [linked]\ncomponents: [../parts/labels]\n"
                "configMapGenerator: [{name: settings, files: [a.conf, b=deep/b.conf], envs: [c.env]}]\n"
            ),
            "app/a.conf": "a\n",
            "app/deep/b.conf": "b\n",
            "app/c.env": "C=1\n",
        }
    )
    checkout.link("app/linked", "../base")

    found = objects(checkout.fetch("kustomize", "app"))

    assert by_name(found) == by_name(plain_kustomize(checkout.root / "app"))


def test_an_unquoted_variable_keeps_its_type_and_a_quoted_one_its_text(checkout: Checkout) -> None:
    checkout.write(
        {
            "app/kustomization.yaml": (
                "resources: [a.yaml]\nconfigMapGenerator:\n- {name: c, literals: ['a=${vars.n}']}\n"
            ),
            "app/a.yaml": (
                "apiVersion: x/v1\nkind: Thing\nmetadata: {name: a}\n"
                'spec:\n  n: ${vars.n} # count\n  t: "${vars.n}"\n  u: ${vars.n}-x\n'
            ),
        }
    )

    slots = {
        slot.path[-1]: (slot.text, slot.plain)
        for manifest in parse_artifact(checkout.fetch("kustomize", "app")).manifests
        for slot in manifest.slots
    }

    assert slots == {
        "n": ("${vars.n}", True),
        "t": ("${vars.n}", False),
        "u": ("${vars.n}-x", False),
        "a": ("${vars.n}", False),
    }


def test_an_error_of_kustomize_names_our_file_and_no_folder_of_the_machine(checkout: Checkout) -> None:
    checkout.write(
        {
            "app/kustomization.yaml": (
                "resources: [a.yaml]\n"
                "patches:\n- target: {kind: ConfigMap}\n"
                "  patch: |-\n    - {op: replace, path: /data/a, value: b}\n"
            ),
            "app/a.yaml": CONFIG,
        }
    )

    with pytest.raises(KustomizeFailed, match="doc is missing path: /data/a") as caught:
        checkout.fetch("kustomize", "app")

    assert caught.value.where is not None
    assert (caught.value.where.file or "").startswith("app/kustomization.yaml")
    assert str(caught.value).count("/") == 3, "folders of this machine"


def test_an_error_never_shows_the_value_of_a_secret(checkout: Checkout) -> None:
    checkout.write({"app/kustomization.yaml": "secretGenerator: [{name: s, literals: [hunter2hunter2]}]\n"})

    with pytest.raises(KustomizeFailed) as caught:
        checkout.fetch("kustomize", "app")

    assert "hunter2" not in str(caught.value)


class Quoting:
    """Fails as kustomize may: with what it read."""

    def build(self, tree: KustomizeTree) -> bytes:
        raise KustomizeFailed("bad line: " + b" ".join(tree.files.values()).decode())


def test_an_error_never_shows_a_line_of_a_file_for_a_secret(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "repo", committed=False, kustomizer=Quoting())
    text = "secretGenerator: [{name: s, envs: [a.env], files: [b.txt], literals: [c=hunter4]}]\n"
    checkout.write({"app/kustomization.yaml": text, "app/a.env": "a=hunter2\n", "app/b.txt": "hunter3\n"})

    with pytest.raises(KustomizeFailed, match="bad line") as caught:
        checkout.fetch("kustomize", "app")

    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("resources: [gone.yaml]\n", "`gone.yaml` is not there"),
        ("resources: [../gone]\n", "`../gone` is not there"),
        ("patches: [{path: gone.yaml}]\n", "`gone.yaml` is not there"),
        ("resources: [../empty]\n", "`empty` has no kustomization.yaml"),
    ],
)
def test_what_is_not_there_is_told(checkout: Checkout, text: str, message: str) -> None:
    checkout.write({"app/kustomization.yaml": text, "empty/a.txt": ""})

    with pytest.raises(SourceNotFound, match=message):
        checkout.fetch("kustomize", "app")


@pytest.mark.parametrize("path", ["gone", "app/gone"])
def test_a_folder_that_is_not_there_is_told(checkout: Checkout, path: str) -> None:
    checkout.write({"app/kustomization.yaml": "resources: []\n"})

    with pytest.raises(SourceNotFound):
        checkout.fetch("kustomize", path)


@pytest.mark.parametrize("text", ["Resources: [a.yaml]\n", "resource: [a.yaml]\n", "- a\n", "a: [\n"])
def test_a_kustomization_that_is_not_understood_is_an_error_with_its_line(
    checkout: Checkout, text: str
) -> None:
    checkout.write({"app/kustomization.yaml": text, "app/a.yaml": CONFIG})

    with pytest.raises(InvalidInput) as caught:
        checkout.fetch("kustomize", "app")

    assert caught.value.problems[0].where is not None
    assert (caught.value.problems[0].where.file or "").startswith("app/kustomization.yaml")
