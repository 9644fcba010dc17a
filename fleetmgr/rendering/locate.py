"""Where a field of an object was written, found again on demand.

Objects keep only the line of their first key; when a server complains about
``spec.template.spec.containers[0].image`` the file is read once more. Rare, so nothing is kept for it.
"""

from __future__ import annotations

import re

import yaml

from fleetmgr.errors import InvalidInput
from fleetmgr.rendering.yaml_reader import compose

_STEP = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")


def field_position(content: bytes, document: int, path: str) -> tuple[int, int] | None:
    """1-based (line, column) of a field's key, or of its nearest parent that is there.

    ``document`` counts from 0 (``Origin.document``); ``path`` is as the API server writes it, such as
    ``spec.containers[0].image`` or ``metadata.labels[app.kubernetes.io/name]``, after ``Origin.item`` for
    the objects of a List. None when the document cannot be read or not even the first part is there.
    """
    try:
        nodes = compose(content, name="")
    except InvalidInput:
        return None
    if document >= len(nodes):
        return None
    node, place = nodes[document], None
    for match in _STEP.finditer(path):
        found = _child(node, match[1] if match[1] is not None else match[2])
        if found is None:
            break
        marked, node = found
        place = (marked.start_mark.line + 1, marked.start_mark.column + 1)
    return place


def _child(node: yaml.Node | None, step: str) -> tuple[yaml.Node, yaml.Node] | None:
    """(the node to point at, the value) for one step into a mapping or sequence."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == step:
                return key, value
    elif isinstance(node, yaml.SequenceNode) and step.isdecimal() and int(step) < len(node.value):
        item: yaml.Node = node.value[int(step)]
        return item, item
    return None
