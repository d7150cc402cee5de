"""The participants of a Session."""

from __future__ import annotations

import sqlite3
from typing import Any

from proxyctl.sandbox.api.joining import join
from proxyctl.sandbox.api.resource import Collection, dates
from proxyctl.sandbox.api.services import SERVICES
from proxyctl.sandbox.api.sessions import SESSIONS
from proxyctl.sandbox.context import Context, Reply


def present_participant(context: Context, row: sqlite3.Row, url: str) -> dict[str, Any]:
    """A participant as the API shows it."""
    shown = ("friendly_name", "identifier", "proxy_identifier", "proxy_identifier_sid")
    return {
        "sid": row["sid"],
        "session_sid": context.names["SessionSid"],
        "service_sid": context.names["ServiceSid"],
        "account_sid": context.account_sid,
        **{name: row[name] for name in shown},
        **dates(row, "date_deleted", "date_created", "date_updated"),
        "url": url,
        "links": {"message_interactions": f"{url}/MessageInteractions"},
    }


PARTICIPANTS = Collection(
    "/v1/Services/{ServiceSid}/Sessions/{SessionSid}/Participants",
    "participants",
    "KP",
    "SELECT * FROM participants WHERE session_id = ?",
    present_participant,
    parent=SESSIONS,
    missing=80405,
    name="ParticipantSid",
)


def add_participant(context: Context) -> Reply:
    """POST …/Participants."""
    service = SERVICES.find(context, context.names["ServiceSid"])
    session = SESSIONS.find(context, context.names["SessionSid"])
    new_sid = join(context, service, session)
    return 201, PARTICIPANTS.show(context, PARTICIPANTS.find(context, new_sid))


def remove_participant(context: Context) -> Reply:
    """DELETE …/Participants/{Sid}: it stays in the list, with the date."""
    row = PARTICIPANTS.find(context)
    if row["date_deleted"] is None:
        context.update("participants", row["id"], {"date_deleted": context.now})
    status = context.rules.participant_delete_status
    return (204, None) if status == 204 else PARTICIPANTS.fetch(context)
