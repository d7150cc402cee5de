"""What the rows of `pool` look like: apart from the API's own resources, whose shapes nobody here decides."""

from __future__ import annotations

from dataclasses import replace

from proxyctl.render.shapes import ALWAYS, RESULT, Column, Kind, Shape

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
