"""How a participant joins a Session: who may, and with which number."""

from __future__ import annotations

import functools
import re
import sqlite3
from typing import Any

from proxyctl.sandbox.api.resource import (
    Parameters,
    capabilities,
    is_sid,
    optional,
    read_form,
    required,
    text_of,
)
from proxyctl.sandbox.context import ApiError, Context
from proxyctl.sandbox.world.schema import IN_USE
from proxyctl.sandbox.world.selection import Number, Settings, choose, country_of

_AT_MOST = 2
_IDENTIFIER_AT_MOST = 191
_NAME_AT_MOST = 255
_CHANNEL = re.compile("[a-z]+:.+")  # whatsapp:+14155550100: no phone number, so it stands outside selection
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")


def _proxy_sid(context: Context, parameter: str, text: str) -> str:
    if not is_sid("PN", text):
        raise ApiError(80407)
    return text


def _proxy(context: Context, parameter: str, text: str) -> str:
    if not _E164.fullmatch(text) and not _CHANNEL.fullmatch(text):
        raise ApiError(80406)
    return text_of(_NAME_AT_MOST)(context, parameter, text)  # type: ignore[no-any-return]


_PARAMETERS: Parameters = {
    "Identifier": ("identifier", required(text_of(_IDENTIFIER_AT_MOST))),
    "FriendlyName": ("friendly_name", text_of(_NAME_AT_MOST)),
    "ProxyIdentifier": ("proxy_identifier", optional(_proxy)),
    "ProxyIdentifierSid": ("proxy_identifier_sid", optional(_proxy_sid)),
}


def join(context: Context, service: sqlite3.Row, session: sqlite3.Row) -> str:
    """Add the participant of the form to ``session``, and return its SID."""
    values = read_form(context, _PARAMETERS)
    if "identifier" not in values:
        raise context.invalid("Identifier", "is required")
    identifier = values["identifier"]
    _require_open_to(context, session, identifier)
    new_sid = context.rules.new_sid("KP")
    row = {
        **values,
        **_number_of(context, service, session, values),
        "sid": new_sid,
        "session_id": session["id"],
        "service_id": service["id"],
    }
    try:
        context.insert("participants", row)
    except sqlite3.IntegrityError as error:  # the pair is active elsewhere
        raise ApiError(80604) from error
    return new_sid


def _require_open_to(context: Context, session: sqlite3.Row, identifier: str) -> None:
    """Refuse who can't join: to a Session that has ended or is full, twice, or where nobody could be reached."""
    if session["status"] == "closed":
        raise ApiError(80607)
    rows = context.db.execute(
        "SELECT identifier, date_deleted FROM participants WHERE session_id = ?", (session["id"],)
    ).fetchall()
    for row in rows:
        if row["identifier"] == identifier:
            raise ApiError(80103 if row["date_deleted"] is None else context.rules.removed_identifier)
    counted = [row for row in rows if row["date_deleted"] is None or context.rules.removed_counts]
    if len(counted) >= _AT_MOST:
        raise ApiError(80609)
    if _CHANNEL.fullmatch(identifier):
        if session["mode"] == "voice-only":
            raise ApiError(80616)
    elif country_of(identifier) is None:
        raise ApiError(80404)


def _number_of(
    context: Context, service: sqlite3.Row, session: sqlite3.Row, values: dict[str, Any]
) -> dict[str, str | None]:
    """The proxy number that the participant dials: the one that was named, or one that the pool chooses."""
    named, sid = values.get("proxy_identifier"), values.get("proxy_identifier_sid")
    if sid or (named and not _CHANNEL.fullmatch(named)):
        return _named(context, service["id"], sid, named)
    if named or _CHANNEL.fullmatch(values["identifier"]):
        return {"proxy_identifier": named, "proxy_identifier_sid": None}
    chosen = _chosen(context, service, session, values["identifier"])
    return {"proxy_identifier": chosen.phone_number, "proxy_identifier_sid": chosen.sid}


def _named(
    context: Context, service_id: int, sid: str | None, phone_number: str | None
) -> dict[str, str | None]:
    row = context.row(
        "SELECT numbers.sid, phone_number, service_id, is_reserved FROM numbers"
        " LEFT JOIN pool ON number_id = numbers.id WHERE coalesce(numbers.sid = ?, phone_number = ?)",
        *(sid, phone_number),
    )
    if row is None:
        raise ApiError(80606)
    if row["service_id"] != service_id:
        raise ApiError(80605)
    if phone_number and row["phone_number"] != phone_number:
        raise context.invalid("ProxyIdentifier", "is not the number of ProxyIdentifierSid")
    if row["is_reserved"] and not context.rules.reserved_can_be_named:
        raise ApiError(80207)
    return {"proxy_identifier": row["phone_number"], "proxy_identifier_sid": row["sid"]}


def _chosen(context: Context, service: sqlite3.Row, session: sqlite3.Row, identifier: str) -> Number:
    """The pool's choice. Reserved numbers are loaded only to say why there is none, since there may be thousands."""
    pairs = (
        "SELECT proxy_identifier FROM participants WHERE service_id = ? AND identifier = ? AND is_active ="
    )
    held, past = (
        {row[0] for row in context.db.execute(f"{pairs} {active}", (service["id"], identifier))}
        for active in (1, 0)
    )
    settings = Settings(
        service["geo_match_level"],
        service["number_selection_behavior"],
        session["mode"],
        bool(session["mode_given"]),
        context.rules.all_numbers_held,
    )
    choice = choose(_pool(context, service["id"], reserved=False), identifier, held, held | past, settings)
    if isinstance(choice, int) and service["reserved"]:
        choice = choose(_pool(context, service["id"], reserved=True), identifier, held, held | past, settings)
    if isinstance(choice, int):
        raise ApiError(choice)
    return choice


def _pool(context: Context, service_id: int, *, reserved: bool) -> list[Number]:
    which = "" if reserved else " AND is_reserved = 0"
    rows = context.db.execute(
        f"SELECT numbers.sid, phone_number, iso_country, capabilities, is_reserved, {IN_USE}"
        f" FROM pool JOIN numbers ON numbers.id = number_id WHERE service_id = ?{which} ORDER BY pool.id",
        (service_id,),
    )
    return [
        Number(sid, phone_number, country, *_both_ways(can), is_reserved, load)
        for sid, phone_number, country, can, is_reserved, load in rows
    ]


@functools.lru_cache(maxsize=256)
def _both_ways(stored: str) -> tuple[bool, bool]:
    """Whether calls, and whether messages, can come in and go out."""
    can = capabilities(stored)
    voice, sms = (
        all(can.get(f"{kind}_{way}") for way in ("inbound", "outbound")) for kind in ("voice", "sms")
    )
    return voice, sms
