"""What can be wrong with ``ignoreDifferences``: paths that are none, and rules that name no field."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from fleetmgr.errors import Problem
from fleetmgr.spec.app import App, IgnoredDifference
from fleetmgr.spec.field_paths import jq_path, pointer
from fleetmgr.spec.loaded import Places
from fleetmgr.spec.path_steps import BadPath, FieldPath
from fleetmgr.spec.yaml_tree import Key

BAD_PATH = "FLT-1110"
NO_FIELD = "FLT-1111"


def check_ignored(apps: Mapping[int, App], places: Places) -> Iterator[Problem]:
    """Every problem of every app's rules."""
    for index, app in apps.items():
        for number, rule in enumerate(app.ignore_differences):
            at: tuple[Key, ...] = ("apps", index, "ignoreDifferences", number)
            if not (rule.pointers or rule.jq_path_expressions or rule.managed_fields_managers):
                message = "this rule names no field"
                hint = "give it `pointers`, `jqPathExpressions` or `managedFieldsManagers`"
                yield places.find(*at).problem(message, code=NO_FIELD, hint=hint)
            yield from _paths(rule, at, places)


def _paths(rule: IgnoredDifference, at: tuple[Key, ...], places: Places) -> Iterator[Problem]:
    written: tuple[tuple[str, tuple[str, ...], Callable[[str], FieldPath]], ...] = (
        ("pointers", rule.pointers, pointer),
        ("jqPathExpressions", rule.jq_path_expressions, jq_path),
    )
    for name, texts, read in written:
        for number, text in enumerate(texts):
            try:
                read(text)
            except BadPath as error:
                place = places.find(*at, name, number)
                yield place.problem(f"the path `{text[:80]}` {error}", code=BAD_PATH, hint=error.hint)
