"""What two fields of an app say that may be written in a short and in a long form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from fleetmgr.spec.app import App


class Needed(Struct, frozen=True, kw_only=True):
    """An app that another one needs; ``optional`` where it need not be placed on the same cluster."""

    name: str
    optional: bool = False


def dependencies(app: App) -> tuple[Needed, ...]:
    """``dependsOn`` in its long form."""
    return tuple(
        Needed(name=d) if isinstance(d, str) else Needed(name=d.name, optional=d.optional)
        for d in app.depends_on
    )


def namespace_name(app: App) -> str:
    """The namespace, however it was written."""
    return app.namespace if isinstance(app.namespace, str) else app.namespace.name
