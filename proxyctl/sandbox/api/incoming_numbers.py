"""The account and its numbers under /2010-04-01: an API with other dates, another envelope, relative URIs."""

from __future__ import annotations

import functools
import re
import sqlite3
from email.utils import formatdate
from typing import Any

from proxyctl.sandbox.api.resource import (
    PAGE_AT_MOST,
    Collection,
    Parameters,
    capabilities,
    flag,
    member,
    method,
    optional,
    read_form,
    read_page,
    sid,
    storable,
    text_of,
    url,
)
from proxyctl.sandbox.context import ACCOUNT_SID, AUTH_TOKEN, ApiError, Context, Reply

_ROOT = "/2010-04-01/Accounts/{AccountSid}"
_FILTER_AT_MOST = 64  # no number is longer, and SQLite refuses huge patterns
_ORIGIN = "twilio"  # of all numbers: none are hosted here
_CREATED = 1438293544  # the account's own date; any will do

_URL = optional(url("bad_webhook_url"), "")
_METHOD = optional(method("bad_webhook_method"), "POST")
_PARAMETERS: Parameters = {
    "FriendlyName": ("friendly_name", text_of(64)),
    "VoiceUrl": ("voice_url", _URL),
    "VoiceMethod": ("voice_method", _METHOD),
    "VoiceFallbackUrl": ("voice_fallback_url", _URL),
    "VoiceFallbackMethod": ("voice_fallback_method", _METHOD),
    "VoiceApplicationSid": ("voice_application_sid", optional(sid("AP"), "")),
    "SmsUrl": ("sms_url", _URL),
    "SmsMethod": ("sms_method", _METHOD),
    "SmsFallbackUrl": ("sms_fallback_url", _URL),
    "SmsFallbackMethod": ("sms_fallback_method", _METHOD),
    "SmsApplicationSid": ("sms_application_sid", optional(sid("AP"), "")),
    "StatusCallback": ("status_callback", _URL),
    "StatusCallbackMethod": ("status_callback_method", _METHOD),
    "TrunkSid": ("trunk_sid", optional(sid("TK"))),
    "ApiVersion": ("api_version", member("2010-04-01", "2008-08-01")),
    "VoiceCallerIdLookup": ("voice_caller_id_lookup", flag),
    "VoiceReceiveMode": ("voice_receive_mode", member("voice", "fax")),
    "AddressSid": ("address_sid", optional(sid("AD"))),
    "IdentitySid": ("identity_sid", optional(sid("RI"))),
    "BundleSid": ("bundle_sid", optional(sid("BU"))),
    "EmergencyStatus": ("emergency_status", member("Active", "Inactive")),
    "EmergencyAddressSid": ("emergency_address_sid", optional(sid("AD"))),
}


def _present(context: Context, row: sqlite3.Row, url: str) -> dict[str, Any]:
    can = capabilities(row["capabilities"])
    stored = {column: row[column] for column, _ in _PARAMETERS.values()}
    return {
        "sid": row["sid"],
        "account_sid": context.account_sid,
        "phone_number": row["phone_number"],
        **stored,
        "voice_caller_id_lookup": bool(row["voice_caller_id_lookup"]),
        "date_created": _rfc_2822(row["date_created"]),
        "date_updated": _rfc_2822(row["date_updated"]),
        "beta": False,
        "origin": _ORIGIN,
        "status": "in-use",
        "type": row["type"],
        "capabilities": {
            kind: can.get(f"{kind}_inbound", False) or can.get(f"{kind}_outbound", False)
            for kind in ("voice", "sms", "mms", "fax")
        },
        "address_requirements": "none",
        "emergency_address_status": "unregistered",
        "uri": f"{_root(context)}/IncomingPhoneNumbers/{row['sid']}.json",
    }


NUMBERS = Collection(
    f"{_ROOT}/IncomingPhoneNumbers",
    "incoming_phone_numbers",
    "PN",
    "SELECT * FROM numbers WHERE 1",
    _present,
)


def _root(context: Context) -> str:
    """The path of the account."""
    return _ROOT.format_map(context.names)


