"""All kinds of rows: their fields in the API's order, and the columns that a table makes of them. Plain data: the order
of columns, which scripts rely on, is in one place.
"""

from __future__ import annotations

from dataclasses import replace

from proxyctl.render.shape import ALWAYS, SID, Column, Kind, Shape, names

__all__ = ["ALWAYS", "SID", "Column", "Kind", "Shape"]

CAPABILITIES = names(
    "voice_inbound voice_outbound sms_inbound sms_outbound mms_inbound mms_outbound fax_inbound fax_outbound "
    "sip_trunking restriction_voice_domestic restriction_sms_domestic restriction_mms_domestic "
    "restriction_fax_domestic"
)

SERVICE = Shape(
    "Service",
    "Services",
    names(
        "sid unique_name account_sid chat_instance_sid callback_url default_ttl number_selection_behavior "
        "geo_match_level intercept_callback_url out_of_session_callback_url date_created date_updated url "
        "links"
    ),
    (
        Column("unique_name", "Unique name", ALWAYS, Kind.FOLD),
        Column("sid", "SID", SID),
        Column("default_ttl", "TTL (s)", 60, Kind.NUMBER),
        Column("geo_match_level", "Geo match", 55),
        Column("number_selection_behavior", "Selection", 50),
        Column("callback_url", "Callback URL", 40, Kind.TEXT),
        Column("date_created", "Created (UTC)", 45, Kind.DATE),
        Column("intercept_callback_url", "Intercept URL", 20, Kind.TEXT),
        Column("out_of_session_callback_url", "Out-of-session URL", 15, Kind.TEXT),
        Column("date_updated", "Updated (UTC)", 30, Kind.DATE),
        Column("chat_instance_sid", "Chat instance SID", 10),
    ),
    maps={"links": ("sessions", "phone_numbers", "short_codes")},
    head=("unique_name", "sid"),
)

# The same with how many numbers each has.
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

PHONE_NUMBER = Shape(
    "number",
    "numbers",
    names(
        "sid account_sid service_sid date_created date_updated phone_number friendly_name iso_country "
        "capabilities url is_reserved in_use"
    ),
    (
        Column("phone_number", "Phone number", ALWAYS),
        Column("sid", "SID", SID),
        Column("is_reserved", "Reserved", 90),
        Column("in_use", "In use", 85, Kind.LOAD),
        Column("iso_country", "Country", 70),
        Column("capabilities", "Capabilities", 60, Kind.TEXT),
        Column("date_created", "Added (UTC)", 50, Kind.DATE),
        Column("friendly_name", "Friendly name", 40, Kind.TEXT),
        Column("service_sid", "Service SID", 30),
        Column("date_updated", "Updated (UTC)", 20, Kind.DATE),
    ),
    maps={"capabilities": CAPABILITIES},
    head=("phone_number", "sid"),
    totals={"is_reserved": "reserved", "in_use": "in use"},
)

SESSION = Shape(
    "Session",
    "Sessions",
    names(
        "sid service_sid account_sid date_started date_ended date_last_interaction date_expiry unique_name "
        "status closed_reason ttl mode date_created date_updated url links"
    ),
    (
        Column("unique_name", "Unique name", 80, Kind.FOLD),
        Column("sid", "SID", ALWAYS),
        Column("status", "Status", 90),
        Column("mode", "Mode", 50),
        Column("ttl", "TTL (s)", 40, Kind.NUMBER),
        Column("date_started", "Started (UTC)", 60, Kind.DATE),
        Column("date_last_interaction", "Last interaction (UTC)", 55, Kind.DATE),
        Column("date_expiry", "Expires (UTC)", 45, Kind.DATE),
        Column("date_ended", "Ended (UTC)", 35, Kind.DATE),
        Column("closed_reason", "Closed for", 30, Kind.TEXT),
    ),
    maps={"links": ("interactions", "participants")},
)

INCOMING_NUMBER = Shape(
    "number",
    "numbers",
    (
        *names("account_sid address_sid address_requirements api_version beta capabilities date_created"),
        *names("date_updated friendly_name identity_sid phone_number origin sid sms_application_sid"),
        *names("sms_fallback_method sms_fallback_url sms_method sms_url status_callback"),
        *names("status_callback_method trunk_sid uri voice_receive_mode voice_application_sid"),
        *names("voice_caller_id_lookup voice_fallback_method voice_fallback_url voice_method voice_url"),
        *names("emergency_status emergency_address_sid emergency_address_status bundle_sid status type"),
    ),
    (
        Column("phone_number", "Phone number", ALWAYS),
        Column("sid", "SID", SID),
        Column("friendly_name", "Friendly name", 60, Kind.TEXT),
        Column("capabilities", "Capabilities", 70, Kind.TEXT),
        Column("date_created", "Bought (UTC)", 50, Kind.DATE),
        Column("voice_url", "Voice URL", 40, Kind.TEXT),
        Column("sms_url", "SMS URL", 35, Kind.TEXT),
        Column("status", "Status", 30),
    ),
    maps={"capabilities": ("voice", "sms", "mms", "fax")},
)


