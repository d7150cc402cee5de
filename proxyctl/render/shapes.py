"""All kinds of rows: their fields in the API's order, and the columns that a table makes of them. Plain data: the order
of columns, which scripts rely on, is in one file.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from proxyctl.render.shape import ALWAYS, Column, Kind, Shape

__all__ = ["Shape"]

_TABLES = json.loads(Path(__file__).with_name("shapes.json").read_text(encoding="utf-8"))


def _shape(name: str) -> Shape:
    """Return a shape of the file, in which a column is a field, a title, an importance and a kind."""
    table = _TABLES[name]
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


SERVICE = _shape("SERVICE")
PHONE_NUMBER = _shape("PHONE_NUMBER")
SESSION = _shape("SESSION")
CALLBACK = _shape("CALLBACK")
PARTICIPANT = _shape("PARTICIPANT")
INTERACTION = _shape("INTERACTION")
INCOMING_NUMBER = _shape("INCOMING_NUMBER")
RESULT = _shape("RESULT")
SESSION_RESULT = _shape("SESSION_RESULT")
FOUND = _shape("FOUND")
PROFILE = _shape("PROFILE")
CREDENTIALS = _shape("CREDENTIALS")
HISTORY = _shape("HISTORY")
HISTORY_ITEM = _shape("HISTORY_ITEM")
PLANNED = _shape("PLANNED")
FINDING = _shape("FINDING")
POOL_STATUS = _shape("POOL_STATUS")
POOL_STATUS = replace(
    POOL_STATUS, maps={"by_capability": PHONE_NUMBER.maps["capabilities"], **POOL_STATUS.maps}
)

# Services with how many numbers each has.
COUNTED_SERVICE = replace(
    SERVICE,
    fields=(*SERVICE.fields, "reserved", "unreserved"),
    columns=(
        *SERVICE.columns[:2],
        Column("reserved", "Reserved", 98, Kind.NUMBER),
        Column("unreserved", "Unreserved", 97, Kind.NUMBER),
        *SERVICE.columns[2:],
    ),
)

# The items of a run on several Services.
SERVICE_RESULT = replace(
    RESULT,
    fields=(*RESULT.fields, "service"),
    columns=(Column("service", "Service", ALWAYS, Kind.FOLD), *RESULT.columns),
)

# A pool with what holds its numbers.
POOL_SESSIONS = replace(
    POOL_STATUS,
    fields=(
        *POOL_STATUS.fields,
        *("active_sessions", "oldest_session", "sessions_without_expiry", "sessions_expired", "crowded"),
    ),
)

# A pool by each part of it, by what --by names.
POOL_PARTS = {
    by: replace(
        POOL_STATUS,
        noun="row",
        plural="rows",
        fields=(*POOL_STATUS.fields, name),
        columns=(
            Column("service", "Service", ALWAYS, Kind.FOLD),
            Column(name, title, ALWAYS),
            Column("reserved", "Reserved", 95, Kind.NUMBER),
            Column("unreserved", "Unreserved", 98, Kind.NUMBER),
            Column("in_use", "In use", 90, Kind.NUMBER),
            Column("sessions", "Sessions", 85, Kind.NUMBER),
        ),
    )
    for by, name, title in (
        ("country", "country", "Country"),
        ("area-code", "area_code", "Area code"),
        ("capability", "capability", "Capability"),
    )
}

# Sessions with what `session show` adds, and with what tables of `session list` add: who is in them, and the Service.
SHOWN_SESSION = replace(
    SESSION,
    fields=(*SESSION.fields, "ends_about"),
    columns=(*SESSION.columns, Column("ends_about", "Ends about (UTC)", 65, Kind.DATE)),
    head=("unique_name", "sid"),
)
LISTED_SESSION = replace(
    SESSION,
    columns=(*SESSION.columns[:3], Column("who", "Participants", 95, Kind.FOLD), *SESSION.columns[3:]),
)
SERVICE_SESSION, SERVICE_LISTED_SESSION = (
    replace(shape, columns=(Column("service", "Service", ALWAYS, Kind.FOLD), *shape.columns))
    for shape in (SESSION, LISTED_SESSION)
)

# The numbers of several Services, as a table names them: SIDs of Services would leave no room.
SERVICE_NUMBER = replace(
    PHONE_NUMBER, columns=(Column("service", "Service", ALWAYS, Kind.FOLD), *PHONE_NUMBER.columns)
)

# The account's numbers in no pool, and the Messaging Service that has them.
UNASSIGNED = replace(
    INCOMING_NUMBER,
    fields=(*INCOMING_NUMBER.fields, "messaging_service_sid"),
    columns=(
        *INCOMING_NUMBER.columns,
        Column("messaging_service", "Messaging Service", 90, Kind.FOLD),  # its name, for a table alone
        Column("messaging_service_sid", "Messaging Service SID", 20),
    ),
)
