"""The account and its numbers under /2010-04-01: an API with other dates, another envelope, relative URIs."""

from __future__ import annotations

import functools
import re
import sqlite3
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from proxyctl.sandbox.api.fields import capabilities, is_sid, web_host
from proxyctl.sandbox.api.paging import Page, page_query, read_window, select_page
from proxyctl.sandbox.api.problems import ApiError, not_found
from proxyctl.sandbox.context import ACCOUNT_SID, AUTH_TOKEN, Context, Reply

_ROOT = f"/2010-04-01/Accounts/{ACCOUNT_SID}"
_LIST = f"{_ROOT}/IncomingPhoneNumbers.json"
_PAGE_AT_MOST = 1000
_FRIENDLY_NAME_AT_MOST = 64
_URL_AT_MOST = 4000
_FILTER_AT_MOST = 64  # no number is longer, and SQLite refuses huge patterns
_CREATED = 1438293544  # the account's own date; any will do


def fetch_account(context: Context) -> Reply:
    """GET /2010-04-01/Accounts/{Sid}.json."""
    return 200, {
        "sid": ACCOUNT_SID,
        "owner_account_sid": ACCOUNT_SID,
        "friendly_name": "proxyctl sandbox",
        "status": "active",
        "type": "Full",
        "auth_token": AUTH_TOKEN,
        "date_created": _rfc_2822(_CREATED),
        "date_updated": _rfc_2822(_CREATED),
        "uri": f"{_ROOT}.json",
        "subresource_uris": {"incoming_phone_numbers": _LIST},
    }


def list_incoming_numbers(context: Context) -> Reply:
    """GET …/IncomingPhoneNumbers.json; filters PhoneNumber (partial, ``*`` is any digit), FriendlyName."""
    filters = [
        (name, context.query[name]) for name in ("FriendlyName", "PhoneNumber") if context.query.get(name)
    ]
    scope = f"{_LIST}?{filters}"
    window = read_window(context, scope, _PAGE_AT_MOST)
    condition, parameters = _filter(dict(filters))
    select = f"SELECT * FROM numbers WHERE {condition}"
    page = select_page(context, scope, window, select, "id", parameters)
    return 200, _envelope(context, page, filters)


def fetch_incoming_number(context: Context) -> Reply:
    """GET …/IncomingPhoneNumbers/{Sid}.json."""
    return 200, _present(_require_number(context))


def update_incoming_number(context: Context) -> Reply:
    """POST …/IncomingPhoneNumbers/{Sid}.json: webhooks and the friendly name."""
    row = _require_number(context)
    values: dict[str, Any] = {
        column: read(context, parameter, context.form[parameter])
        for parameter, (column, read) in _PARAMETERS.items()
        if parameter in context.form
    }
    if values.get("trunk_sid"):
        values["voice_application_sid"] = ""  # one deletes the other
    elif values.get("voice_application_sid"):
        values["trunk_sid"] = None
    if values:
        values["date_updated"] = context.now
        context.db.execute(
            f"UPDATE numbers SET {', '.join(f'{column} = ?' for column in values)} WHERE id = ?",
            (*values.values(), row["id"]),
        )
    return 200, _present(_require_number(context))


def _filter(filters: dict[str, str]) -> tuple[str, list[str]]:
    """The SQL condition for the filters; a partial number that starts with ``+`` can use the index."""
    conditions, parameters = ["1"], []
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


def _envelope(context: Context, page: Page, filters: list[tuple[str, str]]) -> dict[str, Any]:
    window = page.window

    def at(number: int, token: str | None) -> str:
        return f"{_LIST}?{page_query(window.size, number, token, filters)}"

    start = window.page * window.size
    return {
        "page": window.page,
        "page_size": window.size,
        "start": start,
        "end": start + max(0, len(page.rows) - 1),
        "uri": at(window.page, window.token),
        "first_page_uri": at(0, None),
        "next_page_uri": at(window.page + 1, page.next_token) if page.next_token else None,
        "previous_page_uri": at(window.page - 1, page.previous_token) if page.previous_token else None,
        "incoming_phone_numbers": [_present(row) for row in page.rows],
    }


