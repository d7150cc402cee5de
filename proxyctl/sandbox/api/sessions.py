"""Sessions: how they begin, change, end and begin again."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from proxyctl.sandbox.api.joining import join
from proxyctl.sandbox.api.resource import (
    Collection,
    Parameters,
    dates,
    is_sid,
    member,
    optional,
    read_form,
    text_of,
    whole,
)
from proxyctl.sandbox.api.services import NAME_AT_MOST, SERVICES, TTL_BELOW
from proxyctl.sandbox.context import ApiError, Context, Reply
from proxyctl.sandbox.world.lifetime import due_of, sweep

_LATEST = 253_402_300_799  # the last second of the year 9999


def _date(context: Context, parameter: str, text: str) -> int:
    """Read an ISO 8601 date that has not passed; one without a zone is in GMT."""
    try:
        read = datetime.fromisoformat(text)
        seconds = int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise context.invalid(parameter, "must be an ISO 8601 date") from None
    if not context.now <= seconds <= _LATEST:
        raise context.invalid(parameter, "must not be in the past")
    return seconds


_CHANGEABLE: Parameters = {
    "DateExpiry": ("date_expiry", optional(_date)),
    "Ttl": ("ttl", whole(1, TTL_BELOW - 1)),
    "Status": ("status", member("open", "in-progress", "closed")),
}
PARAMETERS: Parameters = {
    "UniqueName": ("unique_name", optional(text_of(NAME_AT_MOST))),
    "Mode": ("mode", member("message-only", "voice-only", "voice-and-message")),
    **_CHANGEABLE,
}


def present_session(context: Context, row: sqlite3.Row, url: str) -> dict[str, Any]:
    """A Session as the API shows it."""
    return {
        "sid": row["sid"],
        "service_sid": context.names["ServiceSid"],
        "account_sid": context.account_sid,
        **dates(row, "date_started", "date_ended", "date_last_interaction", "date_expiry"),
        **{name: row[name] for name in ("unique_name", "status", "closed_reason", "ttl", "mode")},
        **dates(row, "date_created", "date_updated"),
        "url": url,
        "links": {"interactions": f"{url}/Interactions", "participants": f"{url}/Participants"},
    }


SESSIONS = Collection(
    "/v1/Services/{ServiceSid}/Sessions",
    "sessions",
    "KC",
    "SELECT * FROM sessions WHERE service_id = ?",
    present_session,
    parent=SERVICES,
    missing=80409,
    name="SessionSid",
)


def create_session(context: Context) -> Reply:
    """POST …/Sessions, with the participants that it names."""
    service = SERVICES.find(context, context.names["ServiceSid"])
    session = begin_session(context, service, read_form(context, PARAMETERS))
    for text in (value for name, value in context.pairs if name == "Participants"):
        join(replace(context, form=_participant(context, text)), service, session)
    return 201, SESSIONS.show(context, SESSIONS.find(context, session["sid"]))


def begin_session(context: Context, service: sqlite3.Row, values: dict[str, Any]) -> sqlite3.Row:
    """A new Session of ``service``, born open unless ``values`` say otherwise."""
    name = values.get("unique_name")
    taken = "SELECT 1 FROM sessions WHERE service_id = ? AND unique_name = ?"
    if name is not None and context.row(taken, service["id"], name) is not None:
        raise ApiError(80603)
    status = values.pop("status", "open")
    own = {"sid": context.rules.new_sid("KC"), "service_id": service["id"], "mode_given": "mode" in values}
    born = {"ttl": service["default_ttl"], "counts_from": context.now, **values, **own}
    context.insert("sessions", born)
    select = ("SELECT * FROM sessions WHERE sid = ?", (own["sid"],))
    change(context, context.db.execute(*select).fetchone(), {"status": status})
    found: sqlite3.Row = context.db.execute(*select).fetchone()
    return found


def fetch_session(context: Context) -> Reply:
    """GET …/Sessions/{Sid}: the SID, or the unique name."""
    name = context.names["Sid"]
    service = SERVICES.find(context, context.names["ServiceSid"])
    rows = (
        context.row(f"{SESSIONS.select} AND {by} = ?", service["id"], name) for by in ("sid", "unique_name")
    )
    row = next(filter(None, rows), None)
    if row is None:
        raise context.missing(80409 if is_sid("KC", name) else 80308)
    return 200, SESSIONS.show(context, row)


def update_session(context: Context) -> Reply:
    """POST …/Sessions/{Sid}; without a known parameter nothing changes, not even the date."""
    row = SESSIONS.find(context)
    values = read_form(context, _CHANGEABLE)
    if values:
        _require_change(context, row["status"], values.get("status"))
        change(context, row, values)
    return SESSIONS.fetch(context)


def delete_session(context: Context) -> Reply:
    """DELETE …/Sessions/{Sid}: its participants and interactions go with it."""
    context.db.execute("DELETE FROM sessions WHERE id = ?", (SESSIONS.find(context)["id"],))
    return 204, None


def change(context: Context, row: sqlite3.Row, values: dict[str, Any]) -> None:
    """Change a Session: its dates follow its status, and it ends at once where its time is over by now."""
    now, is_closed = context.now, row["status"] == "closed"
    changed = {**dict(row), **values}
    if changed["status"] == "closed" and not is_closed:
        values = {**values, "closed_reason": "api", "date_ended": now}
    elif changed["status"] != "closed" and is_closed:
        values = {**values, "closed_reason": None, "date_ended": None}
        if changed["counts_from"] + changed["ttl"] <= now:
            values["counts_from"] = now
    if changed["status"] == "in-progress" and row["date_started"] is None:
        values = {**values, "date_started": now}
    changed |= values
    life = ("status", "ttl", "counts_from", "date_expiry", "date_ended")
    values = {**values, "due": due_of(*(changed[name] for name in life))}
    try:
        context.update("sessions", row["id"], values)
    except sqlite3.IntegrityError as error:  # a participant of it is active with the same number elsewhere
        raise ApiError(80604) from error
    sweep(context.db, now, context.rules)


def interact(context: Context, session: sqlite3.Row) -> None:
    """Count an interaction: the Session is in progress, and its time to live counts anew."""
    now = context.now
    change(context, session, {"status": "in-progress", "date_last_interaction": now, "counts_from": now})


def _require_change(context: Context, old: str, new: str | None) -> None:
    if old == "closed" and new in (None, "closed"):
        raise ApiError(80607)
    if new is not None and new != old and (old, new) not in context.rules.status_changes:
        raise ApiError(80608)


def _participant(context: Context, text: str) -> dict[str, str]:
    """A participant of a create's form: a JSON object with the parameters' names, or with their snake case."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict) or not all(isinstance(value, str) for value in read.values()):
        raise context.invalid("Participants", "must be a JSON object of texts")
    names = {name.replace("_", "").lower(): value for name, value in read.items()}
    known = ("Identifier", "FriendlyName", "ProxyIdentifier", "ProxyIdentifierSid")
    return {name: names[name.lower()] for name in known if name.lower() in names}
