"""Health rules of fleet.yaml: the first that holds decides, before the built-in rule of the kind.

A rule that cannot be evaluated (a field that is not there, a type that does not fit) makes the object Unknown with
the reason: a wrong rule must be seen, and must not stop a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from fleetmgr.health.conditions import Rule, unknown
from fleetmgr.model.health import Health, HealthStatus
from fleetmgr.model.jsontypes import Json, JsonObject, is_array, is_object
from fleetmgr.model.objects import GroupKind
from fleetmgr.spec.cel import VARIABLES, compiled, nesting
from fleetmgr.spec.cel_library import library

if TYPE_CHECKING:
    from cel import Context, Program

    from fleetmgr.spec.health import HealthRule, KindHealth

_LARGEST = (200_000, 5_000, 150)
"""Items of the largest list or map, by how deep comprehensions nest: each took less than a second (``map`` copies
its list at every item)."""
_MOST_VALUES = 200_000
_LONGEST_MESSAGE = 500


class _Compiled(Struct, frozen=True):
    status: HealthStatus
    when: Program
    message: str
    expression: Program | None
    depth: int
    sums: int
    """How often lists may be joined to longer ones."""
    variables: frozenset[str]
    """Of ``self`` and ``object``, those that it reads."""


class CustomRules:
    """Rules by kind; compiled when the first object of the kind is judged."""

    def __init__(self, kinds: Iterable[KindHealth] = ()) -> None:
        """``kinds`` as loaded: every expression is known to compile."""
        self._kinds: Mapping[GroupKind, KindHealth] = {GroupKind(k.group, k.kind): k for k in kinds}
        self._rules: dict[GroupKind, list[_Compiled]] = {}

    def __contains__(self, kind: object) -> bool:
        """Whether the fleet has rules for the kind."""
        return kind in self._kinds

    def judge(self, kind: GroupKind, live: JsonObject, built_in: Rule) -> Health:
        """Health of an object of a kind that has rules; ``built_in`` decides when none holds."""
        entry = self._kinds[kind]
        rules = self._rules.get(kind)
        if rules is None:
            rules = self._rules[kind] = [_compiled(rule) for rule in entry.rules]
        too_large = _too_large(
            live, max((r.depth for r in rules), default=0), max((r.sums for r in rules), default=0)
        )
        if too_large:
            return unknown(f"cannot be judged by the rules of fleet.yaml: {too_large}")
        found = _first(rules, live)
        if found is not None:
            return found
        return built_in(live) if entry.default is None else Health(status=HealthStatus(entry.default))


def _compiled(rule: HealthRule) -> _Compiled:
    told = rule.message_expression
    texts = [rule.when, *([told] if told is not None else [])]
    programs = [compiled(text) for text in texts]
    return _Compiled(
        HealthStatus(rule.status),
        programs[0],
        rule.message or "",
        programs[1] if told is not None else None,
        max(nesting(text) for text in texts),
        max(text.count("+") + text.count(",") for text in texts),
        VARIABLES & {name for program in programs for name in program.variables()},
    )


def _first(rules: list[_Compiled], live: JsonObject) -> Health | None:
    try:
        used = {name for rule in rules for name in rule.variables}
        context: Context = library().Context(dict.fromkeys(used, live))  # the object is copied for each name
    except Exception as error:  # noqa: BLE001 - what the library cannot take must not stop a run
        return unknown(f"cannot be given to the rules of fleet.yaml: {_said(error)}")
    for number, rule in enumerate(rules, start=1):
        try:
            holds: Json = rule.when.execute(context)
            if holds is True:
                return Health(status=rule.status, message=_message(rule, context))
        except Exception as error:  # noqa: BLE001 - as above
            return unknown(f"rule {number} of fleet.yaml cannot be evaluated: {_said(error)}")
        if holds is not False:
            return unknown(f"rule {number} of fleet.yaml gives {type(holds).__name__}, not true or false")
    return None


def _message(rule: _Compiled, context: Context) -> str:
    if rule.expression is None:
        return rule.message
    return str(rule.expression.execute(context))[:_LONGEST_MESSAGE]


def _said(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"there is no field {error} (ask with has() first)"
    return " ".join(str(error).split())[:200]


def _too_large(live: JsonObject, depth: int, sums: int) -> str:
    """Why the object is too large for expressions that nest ``depth`` deep; "" when it is not."""
    most, total = _LARGEST[depth] // (1 + sums), 0
    left: list[Json] = [live]
    while left:
        value = left.pop()
        items = list(value.values()) if is_object(value) else value if is_array(value) else []
        total += len(items)
        if len(items) > most:
            return f"it has a list or map of {len(items)} items; these rules allow {most}"
        if total > _MOST_VALUES:
            return f"it has more than {_MOST_VALUES} values"
        left += [item for item in items if isinstance(item, (dict, list))]
    return ""


NONE = CustomRules()
