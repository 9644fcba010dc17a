"""``fleet explain`` for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from fleetmgr.errors import Where
from fleetmgr.model.explanation import ExplainedValue
from fleetmgr.model.jsontypes import Json, JsonObject
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.problems import API_VERSION, where_data
from fleetmgr.reporting.style import PLAIN, Paint
from fleetmgr.reporting.table import columns


def explanation_text(rows: Sequence[ExplainedValue], *, paint: Paint = PLAIN) -> str:
    """A table: key, value, layer, file:line."""
    head = ("KEY", "VALUE", "LAYER", "WHERE")
    table = [head, *((row.key, _shown(row.value), row.layer, _place(row.where)) for row in rows)]
    cells = [[visible(cell) for cell in line] for line in table]
    lines = columns(cells, paint=lambda number, _, text: paint("bold", text) if number == 0 else text)
    return "\n".join(lines) + "\n"


def explanation_data(app: str, cluster: str, rows: Sequence[ExplainedValue]) -> JsonObject:
    """Kind ``Explanation``."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Explanation",
        "app": app,
        "cluster": cluster,
        "values": [_row(row) for row in rows],
    }


def _row(row: ExplainedValue) -> JsonObject:
    data: JsonObject = {"key": row.key, "value": row.value, "layer": row.layer}
    if row.where is not None:
        data["where"] = where_data(row.where)
    return data


def _shown(value: Json) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _place(where: Where | None) -> str:
    return f"{where.file}:{where.line}" if where else ""
