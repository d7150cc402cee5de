"""Proxy Services, with their fields, defaults and rules, and the numbers of their pools, which join, are reserved,
drain and leave. Of Sessions and ShortCodes there are none here.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Any
from urllib.parse import urlsplit

from proxyctl.sandbox.api.resource import (
    Collection,
    Parameters,
    Reader,
    capabilities,
    flag,
    is_sid,
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
from proxyctl.sandbox.context import (
    RESERVED_AT_MOST,
    UNRESERVED_AT_MOST,
    ApiError,
    Context,
    Reply,
    webhooks_of,
)

_NAME_AT_MOST = 191  # characters, not bytes
_TTL_BELOW = 2147483647
# Proxy's own API and the host of its webhooks, in any region and edge.
_PROXY_HOST = re.compile(r"(proxy|webhooks)(\.[a-z0-9-]+){0,2}\.twilio\.com\.?")

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
_NONE = "SELECT id, sid FROM services WHERE 0 AND id = ?"
# Sessions are always none, even where a number was made busy.
SESSIONS = Collection(
    "/v1/Services/{ServiceSid}/Sessions", "sessions", "KC", _NONE, nothing, SERVICES, missing=80409
)
SHORT_CODES = Collection(
    "/v1/Services/{ServiceSid}/ShortCodes", "short_codes", "SC", _NONE, nothing, SERVICES
)


def create_service(context: Context) -> Reply:
    """POST /v1/Services."""
    values = read_form(context, _PARAMETERS)
    if "unique_name" not in values:
        raise context.invalid("UniqueName", "is required")
    _require_unique(context, values["unique_name"], None)
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
    if "unique_name" in values:
        _require_unique(context, values["unique_name"], row["id"])
    context.update("services", row["id"], values)
    return SERVICES.fetch(context)


def delete_service(context: Context) -> Reply:
    """DELETE /v1/Services/{Sid}: its numbers become free, and their webhooks point at Twilio's demo."""
    row = SERVICES.find(context)
    context.db.execute(
        "UPDATE numbers SET voice_url = ?, sms_url = ?, date_updated = ?"
        " WHERE id IN (SELECT number_id FROM pool WHERE service_id = ?)",
        (context.rules.demo_voice_url, context.rules.demo_sms_url, context.now, row["id"]),
    )
    context.db.execute("DELETE FROM pool WHERE service_id = ?", (row["id"],))
    context.db.execute("DELETE FROM services WHERE id = ?", (row["id"],))
    return 204, None


def not_emulated(context: Context) -> Reply:
    """What Twilio can do and the sandbox can't."""
    if "ServiceSid" in context.names:
        SERVICES.find(context, context.names["ServiceSid"])
    message = f"The sandbox does not emulate this: POST {context.path}"
    raise ApiError(context.rules.not_emulated, message)


def _require_unique(context: Context, name: str, own_id: int | None) -> None:
    fold = " COLLATE NOCASE" if context.rules.unique_names_fold_case else ""
    holder = context.row(f"SELECT id FROM services WHERE unique_name = ?{fold}", name)
    if holder is not None and holder["id"] != own_id:
        raise ApiError(80602)


def _clearable(read: Reader) -> Reader:
    def read_or_clear(context: Context, parameter: str, text: str) -> str | None:
        if text == "" and context.rules.empty_value_clears:
            return None
        value: str = read(context, parameter, text)
        return value

    return read_or_clear


def _callback(context: Context, parameter: str, text: str) -> str:
    found: str = url()(context, parameter, text)
    own_host = urlsplit(context.base_url).netloc
    netloc = urlsplit(text).netloc.rpartition("@")[2].lower()
    if _PROXY_HOST.fullmatch(web_host(text) or "") or netloc == own_host:
        raise context.invalid(parameter, "must not point back at Proxy")
    return found


def _geo_match_level(context: Context, parameter: str, text: str) -> str:
    level: str = member(*sorted(context.rules.geo_match_levels))(context, parameter, text)
    return level


_PARAMETERS: Parameters = {
    "UniqueName": ("unique_name", required(text_of(_NAME_AT_MOST))),
    "DefaultTtl": ("default_ttl", whole(0, _TTL_BELOW - 1)),
    "CallbackUrl": ("callback_url", _clearable(_callback)),
    "GeoMatchLevel": ("geo_match_level", _geo_match_level),
    "NumberSelectionBehavior": ("number_selection_behavior", member("avoid-sticky", "prefer-sticky")),
    "InterceptCallbackUrl": ("intercept_callback_url", _clearable(_callback)),
    "OutOfSessionCallbackUrl": ("out_of_session_callback_url", _clearable(_callback)),
    "ChatInstanceSid": ("chat_instance_sid", _clearable(sid("IS"))),
}


# The numbers of a pool


