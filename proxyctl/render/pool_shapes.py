"""What the rows of `pool` look like: apart from the API's own resources, whose shapes nobody here decides."""

from __future__ import annotations

from dataclasses import replace

from proxyctl.render.shapes import (
    ALWAYS,
    CAPABILITIES,
    INCOMING_NUMBER,
    PHONE_NUMBER,
    RESULT,
    Column,
    Kind,
    Shape,
    names,
)

# The same of a run on several Services.
SERVICE_RESULT = replace(
    RESULT,
    fields=(*RESULT.fields, "service"),
    columns=(Column("service", "Service", ALWAYS, Kind.FOLD), *RESULT.columns),
)

# A row a change that `pool apply` would make.
PLANNED = Shape(
    "change",
    "changes",
    ("service", "change", "sid", "phone_number", "field", "before", "after", "from_service", "problem"),
    (
        Column("service", "Service", ALWAYS, Kind.FOLD),
        Column("change", "Change", ALWAYS),
        Column("phone_number", "Phone number", ALWAYS),
        Column("sid", "SID", 30),
        Column("field", "Field", 90),
        Column("before", "Before", 95, Kind.FOLD),
        Column("after", "After", 95, Kind.FOLD),
        Column("from_service", "From", 70, Kind.FOLD),
        Column("problem", "Problem", 80, Kind.FOLD),
    ),
    id_fields=("sid", "phone_number", "service"),
)

# A row a Service: how full and how busy its pool is.
POOL_STATUS = Shape(
    "Service",
    "Services",
    names(
        "service sid reserved reserved_limit unreserved unreserved_limit in_use idle sessions share "
        "by_country by_capability busiest warnings"
    ),
    (),
    maps={"by_capability": CAPABILITIES},
)

# The same for people: texts that are made for a table stand for some of the fields.
POOL_STATUS_BARS = (
    Column("service", "Service", ALWAYS, Kind.FOLD),
    Column("reserved_bar", "Reserved", 95),
    Column("unreserved_bar", "Unreserved", 94),
    Column("in_use", "In use", 85, Kind.NUMBER),
    Column("idle", "Idle", 75, Kind.NUMBER),
    Column("sessions", "Sessions", 80, Kind.NUMBER),
    Column("countries", "Countries", 60, Kind.TEXT),
    Column("media", "Capabilities", 55, Kind.TEXT),
    Column("sid", "SID", 50),
)

# A row a finding of `pool audit`. ``object`` is a SID, ``name`` what people call it.
FINDING = Shape(
    "finding",
    "findings",
    ("severity", "id", "object", "name", "service", "message", "mend"),
    (
        Column("severity", "Severity", ALWAYS),
        Column("name", "Object", ALWAYS, Kind.FOLD),
        Column("message", "Finding", 99, Kind.FOLD),
        Column("mend", "To mend it", 60),
        Column("service", "Service", 50, Kind.FOLD),
        Column("id", "ID", 40),
        Column("object", "SID", 30),
    ),
    id_fields=("object",),
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
