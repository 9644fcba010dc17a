"""Objects that only look different: counted, and listed where somebody asks."""

from __future__ import annotations

from collections.abc import Sequence

from fleetmgr.model.change import Noise, Plan
from fleetmgr.model.enumeration import counted
from fleetmgr.model.grouping import ChangeGroup

NOISE_WORDS = {
    Noise.ADMISSION: "only what Git does not name would change",
    Noise.REWRITTEN: "the server stores it in another form",
    Noise.GENERATION: "only its generation would rise",
}


def noise_lines(plan: Plan, groups: Sequence[ChangeGroup]) -> list[str]:
    """``Noise: 3 objects differ only by ...``; how to see them, unless ``groups`` has them."""
    number = sum(1 for cluster in plan.clusters for change in cluster.changes if change.noise is not None)
    if not number:
        return []
    listed = any(group.change.noise is not None for group in groups)
    differ = "differs" if number == 1 else "differ"
    hint = "" if listed else "; --show-noise lists " + ("it" if number == 1 else "them")
    return [f"Noise: {counted(number, 'object')} {differ} only by defaulting or admission{hint}."]
