"""The numbers of a Proxy Service's pool: joining, reserving, draining and leaving it."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from proxyctl.sandbox.api.fields import boolean, capabilities, is_sid, iso_date
from proxyctl.sandbox.api.paging import list_reply
from proxyctl.sandbox.api.problems import ApiError, invalid
from proxyctl.sandbox.api.services import require_service
from proxyctl.sandbox.context import (
    ACCOUNT_SID,
    RESERVED_AT_MOST,
    UNRESERVED_AT_MOST,
    Context,
    Reply,
    webhooks_of,
)

_SELECT = (
    "SELECT pool.id, pool.number_id, numbers.sid, pool.date_created, pool.date_updated, numbers.phone_number,"
    " numbers.friendly_name, numbers.iso_country, numbers.capabilities, pool.is_reserved, pool.in_use"
    " FROM pool JOIN numbers ON numbers.id = pool.number_id WHERE pool.service_id = ?"
)


def list_phone_numbers(context: Context) -> Reply:
    """GET /v1/Services/{ServiceSid}/PhoneNumbers."""
    service = require_service(context, context.names["ServiceSid"])
    return list_reply(
        context,
        "phone_numbers",
        f"/v1/Services/{service['sid']}/PhoneNumbers",
        _SELECT,
        "pool.id",
        (service["id"],),
        lambda row: present(context, service["sid"], row),
    )


def add_phone_number(context: Context) -> Reply:
    """POST /v1/Services/{ServiceSid}/PhoneNumbers: its webhooks now belong to the Service."""
    service = require_service(context, context.names["ServiceSid"])
    is_reserved = boolean("IsReserved", context.form.get("IsReserved", "false"))
    number = _named_number(context)
    _require_free(context, number, service["id"])
    _require_room(service, is_reserved)
    context.db.execute(
        "INSERT INTO pool (service_id, number_id, is_reserved, date_created, date_updated)"
        " VALUES (?, ?, ?, ?, ?)",
        (service["id"], number["id"], is_reserved, context.now, context.now),
    )
    _point_webhooks(context, number["id"], *webhooks_of(service["sid"]))
    return 201, present(context, service["sid"], _require_member(context, service["id"], number["sid"]))


def fetch_phone_number(context: Context) -> Reply:
    """GET /v1/Services/{ServiceSid}/PhoneNumbers/{Sid}."""
    service = require_service(context, context.names["ServiceSid"])
    return 200, present(
        context, service["sid"], _require_member(context, service["id"], context.names["Sid"])
    )


def update_phone_number(context: Context) -> Reply:
    """POST /v1/Services/{ServiceSid}/PhoneNumbers/{Sid}: IsReserved only; a number in use may be reserved."""
    service = require_service(context, context.names["ServiceSid"])
    row = _require_member(context, service["id"], context.names["Sid"])
    if "IsReserved" in context.form:
        is_reserved = boolean("IsReserved", context.form["IsReserved"])
        if is_reserved != bool(row["is_reserved"]):
            _require_room(service, is_reserved)
        context.db.execute(
            "UPDATE pool SET is_reserved = ?, date_updated = ? WHERE id = ?",
            (is_reserved, context.now, row["id"]),
        )
        row = _require_member(context, service["id"], row["sid"])
    return 200, present(context, service["sid"], row)


def remove_phone_number(context: Context) -> Reply:
    """DELETE /v1/Services/{ServiceSid}/PhoneNumbers/{Sid}: refused while a session uses it."""
    service = require_service(context, context.names["ServiceSid"])
    row = _require_member(context, service["id"], context.names["Sid"])
    if row["in_use"] > 0:
        raise ApiError(80611)
    context.db.execute("DELETE FROM pool WHERE id = ?", (row["id"],))
    guesses = context.rules.guesses
    if guesses.removal_resets_webhooks:
        _point_webhooks(context, row["number_id"], guesses.demo_voice_url, guesses.demo_sms_url)
    return 204, None


def present(context: Context, service_sid: str, row: sqlite3.Row) -> dict[str, Any]:
    """A pool's PhoneNumber as the API shows it."""
    return {
        "sid": row["sid"],
        "account_sid": ACCOUNT_SID,
        "service_sid": service_sid,
        "date_created": iso_date(row["date_created"]),
        "date_updated": iso_date(row["date_updated"]),
        "phone_number": row["phone_number"],
        "friendly_name": row["friendly_name"],
        "iso_country": row["iso_country"],
        "capabilities": capabilities(row["capabilities"]),
        "url": f"{context.base_url}/v1/Services/{service_sid}/PhoneNumbers/{row['sid']}",
        "is_reserved": bool(row["is_reserved"]),
        "in_use": row["in_use"],
    }


def _named_number(context: Context) -> sqlite3.Row:
    """The account's number that exactly one of Sid and PhoneNumber names."""
    sid, phone_number = context.form.get("Sid", ""), context.form.get("PhoneNumber", "")
    if bool(sid) == bool(phone_number):
        raise invalid("Sid", "Exactly one of Sid and PhoneNumber must be given")
    if sid and not is_sid("PN", sid):
        raise ApiError(80407)
    if phone_number and re.fullmatch(r"\+[1-9][0-9]{1,14}", phone_number) is None:
        raise ApiError(80406)
    column, value = ("sid", sid) if sid else ("phone_number", phone_number)
    row: sqlite3.Row | None = context.db.execute(
        f"SELECT id, sid FROM numbers WHERE {column} = ?", (value,)
    ).fetchone()
    if row is None:
        raise ApiError(80301)
    return row


def _require_free(context: Context, number: sqlite3.Row, service_id: int) -> None:
    holder = context.db.execute("SELECT service_id FROM pool WHERE number_id = ?", (number["id"],)).fetchone()
    guesses = context.rules.guesses
    if holder is not None:
        raise ApiError(80104 if holder["service_id"] == service_id else guesses.number_in_another_service)
    sender = context.db.execute(
        "SELECT 1 FROM messaging_numbers WHERE number_id = ?", (number["id"],)
    ).fetchone()
    if sender is not None:
        raise ApiError(guesses.number_in_messaging_service, "PhoneNumber is in a Messaging Service")


def _require_room(service: sqlite3.Row, is_reserved: bool) -> None:
    kind, limit = ("reserved", RESERVED_AT_MOST) if is_reserved else ("unreserved", UNRESERVED_AT_MOST)
    if service[kind] >= limit:
        raise ApiError(80622, f"The Service has reached its maximum pool size of {limit} {kind} numbers")


def _require_member(context: Context, service_id: int, sid: str) -> sqlite3.Row:
    if is_sid("PN", sid):
        row: sqlite3.Row | None = context.db.execute(
            f"{_SELECT} AND numbers.sid = ?", (service_id, sid)
        ).fetchone()
        if row is not None:
            return row
    raise context.missing(80407)


def _point_webhooks(context: Context, number_id: int, voice_url: str, sms_url: str) -> None:
    context.db.execute(
        "UPDATE numbers SET voice_url = ?, voice_method = 'POST', sms_url = ?, sms_method = 'POST',"
        " date_updated = ? WHERE id = ?",
        (voice_url, sms_url, context.now, number_id),
    )
