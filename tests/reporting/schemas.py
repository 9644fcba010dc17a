"""Holds what commands print to the published schemas."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from jsonschema import Draft202012Validator

from fleetmgr.reporting.schema import EVENT, OUTPUT_KINDS, output_schema

BY_KIND = {kind: name for name, kind in OUTPUT_KINDS.items()}


@lru_cache
def _validator(name: str) -> Any:
    schema = output_schema(name)
    Draft202012Validator.check_schema(schema)
    return cast("Any", Draft202012Validator)(schema)


def problems_of(document: Mapping[str, Any]) -> list[str]:
    """Where and how ``document`` is not what the schema of its kind says; a kind without one is an event."""
    name = BY_KIND.get(str(document["kind"]), EVENT)
    return [f"{error.json_path}: {error.message}" for error in _validator(name).iter_errors(document)]


def hold_to_schemas(text: str) -> None:
    """Fails when ``text`` is a JSON document, or lines of them, of ours that its schema does not allow."""
    if not text.startswith("{"):
        return
    texts = [text] if text.startswith("{\n") else text.splitlines()
    for document in (json.loads(part) for part in texts):
        if document.get("apiVersion") == "fleetmgr.dev/v1":
            assert problems_of(document) == []
