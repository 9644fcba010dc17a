"""Both engines do the same: the cases of tests/conformance/agreement.yaml, all in one walk of each engine."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.cases import Case, cases, within
from tests.e2e.fleets import Answer, Fleet
from tests.e2e.test_plain_pulumi import PROGRAMS, Cli

pytestmark = pytest.mark.e2e


class Engine:
    """One fleet through one engine."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.arguments = ("--engine", name) if name != "embedded" else ()
        self.environment = {
            **os.environ,  # noqa: TID251 - as a child inherits it
            "XDG_STATE_HOME": str(folder),  # where stacks are kept when fleet.yaml names no backend
            "PULUMI_CONFIG_PASSPHRASE": "",
        }

    def run(self, fleet: Fleet, *arguments: str) -> Answer:
        environment = self.environment if self.arguments else None
        return fleet.run(*arguments, *self.arguments, env=environment)


@pytest.fixture(params=["embedded", "pulumi"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    made = Engine(request.param, tmp_path / "state")
    if made.arguments:
        if not all(map(shutil.which, PROGRAMS)):
            pytest.skip("SKIPPED: no pulumi CLI")
        (tmp_path / "state").mkdir()
    return made


class Walk:
    """The cases of one fleet, each with apps and a namespace of its own."""

    def __init__(self, fleet: Fleet, engine: Engine, chosen: Sequence[Case]) -> None:
        self.fleet = fleet
        self.engine = engine
        self.cases = chosen
        self.uids: dict[tuple[str, str], str] = {}
        fleet.namespaces |= {self.namespace(case) for case in chosen}

    def namespace(self, case: Case) -> str:
        return f"{self.fleet.name}-{case.name}"

    def filled(self, case: Case, text: str) -> str:
        return text.replace("$NS", self.namespace(case))

    def write(self, step: str) -> None:
        """Make fleet.yaml and its folders hold ``before`` or ``after`` of all cases."""
        self.fleet.apps = []
        for case in self.cases:
            for app, text in getattr(case, step).items():
                name = f"{case.name}-{app}"
                more = case.apps.get(app, {})
                self.fleet.apps.append(self.fleet.app(name, namespace=self.namespace(case), **more))
                self.fleet.manifests(name, all=self.filled(case, text))
        self.fleet.save()
        self.fleet.commit(step)

    def disturb(self) -> None:
        """What others do, and which objects there are then."""
        for case in self.cases:
            for command in case.others:
                words = [self.filled(case, word) for word in command]
                self.fleet.kubectl("-n", self.namespace(case), *words)
            for name in (*case.same, *case.new):
                self.uids[case.name, name] = self.live(case, name)["metadata"]["uid"]

    def live(self, case: Case, name: str) -> dict[str, Any]:
        kind, _, object_name = name.partition("/")
        return self.fleet.get(kind, object_name, namespace=self.namespace(case))

    def changes(self, plan: Answer) -> dict[str, dict[str, str]]:
        """What a plan says, by case."""
        found: dict[str, dict[str, str]] = {case.name: {} for case in self.cases}
        for change in plan.changes():
            if change["op"] != "keep":
                known = change["object"]
                found[self.case_of(known)][f"{known['kind']}/{known['name']}"] = change["op"]
        return found

    def expected(self) -> dict[str, dict[str, str]]:
        return {c.name: {self.filled(c, name): op for name, op in c.changes.items()} for c in self.cases}

    def case_of(self, known: dict[str, str]) -> str:
        namespace = known["namespace"] or known["name"]
        return namespace.removeprefix(f"{self.fleet.name}-")

    def check_order(self, events: Iterable[dict[str, Any]]) -> None:
        written: dict[str, list[str]] = {case.name: [] for case in self.cases}
        for event in events:
            if event["kind"] == "ObjectChanged":
                known = event["object"]
                written[self.case_of(known)].append(f"{known['kind']}/{known['name']}")
        for case in self.cases:
            assert [n for n in written[case.name] if n in case.order] == list(case.order), case.name

    def check_live(self) -> None:
        for case in self.cases:
            for name, part in case.live.items():
                body = self.live(case, self.filled(case, name))
                leaving = body.get("metadata", {}).get("deletionTimestamp")
                if part is None:
                    assert not body or leaving, (case.name, name)
                else:
                    assert body, (case.name, name)
                    assert within(part, body), (case.name, name, body)
            for name in case.same:
                assert self.live(case, name)["metadata"]["uid"] == self.uids[case.name, name], case.name
            for name in case.new:
                assert self.live(case, name)["metadata"]["uid"] != self.uids[case.name, name], case.name


def go(fleet: Fleet, engine: Engine, chosen: Sequence[Case], tmp_path: Path) -> tuple[Walk, Answer]:
    """From ``before`` to ``after`` of all cases; answers with the last apply."""
    walk = Walk(fleet, engine, chosen)
    walk.write("before")
    if fleet.apps:
        first = engine.run(fleet, "apply", "--yes", "--no-wait", "-o", "json")
        assert first.code == 0, first.text
    walk.disturb()
    walk.write("after")
    plan = engine.run(fleet, "plan", "-o", "json")
    assert walk.changes(plan) == walk.expected(), plan.err
    consent = [walk.filled(case, word) for case in chosen for word in case.consent]
    log = tmp_path / "events"
    done = engine.run(
        fleet,
        *("apply", "--yes", "--no-wait", "--max-deletes", "1000", *consent),
        *("-o", "json", "-o", f"ndjson={log}"),
    )
    walk.check_order(json.loads(line) for line in log.read_text().splitlines())
    walk.check_live()
    return walk, done


def test_the_same_happens_to_every_case(fleets: Callable[..., Fleet], engine: Engine, tmp_path: Path) -> None:
    chosen = [case for case in cases() if not case.refused]
    _, done = go(fleets(), engine, chosen, tmp_path)
    assert done.code == 0, done.text


def test_the_same_is_refused(fleets: Callable[..., Fleet], engine: Engine, tmp_path: Path) -> None:
    chosen = [case for case in cases() if case.refused]
    _, done = go(fleets(), engine, chosen, tmp_path)
    assert done.code == 1, done.text


def test_plain_pulumi_comes_to_the_same(fleets: Callable[..., Fleet], tmp_path: Path) -> None:
    if not all(map(shutil.which, PROGRAMS)):
        pytest.skip("SKIPPED: no pulumi CLI")
    fleet = fleets()
    walk = Walk(fleet, Engine("embedded", tmp_path), [case for case in cases() if not case.beyond_plain])
    walk.write("before")
    pulumi = Cli(fleet, tmp_path / "pulumi")
    pulumi("stack", "init", "one")
    pulumi("up", "--yes", "--skip-preview")
    fleet.assert_settled()
    walk.disturb()
    walk.write("after")
    pulumi("up", "--yes", "--skip-preview")
    walk.check_live()
    assert {op for op, _ in fleet.plan().ops()} <= {"orphaned"}
