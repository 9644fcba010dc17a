"""What the program of Pulumi.yaml must know of a cluster before it registers anything.

Plain ``pulumi up`` does not look at a cluster as our engines do: it deletes by its own state. So the program looks
once: whether this is the cluster of the entry, what it serves, and whether it holds an inventory of which the state
may know nothing.
"""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.engine.registering import beyond_pulumi, registered
from fleetmgr.engine.rerun import marked
from fleetmgr.errors import InvalidInput
from fleetmgr.model.objects import GroupKind
from fleetmgr.model.resource import Stack, field_manager
from fleetmgr.operations.embedded.entry import NAMESPACES, Entry, meet
from fleetmgr.operations.embedded.pulumi.served import served_kinds
from fleetmgr.operations.embedded.scene import bare_namespace, exists
from fleetmgr.ports.cluster import ClusterClient
from fleetmgr.veiled import Veiled


class Ground(Veiled, frozen=True, kw_only=True):
    """``stack`` complete for registration; ``inventory`` are the apps that the cluster remembers of this entry."""

    VEILED = frozenset({"stack"})

    stack: Stack
    inventory: tuple[str, ...]


def look(client: ClusterClient, entry: Entry, stack: Stack) -> Ground:
    """Read the cluster; nothing is written.

    Raises WrongCluster, ClusterError, and InvalidInput for what plain Pulumi would get wrong.
    """
    contact = meet(client, entry)
    stack = replace(stack, resources=tuple(marked(stack.resources, stack.apps)))
    complete = registered(stack, served_kinds(client.discover()))
    problems = beyond_pulumi(complete)
    if problems:
        raise InvalidInput(problems)
    return Ground(stack=complete, inventory=tuple(sorted(contact.parents)))


def make_namespaces(client: ClusterClient, stack: Stack) -> tuple[str, ...]:
    """Create the namespaces that apps make for themselves (``createNamespace``) and that are not there, as the
    embedded engine does: they are nobody's resources. Answers with their names. Raises ClusterError."""
    making = {app.name for app in stack.apps if app.create_namespace}
    owned = {r.ref.name for r in stack.resources if r.ref.key.group_kind == GroupKind("", "Namespace")}
    needed = {r.ref.namespace for r in stack.resources if r.app in making} - owned - {""}
    missing = tuple(name for name in sorted(needed) if not exists(client, name))
    for name in missing:
        body = bare_namespace(name, fleet=stack.fleet)
        client.apply(NAMESPACES, body, manager=field_manager(stack.fleet), force=False, dry_run=False)
    return missing
