"""How an app is brought to a cluster: every rule of its layers, folded to the one that holds."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from fleetmgr.model.objects import ObjectRef


class Prune(StrEnum):
    """What becomes of an object that Git no longer names. Strictest first."""

    NEVER = "false"
    CONFIRM = "confirm"
    """Deleted once somebody has confirmed it."""
    ALWAYS = "true"


class OnRemove(StrEnum):
    """What becomes of an app's objects once the app itself is gone from fleet.yaml. Strictest first."""

    ORPHAN = "orphan"
    CONFIRM = "confirm"
    """Only where nothing is said and prune asks for confirmation."""
    DELETE = "delete"

    @property
    def prune(self) -> Prune:
        """The same rule for single objects."""
        return next(prune for prune, removal in AS_PRUNE.items() if removal is self)


AS_PRUNE = {Prune.NEVER: OnRemove.ORPHAN, Prune.CONFIRM: OnRemove.CONFIRM, Prune.ALWAYS: OnRemove.DELETE}
"""How an app that leaves fleet.yaml is treated where nothing is said of that: as its objects are."""


class Replace(StrEnum):
    """Whether an object whose immutable field changes may be deleted and created again. Strictest first."""

    NEVER = "never"
    ASK = "ask"
    ALWAYS = "always"


class OnConflict(StrEnum):
    """What an apply does about a desired field that another field manager has set to something else."""

    KEEP_THEIRS = "keep-theirs"
    TAKE = "take"
    FAIL = "fail"


ON_CONFLICT_ANNOTATION = "fleetmgr.dev/on-conflict"
"""On an object: an OnConflict that holds for it instead of its app's."""


class IgnoreRule(Struct, frozen=True, kw_only=True):
    """Fields whose difference is nobody's business here (``ignoreDifferences``). Empty or None says nothing.

    ``pointers`` are JSON pointers (RFC 6901), ``paths`` jq-like paths, ``managers`` field managers whose fields are
    left to them. ``group`` and ``kind`` may be ``*``.
    """

    group: str | None = None
    kind: str = "*"
    name: str | None = None
    namespace: str | None = None
    pointers: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    managers: tuple[str, ...] = ()

    def matches(self, ref: ObjectRef) -> bool:
        """Whether the rule is about this object."""
        return (
            self.kind in ("*", ref.kind)
            and self.group in (None, "*", ref.group)
            and self.name in (None, ref.name)
            and self.namespace in (None, ref.namespace)
        )


class Retry(Struct, frozen=True, kw_only=True):
    """How an object is tried again whose cluster fails for a moment: ``limit`` further attempts; times in seconds."""

    limit: int = 3
    backoff: float = 2.0
    factor: float = 2.0
    max_backoff: float = 30.0

    def pause(self, attempt: int) -> float:
        """Seconds before further attempt number ``attempt`` (they count from 0)."""
        return min(self.backoff * self.factor ** min(attempt, 100), self.max_backoff)


class Policy(Struct, frozen=True, kw_only=True):
    """The rules of one app on one cluster; guards (prune, replace) are the strictest of all layers."""

    prune: Prune = Prune.NEVER
    on_remove: OnRemove = OnRemove.ORPHAN
    replace: Replace = Replace.ASK
    on_conflict: OnConflict = OnConflict.TAKE
    ignore: tuple[IgnoreRule, ...] = ()
    retry: Retry = Retry()
