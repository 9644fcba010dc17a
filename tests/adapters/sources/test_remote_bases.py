"""Bases and files of other hosts, for the hosts that an app allows: the real kustomize, Git and HTTP on loopback."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleetmgr.adapters.git.fetching import FetchedRepositories
from fleetmgr.adapters.git.repository import GitRepository
from fleetmgr.adapters.locks.flock import FileLocks
from fleetmgr.adapters.remote.addresses import check
from fleetmgr.adapters.remote.files import HttpFiles
from fleetmgr.adapters.sources.gathering import Remotes
from fleetmgr.adapters.sources.kustomize import KustomizeSources
from fleetmgr.adapters.sources.refusals import RemoteDenied, SourceEscapes
from fleetmgr.errors import FleetError
from fleetmgr.model.artifact import Artifact
from fleetmgr.model.target import FetchRequest, RemoteHost
from fleetmgr.ports.remotes import RemoteFailed, RemoteRefused
from fleetmgr.rendering.manifests import parse_artifact
from tests.adapters.git.checkouts import commit_all, new_repository
from tests.adapters.remote.servers import Site, site
from tests.adapters.sources.trees import CONFIG, WEB, kustomize_program
from tests.fakes.clock import FakeClock

PATCH = "patches: [{target: {kind: Deployment}, patch: '- {op: add, path: /spec/replicas, value: 3}'}]\n"


class Estate:
    """A repository with an app, and a server with others."""

    def __init__(self, folder: Path, server: Site, upstream: Path) -> None:
        self.root = folder / "repo"
        self.cache = folder / "cache"
        self.server = server
        self.upstream = upstream

    def write(self, files: dict[str, str], root: Path | None = None) -> None:
        for name, text in files.items():
            path = (root or self.root) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def publish(self, files: dict[str, str]) -> str:
        self.write(files, self.upstream)
        return commit_all(self.upstream)

    def fetch(self, *, allowed: bool = True) -> Artifact:
        def lock(path: Path) -> object:
            return FileLocks(FakeClock()).hold(path, what="x", timeout=5, progress=lambda _: None)

        repositories = FetchedRepositories(self.cache, check, lock)  # type: ignore[arg-type]
        sources = KustomizeSources(
            GitRepository(self.root),
            self.root,
            kustomize_program(),
            Remotes(files=HttpFiles(), repositories=repositories),
        )
        hosts = (RemoteHost(host=self.server.host, private=True, insecure=True),) if allowed else ()
        return sources.fetch(FetchRequest(type="kustomize", path="app", allow_remote=hosts))

    def objects(self) -> dict[str, tuple[object, str]]:
        """Kind -> (replicas, file)."""
        found = parse_artifact(self.fetch()).manifests
        return {m.body["kind"]: (m.body.get("spec", {}).get("replicas"), m.origin.file) for m in found}


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    with _estate(tmp_path) as made:
        yield made


@contextmanager
def _estate(folder: Path) -> Generator[Estate]:
    repositories = folder / "repositories"
    upstream = new_repository(repositories / "team" / "base")
    with site(repositories=repositories) as server:
        yield Estate(folder, server, upstream)


def test_a_repository_and_a_file_of_an_allowed_host_become_part_of_the_tree(estate: Estate) -> None:
    estate.server.answers = {"/settings.yaml": (200, {}, CONFIG.encode())}
    commit = estate.publish(
        {
            "deploy/kustomization.yaml": "resources: [../shared]\n",
            "shared/kustomization.yaml": "resources: [web.yaml]\n",
            "shared/web.yaml": WEB,
        }
    )
    base = f"http://{estate.server.host}/team/base/.git//deploy?ref=main"
    estate.write(
        {
            "app/kustomization.yaml": f"# Ünïcode first\nresources:\n- {base}  # pinned\n"
            f'- "http://{estate.server.host}/settings.yaml"\n{PATCH}'
        }
    )

    found = estate.objects()

    assert found["Deployment"][0] == 3
    assert commit[:12] in found["Deployment"][1]
    assert found["Deployment"][1].endswith("shared/web.yaml")
    assert found["ConfigMap"][1].startswith("app/.remote/")


def test_what_moves_upstream_changes_the_digest_and_a_commit_is_asked_for_once(estate: Estate) -> None:
    files = {"kustomization.yaml": "resources: [web.yaml]\n", "web.yaml": WEB}
    commit = estate.publish(files)
    url = f"http://{estate.server.host}/team/base/.git"
    estate.write({"app/kustomization.yaml": f"resources: ['{url}?ref=main']\n"})
    before = estate.fetch().digest
    estate.publish({"web.yaml": WEB.replace("nginx", "caddy")})
    assert estate.fetch().digest != before

    estate.write({"app/kustomization.yaml": f"resources: ['{url}?ref={commit}']\n"})
    estate.fetch()
    estate.server.asked.clear()
    assert b"nginx" in estate.fetch().files[0].content
    assert estate.server.asked == []


@pytest.mark.parametrize(
    ("resource", "error", "told"),
    [
        ("http://HOST/team/base/.git//deploy", RemoteDenied, "pin it with \\?ref="),
        ("http://HOST/team/base/.git//../../x?ref=main", RemoteDenied, "leaves its repository"),
        ("ssh://git@HOST/team/base?ref=main", RemoteDenied, "no https address"),
        ("git@HOST:team/base?ref=main", RemoteDenied, "no https address"),
        ("https://other.example/team/base?ref=main", RemoteRefused, "not an allowed host"),
        ("https://other.example/x.yaml", RemoteRefused, "not an allowed host"),
        ("http://HOST/team/base/.git?ref=--upload-pack=touch", RemoteRefused, "no revision"),
        ("http://HOST/team/base/.git?ref=nowhere", RemoteFailed, "cannot be fetched"),
        ("http://HOST/team/none/.git?ref=main", RemoteFailed, "cannot be fetched"),
        ("http://HOST/none.yaml", RemoteFailed, "answered"),
    ],
)
def test_an_address_that_cannot_be_used_is_told_where_it_stands(
    estate: Estate, resource: str, error: type[FleetError], told: str
) -> None:
    estate.publish({"deploy/kustomization.yaml": "resources: []\n"})
    estate.write(
        {"app/kustomization.yaml": f"resources:\n- '{resource.replace('HOST', estate.server.host)}'\n"}
    )

    with pytest.raises(error, match=told) as caught:
        estate.fetch()

    assert str(caught.value).startswith("app/kustomization.yaml:2:3")


@pytest.mark.parametrize("field", ["patches:\n- path: {}\n", "crds:\n- {}\n", "transformers:\n- {}\n"])
def test_only_resources_may_be_remote(estate: Estate, field: str) -> None:
    estate.write({"app/kustomization.yaml": field.replace("{}", f"http://{estate.server.host}/x.yaml")})
    with pytest.raises(RemoteDenied, match="only resources, bases and components"):
        estate.fetch()
    assert estate.server.asked == []


def test_nothing_is_asked_where_no_host_is_allowed(estate: Estate) -> None:
    estate.write({"app/kustomization.yaml": f"resources: ['http://{estate.server.host}/x.yaml']\n"})
    with pytest.raises(RemoteDenied, match="no host is allowed"):
        estate.fetch(allowed=False)
    assert estate.server.asked == []


def test_a_remote_repository_cannot_reach_into_ours(estate: Estate) -> None:
    estate.write({"secret/kustomization.yaml": "resources: []\n", "secret/x.yaml": CONFIG})
    for reach in ("../../../../secret", "/etc", "../.."):
        estate.publish({"kustomization.yaml": f"resources: ['{reach}']\n"})
        estate.write(
            {
                "app/kustomization.yaml": f"resources: ['http://{estate.server.host}/team/base/.git?ref=main']\n"
            }
        )
        with pytest.raises((SourceEscapes, FleetError)) as caught:
            estate.fetch()
        assert caught.value.code == "FLT-5010"
    (estate.upstream / "link.yaml").symlink_to("../../../repo/secret/x.yaml")
    estate.publish({"kustomization.yaml": "resources: [link.yaml]\n"})
    with pytest.raises(SourceEscapes):
        estate.fetch()


def test_repositories_that_name_each_other_end(estate: Estate) -> None:
    url = f"http://{estate.server.host}/team/base/.git?ref=main"
    estate.publish({"kustomization.yaml": f"resources: ['{url}']\n"})
    estate.write({"app/kustomization.yaml": f"resources: ['{url}']\n"})
    with pytest.raises(FleetError, match="name each other"):
        estate.fetch()
