"""All kinds of rows: their fields in the API's order, and the columns that a table makes of them. Plain data: the order
of columns, which scripts rely on, is in one file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from proxyctl.render.shape import Column, Kind
from proxyctl.render.shape import Shape as Shape

TABLES: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("shapes.json").read_text(encoding="utf-8")
)


def whole(name: str) -> dict[str, Any]:
    """Return a table of the file. One that is ``of`` another adds its fields, and its columns from place ``at`` on."""
    table = TABLES[name]
    if "of" not in table:
        return table
    base = whole(table["of"])
    fields, columns = base["fields"], base["columns"]
    at = table.get("at", len(columns))
    columns = [*columns[:at], *table.get("columns", ()), *columns[at:]]
    return {**base, **table, "fields": [*fields, *table.get("fields", ())], "columns": columns}


def shape(name: str) -> Shape:
    """Return a shape of the file, in which a column is a field, a title, an importance and a kind."""
    table = whole(name)
    names = {key: tuple(table[key]) for key in ("fields", "id_fields", "head") if key in table}
    return Shape(
        table["noun"],
        table["plural"],
        columns=tuple(
            Column(field, title, importance, *map(Kind, kind))
            for field, title, importance, *kind in table["columns"]
        ),
        maps={field: tuple(keys) for field, keys in table.get("maps", {}).items()},
        totals=table.get("totals", {}),
        **names,
    )


SERVICE = shape("SERVICE")
COUNTED_SERVICE = shape("COUNTED_SERVICE")
PHONE_NUMBER = shape("PHONE_NUMBER")
SERVICE_NUMBER = shape("SERVICE_NUMBER")
UNASSIGNED = shape("UNASSIGNED")
FOUND = shape("FOUND")
SESSION = shape("SESSION")
SHOWN_SESSION = shape("SHOWN_SESSION")
LISTED_SESSION = shape("LISTED_SESSION")
SERVICE_SESSION = shape("SERVICE_SESSION")
SERVICE_LISTED_SESSION = shape("SERVICE_LISTED_SESSION")
PARTICIPANT = shape("PARTICIPANT")
INTERACTION = shape("INTERACTION")
CALLBACK = shape("CALLBACK")
RESULT = shape("RESULT")
SERVICE_RESULT = shape("SERVICE_RESULT")
SESSION_RESULT = shape("SESSION_RESULT")
PROFILE = shape("PROFILE")
CREDENTIALS = shape("CREDENTIALS")
HISTORY = shape("HISTORY")
HISTORY_ITEM = shape("HISTORY_ITEM")
PLANNED = shape("PLANNED")
FINDING = shape("FINDING")
POOL_STATUS = shape("POOL_STATUS")
POOL_SESSIONS = shape("POOL_SESSIONS")
# By what --by names.
POOL_PARTS = {
    "country": shape("POOL_COUNTRY"),
    "area-code": shape("POOL_AREA_CODE"),
    "capability": shape("POOL_CAPABILITY"),
}
