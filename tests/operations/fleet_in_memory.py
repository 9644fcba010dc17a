"""A whole fleet in memory: fleet.yaml on disk, a FakeCluster an entry, a clock that moves when somebody sleeps."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from fleetmgr.model.change import Plan
from fleetmgr.model.event import ClusterStarted, Event, EventSink
from fleetmgr.model.pace import Pace
from fleetmgr.model.report import Report
from fleetmgr.model.selection import Selection
from fleetmgr.model.timings import Requests, Spent
from fleetmgr.operations.apply import apply
from fleetmgr.operations.plan import plan
from fleetmgr.operations.walk import Walk
from fleetmgr.planner.outcome import complete, has_writes
from fleetmgr.ports.cluster import ClusterClient
from fleetmgr.ports.cluster_errors import Unreachable
from fleetmgr.ports.past import PastFleet
from fleetmgr.ports.repository import TreeEntry
from fleetmgr.spec import load
from fleetmgr.wiring.offline import sources_of
from tests.fakes.clock import FakeClock
from tests.operations.worlds import WatchedCluster, config, deployment


class FleetClock(FakeClock):
    """While somebody sleeps, the controllers of every cluster work, but for those that ``broken`` names."""

    def __init__(self, clusters: Mapping[str, WatchedCluster]) -> None:
        super().__init__()
        self.clusters = clusters
        self.broken: set[str] = set()

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        for name, cluster in self.clusters.items():
            if name not in self.broken:
                cluster.settle()


class History:
    """Implements the parts of ports.Repository and ports.past.Past that a walk uses: commits are copies of a folder."""

    def __init__(self, root: Path, commits: Path) -> None:
        self.root = root
        self.commits = commits
        self.now: str | None = None
        self.is_dirty = False

    def commit(self, name: str) -> None:
        """The folder as it is becomes a commit of that name, and HEAD."""
        shutil.copytree(self.root, self.commits / name)
        self.now = name

    def head(self) -> str | None:
        return self.now

    def dirty(self) -> bool:
        return self.is_dirty

    def uncommitted(self, files: Collection[str], folders: Mapping[str, bool]) -> tuple[str, ...]:
        raise NotImplementedError((files, folders))

    def pushed(self, commit: str) -> bool:
        raise NotImplementedError(commit)

    def resolve(self, revision: str) -> str:
        return revision

    def moved_on(self, commit: str) -> str | None:
        raise NotImplementedError

    def tree(self, commit: str, path: str, *, recurse: bool) -> tuple[TreeEntry, ...]:
        top = self.commits / commit
        found = (top / path).rglob("*") if recurse else (top / path).glob("*")
        return tuple(
            TreeEntry(path=str(file.relative_to(top)), content=file.read_bytes())
            for file in sorted(found)
            if file.is_file()
        )

    def at(self, revision: str) -> PastFleet:
        loaded = load(self.commits / revision / "fleet.yaml")
        return PastFleet(revision=revision, loaded=loaded, fetcher=sources_of(loaded, self))

    def close(self) -> None:
        return


class FleetInMemory:
    """Fleet ``shop``: one app ``web`` (a Deployment and a ConfigMap) on every cluster of ``layout``."""

    def __init__(self, root: Path, layout: Mapping[str, Sequence[str]], **more: Any) -> None:
        """``layout`` maps environments to cluster names."""
        self.root = root / "work"
        self.root.mkdir()
        self.history = History(self.root, root / "commits")
        self.pace = Pace()
        self.sink: EventSink | None = None
        self.layout = layout
        self.more = more
        self.environment_more: dict[str, dict[str, Any]] = {}
        self.labels: dict[str, dict[str, str]] = {}
        self.clusters = {name: WatchedCluster(name) for names in layout.values() for name in names}
        self.dead: set[str] = set()
        self.clock = FleetClock(self.clusters)
        self.events: list[Event] = []
        self.image("web:1")

    def image(self, image: str, *, broken: Sequence[str] = ()) -> None:
        """What Git wants of the Deployment; on ``broken`` clusters it will not become Healthy."""
        (self.root / "apps" / "web").mkdir(parents=True, exist_ok=True)
        text = f"{deployment(image=image)}---\n{config(image=image)}"
        (self.root / "apps" / "web" / "all.yaml").write_text(text, encoding="utf-8")
        self.clock.broken = set(broken)

    def connect(self, cluster: str) -> ClusterClient:
        """As ports.ClusterConnector."""
        if cluster in self.dead:
            raise Unreachable("no answer", cluster=cluster)
        return self.clusters[cluster]

    def sent(self) -> Mapping[str, Requests]:
        """As ports.ClusterConnector: as many as each cluster counted, in no time."""
        return {
            name: {verb: Spent(count=count) for verb, count in cluster.requests.items()}
            for name, cluster in self.clusters.items()
        }

    def save(self) -> Path:
        """Writes fleet.yaml."""
        environments = [{"name": e, **self.environment_more.get(e, {})} for e in self.layout]
        clusters = [
            {"name": c, "environment": e, "access": {"context": c}, "labels": self.labels.get(c, {})}
            for e, names in self.layout.items()
            for c in names
        ]
        document: dict[str, Any] = {
            "apiVersion": "fleetmgr.dev/v1",
            "kind": "Fleet",
            "name": "shop",
            "defaults": {"timeout": "60s", "sync": {"prune": True}},
            "environments": environments,
            "clusters": clusters,
            "apps": [
                {"name": "web", "namespace": "shop", "source": {"type": "manifests", "path": "apps/web"}}
            ],
            **self.more,
        }
        file = self.root / "fleet.yaml"
        file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return file

    def commit(self, name: str) -> None:
        """What Git wants is a commit now."""
        self.save()
        self.history.commit(name)

    def walk(self) -> Walk:
        """Loads fleet.yaml anew."""
        file = self.save()
        loaded = load(file)
        return Walk(
            loaded=loaded,
            repository=self.history,
            fetcher=sources_of(loaded, self.history),
            pace=self.pace,
            past=self.history,
            connector=self,
            clock=self.clock,
            actor="tester",
            parallel=8,
        )

    def plan(self, walk: Walk | None = None, **selection: Any) -> Plan:
        """What an apply would do."""
        return plan(walk or self.walk(), Selection(**selection), self.events.append)

    def apply(self, *, timeout: float | None = None, **selection: Any) -> Report:
        """Plan and perform, as ``fleet apply --yes``."""
        walk = self.walk()
        made = self.plan(walk, **selection)
        report = apply(walk, made, Selection(**selection), self._told, wait=has_writes(made), timeout=timeout)
        return complete(report, made)

    def _told(self, event: Event) -> None:
        self.events.append(event)
        if self.sink is not None:
            self.sink(event)

    def started(self, phase: str = "apply") -> list[str]:
        """Clusters that work was begun on since the last time this was asked, in order; quiet ones left out."""
        found = [
            e.cluster
            for e in self.events
            if isinstance(e, ClusterStarted) and e.phase == phase and (e.objects or phase != "apply")
        ]
        self.events.clear()
        return found

    def written(self) -> dict[str, list[str]]:
        """Objects that were sent, by cluster, our own records left out; and forgets them."""
        found = {
            name: [o for verb, o in cluster.log if verb == "apply" and not o.startswith("ConfigMap/shop.")]
            for name, cluster in self.clusters.items()
        }
        for cluster in self.clusters.values():
            cluster.log.clear()
        return {name: [o for o in objects if "Namespace/" not in o] for name, objects in found.items()}

    def images(self) -> dict[str, str]:
        """The image that each cluster has, "" where the Deployment is not there."""
        live = {name: cluster.body("Deployment", "shop", "web") for name, cluster in self.clusters.items()}
        return {
            name: body["spec"]["template"]["spec"]["containers"][0]["image"] if body else ""
            for name, body in live.items()
        }


def codes(report: Report) -> dict[str, int]:
    """Each cluster's own exit code."""
    return {cluster.cluster: int(cluster.exit_code) for cluster in report.clusters}


def begun(report: Report) -> list[str]:
    """Clusters whose turn came."""
    return [cluster.cluster for cluster in report.clusters if cluster.begun]
