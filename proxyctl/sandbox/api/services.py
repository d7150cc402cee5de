"""Proxy Services: their fields, defaults and rules."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from proxyctl.sandbox.api.fields import is_sid, iso_date, web_host
from proxyctl.sandbox.api.paging import list_reply
from proxyctl.sandbox.api.problems import ApiError, invalid
from proxyctl.sandbox.context import ACCOUNT_SID, Context, Reply

_NAME_AT_MOST = 191  # characters, not bytes
_URL_AT_MOST = 4000
_TTL_BELOW = 2147483647
_BEHAVIORS = frozenset({"prefer-sticky", "avoid-sticky"})
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


def list_services(context: Context) -> Reply:
    """GET /v1/Services."""
    return list_reply(
        context,
        "services",
        "/v1/Services",
        "SELECT * FROM services WHERE 1",
        "id",
        (),
        lambda row: present(context, row),
    )


def create_service(context: Context) -> Reply:
    """POST /v1/Services."""
    values = _read_form(context)
    if "unique_name" not in values:
        raise invalid("UniqueName", "It is required")
    _require_unique(context, values["unique_name"], None)
    sid = context.rules.new_sid("KS")
    row = {**DEFAULTS, **values, "sid": sid, "date_created": context.now, "date_updated": context.now}
    context.db.execute(
        f"INSERT INTO services ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", tuple(row.values())
    )
    return 201, present(context, require_service(context, sid))


def fetch_service(context: Context) -> Reply:
    """GET /v1/Services/{Sid}."""
    name = context.names["Sid"]
    if context.rules.guesses.service_fetch_takes_unique_name:
        row = context.db.execute("SELECT * FROM services WHERE unique_name = ?", (name,)).fetchone()
        if row is not None:
            return 200, present(context, row)
    return 200, present(context, require_service(context, name))


def update_service(context: Context) -> Reply:
    """POST /v1/Services/{Sid}; without a known parameter nothing changes, not even the date."""
    row = require_service(context, context.names["Sid"])
    values = _read_form(context)
    if values:
        if "unique_name" in values:
            _require_unique(context, values["unique_name"], row["id"])
        values["date_updated"] = context.now
        context.db.execute(
            f"UPDATE services SET {', '.join(f'{column} = ?' for column in values)} WHERE id = ?",
            (*values.values(), row["id"]),
        )
        row = require_service(context, row["sid"])
    return 200, present(context, row)


def delete_service(context: Context) -> Reply:
    """DELETE /v1/Services/{Sid}: its numbers become free, and their webhooks point at Twilio's demo."""
    row = require_service(context, context.names["Sid"])
    guesses = context.rules.guesses
    context.db.execute(
        "UPDATE numbers SET voice_url = ?, sms_url = ?, date_updated = ?"
        " WHERE id IN (SELECT number_id FROM pool WHERE service_id = ?)",
        (guesses.demo_voice_url, guesses.demo_sms_url, context.now, row["id"]),
    )
    context.db.execute("DELETE FROM pool WHERE service_id = ?", (row["id"],))
    context.db.execute("DELETE FROM services WHERE id = ?", (row["id"],))
    return 204, None


def require_service(context: Context, sid: str) -> sqlite3.Row:
    """Return the row of a Service, or refuse as for one that is unknown or was deleted."""
    if is_sid("KS", sid):
        row: sqlite3.Row | None = context.db.execute(
            "SELECT * FROM services WHERE sid = ?", (sid,)
        ).fetchone()
        if row is not None:
            return row
    raise context.missing(80408)


