"""What a run would do or did: Changes per object, per cluster, and the Plan of the whole fleet."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field

from fleetmgr.errors import ExitCode, Problem
from fleetmgr.model.jsontypes import Json, JsonObject
from fleetmgr.model.objects import ObjectRef, Origin
from fleetmgr.model.replacement import Replacement
from fleetmgr.model.rollout import RolloutPlan
from fleetmgr.veiled import Veiled

EMBEDDED = "embedded"
PULUMI = "pulumi"


class Op(StrEnum):
    """What happens to one object. Order = the order in which summaries count them."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    ADOPT = "adopt"
    """Somebody else made it; it becomes ours in place, with the fields that its maker held."""
    MOVE = "move"
    """Only its app changes: labels are rewritten, nothing is deleted."""
    HOOK = "hook"
    """Created for one phase of the apply, waited for and cleaned up: no member of its app."""
    ORPHANED = "orphaned"
    """Ours, no longer desired, prune is off: listed and left."""
    UNPROVEN = "unproven"
    """Carries our label but no proof of ownership: listed and left."""
    CONFLICT = "conflict"
    """Exists and is not ours: never touched."""
    DENIED = "denied"
    """The server refuses it (invalid, forbidden by admission): the apply would fail."""
    KEEP = "keep"

    @property
    def writes(self) -> bool:
        """Whether an apply sends something for it."""
        return self in (Op.CREATE, Op.UPDATE, Op.REPLACE, Op.DELETE, Op.ADOPT, Op.MOVE, Op.HOOK)


class Confirmation(StrEnum):
    """What somebody must say before an object is deleted."""

    DELETES = "deletes"
    """That what waits may be deleted (``prune: confirm``): then the DELETE is done."""
    NAME = "name"
    """Its name, because it is protected: until then it is ORPHANED."""


class Noise(StrEnum):
    """Why an object looks different though nothing that Git names would change: it is kept."""

    ADMISSION = "admission"
    """An apply would change only what Git does not name: a webhook or a default sets it."""
    REWRITTEN = "rewritten"
    """The server, or a webhook, stores what Git says in another form; an apply changes nothing."""
    GENERATION = "generation"
    """An apply would raise the generation and change nothing."""


