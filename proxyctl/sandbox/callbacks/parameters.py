"""What a callback says about an interaction, and which callbacks an interaction is owed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proxyctl.sandbox.api.resource import iso_date
from proxyctl.sandbox.context import Callback, Context

PARTICIPANT = (
    *("date_created", "date_updated", "friendly_name", "identifier", "proxy_identifier"),
    *("proxy_identifier_sid", "sid"),
)
SESSION = (
    *("closed_reason", "date_created", "date_ended", "date_started", "date_updated", "mode", "sid", "status"),
    "unique_name",
)
_INTERACTION = ("data", "date_created", "date_updated", "sid", "type")
_OF_A_LEG = ("participant_sid", "resource_sid", "resource_status", "resource_type", "resource_url")
_SELECT = (
    "SELECT interactions.*, sessions.sid AS session_sid, services.sid AS service_sid, callback_url,"
    " intercept_callback_url FROM interactions JOIN sessions ON sessions.id = session_id"
    " JOIN services ON services.id = interactions.service_id WHERE interactions.sid = ?"
)


def announce(context: Context, interaction_sid: str) -> None:
    """Owe the Service's callback for each status of the interaction, in order."""
    row = context.db.execute(_SELECT, (interaction_sid,)).fetchone()
    if row["callback_url"] is None:
        return
    shared = _parameters(context, row, "inbound", "outbound")
    for status in context.rules.message_statuses.split(", "):
        parameters = {**shared, "outboundResourceStatus": status}
        context.callbacks.append(Callback("interaction", row["callback_url"], parameters, row["service_sid"]))


def interception(context: Context, interaction_sid: str) -> Callback | None:
    """The question whether the interaction may pass; None where the Service does not want to be asked."""
    row = context.db.execute(_SELECT, (interaction_sid,)).fetchone()
    url = row["intercept_callback_url"]
    return url and Callback("intercept", url, _parameters(context, row, "inbound"), row["service_sid"])


def _parameters(context: Context, row: Mapping[str, Any], *legs: str) -> dict[str, str]:
    names = ("account_sid", "service_sid", "session_sid")
    interaction = named(
        "interaction", {"account_sid": context.account_sid, **dict(row)}, *names, *_INTERACTION
    )
    return interaction | named("", row, *(f"{leg}_{part}" for leg in legs for part in _OF_A_LEG))


def named(prefix: str, row: Mapping[str, Any], *columns: str) -> dict[str, str]:
    """These columns as parameters, ``sessionDateCreated`` or the like; without those that have no value."""
    return {
        _camel(f"{prefix}_{column}".strip("_")): iso_date(row[column])
        if column.startswith("date_")
        else row[column]
        for column in columns
        if row[column] is not None
    }


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
