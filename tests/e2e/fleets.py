"""A small fleet of a test's own: a Git repository, a fleet name and namespaces that no other test uses, and
the real ``fleet`` command. Tests share clusters without meeting."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import yaml

from tests.e2e import warm

if TYPE_CHECKING:  # conftest imports this module
    from tests.e2e.conftest import SandboxClusters

PROGRAM = Path(sys.executable).with_name("fleet")
ENVIRONMENTS = ("dev", "staging", "prod")
_AUTHOR = ("-c", "user.name=tester", "-c", "user.email=tester@example.com", "-c", "commit.gpgsign=false")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a run of ``fleet`` gave."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The result, of ``-o json``."""
        return json.loads(self.out)

    @property
    def text(self) -> str:
        """Everything that was printed."""
        return self.out + self.err

    def changes(self, cluster: str | None = None) -> list[dict[str, Any]]:
        """Changes of a plan on one cluster, or on all."""
        parts = self.data["clusters"]
        return [c for p in parts if cluster in (None, p["name"]) for c in p["changes"]]

    def ops(self, cluster: str | None = None) -> set[tuple[str, str]]:
        """``("create", "Deployment/web")`` of each change."""
        return {(c["op"], short(c)) for c in self.changes(cluster)}

    def change(self, name: str) -> dict[str, Any]:
        """The only change of ``Kind/name``."""
        (found,) = [c for c in self.changes() if short(c) == name]
        return found

    def results(self, cluster: str | None = None) -> set[tuple[str, str, str]]:
        """``("create", "Deployment/web", "done")`` of each result of an apply."""
        parts = self.data["clusters"]
        return {
            (r["op"], short(r), r["outcome"])
            for p in parts
            if cluster in (None, p["name"])
            for r in p["results"]
        }


def short(item: Mapping[str, Any]) -> str:
    """``Kind/name``."""
    return f"{item['object']['kind']}/{item['object']['name']}"


