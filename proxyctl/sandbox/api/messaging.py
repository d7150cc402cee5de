"""Messaging Services and their senders, as far as Proxy pools meet them.

``use_inbound_webhook_on_number`` is stored and shown. At Twilio it decides whose webhook gets an incoming
message; no document says that it changes a number's own fields, so it does not here.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from typing import Any

from proxyctl.sandbox.api.fields import capabilities, is_sid, iso_date, web_host
from proxyctl.sandbox.api.paging import list_reply
from proxyctl.sandbox.api.problems import ApiError, not_found
from proxyctl.sandbox.context import ACCOUNT_SID, SENDERS_AT_MOST, Context, Reply

_ROOT = "/messaging/v1/Services"
_NAME_AT_MOST = 64
_URL_AT_MOST = 4000
_VALIDITY_AT_MOST = 36000

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
_SELECT_SENDERS = (
    "SELECT messaging_numbers.id, messaging_numbers.date_created, messaging_numbers.date_updated,"
    " numbers.sid, numbers.phone_number, numbers.iso_country, numbers.capabilities"
    " FROM messaging_numbers JOIN numbers ON numbers.id = messaging_numbers.number_id"
    " WHERE messaging_service_id = ?"
)


def list_messaging_services(context: Context) -> Reply:
    """GET /messaging/v1/Services."""
    return list_reply(
        context,
        "services",
        _ROOT,
        "SELECT * FROM messaging_services WHERE 1",
        "id",
        (),
        lambda row: _present(context, row),
    )


def create_messaging_service(context: Context) -> Reply:
    """POST /messaging/v1/Services."""
    values = _read_form(context)
    if "friendly_name" not in values:
        raise _bad(context, "FriendlyName", "is required")
    sid, name = context.rules.new_sid("MG"), values.pop("friendly_name")
    context.db.execute(
        "INSERT INTO messaging_services (sid, friendly_name, settings, date_created, date_updated)"
        " VALUES (?, ?, ?, ?, ?)",
        (sid, name, json.dumps({**DEFAULTS, **values}), context.now, context.now),
    )
    return 201, _present(context, _require_service(context, sid))


def fetch_messaging_service(context: Context) -> Reply:
    """GET /messaging/v1/Services/{ServiceSid}."""
    return 200, _present(context, _require_service(context))


def update_messaging_service(context: Context) -> Reply:
    """POST /messaging/v1/Services/{ServiceSid}."""
    row = _require_service(context)
    values = _read_form(context)
    if values:
        name = values.pop("friendly_name", row["friendly_name"])
        settings = json.dumps({**json.loads(row["settings"]), **values})
        context.db.execute(
            "UPDATE messaging_services SET friendly_name = ?, settings = ?, date_updated = ? WHERE id = ?",
            (name, settings, context.now, row["id"]),
        )
    return 200, _present(context, _require_service(context))


def delete_messaging_service(context: Context) -> Reply:
    """DELETE /messaging/v1/Services/{ServiceSid}: its senders leave it, and stay in their pools."""
    row = _require_service(context)
    context.db.execute("DELETE FROM messaging_numbers WHERE messaging_service_id = ?", (row["id"],))
    context.db.execute("DELETE FROM messaging_services WHERE id = ?", (row["id"],))
    return 204, None


def list_senders(context: Context) -> Reply:
    """GET /messaging/v1/Services/{ServiceSid}/PhoneNumbers."""
    service = _require_service(context)
    return list_reply(
        context,
        "phone_numbers",
        f"{_ROOT}/{service['sid']}/PhoneNumbers",
        _SELECT_SENDERS,
        "messaging_numbers.id",
        (service["id"],),
        lambda row: _present_sender(context, service["sid"], row),
    )


def add_sender(context: Context) -> Reply:
    """POST /messaging/v1/Services/{ServiceSid}/PhoneNumbers with PhoneNumberSid; pool numbers are welcome."""
    service = _require_service(context)
    number = _named_number(context)
    _require_addable(context, service["id"], number)
    context.db.execute(
        "INSERT INTO messaging_numbers (messaging_service_id, number_id, date_created, date_updated)"
        " VALUES (?, ?, ?, ?)",
        (service["id"], number["id"], context.now, context.now),
    )
    sender = _require_sender(context, service["id"], number["sid"])
    return context.rules.guesses.messaging_add_status, _present_sender(context, service["sid"], sender)


def fetch_sender(context: Context) -> Reply:
    """GET /messaging/v1/Services/{ServiceSid}/PhoneNumbers/{Sid}."""
    service = _require_service(context)
    return 200, _present_sender(
        context, service["sid"], _require_sender(context, service["id"], context.names["Sid"])
    )


def remove_sender(context: Context) -> Reply:
    """DELETE /messaging/v1/Services/{ServiceSid}/PhoneNumbers/{Sid}."""
    service = _require_service(context)
    sender = _require_sender(context, service["id"], context.names["Sid"])
    context.db.execute("DELETE FROM messaging_numbers WHERE id = ?", (sender["id"],))
    return 204, None


def _require_service(context: Context, sid: str | None = None) -> sqlite3.Row:
    sid = sid or context.names["ServiceSid"]
    if is_sid("MG", sid):
        row: sqlite3.Row | None = context.db.execute(
            "SELECT * FROM messaging_services WHERE sid = ?", (sid,)
        ).fetchone()
        if row is not None:
            return row
    raise not_found(context.path)


def _require_sender(context: Context, service_id: int, sid: str) -> sqlite3.Row:
    if is_sid("PN", sid):
        row: sqlite3.Row | None = context.db.execute(
            f"{_SELECT_SENDERS} AND numbers.sid = ?", (service_id, sid)
        ).fetchone()
        if row is not None:
            return row
    raise not_found(context.path)


def _named_number(context: Context) -> sqlite3.Row:
    sid = context.form.get("PhoneNumberSid", "")
    if not is_sid("PN", sid):
        raise _bad(context, "PhoneNumberSid", "must be a PN SID")
    row: sqlite3.Row | None = context.db.execute(
        "SELECT id, sid, capabilities FROM numbers WHERE sid = ?", (sid,)
    ).fetchone()
    if row is None:
        raise not_found(f"/PhoneNumbers/{sid}")
    return row


def _require_addable(context: Context, service_id: int, number: sqlite3.Row) -> None:
    holder = context.db.execute(
        "SELECT messaging_service_id FROM messaging_numbers WHERE number_id = ?", (number["id"],)
    ).fetchone()
    if holder is not None:
        code = 21710 if holder["messaging_service_id"] == service_id else 21712
        raise ApiError(code, status=context.rules.guesses.messaging_conflict_status)
    if not capabilities(number["capabilities"]).get("sms_outbound", False):
        raise ApiError(21715)
    (count,) = context.db.execute(
        "SELECT count(*) FROM messaging_numbers WHERE messaging_service_id = ?", (service_id,)
    ).fetchone()
    if count >= SENDERS_AT_MOST:
        raise ApiError(21714)


def _present(context: Context, row: sqlite3.Row) -> dict[str, Any]:
    url = f"{context.base_url}{_ROOT}/{row['sid']}"
    return {
        "sid": row["sid"],
        "account_sid": ACCOUNT_SID,
        "friendly_name": row["friendly_name"],
        "date_created": iso_date(row["date_created"]),
        "date_updated": iso_date(row["date_updated"]),
        **json.loads(row["settings"]),
        "url": url,
        "links": {link: f"{url}/{path}" for link, path in _LINKS.items()},
    }


def _present_sender(context: Context, service_sid: str, row: sqlite3.Row) -> dict[str, Any]:
    can = capabilities(row["capabilities"])
    return {
        "sid": row["sid"],
        "account_sid": ACCOUNT_SID,
        "service_sid": service_sid,
        "date_created": iso_date(row["date_created"]),
        "date_updated": iso_date(row["date_updated"]),
        "phone_number": row["phone_number"],
        "country_code": row["iso_country"],
        "capabilities": [
            shown
            for kind, shown in (("mms", "MMS"), ("sms", "SMS"), ("voice", "Voice"))
            if can.get(f"{kind}_outbound", False)
        ],
        "url": f"{context.base_url}{_ROOT}/{service_sid}/PhoneNumbers/{row['sid']}",
    }


# -- form parameters -------------------------------------------------------------------------------


def _read_form(context: Context) -> dict[str, Any]:
    return {
        column: read(context, parameter, context.form[parameter])
        for parameter, (column, read) in _PARAMETERS.items()
        if parameter in context.form
    }


def _bad(context: Context, parameter: str, reason: str) -> ApiError:
    return ApiError(context.rules.guesses.bad_parameter, f"{parameter} {reason}")


def _name(context: Context, parameter: str, text: str) -> str:
    if not text.strip() or len(text) > _NAME_AT_MOST:
        raise _bad(context, parameter, f"must be 1 to {_NAME_AT_MOST} characters long")
    return text


def _url(context: Context, parameter: str, text: str) -> str | None:
    if text and (len(text) > _URL_AT_MOST or web_host(text) is None):
        raise _bad(context, parameter, "is not a valid URL")
    return text or None


def _method(context: Context, parameter: str, text: str) -> str:
    if text.upper() not in ("GET", "POST"):
        raise _bad(context, parameter, "must be GET or POST")
    return text.upper()


def _flag(context: Context, parameter: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise _bad(context, parameter, "must be true or false")
    return text.lower() == "true"


def _scan(context: Context, parameter: str, text: str) -> str:
    if text not in ("inherit", "enable", "disable"):
        raise _bad(context, parameter, "must be inherit, enable or disable")
    return text


def _validity(context: Context, parameter: str, text: str) -> int:
    if re.fullmatch("[0-9]{1,5}", text) is None or not 1 <= int(text) <= _VALIDITY_AT_MOST:
        raise _bad(context, parameter, f"must be from 1 to {_VALIDITY_AT_MOST}")
    return int(text)


_PARAMETERS: dict[str, tuple[str, Callable[[Context, str, str], Any]]] = {
    "FriendlyName": ("friendly_name", _name),
    "InboundRequestUrl": ("inbound_request_url", _url),
    "InboundMethod": ("inbound_method", _method),
    "FallbackUrl": ("fallback_url", _url),
    "FallbackMethod": ("fallback_method", _method),
    "StatusCallback": ("status_callback", _url),
    "StickySender": ("sticky_sender", _flag),
    "MmsConverter": ("mms_converter", _flag),
    "SmartEncoding": ("smart_encoding", _flag),
    "ScanMessageContent": ("scan_message_content", _scan),
    "FallbackToLongCode": ("fallback_to_long_code", _flag),
    "AreaCodeGeomatch": ("area_code_geomatch", _flag),
    "ValidityPeriod": ("validity_period", _validity),
    "SynchronousValidation": ("synchronous_validation", _flag),
    "Usecase": ("usecase", _name),
    "UseInboundWebhookOnNumber": ("use_inbound_webhook_on_number", _flag),
}
