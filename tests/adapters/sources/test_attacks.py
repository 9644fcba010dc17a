"""Hostile trees, the same for every source type: nothing outside the repository is read, fetched or run."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetmgr.adapters.sources.refusals import PluginDenied, RemoteDenied, SourceEscapes, SourceTooLarge
from fleetmgr.errors import FleetError, InvalidInput, Problem
from fleetmgr.ports.kustomizer import KustomizeTree
from fleetmgr.rendering.manifests import parse_artifact
from tests.adapters.sources.trees import CONFIG, WEB, Checkout

TYPES = ("manifests", "kustomize")
CANARY = "canary-of-a-secret-file"


@pytest.fixture(params=["working tree", "commit"])
def checkout(request: pytest.FixtureRequest, tmp_path: Path) -> Checkout:
    found = Checkout(tmp_path / "repo", committed=request.param == "commit")
    found.write({"app/kustomization.yaml": "resources: [web.yaml]\n", "app/web.yaml": WEB})
    (tmp_path / "outside.yaml").write_text(CONFIG + f"data: {{a: {CANARY}}}\n")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/kustomization.yaml").write_text("resources: []\n")
    return found


class NeverRun:
    """A kustomizer that must not be reached."""

    def build(self, tree: KustomizeTree) -> bytes:
        raise AssertionError(f"kustomize was run on {sorted(tree.files)}")


def problems_of(checkout: Checkout, kind: str, path: str = "app") -> tuple[Problem, ...]:
    """What is wrong, wherever it is found: while fetching or while parsing."""
    try:
        return parse_artifact(checkout.fetch(kind, path)).problems
    except InvalidInput as error:
        return error.problems
    except FleetError as error:
        return (error.problem(),)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("path", ["../outside", "/etc", "app/../../outside", "file:///etc/passwd"])
def test_row_1_a_path_that_leaves_the_repository(checkout: Checkout, kind: str, path: str) -> None:
    with pytest.raises(FleetError) as caught:
        checkout.fetch(kind, path)

    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "resources: [../../outside]\n",
        "resources: [../../outside.yaml]\n",
        "resources: [/etc/hostname]\n",
        "patches: [{path: ../../outside.yaml}]\n",
        "patchesStrategicMerge: [../../outside.yaml]\n",
        "configMapGenerator: [{name: a, files: [../../outside.yaml]}]\n",
        "configMapGenerator: [{name: a, files: ['k=../../../../../../etc/passwd']}]\n",
        "secretGenerator: [{name: a, envs: [../../outside.yaml]}]\n",
        "configMapGenerator: [{name: a, Files: [../../outside.yaml]}]\n",
        "openapi: {path: ../../outside.yaml}\n",
        "crds: [../../outside.yaml]\n",
        "replacements: [{path: ../../outside.yaml}]\n",
    ],
)
def test_row_1_a_kustomization_that_names_a_file_outside(tmp_path: Path, text: str) -> None:
    checkout = Checkout(tmp_path / "repo", committed=False, kustomizer=NeverRun())
    checkout.write({"app/kustomization.yaml": text})
    (tmp_path / "outside.yaml").write_text(CONFIG)

    with pytest.raises(SourceEscapes) as caught:
        checkout.fetch("kustomize", "app")

    assert caught.value.where is not None
    assert caught.value.where.file == "app/kustomization.yaml"
    assert caught.value.where.line == 1


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("hops", [1, 2])
def test_row_2_a_link_that_leaves_the_repository(checkout: Checkout, kind: str, hops: int) -> None:
    if hops == 1:
        checkout.link("app/unused.yaml", "../../outside.yaml")
    else:
        checkout.link("app/unused.yaml", "../two.yaml")
        checkout.link("two.yaml", "../outside.yaml")

    with pytest.raises(SourceEscapes) as caught:
        checkout.fetch(kind, "app")

    assert CANARY not in str(caught.value)


def test_row_2_a_linked_base_outside(checkout: Checkout) -> None:
    checkout.write({"app/kustomization.yaml": "resources: [base]\n"})
    checkout.link("app/base", "../../outside")

    with pytest.raises(SourceEscapes):
        checkout.fetch("kustomize", "app")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.setblocking(False)
        yield server


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:PORT/a.yaml",
        "HTTPS://internal/a.yaml",
        "http://169.254.169.254/latest",
        "git::ssh://git@internal/team/x.git",
        "git::https://internal/x",
        "ssh://git@internal/x",
        "git@internal:team/x.git",
        "github.com/team/x",
        "GitHub.com:team/x",
        "gh:team/x",
        "file:///etc",
        "https://internal/x//base?ref=main",
    ],
)
@pytest.mark.parametrize(
    "template",
    [
        "resources:\n- {address}\n",
        "bases:\n- {address}\n",
        "components:\n- {address}\n",
        "crds:\n- {address}\n",
        "configurations:\n- {address}\n",
        "patches:\n- path: {address}\n",
        "patches:\n- Path: {address}\n",
        "patchesStrategicMerge:\n- {address}\n",
        "openapi:\n  path: {address}\n",
        "generators:\n- {address}\n",
        "transformers:\n- {address}\n",
        "configMapGenerator:\n- name: a\n  files:\n  - {address}\n",
        "resources:\n- |\n  {address}\n",
        "configMapGenerator:\n- name: a\n  files:\n  - k={address}\n",
    ],
)
def test_row_8_a_remote_base_is_denied_and_never_asked_for(
    tmp_path: Path, listener: socket.socket, address: str, template: str
) -> None:
    checkout = Checkout(tmp_path / "repo", committed=False, kustomizer=NeverRun())
    text = template.replace("{address}", address.replace("PORT", str(listener.getsockname()[1])))
    # A folder of that name must not make it look local.
    checkout.write({"app/kustomization.yaml": text, "app/github.com/team/x/kustomization.yaml": ""})

    with pytest.raises(RemoteDenied) as caught:
        checkout.fetch("kustomize", "app")

    assert caught.value.where is not None
    assert caught.value.where.line is not None
    assert caught.value.where.line > 1
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_row_8_a_remote_base_of_a_base_is_denied(checkout: Checkout) -> None:
    checkout.write(
        {
            "app/kustomization.yaml": "resources: [../base]\n",
            "base/kustomization.yaml": "resources:\n- https://internal/x\n",
        }
    )

    with pytest.raises(RemoteDenied) as caught:
        checkout.fetch("kustomize", "app")

    assert str(caught.value).startswith("base/kustomization.yaml")


BUILT_IN = "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: l}\nlabels: {a: b}\n"


@pytest.mark.parametrize(
    "text",
    [
        "helmCharts: [{name: a, repo: 'https://internal'}]\n",
        "helmChartInflationGenerator: [{chartName: a}]\n",
        "generators: [plugin.yaml]\n",
        "transformers: [plugin.yaml]\n",
        "validators: [plugin.yaml]\n",
        "generators: [plugin.txt]\n",
        "generators: [plugin.json]\n",
        "transformers: [folder]\n",
        "transformers:\n- |-\n  apiVersion: v1\n  kind: Exec\n  metadata: {name: x}\n",
        "transformers:\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  path: http://127.0.0.1/x\n",
        "generators:\n- |-\n  apiVersion: builtin\n  kind: HelmChartInflationGenerator\n",
    ],
)
def test_a_plugin_is_never_run(tmp_path: Path, text: str) -> None:
    plugin = (
        "apiVersion: v1\nkind: Thing\nmetadata:\n  name: x\n  annotations:\n"
        "    config.kubernetes.io/function: |\n      container: {image: evil}\n"
    )
    checkout = Checkout(tmp_path / "repo", committed=False, kustomizer=NeverRun())
    checkout.write({"app/kustomization.yaml": text, "app/plugin.yaml": plugin})
    checkout.write({"app/plugin.txt": plugin, "app/plugin.json": '{"apiVersion": "v1", "kind": "Exec"}'})
    checkout.write({"app/folder/kustomization.yaml": "resources: [../plugin.yaml]\n"})

    with pytest.raises(PluginDenied):
        checkout.fetch("kustomize", "app")


def test_a_transformer_that_is_built_in_works(checkout: Checkout) -> None:
    checkout.write(
        {
            "app/kustomization.yaml": "resources: [web.yaml]\ntransformers: [labels.yaml]\n",
            "app/labels.yaml": BUILT_IN + "fieldSpecs: [{path: metadata/labels, create: true}]\n",
        }
    )

    (manifest,) = parse_artifact(checkout.fetch("kustomize", "app")).manifests

    assert manifest.body["metadata"]["labels"] == {"a": "b"}


@pytest.mark.parametrize("kind", TYPES)
def test_row_11_deep_yaml(checkout: Checkout, kind: str) -> None:
    checkout.write({"app/web.yaml": "a: " + "[" * 30_000})

    (problem,) = problems_of(checkout, kind)

    assert problem.code == "FLT-1001"
    assert problem.where is not None
    assert (problem.where.file or "").startswith("app/web.yaml")


def bomb() -> str:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("file", ["app/web.yaml", "app/kustomization.yaml"])
def test_row_12_an_alias_bomb(checkout: Checkout, kind: str, file: str) -> None:
    checkout.write({file: bomb()})

    problems = problems_of(checkout, kind)

    assert problems
    assert problems[0].code in ("FLT-1001", "FLT-1213")


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(
    "text",
    [
        CONFIG + "data: {a: !!python/object:os.system x}\n",
        CONFIG + "data: {a: x\0y}\n",
        CONFIG + f"data: {{{'k' * 2_000_000}: {{\n",
        CONFIG + "---\n" * 30_000,
    ],
    ids=["tag", "nul", "long key", "documents"],
)
def test_row_13_manifests_that_no_parser_should_see(checkout: Checkout, kind: str, text: str) -> None:
    checkout.write({"app/web.yaml": text})

    assert problems_of(checkout, kind)


@pytest.mark.parametrize("kind", TYPES)
def test_row_13_a_duplicate_key_is_an_error(checkout: Checkout, kind: str) -> None:
    checkout.write({"app/web.yaml": CONFIG + "data: {a: x, a: y}\n"})

    (problem,) = problems_of(checkout, kind)

    assert "a" in problem.message


@pytest.mark.parametrize("kind", TYPES)
def test_row_13_a_file_of_fifty_megabytes(checkout: Checkout, kind: str) -> None:
    checkout.write({"app/web.yaml": CONFIG + "# " + "x" * 50_000_000})

    with pytest.raises(SourceTooLarge):
        checkout.fetch(kind, "app")


@pytest.mark.parametrize("kind", TYPES)
def test_row_13_a_byte_order_mark_and_windows_lines_are_fine(checkout: Checkout, kind: str) -> None:
    text = "\ufeff" + (CONFIG + 'data: {a: "NO", b: "1.20", c: "on"}\n').replace("\n", "\r\n")
    checkout.write({"app/web.yaml": text})

    (manifest,) = parse_artifact(checkout.fetch(kind, "app")).manifests

    assert manifest.body["data"] == {"a": "NO", "b": "1.20", "c": "on"}
