"""All kinds of rows: their fields in the API's order, and the columns that a table makes of them. Plain data: the order
of columns, which scripts rely on, is in one file.
"""

from __future__ import annotations

import json
from functools import cache
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


@cache
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


def __getattr__(name: str) -> Shape:
    """Return a shape of the file, `shapes.SERVICE` for one, when it is asked for."""
    if name not in TABLES:
        raise AttributeError(f"shapes.json has no {name}")
    return shape(name)


# By what --by names.
POOL_PARTS = {
    "country": shape("POOL_COUNTRY"),
    "area-code": shape("POOL_AREA_CODE"),
    "capability": shape("POOL_CAPABILITY"),
}