class FieldDiff(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One field: ``path`` is a JSON pointer, with ``[name=main]`` for items of keyed lists.

    ``old`` None with ``new`` set is an addition; values of Secrets are never here (see ``sensitive``).
    """

    path: str
    old: Json = None
    new: Json = None
    sensitive: bool = False
    reset: bool = False
    """Git has stopped naming it, and ``new`` is what the server makes of it then."""


class Left(StrEnum):
    """Why a desired field is not sent."""

    CONFLICT = "conflict"
    """Another manager has set it to something else, and ``onConflict`` is ``keep-theirs``."""
    AUTOSCALER = "autoscaler"
    """An autoscaler sets it."""


class LeftField(Struct, frozen=True, kw_only=True):
    """A desired field that stays as it is live: ``field.old`` is live, ``field.new`` desired.

    ``manager`` is the field manager, or the autoscaler, that it is left to; ``since`` when it wrote it last (RFC
    3339, "" where the server does not say).
    """

    field: FieldDiff
    manager: str
    why: Left = Left.CONFLICT
    since: str = ""


class ExtraField(Struct, frozen=True, kw_only=True):
    """A live field that Git does not name and we do not hold; ``manager`` wrote it last, at ``since`` (RFC 3339), ""
    where nobody applied it: a default or a webhook's. Of a ``sensitive`` one the value is not here."""

    path: str
    value: Json = None
    sensitive: bool = False
    manager: str = ""
    since: str = ""


class Writer(Struct, frozen=True, kw_only=True):
    """A field manager other than us that wrote an object, ``through`` which subresource ("" = itself), and when (RFC
    3339; "" where the server keeps no time)."""

    manager: str
    through: str = ""
    at: str = ""


class Adoption(Struct, frozen=True, kw_only=True):
    """``managers`` whose entries in managedFields become ours; ``kept`` says which fields that Git does not name
    stay because the server refuses to lose them: ``nothing``, ``spec`` or ``everything``."""

    managers: tuple[str, ...]
    kept: str


class HookRun(Struct, frozen=True, kw_only=True):
    """When a hook runs: its phase as Argo CD calls it (``PreSync``), and its wave in there."""

    phase: str
    wave: int = 0


class Change(Veiled, frozen=True, kw_only=True, omit_defaults=True):
    """One object on one cluster. ``live``/``result`` (the object before and after) serve ``fleet diff``."""

    VEILED = frozenset({"live", "result"})

    op: Op
    app: str
    ref: ObjectRef
    diff: tuple[FieldDiff, ...] = ()
    reason: str | None = None
    unverified: bool = False
    """The server could not be asked (no patch right, webhook down, its namespace comes with this plan)."""
    drift: bool = False
    """Live differs though nobody changed desired since the last apply."""
    drift_since: str | None = None
    """RFC 3339: when this drift was first seen, where somebody remembered it (``fleet drift --remember``), else when
    ``drift_by`` wrote; told by ``fleet drift`` only."""
    drift_by: Writer | None = None
    """Who wrote the differing fields last, where the server knows; told by ``fleet drift`` only."""
    writer: str | None = None
    """Who changed the live object last, other than us: ``kubectl (Update) at 2026-...``."""
    adoption: Adoption | None = None
    """How it is taken over; set for ADOPT only."""
    replacement: Replacement | None = None
    """Set for REPLACE, and for DENIED where only the consent to replace is missing."""
    forced: bool = False
    """Only because of ``--force``."""
    hook: HookRun | None = None
    """Set for HOOK only; a hook of two phases is two Changes."""
    noise: Noise | None = None
    """Set for some KEEP; ``diff`` is then what differs."""
    left: tuple[LeftField, ...] = ()
    """What Git names and is left to others all the same: no change, and told."""
    extra: tuple[ExtraField, ...] = ()
    """What is live and not in Git, where that was asked for."""
    needs: Confirmation | None = None
    """Not done until somebody has said so."""
    origin: Origin | None = None
    live: JsonObject | None = None
    result: JsonObject | None = None

    @property
    def due(self) -> bool:
        """Whether an apply sends something for it now; what nobody has said yes to is not sent."""
        return self.op.writes and self.needs is None


class ClusterStatus(StrEnum):
    """How a cluster entry came out of a walk. Unreachable is never "no changes"."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    UNREACHABLE = "unreachable"
    ERROR = "error"


class ClusterFailure(Struct, frozen=True, kw_only=True):
    """Why a cluster has no result, or only a part of one."""

    problem: Problem
    exit_code: ExitCode


class Refusal(Struct, frozen=True, kw_only=True):
    """Why an apply of the plan would be refused, before anything is written anywhere. ``app`` None = the whole
    cluster entry; ``objects`` are those that it is about."""

    cluster: str
    problem: Problem
    app: str | None = None
    objects: tuple[ObjectRef, ...] = ()


class ClusterPlan(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The Changes of one cluster entry, sorted by (app, ref); ``keep`` included."""

    cluster: str
    environment: str
    status: ClusterStatus
    changes: tuple[Change, ...] = ()
    failure: ClusterFailure | None = None
    first_contact: bool = False
    warnings: tuple[str, ...] = ()
    """Server warnings (deprecations) and ours, each once."""
    owned: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many objects of the entry are ours, by app: those that are not selected as far as they are recorded."""
    removed: tuple[str, ...] = ()
    """Apps that have been there and are not to be there any more."""
    engine: str = EMBEDDED
    """Who performs it: EMBEDDED or PULUMI."""


class Verb(StrEnum):
    """What a plan is for."""

    APPLY = "apply"
    DESTROY = "destroy"


LIVE_AND_DESIRED = ("live", "desired")


class Plan(Struct, frozen=True, kw_only=True):
    """The whole fleet at one revision. ``id`` is the digest of everything below it."""

    id: str
    fleet: str
    revision: str
    """Commit id, with ``+dirty`` when the working tree differs; "" outside Git."""
    clusters: tuple[ClusterPlan, ...]
    partial: bool = False
    """A selection was given: what was not selected is neither pruned nor advanced."""
    compared: tuple[str, str] = LIVE_AND_DESIRED
    """What is before and after; two revisions when no cluster was asked."""
    verb: Verb = Verb.APPLY
    refusals: tuple[Refusal, ...] = ()
    """What an apply would be refused for."""
    rollout: RolloutPlan | None = None
    """The steps of an apply; None where all would be done at once and nothing guards it."""

    def count(self, op: Op) -> int:
        """How many objects of the fleet have ``op``."""
        return sum(1 for c in self.clusters for change in c.changes if change.op is op)
