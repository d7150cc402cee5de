"""What passed through a Session: its log of interactions, and messages that an application sends by the API."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from proxyctl.sandbox.api.participants import PARTICIPANTS
from proxyctl.sandbox.api.resource import Collection, dates
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
    body = context.form.get("Body", "")
    if not body:
        raise context.invalid("Body", "is required")
    if session["status"] == "closed":
        raise ApiError(80607)
    if participant["date_deleted"] is not None:
        raise context.missing(PARTICIPANTS.missing)
    interact(context, session)
    new_sid = context.rules.new_sid("KI")
    leg = message_leg(context, "outbound", participant["sid"], "delivered")
    own = {"sid": new_sid, "session_id": session["id"], "service_id": session["service_id"]}
    data = {"type": "message", "data": json.dumps({"body": body}), "participant_id": participant["id"]}
    context.insert("interactions", {**own, **data, **leg})
    row = MESSAGES.find(context, new_sid)
    announce(context, row)
    return context.rules.message_status, MESSAGES.show(context, row)


def message_leg(context: Context, leg: str, participant_sid: str, status: str) -> dict[str, str]:
    """The columns of one leg of a message, whose record is a new one."""
    sid = context.rules.new_sid("SM")
    url = f"https://api.twilio.com/2010-04-01/Accounts/{context.account_sid}/Messages/{sid}.json"
    return {
        f"{leg}_{part}": value
        for part, value in zip(OF_A_LEG, (participant_sid, sid, status, "message", url), strict=True)
    }
