"""A plan that was kept to be reviewed and applied as it is (``fleet plan --out``, ``fleet apply FILE``)."""

from __future__ import annotations

from msgspec import Struct

from fleetmgr.model.change import Plan
from fleetmgr.model.objects import ObjectKey
from fleetmgr.model.selection import Selection


class Binding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What ties one planned change to the object that was looked at.

    ``uid`` is "" where no object was there. ``digest`` covers what is desired and how the live object differs from
    it; of a Secret it is keyed, and "" where there is no key: then ``version`` (the resourceVersion) stands in.
    """

    key: ObjectKey
    uid: str = ""
    digest: str = ""
    version: str = ""


class SavedApp(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``render``: digest of all that the app desires; ``last``: time and plan id of the newest run in its record."""

    name: str
    render: str
    last: str = ""


class SavedCluster(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``key_id`` names the key of the cluster that digests of Secrets are made with; "" = none was had or needed,
    and ``note`` says why where it was needed."""

    name: str
    apps: tuple[SavedApp, ...]
    bindings: tuple[Binding, ...]
    key_id: str = ""
    note: str = ""


class SavedPlan(Struct, frozen=True, kw_only=True):
    """``clusters`` are those that could be looked at. ``made_at`` is RFC 3339.

    ``id`` is the digest of the whole file, and no two files share one (``nonce``), not even of equal plans.
    """

    id: str = ""
    tool: str
    """Version of fleetmgr that made it."""
    made_at: str
    actor: str
    nonce: str
    fleet_digest: str
    selection: Selection
    options: tuple[str, ...]
    """Options that change what a plan says: ``adopt``, ``force``, ``verify=never``."""
    plan: Plan
    clusters: tuple[SavedCluster, ...]


class PlanFile(Struct, frozen=True, kw_only=True):
    """A file as read: ``saved`` is None when another version wrote it in a way that this one cannot read; ``text`` is
    then what there is to show."""

    id: str
    tool: str
    made_at: str
    actor: str
    fleet: str
    revision: str
    text: str
    saved: SavedPlan | None


class Staleness(Struct, frozen=True, kw_only=True):
    """Why a saved plan can no longer be applied, as far as it is known without a cluster; ``since`` is RFC 3339."""

    reasons: tuple[str, ...] = ()
    since: str | None = None
