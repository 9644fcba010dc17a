"""The policy of an app: what its layers say, folded. Guards do not layer, the strictest of all holds; what is no
guard is said by the last layer."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from fleetmgr.model.policy import AS_PRUNE, IgnoreRule, OnConflict, OnRemove, Policy, Prune, Replace, Retry
from fleetmgr.spec.plain import seconds

if TYPE_CHECKING:
    from fleetmgr.spec import App, Sync
    from fleetmgr.spec.retry import Retry as WrittenRetry

Rule = TypeVar("Rule", bound=StrEnum)


def fold_policy(
    app: App, defaults: Sync | None, layers: Sequence[Sync], *, retry: Sequence[WrittenRetry | None] = ()
) -> Policy:
    """``layers`` in their order; ``defaults`` hold for what no layer says. ``retry`` holds defaults and layers.

    Without ``onRemove`` an app that leaves Git is treated as its objects are: by ``prune``.
    """
    prune = (
        strictest(Prune, [prune_of(s) for s in layers]) or (defaults and prune_of(defaults)) or Prune.NEVER
    )
    replace = strictest(Replace, [s.replace and Replace(s.replace) for s in layers])
    return Policy(
        prune=prune,
        on_remove=_on_remove(defaults, layers) or AS_PRUNE[prune],
        replace=replace or Replace((defaults and defaults.replace) or Replace.ASK),
        on_conflict=_last(OnConflict, [s.on_conflict for s in (defaults, *layers) if s]) or OnConflict.TAKE,
        ignore=tuple(
            IgnoreRule(
                group=rule.group,
                kind=rule.kind,
                name=rule.name,
                namespace=rule.namespace,
                pointers=rule.pointers,
                paths=rule.jq_path_expressions,
                managers=rule.managed_fields_managers,
            )
            for rule in app.ignore_differences
        ),
        retry=_retry(retry),
    )


def _retry(layers: Sequence[WrittenRetry | None]) -> Retry:
    """The last that each key is said to be."""
    folded = Retry()
    for said in layers:
        if said is not None:
            folded = Retry(
                limit=folded.limit if said.limit is None else said.limit,
                backoff=folded.backoff if said.backoff is None else seconds(said.backoff),
                factor=folded.factor if said.factor is None else float(said.factor),
                max_backoff=folded.max_backoff if said.max_backoff is None else seconds(said.max_backoff),
            )
    return folded


def _on_remove(defaults: Sync | None, layers: Sequence[Sync]) -> OnRemove | None:
    said = strictest(OnRemove, [s.on_remove and OnRemove(s.on_remove) for s in layers])
    return said or (OnRemove(defaults.on_remove) if defaults and defaults.on_remove else None)


def prune_of(sync: Sync) -> Prune | None:
    """What one layer says of prune."""
    match sync.prune:
        case None:
            return None
        case "confirm":
            return Prune.CONFIRM
        case allowed:
            return Prune.ALWAYS if allowed else Prune.NEVER


def strictest(kind: type[Rule], said: Sequence[Rule | None]) -> Rule | None:
    """The first member of ``kind`` that a layer says; None when no layer says anything."""
    return next((rule for rule in kind if rule in said), None)


def _last(kind: type[Rule], said: Sequence[str | None]) -> Rule | None:
    return next((kind(text) for text in reversed(said) if text), None)
