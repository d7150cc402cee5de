"""What passed through a Session: its log of interactions, and messages that an application sends by the API."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from proxyctl.sandbox.api.participants import PARTICIPANTS
from proxyctl.sandbox.api.resource import Collection, dates, storable
from proxyctl.sandbox.api.sessions import SESSIONS, interact
from proxyctl.sandbox.callbacks.parameters import announce
from proxyctl.sandbox.context import ApiError, Context, Reply

LEGS = ("inbound", "outbound")
OF_A_LEG = ("participant_sid", "resource_sid", "resource_status", "resource_type", "resource_url")


def present_interaction(context: Context, row: sqlite3.Row, url: str) -> dict[str, Any]:
    """An interaction as the API shows it."""
    return {
        "sid": row["sid"],
        "session_sid": context.names["SessionSid"],
        "service_sid": context.names["ServiceSid"],
        "account_sid": context.account_sid,
        "data": row["data"],
        "type": row["type"],
        **{name: row[name] for leg in LEGS for name in (f"{leg}_{part}" for part in OF_A_LEG)},
        **dates(row, "date_created", "date_updated"),
        "url": url,
    }


def _present_message(context: Context, row: sqlite3.Row, url: str) -> dict[str, Any]:
    return {**present_interaction(context, row, url), "participant_sid": context.names["ParticipantSid"]}


INTERACTIONS = Collection(
    "/v1/Services/{ServiceSid}/Sessions/{SessionSid}/Interactions",
    "interactions",
    "KI",
    "SELECT * FROM interactions WHERE session_id = ?",
    present_interaction,
    parent=SESSIONS,
    missing=80403,
)
MESSAGES = Collection(
    "/v1/Services/{ServiceSid}/Sessions/{SessionSid}/Participants/{ParticipantSid}/MessageInteractions",
    "interactions",
    "KI",
    "SELECT * FROM interactions WHERE participant_id = ?",
    _present_message,
    parent=PARTICIPANTS,
    missing=80403,
)


def delete_interaction(context: Context) -> Reply:
    """DELETE …/Interactions/{Sid}."""
    context.db.execute("DELETE FROM interactions WHERE id = ?", (INTERACTIONS.find(context)["id"],))
    return 204, None


def send_message(context: Context) -> Reply:
    """POST …/MessageInteractions: a message to the participant, from the number that it knows."""
    session = SESSIONS.find(context, context.names["SessionSid"])
    participant = PARTICIPANTS.find(context, context.names["ParticipantSid"])
    body = storable(context, "Body", context.form.get("Body", ""))
    if not body:
        raise context.invalid("Body", "is required")
    if session["status"] == "closed":
        raise ApiError(80607)
    if participant["date_deleted"] is not None:
        raise context.missing(PARTICIPANTS.missing)
    interact(context, session)
    leg = message_leg(context, "outbound", participant["sid"], "delivered")
    new_sid = log_message(context, session, body, {"participant_id": participant["id"], **leg})
    announce(context, new_sid)
    return context.rules.message_status, MESSAGES.show(context, MESSAGES.find(context, new_sid))


def log_message(context: Context, session: sqlite3.Row, body: str, columns: dict[str, Any]) -> str:
    """Add a message to the log of its Session, and return the interaction's SID."""
    new_sid = context.rules.new_sid("KI")
    own = {"sid": new_sid, "session_id": session["id"], "service_id": session["service_id"]}
    data = {"type": "message", "data": json.dumps({"body": body})}
    context.insert("interactions", {**own, **data, **columns})
    return new_sid


def message_leg(
    context: Context, leg: str, participant_sid: str, status: str, sid: str | None = None
) -> dict[str, str]:
    """The columns of one leg of a message, whose record is a new one unless ``sid`` names it."""
    sid = sid or context.rules.new_sid("SM")
    url = f"https://api.twilio.com/2010-04-01/Accounts/{context.account_sid}/Messages/{sid}.json"
    return {
        f"{leg}_{part}": value
        for part, value in zip(OF_A_LEG, (participant_sid, sid, status, "message", url), strict=True)
    }
