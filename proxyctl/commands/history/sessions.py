"""What `history undo` does about Sessions: it opens those again that a run closed, and sets their fields back."""

from __future__ import annotations

from collections.abc import Sequence

from proxyctl.api.models import ACTIVE, Session
from proxyctl.commands.number.given import Rest
from proxyctl.commands.run import Job, carry_out, finish, heading
from proxyctl.commands.session.holders import in_words
from proxyctl.errors import NotFoundError, RefusedError
from proxyctl.pools.undo import changed_since, fields_back, item_of
from proxyctl.pools.versions import Since
from proxyctl.render.shapes import SESSION_RESULT
from proxyctl.roles import Role
from proxyctl.runtime import Runtime
from proxyctl.sessions.decide import request_of
from proxyctl.sessions.reading import sessions_named
from proxyctl.state.record import ItemRecord, RunDetail
from proxyctl.writes.plan import Chain, Entry, NoOp, Plan, Step
from proxyctl.writes.session_requests import CLOSE_SESSION, CREATE_SESSION, UPDATE_SESSION


def of_sessions(records: Sequence[ItemRecord]) -> list[ItemRecord]:
    """Return the records of what can be taken back of Sessions; what a failed create closed again stays closed."""
    actions = {one.intent.action for one in records}
    if CREATE_SESSION.name in actions:
        return []
    taken = (CLOSE_SESSION.name, UPDATE_SESSION.name)
    return [one for one in records if one.intent.action in taken and one.happened != "no"]


def undo_sessions(
    runtime: Runtime, detail: RunDetail, records: Sequence[ItemRecord], since: Since, rest: Rest
) -> None:
    """Take back what a run did to Sessions; raises the error that the run ends with."""
    runtime.guard_writes()
    service = runtime.account.service(detail.run.service_sid or records[0].intent.service_sid or "")
    found: dict[str, Session] = {}

    def decide() -> Plan:
        found.update(sessions_named(runtime.access.reader, service.sid, [one.sid or "" for one in records]))
        entries = [undone(one, found.get(one.sid or ""), service.sid, since) for one in records]
        title = [heading(runtime, "Undo", Role.NAME(f"run {detail.run.id}"), sids=[service.sid])]
        return Plan(tuple(entries)).asking(lambda _: title)

    job = Job(
        "undo", [service.sid], decide, "restored", None, service, undoes=detail.run.id, shape=SESSION_RESULT
    )
    report = carry_out(runtime, job)
    try:
        finish(runtime, SESSION_RESULT, report, rest)
    except RefusedError as error:  # of the only one
        raise in_words(runtime, service, error, next(iter(found), "")) from None


def undone(record: ItemRecord, session: Session | None, service_sid: str, since: Since) -> Entry:
    """Decide for one Session. What was open becomes in-progress: the API opens a closed one no other way."""
    item = item_of(record)
    if session is None:
        text = f"{item.input} can't be undone: the Session does not exist any more."
        return NoOp(item, error=NotFoundError(text, hint="A deleted Session can't be restored."))
    to_do, others, _ = fields_back(record, session.raw, record.intent.before or ())
    if to_do.get("status") in ACTIVE and session.is_active:
        to_do, others = (
            {key: to_do[key] for key in to_do if key != "status"},
            [key for key in others if key != "status"],
        )
    if not to_do:
        return NoOp(item, session.raw, note="as it was already")
    how = f"its {', '.join(others)}" if others else None
    error = changed_since(item.input, [record], since, session.raw, how)
    if error is not None:
        return NoOp(item, session.raw, error)
    if to_do.get("status") in ACTIVE:
        to_do["status"] = "in-progress"
    verb = CLOSE_SESSION if to_do == {"status": "closed"} else UPDATE_SESSION
    request = request_of(verb, service_sid, session, to_do)
    return Chain(item, (Step(request),), "update", "restored", service=request.name)
