"""What the person or pipeline behind one run has said yes to, beyond the run itself."""

from __future__ import annotations

from msgspec import Struct

from fleetmgr.model.limits import Allowance
from fleetmgr.model.objects import ObjectRef


class Consent(Struct, frozen=True, kw_only=True):
    """``max_deletes``: so much may be deleted in this run, whatever fleet.yaml allows. ``confirm_deletes``: deletes
    that wait for a confirmation have it. ``protected``: ``KIND/NAMESPACE/NAME`` (``KIND/NAME`` without a namespace)
    of protected objects that may be deleted; ``Namespace/NAME/*`` together with what others have in it."""

    max_deletes: Allowance | None = None
    confirm_deletes: bool = False
    protected: frozenset[str] = frozenset()

    def names(self, ref: ObjectRef) -> bool:
        """Whether a protected object may be deleted."""
        return bool(self.protected) and (address(ref) in self.protected or self.names_contents(ref))

    def names_contents(self, namespace: ObjectRef) -> bool:
        """Whether a Namespace may be deleted with what others have in it."""
        return f"{address(namespace)}/*" in self.protected


NO_CONSENT = Consent()


def address(ref: ObjectRef) -> str:
    """How an object is named on the command line."""
    return "/".join(part for part in (ref.kind, ref.namespace, ref.name) if part)