class Fleet:
    """One test's fleet. Cluster entries are ``one``, ``two``, ``three`` in dev, staging, prod."""

    NAMES = ("one", "two", "three")

    def __init__(self, root: Path, clusters: SandboxClusters, *, count: int = 1) -> None:
        self.root = root
        self.sandbox = clusters
        self.name = f"t{uuid.uuid4().hex[:9]}"
        self.count = count
        self.namespaces: set[str] = {self.name}
        self.prune: bool | str = True
        self.defaults: dict[str, Any] = {}
        self.entries: list[dict[str, Any]] = [self.entry(i) for i in range(count)]
        self.apps: list[dict[str, Any]] = [self.app("web")]
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    @property
    def ns(self) -> str:
        """The namespace of its apps."""
        return self.name

    def entry(self, index: int, **more: Any) -> dict[str, Any]:
        """A cluster entry for one of the sandbox's clusters."""
        access = {"kubeconfig": str(self.sandbox.kubeconfig), "context": self.sandbox.contexts[index]}
        return {"name": self.NAMES[index], "environment": ENVIRONMENTS[index], "access": access, **more}

    def app(self, name: str, **more: Any) -> dict[str, Any]:
        """An app whose manifests are in ``apps/<name>``."""
        source = {"type": "manifests", "path": f"apps/{name}"}
        return {"name": name, "namespace": self.ns, "source": source, **more}

    def save(self) -> None:
        """Write fleet.yaml."""
        used = [e for e in ENVIRONMENTS if any(c["environment"] == e for c in self.entries)]
        extra = [c["environment"] for c in self.entries if c["environment"] not in ENVIRONMENTS]
        document = {
            "apiVersion": "fleetmgr.dev/v1",
            "kind": "Fleet",
            "name": self.name,
            "defaults": {"timeout": "60s", "sync": {"prune": self.prune}, **self.defaults},
            "environments": [{"name": e} for e in [*used, *extra]],
            "clusters": self.entries,
            "apps": self.apps,
        }
        self.write("fleet.yaml", yaml.safe_dump(document, sort_keys=False))

    def write(self, path: str, text: str) -> None:
        """Write one file of the repository, ``NS`` standing for the namespace."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text).replace("$NS", self.ns), encoding="utf-8")

    def manifests(self, app: str = "web", **files: str) -> None:
        """Make ``apps/<app>`` hold exactly these files."""
        folder = self.root / "apps" / app
        for old in folder.glob("*") if folder.is_dir() else ():
            old.unlink()
        for name, text in files.items():
            self.write(f"apps/{app}/{name}.yaml", text)

    def commit(self, message: str = "A step") -> None:
        """Commit everything."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def git(self, *arguments: str) -> str:
        """Run git in the repository."""
        done = subprocess.run(
            ["git", *_AUTHOR, *arguments], cwd=self.root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> Answer:
        """Run ``fleet``; no terminal, nothing to read."""
        done = warm.run([str(PROGRAM), *arguments], folder=self.root, environment=env)
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode != 70, done.stderr
        return Answer(code=done.returncode, out=done.stdout, err=done.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ``fleet`` in an interpreter of its own and let it run."""
        return subprocess.Popen(
            [str(PROGRAM), *arguments],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def plan(self, *arguments: str, code: int = 0) -> Answer:
        """``fleet plan -o json``, which must end with ``code``."""
        answer = self.run("plan", "-o", "json", *arguments)
        assert answer.code == code, answer.text
        return answer

    def apply(self, *arguments: str, code: int = 0) -> Answer:
        """``fleet apply --yes -o json``, which must end with ``code``."""
        answer = self.run("apply", "--yes", "-o", "json", *arguments)
        assert answer.code == code, answer.text
        return answer

    def assert_settled(self) -> None:
        """A plan has nothing to do."""
        answer = self.run("plan", "--detailed-exitcode", "-o", "json")
        assert answer.code == 0, answer.text
        assert answer.ops() == set(), answer.out

    def kubectl(self, *arguments: str, cluster: int = 0, stdin: str | None = None) -> str:
        """kubectl as somebody else, in the fleet's namespace."""
        return self.sandbox.kubectl(
            self.sandbox.contexts[cluster], "-n", self.ns, *arguments, stdin=dedent(stdin) if stdin else None
        )

    def get(self, kind: str, name: str, *, cluster: int = 0, namespace: str | None = None) -> dict[str, Any]:
        """A live object; {} when it is not there."""
        where = namespace or self.ns
        answer = self.sandbox.kubectl(
            self.sandbox.contexts[cluster],
            *("-n", where, "get", kind, name, "-o", "json", "--ignore-not-found", "--show-managed-fields"),
        )
        return json.loads(answer) if answer.strip() else {}

    def everything(self, *kinds: str, cluster: int = 0) -> dict[str, dict[str, Any]]:
        """Live objects of some kinds in the namespace, by ``Kind/name``; not the ConfigMap that the cluster itself
        puts into a new namespace when it gets to it."""
        text = self.kubectl("get", ",".join(kinds), "-o", "json", cluster=cluster)
        live = {f"{o['kind']}/{o['metadata']['name']}": o for o in json.loads(text)["items"]}
        live.pop("ConfigMap/kube-root-ca.crt", None)
        return live

    def records(self, cluster: int = 0) -> list[str]:
        """Names of the ApplySet parents of this fleet."""
        text = self.sandbox.kubectl(
            self.sandbox.contexts[cluster],
            *("-n", "fleetmgr-system", "get", "configmaps", "-o", "name"),
            *("-l", f"fleetmgr.dev/fleet={self.name},fleetmgr.dev/record=applyset"),
        )
        return [line.rsplit(".", 1)[-1] for line in text.split()]

    def discard(self) -> None:
        """Remove what the test left on the clusters, without waiting."""
        for context in self.sandbox.contexts[: max(self.count, 1)]:
            doomed = sorted(self.namespaces)
            self.sandbox.try_kubectl(
                context, "delete", "namespace", *doomed, "--wait=false", "--ignore-not-found"
            )
            self.sandbox.try_kubectl(
                context,
                *("-n", "fleetmgr-system", "delete", "configmaps,leases,secrets", "--wait=false"),
                *("-l", f"fleetmgr.dev/fleet={self.name}"),
            )


def identity_of(item: Mapping[str, Any]) -> tuple[str, Any, Any, Any]:
    """What ``exactly the earlier state`` compares: uid, labels, spec and data."""
    metadata = item["metadata"]
    return metadata["uid"], metadata.get("labels"), item.get("spec"), item.get("data")


def paths(change: Mapping[str, Any]) -> Sequence[str]:
    """Paths of a change's diff."""
    return [d["path"] for d in change["diff"]]