def fetch_account(context: Context) -> Reply:
    """GET /2010-04-01/Accounts/{Sid}.json."""
    return 200, {
        "sid": context.account_sid,
        "owner_account_sid": ACCOUNT_SID,
        "friendly_name": "proxyctl sandbox",
        "status": "active",
        "type": "Full",
        "auth_token": AUTH_TOKEN,
        "date_created": _rfc_2822(_CREATED),
        "date_updated": _rfc_2822(_CREATED),
        "uri": f"{_root(context)}.json",
        "subresource_uris": {"incoming_phone_numbers": f"{_root(context)}/IncomingPhoneNumbers.json"},
    }


def list_incoming_numbers(context: Context) -> Reply:
    """GET …/IncomingPhoneNumbers.json; filters PhoneNumber (partial, ``*`` is any digit), FriendlyName, Origin."""
    names = ("FriendlyName", "PhoneNumber", "Origin")
    filters = [
        (name, storable(context, name, context.query[name])) for name in names if context.query.get(name)
    ]
    condition, parameters = _filter(dict(filters))
    select = f"SELECT * FROM numbers WHERE {condition}"
    url = f"{_root(context)}/IncomingPhoneNumbers.json"
    page = read_page(context, url, select, parameters, largest=PAGE_AT_MOST, filters=filters)
    start = page.number * page.size
    return 200, {
        "page": page.number,
        "page_size": page.size,
        "start": start,
        "end": start + max(0, len(page.rows) - 1),
        "uri": page.own,
        "first_page_uri": page.first,
        "next_page_uri": page.next,
        "previous_page_uri": page.previous,
        NUMBERS.key: [NUMBERS.show(context, row) for row in page.rows],
    }


def update_incoming_number(context: Context) -> Reply:
    """POST …/IncomingPhoneNumbers/{Sid}.json: webhooks, names and addresses; it does not change its account."""
    row = NUMBERS.find(context)
    if context.form.get("AccountSid", context.account_sid) != context.account_sid:
        raise ApiError(context.rules.not_emulated, "The sandbox moves no number to another account")
    values = read_form(context, _PARAMETERS)
    if values.get("trunk_sid"):
        values["voice_application_sid"] = ""  # one deletes the other
    elif values.get("voice_application_sid"):
        values["trunk_sid"] = None
    context.update("numbers", row["id"], values)
    return NUMBERS.fetch(context)


def release_incoming_number(context: Context) -> Reply:
    """DELETE …/IncomingPhoneNumbers/{Sid}.json: it leaves its pool and its Messaging Service."""
    row = NUMBERS.find(context)
    in_use = "SELECT 1 FROM participants WHERE proxy_identifier_sid = ? AND is_active = 1"
    if not context.rules.release_in_use and context.row(in_use, row["sid"]) is not None:
        raise ApiError(80611)
    for table, column in (("pool", "number_id"), ("messaging_numbers", "number_id"), ("numbers", "id")):
        context.db.execute(f"DELETE FROM {table} WHERE {column} = ?", (row["id"],))
    return 204, None


def _filter(filters: dict[str, str]) -> tuple[str, list[str]]:
    """The SQL condition for the filters; a partial number that starts with ``+`` can use the index."""
    conditions, parameters = ["1" if filters.get("Origin", _ORIGIN) == _ORIGIN else "0"], []
    if "FriendlyName" in filters:
        conditions.append("friendly_name = ?")
        parameters.append(filters["FriendlyName"])
    partial = filters.get("PhoneNumber", "").strip()
    if re.fullmatch(r"\+[0-9]*", partial):
        conditions.append("id IN (SELECT id FROM numbers WHERE phone_number >= ? AND phone_number < ?)")
        parameters += [partial, partial + ":"]  # ":" follows "9"
    elif len(partial) > _FILTER_AT_MOST:
        conditions.append("0")
    elif partial:
        conditions.append(r"phone_number LIKE ? ESCAPE '\'")
        escaped = re.sub(r"([%_\\])", r"\\\1", partial).replace("*", "_")
        parameters.append(f"%{escaped}%")
    return " AND ".join(conditions), parameters


@functools.lru_cache(maxsize=4096)
def _rfc_2822(seconds: int) -> str:
    return formatdate(seconds).replace("-0000", "+0000")
