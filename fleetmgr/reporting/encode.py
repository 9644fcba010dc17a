"""Plain data as JSON or YAML: the same content, ASCII only, so that no terminal obeys a value."""

from __future__ import annotations

import json

import yaml

from fleetmgr.model.jsontypes import JsonObject


class _Dumper(yaml.CSafeDumper):
    """Writes repeated values in full: anchors are for nobody's eyes."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


def to_json(data: JsonObject) -> str:
    """Indented JSON with a final newline."""
    return json.dumps(data, indent=2) + "\n"


def to_yaml(data: JsonObject) -> str:
    """One YAML document, keys in the given order."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=1_000)