def present(context: Context, row: sqlite3.Row) -> dict[str, Any]:
    """A Service as the API shows it."""
    url = f"{context.base_url}/v1/Services/{row['sid']}"
    return {
        "sid": row["sid"],
        "unique_name": row["unique_name"],
        "account_sid": ACCOUNT_SID,
        "chat_instance_sid": row["chat_instance_sid"],
        "callback_url": row["callback_url"],
        "default_ttl": row["default_ttl"],
        "number_selection_behavior": row["number_selection_behavior"],
        "geo_match_level": row["geo_match_level"],
        "intercept_callback_url": row["intercept_callback_url"],
        "out_of_session_callback_url": row["out_of_session_callback_url"],
        "date_created": iso_date(row["date_created"]),
        "date_updated": iso_date(row["date_updated"]),
        "url": url,
        "links": {
            "sessions": f"{url}/Sessions",
            "phone_numbers": f"{url}/PhoneNumbers",
            "short_codes": f"{url}/ShortCodes",
        },
    }


# -- form parameters -------------------------------------------------------------------------------


def _read_form(context: Context) -> dict[str, Any]:
    return {
        column: read(context, parameter, context.form[parameter])
        for parameter, (column, read) in _PARAMETERS.items()
        if parameter in context.form
    }


def _require_unique(context: Context, name: str, own_id: int | None) -> None:
    fold = " COLLATE NOCASE" if context.rules.guesses.unique_names_fold_case else ""
    holder = context.db.execute(f"SELECT id FROM services WHERE unique_name = ?{fold}", (name,)).fetchone()
    if holder is not None and holder["id"] != own_id:
        raise ApiError(80602)


def _unique_name(context: Context, parameter: str, text: str) -> str:
    if not text.strip():
        raise invalid(parameter, "It must not be empty")
    if len(text) > _NAME_AT_MOST:
        raise invalid(parameter, f"It must be at most {_NAME_AT_MOST} characters long")
    return text


def _ttl(context: Context, parameter: str, text: str) -> int:
    if re.fullmatch("[0-9]{1,10}", text) is None or int(text) >= _TTL_BELOW:
        raise invalid(parameter, f"It must be a whole number of seconds from 0 to {_TTL_BELOW - 1}")
    return int(text)


def _url(context: Context, parameter: str, text: str) -> str | None:
    if text == "" and context.rules.guesses.empty_value_clears:
        return None
    if len(text) > _URL_AT_MOST:
        raise invalid(parameter, f"It must be at most {_URL_AT_MOST} characters long")
    host = web_host(text)
    if host is None:
        raise invalid(parameter, "It must be an absolute http or https URL")
    own_host = urlsplit(context.base_url).netloc
    if _PROXY_HOST.fullmatch(host) or urlsplit(text).netloc.rpartition("@")[2].lower() == own_host:
        raise invalid(parameter, "It must not point back at Proxy")
    return text


def _geo_match_level(context: Context, parameter: str, text: str) -> str:
    return _member(parameter, text, context.rules.guesses.geo_match_levels)


def _behavior(context: Context, parameter: str, text: str) -> str:
    return _member(parameter, text, _BEHAVIORS)


def _member(parameter: str, text: str, members: frozenset[str]) -> str:
    if text not in members:
        raise invalid(parameter, f"It must be one of {', '.join(sorted(members))}")
    return text


def _chat_instance(context: Context, parameter: str, text: str) -> str | None:
    if text == "" and context.rules.guesses.empty_value_clears:
        return None
    if not is_sid("IS", text):
        raise invalid(parameter, "It must be an IS SID")
    return text


_PARAMETERS: dict[str, tuple[str, Callable[[Context, str, str], Any]]] = {
    "UniqueName": ("unique_name", _unique_name),
    "DefaultTtl": ("default_ttl", _ttl),
    "CallbackUrl": ("callback_url", _url),
    "GeoMatchLevel": ("geo_match_level", _geo_match_level),
    "NumberSelectionBehavior": ("number_selection_behavior", _behavior),
    "InterceptCallbackUrl": ("intercept_callback_url", _url),
    "OutOfSessionCallbackUrl": ("out_of_session_callback_url", _url),
    "ChatInstanceSid": ("chat_instance_sid", _chat_instance),
}
