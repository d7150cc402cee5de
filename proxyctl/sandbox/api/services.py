"""Proxy Services, with their fields, defaults and rules. Of ShortCodes there are none here."""

from __future__ import annotations

import re
import sqlite3
from typing import Any
from urllib.parse import urlsplit

from proxyctl.sandbox.api.resource import (
    Collection,
    Parameters,
    Reader,
    iso_date,
    member,
    read_form,
    required,
    sid,
    text_of,
    url,
    web_host,
    whole,
)
from proxyctl.sandbox.context import ApiError, Context, Reply

NAME_AT_MOST = 191  # characters, not bytes
TTL_BELOW = 2147483647
# Proxy's own API and the host of its webhooks, in any region and edge.
_PROXY_HOST = re.compile(r"(proxy|webhooks)(\.[a-z0-9-]+){0,2}\.twilio\.com\.?")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

DEFAULTS: dict[str, Any] = {
    "chat_instance_sid": None,
    "callback_url": None,
    "default_ttl": 0,
    "number_selection_behavior": "prefer-sticky",
    "geo_match_level": "country",
    "intercept_callback_url": None,
    "out_of_session_callback_url": None,
}


def present_service(context: Context, row: sqlite3.Row, url: str) -> dict[str, Any]:
    """A Service as the API shows it."""
    return {
        "sid": row["sid"],
        "unique_name": row["unique_name"],
        "account_sid": context.account_sid,
        **{name: row[name] for name in DEFAULTS},
        "date_created": iso_date(row["date_created"]),
        "date_updated": iso_date(row["date_updated"]),
        "url": url,
        "links": {
            "sessions": f"{url}/Sessions",
            "phone_numbers": f"{url}/PhoneNumbers",
            "short_codes": f"{url}/ShortCodes",
        },
    }


def nothing(context: Context, row: sqlite3.Row, url: str) -> dict[str, Any]:
    """What a collection that is always empty shows."""
    return {}


SERVICES = Collection(
    "/v1/Services", "services", "KS", "SELECT * FROM services WHERE 1", present_service, missing=80408
)
SHORT_CODES = Collection(
    "/v1/Services/{ServiceSid}/ShortCodes",
    "short_codes",
    "SC",
    "SELECT id, sid FROM services WHERE 0 AND id = ?",
    nothing,
    SERVICES,
)


def create_service(context: Context) -> Reply:
    """POST /v1/Services."""
    values = read_form(context, _PARAMETERS)
    if "unique_name" not in values:
        raise context.invalid("UniqueName", "is required")
    _require_unique(context, values, None)
    new_sid = context.rules.new_sid("KS")
    context.insert("services", {**DEFAULTS, **values, "sid": new_sid})
    return 201, SERVICES.show(context, SERVICES.find(context, new_sid))


def fetch_service(context: Context) -> Reply:
    """GET /v1/Services/{Sid}."""
    if context.rules.service_fetch_takes_unique_name:
        row = context.row("SELECT * FROM services WHERE unique_name = ?", context.names["Sid"])
        if row is not None:
            return 200, SERVICES.show(context, row)
    return SERVICES.fetch(context)


def update_service(context: Context) -> Reply:
    """POST /v1/Services/{Sid}; without a known parameter nothing changes, not even the date."""
    row = SERVICES.find(context)
    values = read_form(context, _PARAMETERS)
    _require_unique(context, values, row["id"])
    context.update("services", row["id"], values)
    return SERVICES.fetch(context)


def delete_service(context: Context) -> Reply:
    """DELETE /v1/Services/{Sid} and its Sessions: its numbers become free, with the webhooks of Twilio's demo."""
    row = SERVICES.find(context)
    context.db.execute(
        "UPDATE numbers SET voice_url = ?, sms_url = ?, date_updated = ?"
        " WHERE id IN (SELECT number_id FROM pool WHERE service_id = ?)",
        (context.rules.demo_voice_url, context.rules.demo_sms_url, context.now, row["id"]),
    )
    context.db.execute("DELETE FROM sessions WHERE service_id = ?", (row["id"],))
    context.db.execute("DELETE FROM pool WHERE service_id = ?", (row["id"],))
    context.db.execute("DELETE FROM services WHERE id = ?", (row["id"],))
    return 204, None


def not_emulated(context: Context) -> Reply:
    """What Twilio can do and the sandbox can't."""
    if "ServiceSid" in context.names:
        SERVICES.find(context, context.names["ServiceSid"])
    message = f"The sandbox does not emulate this: POST {context.path}"
    raise ApiError(context.rules.not_emulated, message)


def _require_unique(context: Context, values: dict[str, Any], own_id: int | None) -> None:
    """Refuse the name or the chat instance of another Service."""
    fold = " COLLATE NOCASE" if context.rules.unique_names_fold_case else ""
    name, chat = values.get("unique_name"), values.get("chat_instance_sid")
    if context.row(f"SELECT 1 FROM services WHERE unique_name = ?{fold} AND id IS NOT ?", name, own_id):
        raise ApiError(80602)
    if context.row("SELECT 1 FROM services WHERE chat_instance_sid = ? AND id IS NOT ?", chat, own_id):
        raise ApiError(
            context.rules.chat_instance_taken, "'ChatInstanceSid' is invalid. Another Service has it"
        )


def _clearable(read: Reader) -> Reader:
    def read_or_clear(context: Context, parameter: str, text: str) -> str | None:
        if text == "" and context.rules.empty_value_clears:
            return None
        value: str = read(context, parameter, text)
        return value

    return read_or_clear


def _callback(context: Context, parameter: str, text: str) -> str:
    found: str = url()(context, parameter, text)
    host, own = web_host(text) or "", urlsplit(context.base_url)
    is_own = host in (own.hostname, *_LOOPBACK) and urlsplit(text).port == own.port
    if is_own or _PROXY_HOST.fullmatch(host):
        raise context.invalid(parameter, "must not point back at Proxy")
    return found


def _geo_match_level(context: Context, parameter: str, text: str) -> str:
    level: str = member(*sorted(context.rules.geo_match_levels))(context, parameter, text)
    return level


_PARAMETERS: Parameters = {
    "UniqueName": ("unique_name", required(text_of(NAME_AT_MOST))),
    "DefaultTtl": ("default_ttl", whole(0, TTL_BELOW - 1)),
    "CallbackUrl": ("callback_url", _clearable(_callback)),
    "GeoMatchLevel": ("geo_match_level", _geo_match_level),
    "NumberSelectionBehavior": ("number_selection_behavior", member("avoid-sticky", "prefer-sticky")),
    "InterceptCallbackUrl": ("intercept_callback_url", _clearable(_callback)),
    "OutOfSessionCallbackUrl": ("out_of_session_callback_url", _clearable(_callback)),
    "ChatInstanceSid": ("chat_instance_sid", _clearable(sid("IS"))),
}
