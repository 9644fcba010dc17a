"""Entries of a target that name something: each must name something that is there.

A misspelt image in an overlay would otherwise be a promotion that silently changes nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from fleetmgr.errors import Problem
from fleetmgr.model.target import Target
from fleetmgr.rendering.overlays import Usage
from fleetmgr.rendering.prepare import Prepared

UNMATCHED = "FLT-1311"
_MAX_NAMES = 8


class Wanted:
    """Watches the objects of one target for its images, replicas and exclude entries."""

    def __init__(self, target: Target) -> None:
        """Nothing seen yet."""
        self._target = target
        self._usage = Usage()
        self._excluded: set[tuple[str, str]] = set()
        self._objects: set[str] = set()

    def excludes(self, prepared: Prepared) -> bool:
        """Whether the target leaves the object out."""
        if not self._target.exclude:
            return False
        source_name = self._target.overlay.source_name(prepared.ref.name)
        self._objects.add(f"{prepared.ref.kind}/{source_name}")
        hits = {
            (kind, name)
            for kind, name in self._target.exclude
            if kind == prepared.ref.kind and name in ("", source_name, prepared.ref.name)
        }
        self._excluded |= hits
        return bool(hits)

    def saw(self, prepared: Prepared) -> None:
        """An object that stays."""
        overlay = self._target.overlay
        if overlay.images or overlay.replicas:
            self._usage.add(prepared.usage)

    def problems(self) -> list[Problem]:
        """One for each entry that matched nothing."""
        overlay = self._target.overlay
        found = [
            self._problem(f"images.{name}", "no container uses the image", name, self._usage.images)
            for name in overlay.images
            if name not in self._usage.matched_images
        ]
        found += [
            self._problem(f"replicas.{name}", "no workload has the name", name, self._usage.replicas)
            for name in overlay.replicas
            if name not in self._usage.matched_replicas
        ]
        for kind, name in self._target.exclude:
            if (kind, name) not in self._excluded:
                shown = f"{kind}/{name}" if name else kind
                found.append(self._problem("exclude", "no object matches", shown, self._objects))
        return found

    def _problem(self, key: str, message: str, name: str, names: Iterable[str]) -> Problem:
        known = sorted(names)
        near = difflib.get_close_matches(name, known, n=1)
        shown = ", ".join(known[:_MAX_NAMES]) + (", ..." if len(known) > _MAX_NAMES else "")
        hint = f"did you mean `{near[0]}`? " if near else ""
        return Problem(
            message=f"{key.partition('.')[0]}: {message} `{name}` in app `{self._target.app}`",
            where=self._target.overlay_where.get(key, self._target.where),
            hint=hint + (f"there are: {shown}" if known else "there are none"),
            code=UNMATCHED,
        )
