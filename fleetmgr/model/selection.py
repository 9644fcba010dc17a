"""What a command line selects of a fleet."""

from __future__ import annotations

from msgspec import Struct


class Selection(Struct, frozen=True, kw_only=True):
    """Names of one flag are alternatives, different flags must all hold; every selector must hold."""

    environments: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()

    @property
    def everything(self) -> bool:
        """Whether nothing was narrowed down."""
        return not (self.environments or self.clusters or self.apps or self.selectors)

    @property
    def every_app(self) -> bool:
        """Whether all apps of the selected clusters are meant."""
        return not self.apps
