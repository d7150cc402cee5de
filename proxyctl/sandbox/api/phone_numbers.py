"""The numbers of a Service's pool, which join, are reserved, drain and leave."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from proxyctl.sandbox.api.resource import Collection, capabilities, flag, is_sid, iso_date
from proxyctl.sandbox.api.services import SERVICES
from proxyctl.sandbox.context import (
    RESERVED_AT_MOST,
    UNRESERVED_AT_MOST,
    ApiError,
    Context,
    Reply,
    webhooks_of,
)
from proxyctl.sandbox.world.schema import IN_USE


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
    " numbers.friendly_name, numbers.iso_country, numbers.capabilities, pool.is_reserved,"
    f" {IN_USE} AS in_use FROM pool JOIN numbers ON numbers.id = pool.number_id WHERE pool.service_id = ?",
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