def _require_number(context: Context) -> sqlite3.Row:
    sid = context.names["Sid"]
    if is_sid("PN", sid):
        row: sqlite3.Row | None = context.db.execute("SELECT * FROM numbers WHERE sid = ?", (sid,)).fetchone()
        if row is not None:
            return row
    raise not_found(context.path)


def _present(row: sqlite3.Row) -> dict[str, Any]:
    can = capabilities(row["capabilities"])
    stored = {column: row[column] for column, _ in _PARAMETERS.values()}
    return {
        "sid": row["sid"],
        "account_sid": ACCOUNT_SID,
        "phone_number": row["phone_number"],
        **stored,
        "date_created": _rfc_2822(row["date_created"]),
        "date_updated": _rfc_2822(row["date_updated"]),
        "api_version": "2010-04-01",
        "beta": False,
        "origin": "twilio",
        "status": "in-use",
        "type": row["type"],
        "capabilities": {
            kind: can.get(f"{kind}_inbound", False) or can.get(f"{kind}_outbound", False)
            for kind in ("voice", "sms", "mms", "fax")
        },
        "voice_receive_mode": "voice",
        "voice_caller_id_lookup": False,
        "address_requirements": "none",
        "address_sid": None,
        "identity_sid": None,
        "bundle_sid": None,
        "emergency_status": "Active",
        "emergency_address_sid": None,
        "emergency_address_status": "unregistered",
        "uri": f"{_ROOT}/IncomingPhoneNumbers/{row['sid']}.json",
    }


@functools.lru_cache(maxsize=4096)
def _rfc_2822(seconds: int) -> str:
    return formatdate(seconds).replace("-0000", "+0000")


# -- form parameters -------------------------------------------------------------------------------


def _url(context: Context, parameter: str, text: str) -> str:
    if text and (len(text) > _URL_AT_MOST or web_host(text) is None):
        raise ApiError(context.rules.guesses.bad_webhook_url, f"{parameter} is not a valid URL")
    return text


def _method(context: Context, parameter: str, text: str) -> str:
    if text.upper() not in ("GET", "POST", ""):
        raise ApiError(context.rules.guesses.bad_webhook_method, f"{parameter} must be GET or POST")
    return text.upper() or "POST"


def _application(context: Context, parameter: str, text: str) -> str:
    return _optional_sid(context, parameter, "AP", text)


def _trunk(context: Context, parameter: str, text: str) -> str | None:
    return _optional_sid(context, parameter, "TK", text) or None


def _optional_sid(context: Context, parameter: str, prefix: str, text: str) -> str:
    if text and not is_sid(prefix, text):
        raise ApiError(
            context.rules.guesses.bad_parameter, f"{parameter} must be a SID that starts with {prefix}"
        )
    return text


def _friendly_name(context: Context, parameter: str, text: str) -> str:
    if len(text) > _FRIENDLY_NAME_AT_MOST:
        raise ApiError(context.rules.guesses.bad_parameter, f"{parameter} must be at most 64 characters long")
    return text


_PARAMETERS: dict[str, tuple[str, Callable[[Context, str, str], str | None]]] = {
    "FriendlyName": ("friendly_name", _friendly_name),
    "VoiceUrl": ("voice_url", _url),
    "VoiceMethod": ("voice_method", _method),
    "VoiceFallbackUrl": ("voice_fallback_url", _url),
    "VoiceFallbackMethod": ("voice_fallback_method", _method),
    "VoiceApplicationSid": ("voice_application_sid", _application),
    "SmsUrl": ("sms_url", _url),
    "SmsMethod": ("sms_method", _method),
    "SmsFallbackUrl": ("sms_fallback_url", _url),
    "SmsFallbackMethod": ("sms_fallback_method", _method),
    "SmsApplicationSid": ("sms_application_sid", _application),
    "StatusCallback": ("status_callback", _url),
    "StatusCallbackMethod": ("status_callback_method", _method),
    "TrunkSid": ("trunk_sid", _trunk),
}
