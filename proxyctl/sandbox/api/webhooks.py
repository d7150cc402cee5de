"""Messages that people send to proxy numbers: routed by who sent one and to which number, as Proxy's webhook does."""

from __future__ import annotations

import functools
import json
import re
import sqlite3
from dataclasses import replace
from typing import Any

from proxyctl.sandbox.api.interactions import log_message, message_leg
from proxyctl.sandbox.api.joining import join
from proxyctl.sandbox.api.resource import is_sid, read_form, storable
from proxyctl.sandbox.api.services import SERVICES
from proxyctl.sandbox.api.sessions import PARAMETERS, begin_session, interact
from proxyctl.sandbox.callbacks.parameters import PARTICIPANT, SESSION, announce, interception, named
from proxyctl.sandbox.context import Answer, ApiError, Ask, Callback, Context, Received, Reply

# Words by which people leave a list; the carrier or Twilio takes care of them.
_OPT_OUT = re.compile("(?i)STOP(ALL)?|UNSUBSCRIBE|CANCEL|END|QUIT|REVOKE|OPTOUT|ARRET[ET]?|UNSTOP")
_PAIR = "SELECT * FROM participants WHERE service_id = ? AND identifier = ? AND proxy_identifier = ? AND is_active = "
_OTHER = "SELECT * FROM participants WHERE session_id = ? AND id <> ?"
_FORBIDDEN = 403


def receive_message(context: Context) -> Reply | Ask:
    """POST …/Webhooks/Message: the parameters of an incoming message."""
    service = SERVICES.find(context, context.names["ServiceSid"])
    for parameter in ("From", "To"):
        if not context.form.get(parameter):
            raise context.invalid(parameter, "is required")
    given = {
        name: storable(context, name, text) for name, text in context.form.items() if name.isidentifier()
    }
    sid = given.get("MessageSid", "")
    if not is_sid("[SM]M", sid):
        sid = context.rules.new_sid("SM")
    common = {
        "Body": "",
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
    }
    sids = dict.fromkeys(("MessageSid", "SmsSid", "SmsMessageSid"), sid)
    sms = {**common, **given, **sids, "AccountSid": context.account_sid}
    if _OPT_OUT.fullmatch(sms["Body"].strip()):
        return 200, Received("dropped")
    return _route(context, service, sms)


def _route(context: Context, service: sqlite3.Row, sms: dict[str, str]) -> Reply | Ask:
    sender = context.row(f"{_PAIR} 1", service["id"], sms["From"], sms["To"])
    if sender is None:
        return _out_of_session(context, service, sms)
    session = context.db.execute("SELECT * FROM sessions WHERE id = ?", (sender["session_id"],)).fetchone()
    leg = message_leg(context, "inbound", sender["sid"], "received", sms["MessageSid"])
    sid = log_message(context, session, sms["Body"], leg)
    recipient = context.row(f"{_OTHER} AND date_deleted IS NULL", session["id"], sender["id"])
    if recipient is None or (session["mode"] == "voice-only" and not context.rules.voice_only_takes_messages):
        return 200, Received("undelivered", sid, session["sid"])
    question = interception(context, sid)
    if question is not None:
        return Ask(question, functools.partial(_pass_on, sid))
    return _pass_on(sid, None, context)


def _pass_on(sid: str, answer: Answer | None, context: Context) -> Reply:
    """Send the message to the other side, unless the application forbids it or has meanwhile ended the Session."""
    row = context.row(
        "SELECT interactions.id, sessions.sid, participants.sid AS recipient FROM interactions"
        " JOIN sessions ON sessions.id = interactions.session_id"
        " JOIN participants ON participants.session_id = sessions.id AND participants.is_active = 1"
        " AND participants.sid <> inbound_participant_sid WHERE interactions.sid = ?",
        sid,
    )
    if row is None:
        return 200, Received("undelivered")
    if answer is not None and answer.status == _FORBIDDEN:
        if not context.rules.blocked_is_logged:
            context.db.execute("DELETE FROM interactions WHERE id = ?", (row["id"],))
        return 200, Received("blocked", sid, row["sid"])
    context.update("interactions", row["id"], message_leg(context, "outbound", row["recipient"], "delivered"))
    interact(context, context.db.execute("SELECT * FROM sessions WHERE sid = ?", (row["sid"],)).fetchone())
    announce(context, sid)
    return 200, Received("delivered", sid, row["sid"])


