"""The real kustomize: it turns a tree of files into objects. Its rules are its own; we copy none of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import field

from fleetmgr.errors import FleetError
from fleetmgr.veiled import Veiled


class KustomizeTree(Veiled, frozen=True, kw_only=True):
    """Everything that kustomize may read, and nothing else: it runs in a folder that holds only this.

    ``files`` by path, ``links`` by path with their targets as written; both relative to the tree's top and
    checked by whoever made the tree. ``folder`` has the kustomization file to build.
    """

    VEILED = frozenset({"files"})

    folder: str
    files: Mapping[str, bytes]
    links: Mapping[str, str] = field(default_factory=dict[str, str])


class KustomizeFailed(FleetError):
    """kustomize refuses its input; the message is its own, with our paths."""

    code = "FLT-1210"


class Kustomizer(Protocol):
    """Builds trees."""

    def build(self, tree: KustomizeTree) -> bytes:
        """The objects as a YAML stream, each with the annotation ``config.kubernetes.io/origin``: the file
        that it comes from, relative to the tree's top behind ``../tree/``.

        Raises KustomizeFailed, and FleetError when there is no kustomize.
        """
        ...