def present_number(context: Context, row: sqlite3.Row, url: str) -> dict[str, Any]:
    """A pool's PhoneNumber as the API shows it."""
    return {
        "sid": row["sid"],
        "account_sid": context.account_sid,
        "service_sid": context.names["ServiceSid"],
        "date_created": iso_date(row["date_created"]),
        "date_updated": iso_date(row["date_updated"]),
        "phone_number": row["phone_number"],
        "friendly_name": row["friendly_name"],
        "iso_country": row["iso_country"],
        "capabilities": capabilities(row["capabilities"]),
        "url": url,
        "is_reserved": bool(row["is_reserved"]),
        "in_use": row["in_use"],
    }


PHONE_NUMBERS = Collection(
    "/v1/Services/{ServiceSid}/PhoneNumbers",
    "phone_numbers",
    "PN",
    "SELECT pool.id, pool.number_id, numbers.sid, pool.date_created, pool.date_updated, numbers.phone_number,"
    " numbers.friendly_name, numbers.iso_country, numbers.capabilities, pool.is_reserved, pool.in_use"
    " FROM pool JOIN numbers ON numbers.id = pool.number_id WHERE pool.service_id = ?",
    present_number,
    parent=SERVICES,
    sid="numbers.sid",
    id="pool.id",
    missing=80407,
)


def add_phone_number(context: Context) -> Reply:
    """POST /v1/Services/{ServiceSid}/PhoneNumbers: its webhooks now belong to the Service."""
    service = SERVICES.find(context, context.names["ServiceSid"])
    is_reserved = flag(context, "IsReserved", context.form.get("IsReserved", "false"))
    number = _named_number(context)
    _require_free(context, number["id"], service["id"])
    _require_room(service, is_reserved)
    context.insert(
        "pool", {"service_id": service["id"], "number_id": number["id"], "is_reserved": is_reserved}
    )
    _point_webhooks(context, number["id"], *webhooks_of(service["sid"], context.account_sid))
    return 201, PHONE_NUMBERS.show(context, PHONE_NUMBERS.find(context, number["sid"]))


def update_phone_number(context: Context) -> Reply:
    """POST /v1/Services/{ServiceSid}/PhoneNumbers/{Sid}: IsReserved only; a number in use may be reserved."""
    row = PHONE_NUMBERS.find(context)
    if "IsReserved" in context.form:
        is_reserved = flag(context, "IsReserved", context.form["IsReserved"])
        if is_reserved != bool(row["is_reserved"]):
            _require_room(SERVICES.find(context, context.names["ServiceSid"]), is_reserved)
        context.update("pool", row["id"], {"is_reserved": is_reserved})
    return PHONE_NUMBERS.fetch(context)


def remove_phone_number(context: Context) -> Reply:
    """DELETE /v1/Services/{ServiceSid}/PhoneNumbers/{Sid}: refused while a session uses it."""
    row = PHONE_NUMBERS.find(context)
    if row["in_use"] > 0:
        raise ApiError(80611)
    context.db.execute("DELETE FROM pool WHERE id = ?", (row["id"],))
    rules = context.rules
    if rules.removal_resets_webhooks:
        _point_webhooks(context, row["number_id"], rules.demo_voice_url, rules.demo_sms_url)
    return 204, None


def _named_number(context: Context) -> sqlite3.Row:
    """The account's number that exactly one of Sid and PhoneNumber names."""
    sid, phone_number = context.form.get("Sid", ""), context.form.get("PhoneNumber", "")
    if bool(sid) == bool(phone_number):
        raise ApiError(80701, "'Sid' is invalid. Exactly one of Sid and PhoneNumber must be given")
    if sid and not is_sid("PN", sid):
        raise ApiError(80407)
    if phone_number and re.fullmatch(r"\+[1-9][0-9]{1,14}", phone_number) is None:
        raise ApiError(80406)
    row = context.row("SELECT id, sid FROM numbers WHERE sid = ? OR phone_number = ?", sid, phone_number)
    if row is None:
        raise ApiError(80301)
    return row


def _require_free(context: Context, number_id: int, service_id: int) -> None:
    holder = context.row("SELECT service_id FROM pool WHERE number_id = ?", number_id)
    rules = context.rules
    if holder is not None:
        raise ApiError(80104 if holder["service_id"] == service_id else rules.number_in_another_service)
    if context.row("SELECT 1 FROM messaging_numbers WHERE number_id = ?", number_id) is not None:
        raise ApiError(rules.number_in_messaging_service, "PhoneNumber is in a Messaging Service")


def _require_room(service: sqlite3.Row, is_reserved: bool) -> None:
    kind, limit = ("reserved", RESERVED_AT_MOST) if is_reserved else ("unreserved", UNRESERVED_AT_MOST)
    if service[kind] >= limit:
        raise ApiError(80622, f"The Service has reached its maximum pool size of {limit} {kind} numbers")


def _point_webhooks(context: Context, number_id: int, voice_url: str, sms_url: str) -> None:
    values = {"voice_url": voice_url, "voice_method": "POST", "sms_url": sms_url, "sms_method": "POST"}
    context.update("numbers", number_id, values)