def _out_of_session(context: Context, service: sqlite3.Row, sms: dict[str, str]) -> Reply | Ask:
    in_pool = (
        "SELECT 1 FROM numbers JOIN pool ON number_id = numbers.id WHERE phone_number = ? AND service_id = ?"
    )
    if context.row(in_pool, sms["To"], service["id"]) is None:
        raise ApiError(80605)
    url = service["out_of_session_callback_url"]
    if url is None:
        return 200, Received("out-of-session")
    parameters = {**sms, **_last_session(context, service, sms)}
    return Ask(Callback("out-of-session", url, parameters, service["sid"]), functools.partial(_answered, sms))


def _last_session(context: Context, service: sqlite3.Row, sms: dict[str, str]) -> dict[str, str]:
    """What the callback says of the pair's last Session, if it had one."""
    sender = context.row(f"{_PAIR} 0 ORDER BY id DESC", service["id"], sms["From"], sms["To"])
    if sender is None:
        return {}
    session = context.db.execute("SELECT * FROM sessions WHERE id = ?", (sender["session_id"],)).fetchone()
    other = context.row(f"{_OTHER} ORDER BY id DESC", session["id"], sender["id"])
    of_all = {
        "account_sid": context.account_sid,
        "service_sid": service["sid"],
        "session_sid": session["sid"],
    }
    parameters = named("session", {**dict(session), **of_all}, "account_sid", "service_sid", *SESSION)
    for leg, row in (("inbound", sender), ("outbound", other)):
        if row is not None:
            parameters |= named(f"{leg}_participant", {**dict(row), **of_all}, *of_all, *PARTICIPANT)
    return parameters


def _answered(sms: dict[str, str], answer: Answer | None, context: Context) -> Reply | Ask:
    """Make the Session that the application answers with, and route the message in it; TwiML is not carried out."""
    is_good = answer is not None and answer.status in range(200, 300)
    if answer is None or not is_good or answer.content_type != "application/json":
        return 200, Received("out-of-session")
    service = SERVICES.find(context, context.names["ServiceSid"])
    context.db.execute("SAVEPOINT made")
    try:
        _begin(context, service, sms, answer.text)
    except ApiError as refusal:
        context.db.execute("ROLLBACK TO made")
        error = f"no Session was made: {refusal.code} {refusal.message}"
        context.db.execute("UPDATE callbacks SET error = ? WHERE id = ?", (error, answer.id))
        return 200, Received("out-of-session")
    return _route(context, service, sms)


def _begin(context: Context, service: sqlite3.Row, sms: dict[str, str], text: str) -> None:
    try:
        wish = json.loads(text)
    except (ValueError, RecursionError):
        wish = None
    if not isinstance(wish, dict):
        raise context.invalid("The answer", "must be a JSON object")
    given: dict[str, Any] = {
        name[:1].upper() + name[1:]: str(value) for name, value in wish.items() if value is not None
    }
    # A reserved number can be dialled, and be named for an agent, whatever the API's rule for it is.
    free = replace(context, rules=replace(context.rules, reserved_can_be_named=True))
    session = begin_session(free, service, {"ttl": 0, **read_form(replace(free, form=given), PARAMETERS)})
    caller = {"Identifier": sms["From"], "ProxyIdentifier": sms["To"]}
    other = {"Identifier": given.get("ParticipantIdentifier", "")}
    other["ProxyIdentifier"] = given.get("ParticipantProxyIdentifier", "")
    for form in (caller, other):
        join(replace(free, form=form), service, session)