# A row an item of a bulk run.
RESULT = Shape(
    "item",
    "items",
    ("input", "sid", "phone_number", "action", "is_reserved", "error"),
    (
        Column("phone_number", "Phone number", ALWAYS),
        Column("sid", "SID", SID),
        Column("action", "Action", 95),
        Column("error.message", "Error", 90, Kind.FOLD),
        Column("error.code", "Code", 80, Kind.NUMBER),
        Column("is_reserved", "Reserved", 70),
        Column("input", "Input", 60, Kind.TEXT),
    ),
    id_fields=("sid", "input"),
    maps={"error": ("code", "message", "exit_code")},
)

FOUND = Shape(
    "number",
    "numbers",
    ("phone_number", "sid", "service_sid", "service"),
    (
        Column("phone_number", "Phone number", ALWAYS),
        Column("sid", "SID", SID),
        Column("service", "Service", 90, Kind.FOLD),
        Column("service_sid", "Service SID", 80),
    ),
)

PROFILE = Shape(
    "profile",
    "profiles",
    ("name", "default", "account_sid", "auth", "base_url", "region", "edge", "protected"),
    (
        Column("name", "Name", ALWAYS, Kind.FOLD),
        Column("default", "Default", 80),
        Column("account_sid", "Account SID", SID),
        Column("auth", "Auth", 70),
        Column("protected", "Protected", 60),
        Column("base_url", "Base URL", 50, Kind.TEXT),
        Column("region", "Region", 40),
        Column("edge", "Edge", 30),
    ),
    id_fields=("name",),
)

HISTORY = Shape(
    "run",
    "runs",
    names("id time verb service changed unchanged failed skipped unknown seconds exit_code command"),
    (
        Column("sign", " ", 99),  # for a table alone
        Column("id", "ID", ALWAYS),
        Column("service", "Service", 99, Kind.TEXT),
        Column("command", "Command", 99, Kind.TEXT),
        Column("changed", "Changed", 98, Kind.NUMBER),
        Column("failed", "Failed", 97, Kind.NUMBER),
        Column("unknown", "Unknown", 96, Kind.NUMBER),
        Column("skipped", "Skipped", 95, Kind.NUMBER),
        Column("unchanged", "Unchanged", 80, Kind.NUMBER),
        Column("exit_code", "Exit", 90, Kind.NUMBER),
        Column("took", "Took", 70),  # the seconds, for a table alone
    ),
    id_fields=("id",),
)

# What a run did, or was about to do, to one thing.
HISTORY_ITEM = Shape(
    "item",
    "items",
    names("index action input sid phone_number before after state at request_id code message"),
    (
        Column("action", "Action", ALWAYS, Kind.FOLD),
        Column("state", "State", ALWAYS),
        Column("phone_number", "Phone number", 90),
        Column("sid", "SID", 95),
        Column("code", "Code", 50, Kind.NUMBER),
        Column("message", "Message", 80, Kind.FOLD),
        Column("before", "Before", 60, Kind.TEXT),
        Column("after", "After", 65, Kind.TEXT),
        Column("at", "At (UTC)", 70, Kind.DATE),
        Column("request_id", "Request ID", 40),
        Column("input", "Input", 30, Kind.TEXT),
        Column("index", "Index", 10, Kind.NUMBER),
    ),
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
        "by_country by_capability busiest warnings by_sessions"
    ),
    (),
    maps={"by_capability": CAPABILITIES, "by_sessions": ("0", "1-49", "50-99", "100+")},
)

# The same of each part of it, by what --by names.
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

# A row a finding of `pool audit`. ``object`` is a SID, ``name`` what people call it.
FINDING = Shape(
    "finding",
    "findings",
    ("severity", "id", "object", "name", "service", "message", "fix"),
    (
        Column("severity", "Severity", ALWAYS),
        Column("name", "Object", ALWAYS, Kind.FOLD),
        Column("message", "Finding", 99, Kind.FOLD),
        Column("fix", "Fix", 60),
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
