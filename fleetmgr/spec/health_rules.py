"""What can be wrong with health rules beyond their form: expressions, and kinds that are given twice."""

from __future__ import annotations

from collections.abc import Iterator

from fleetmgr.errors import Problem
from fleetmgr.spec.cel import BadExpression, compiled
from fleetmgr.spec.health import KindHealth
from fleetmgr.spec.loaded import Places

NOT_CEL = "FLT-1030"
TOO_COSTLY = "FLT-1031"
TWICE = "FLT-1007"


def check_health(kinds: tuple[KindHealth, ...], places: Places) -> Iterator[Problem]:
    """Expressions that do not compile or may cost too much, and kinds that are given twice."""
    first: dict[tuple[str, str], str] = {}
    for index, entry in enumerate(kinds):
        place = places.find("health", index, "kind")
        key = (entry.group, entry.kind)
        if key in first:
            message = f"health of `{entry.kind}` is given twice, first at {first[key]}"
            yield place.problem(message, code=TWICE, hint="put all rules of a kind in one entry")
        first.setdefault(key, str(place.where()))
        for number, rule in enumerate(entry.rules):
            path = ("health", index, "rules", number)
            yield from _expression(rule.when, places, *path, "when")
            if rule.message_expression is not None:
                yield from _expression(rule.message_expression, places, *path, "messageExpression")


def _expression(text: str, places: Places, *path: str | int) -> Iterator[Problem]:
    try:
        compiled(text)
    except BadExpression as error:
        code = TOO_COSTLY if error.costly else NOT_CEL
        what = "the expression" if error.costly else "no CEL expression:"
        hint = None if error.costly else "the language is at https://cel.dev; the object is `self`"
        yield places.find(*path).problem(f"{what} {error}", code=code, hint=hint)
