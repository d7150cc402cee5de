"""Messaging Services and their senders, as far as Proxy pools meet them.

``use_inbound_webhook_on_number`` is stored and shown. At Twilio it decides whose webhook gets an incoming
message; no document says that it changes a number's own fields, so it does not here.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from proxyctl.sandbox.api.resource import (
    PAGE_AT_MOST,
    Collection,
    Parameters,
    capabilities,
    flag,
    iso_date,
    member,
    method,
    optional,
    read_form,
    required,
    sid,
    text_of,
    url,
    whole,
)
from proxyctl.sandbox.context import SENDERS_AT_MOST, ApiError, Context, Reply, not_found

_VALIDITY_AT_MOST = 36000
_PARAMETERS: Parameters = {
    "FriendlyName": ("friendly_name", required(text_of(64))),
    "InboundRequestUrl": ("inbound_request_url", optional(url())),
    "InboundMethod": ("inbound_method", method()),
    "FallbackUrl": ("fallback_url", optional(url())),
    "FallbackMethod": ("fallback_method", method()),
    "StatusCallback": ("status_callback", optional(url())),
    "StickySender": ("sticky_sender", flag),
    "MmsConverter": ("mms_converter", flag),
    "SmartEncoding": ("smart_encoding", flag),
    "ScanMessageContent": ("scan_message_content", member("inherit", "enable", "disable")),
    "FallbackToLongCode": ("fallback_to_long_code", flag),
    "AreaCodeGeomatch": ("area_code_geomatch", flag),
    "ValidityPeriod": ("validity_period", whole(1, _VALIDITY_AT_MOST)),
    "SynchronousValidation": ("synchronous_validation", flag),
    "Usecase": ("usecase", required(text_of(64))),
    "UseInboundWebhookOnNumber": ("use_inbound_webhook_on_number", flag),
}
DEFAULTS: dict[str, Any] = {
    "inbound_request_url": None,
    "inbound_method": "POST",
    "fallback_url": None,
    "fallback_method": "POST",
    "status_callback": None,
    "sticky_sender": True,
    "mms_converter": True,
    "smart_encoding": True,
    "scan_message_content": "inherit",
    "fallback_to_long_code": True,
    "area_code_geomatch": True,
    "synchronous_validation": False,
    "validity_period": _VALIDITY_AT_MOST,
    "usecase": "undeclared",
    "us_app_to_person_registered": False,
    "use_inbound_webhook_on_number": False,
}
# link: path below the Service
_LINKS = {
    "phone_numbers": "PhoneNumbers",
    "short_codes": "ShortCodes",
    "alpha_senders": "AlphaSenders",
    "messages": "Messages",
    "us_app_to_person": "Compliance/Usa2p",
    "us_app_to_person_usecases": "Compliance/Usa2p/Usecases",
    "channel_senders": "ChannelSenders",
    "destination_alpha_senders": "DestinationAlphaSenders",
}


def _present(context: Context, row: sqlite3.Row, url: str) -> dict[str, Any]:
    return {
        "sid": row["sid"],
        "account_sid": context.account_sid,
        "friendly_name": row["friendly_name"],
        "date_created": iso_date(row["date_created"]),
        "date_updated": iso_date(row["date_updated"]),
        **json.loads(row["settings"]),
        "url": url,
        "links": {link: f"{url}/{path}" for link, path in _LINKS.items()},
    }


def _present_sender(context: Context, row: sqlite3.Row, url: str) -> dict[str, Any]:
    can = capabilities(row["capabilities"])
    return {
        "sid": row["sid"],
        "account_sid": context.account_sid,
        "service_sid": context.names["ServiceSid"],
        "date_created": iso_date(row["date_created"]),
        "date_updated": iso_date(row["date_updated"]),
        "phone_number": row["phone_number"],
        "country_code": row["iso_country"],
        "capabilities": [
            shown
            for kind, shown in (("mms", "MMS"), ("sms", "SMS"), ("voice", "Voice"))
            if can.get(f"{kind}_outbound", False)
        ],
        "url": url,
    }


MESSAGING_SERVICES = Collection(
    "/messaging/v1/Services",
    "services",
    "MG",
    "SELECT * FROM messaging_services WHERE 1",
    _present,
    largest=PAGE_AT_MOST,
)
SENDERS = Collection(
    "/messaging/v1/Services/{ServiceSid}/PhoneNumbers",
    "phone_numbers",
    "PN",
    "SELECT messaging_numbers.id, messaging_numbers.date_created, messaging_numbers.date_updated,"
    " numbers.sid, numbers.phone_number, numbers.iso_country, numbers.capabilities"
    " FROM messaging_numbers JOIN numbers ON numbers.id = messaging_numbers.number_id"
    " WHERE messaging_service_id = ?",
    _present_sender,
    parent=MESSAGING_SERVICES,
    sid="numbers.sid",
    id="messaging_numbers.id",
    largest=PAGE_AT_MOST,
)


def create_messaging_service(context: Context) -> Reply:
    """POST /messaging/v1/Services."""
    values = read_form(context, _PARAMETERS)
    if "friendly_name" not in values:
        raise context.invalid("FriendlyName", "is required")
    new_sid, name = context.rules.new_sid("MG"), values.pop("friendly_name")
    settings = json.dumps({**DEFAULTS, **values})
    context.insert("messaging_services", {"sid": new_sid, "friendly_name": name, "settings": settings})
    return 201, MESSAGING_SERVICES.show(context, MESSAGING_SERVICES.find(context, new_sid))


def update_messaging_service(context: Context) -> Reply:
    """POST /messaging/v1/Services/{Sid}."""
    row = MESSAGING_SERVICES.find(context)
    values = read_form(context, _PARAMETERS)
    if values:
        name = values.pop("friendly_name", row["friendly_name"])
        settings = json.dumps({**json.loads(row["settings"]), **values})
        context.update("messaging_services", row["id"], {"friendly_name": name, "settings": settings})
    return MESSAGING_SERVICES.fetch(context)


def delete_messaging_service(context: Context) -> Reply:
    """DELETE /messaging/v1/Services/{Sid}: its senders leave it, and stay in their pools."""
    row = MESSAGING_SERVICES.find(context)
    context.db.execute("DELETE FROM messaging_numbers WHERE messaging_service_id = ?", (row["id"],))
    context.db.execute("DELETE FROM messaging_services WHERE id = ?", (row["id"],))
    return 204, None


def add_sender(context: Context) -> Reply:
    """POST /messaging/v1/Services/{ServiceSid}/PhoneNumbers with PhoneNumberSid; pool numbers are welcome."""
    service = MESSAGING_SERVICES.find(context, context.names["ServiceSid"])
    number_sid = sid("PN")(context, "PhoneNumberSid", context.form.get("PhoneNumberSid", ""))
    number = context.row("SELECT id, capabilities FROM numbers WHERE sid = ?", number_sid)
    if number is None:
        raise not_found(f"/PhoneNumbers/{number_sid}")
    _require_addable(context, service["id"], number)
    context.insert("messaging_numbers", {"messaging_service_id": service["id"], "number_id": number["id"]})
    return context.rules.messaging_add_status, SENDERS.show(context, SENDERS.find(context, number_sid))


def remove_sender(context: Context) -> Reply:
    """DELETE /messaging/v1/Services/{ServiceSid}/PhoneNumbers/{Sid}."""
    context.db.execute("DELETE FROM messaging_numbers WHERE id = ?", (SENDERS.find(context)["id"],))
    return 204, None


def _require_addable(context: Context, service_id: int, number: sqlite3.Row) -> None:
    holder = context.row(
        "SELECT messaging_service_id AS id FROM messaging_numbers WHERE number_id = ?", number["id"]
    )
    if holder is not None:
        raise ApiError(21710 if holder["id"] == service_id else 21712)
    if not capabilities(number["capabilities"]).get("sms_outbound", False):
        raise ApiError(21715)
    (count,) = context.db.execute(
        "SELECT count(*) FROM messaging_numbers WHERE messaging_service_id = ?", (service_id,)
    ).fetchone()
    if count >= SENDERS_AT_MOST:
        raise ApiError(21714)
