"""``requireCommit`` of fleet.yaml, folded for one app in one environment. A guard: the strictest of both holds, and
``defaults`` where neither says anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from fleetmgr.expansion.policy import strictest
from fleetmgr.model.commit import RequireCommit

if TYPE_CHECKING:
    from fleetmgr.spec import LoadedFleet


class CommitGuard(Struct, frozen=True, kw_only=True):
    """What holds, and who says so: ``environment prod``."""

    rule: RequireCommit
    said_by: str = ""


_NONE = CommitGuard(rule=RequireCommit.NEVER)


def guards_commits(loaded: LoadedFleet) -> bool:
    """Whether anybody asks for commits at all."""
    fleet = loaded.fleet
    said = {x.require_commit for x in (fleet.defaults, *fleet.environments, *fleet.apps)}
    return bool(said & {RequireCommit.COMMITTED.value, RequireCommit.PUSHED.value})


def commit_guard(loaded: LoadedFleet, environment: str, app: str) -> CommitGuard:
    """What holds for an app in an environment."""
    fleet = loaded.fleet
    said = {
        f"environment {environment}": next(
            e for e in fleet.environments if e.name == environment
        ).require_commit,
        f"app {app}": next(a for a in fleet.apps if a.name == app).require_commit,
    }
    for layer in (said, {"defaults": fleet.defaults.require_commit}):
        rules = {who: RequireCommit(text) for who, text in layer.items() if text}
        rule = strictest(RequireCommit, list(rules.values()))
        if rule is not None:
            return CommitGuard(rule=rule, said_by=next(who for who, its in rules.items() if its is rule))
    return _NONE
