"""What is done with one Session or participant: `session create` and `update`, `participant add` and `remove`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from proxyctl.api.models import Participant, Service
from proxyctl.api.resources import PARTICIPANTS
from proxyctl.commands.report import End
from proxyctl.commands.run import Job, carry_out, finish_one, heading, show_one
from proxyctl.commands.session.end import keep_off_disk, question
from proxyctl.commands.session.holders import in_words
from proxyctl.errors import NotFoundError, ProxyctlError, RefusedError, UsageError
from proxyctl.identifiers import is_sid, parse_number, require_number
from proxyctl.input.items import Item
from proxyctl.render.shapes import PARTICIPANT, SESSION, SESSION_RESULT, Shape
from proxyctl.roles import Role
from proxyctl.runtime import Runtime
from proxyctl.sessions.decide import add_chain, complete_chain, create_chain, decide_update, remove_chain
from proxyctl.sessions.lifetime import as_date
from proxyctl.sessions.reading import find_session, participants_of, sessions_named
from proxyctl.writes.plan import Entry, NoOp, Plan


def begin_one(runtime: Runtime, service_name: str, shape: Shape) -> Service:
    """Check what is asked of the output and the account; return the Service."""
    runtime.out.check(shape)
    runtime.guard_writes()
    return runtime.account.service(service_name)


def run_one(
    runtime: Runtime,
    command: str,
    service: Service,
    done: str,
    decide: Callable[[], Plan],
    show: Callable[[End], None],
    *,
    session: str = "",
    identifiers: Sequence[str] = (),
) -> None:
    """Carry out what is about one item, and ``show`` it. A refusal says, after the lock was released, which numbers
    the people of ``identifiers``, or of ``session``, could get.
    """
    job = Job(command, [service.sid], decide, done, True, service, shape=SESSION_RESULT)
    try:
        finish_one(runtime, carry_out(runtime, job), show)
    except RefusedError as error:
        raise in_words(runtime, service, error, session, identifiers) from None


def settings(
    runtime: Runtime, *, ttl: float | None, expires: str | None, **others: str | None
) -> dict[str, Any]:
    """Return what was given as the API's fields; an expiry may be a time from now."""
    if expires is not None and expires.startswith("+"):
        expires = as_date(runtime.access.now() + float(expires))
    given = {"ttl": None if ttl is None else int(ttl), "date_expiry": expires, **others}
    return {name: value for name, value in given.items() if value is not None}


def participant(
    runtime: Runtime, identifier: str, number: str | None, friendly_name: str | None = None
) -> dict[str, Any]:
    """Return the fields of a participant, whose identifier need not be a number. None of it is kept on disk."""
    if not is_sid("KP", identifier):
        keep_off_disk(runtime, identifier, friendly_name)
    country = runtime.options.default_country
    if not identifier.strip():
        raise UsageError("IDENTIFIER is empty.", hint="Give a number in E.164, for example +14155550199.")
    with suppress(ValueError):
        identifier = parse_number(identifier, country).phone_number or identifier
        keep_off_disk(runtime, identifier)
    proxy = (None, None) if number is None else require_number(number, country)
    given = (identifier, friendly_name, *proxy)
    names = ("identifier", "friendly_name", "proxy_identifier_sid", "proxy_identifier")
    return {name: value for name, value in zip(names, given, strict=True) if value}


def create(
    runtime: Runtime,
    service_name: str,
    *,
    unique_name: str | None,
    participants: Sequence[str] | None,
    if_not_exists: bool,
    **given: Any,
) -> None:
    """Create a Session with its participants and print it; with ``if_not_exists`` complete the one of this name."""
    if if_not_exists and unique_name is None:
        raise UsageError("--if-not-exists needs --unique-name.", hint="Add --unique-name NAME.")
    parts = (text.partition("=") for text in participants or ())
    people = [participant(runtime, name, number if equals else None) for name, equals, number in parts]
    service = begin_one(runtime, service_name, SESSION)
    fields = settings(runtime, **given)

    def decide() -> Plan:
        reader = runtime.access.reader
        found = sessions_named(reader, service.sid, [unique_name] if unique_name else [])
        if not found:
            return Plan((create_chain(service.sid, unique_name, fields, people),))
        session = next(iter(found.values()))
        text = f"Session {unique_name} exists already ({session.sid}, {session.status})."
        if not if_not_exists:
            raise RefusedError(text, hint="Choose another name. With --if-not-exists it is printed.")
        runtime.note_once(text)
        there = map(Participant, participants_of(reader, service.sid, session.sid))
        return Plan((complete_chain(service.sid, session, there, people),))

    people_named = [one["identifier"] for one in people]
    show = partial(show_created, runtime)
    run_one(runtime, "session create", service, "created", decide, show, identifiers=people_named)


def show_created(runtime: Runtime, end: End) -> None:
    """Print a Session, in json with its participants, and at a terminal who sees which number."""
    if runtime.options.silent:
        return
    raw, people = dict(end.seen or {}), {}
    if runtime.format in ("json", "jsonl", "table"):
        with suppress(ProxyctlError):  # it is created
            sids = str(raw["service_sid"]), str(raw["sid"])
            people = {"participants": participants_of(runtime.access.reader, *sids)}
    table = runtime.format == "table"
    runtime.out.one(SESSION, raw if table else raw | people)
    if table and any(people.values()) and runtime.options.fields is None:
        runtime.out.text("")
        runtime.out.rows(PARTICIPANT, people.values())


def update(
    runtime: Runtime, service_name: str, session_name: str, *, status: str | None, **ends: Any
) -> None:
    """Change what differs, and print the Session."""
    if all(value is None for value in (status, *ends.values())):
        raise UsageError("nothing to update was given.", hint="Give --ttl, --expires or --status.")
    service = begin_one(runtime, service_name, SESSION)
    wanted = settings(runtime, **ends, status=status)

    def decide() -> Plan:
        session = find_session(runtime.access.reader, service.sid, session_name)
        item = Item(session_name, session.sid, None)
        plan = Plan((decide_update(item, session, service.sid, wanted),))
        closes = status == "closed"
        return plan.asking(lambda plan: question(runtime, service, "close", plan)) if closes else plan

    show = partial(show_one, runtime, SESSION)
    run_one(runtime, "session update", service, "updated", decide, show, session=session_name)


def add(
    runtime: Runtime,
    service_name: str,
    session_name: str,
    identifier: str,
    *,
    proxy: str | None,
    friendly_name: str | None,
) -> None:
    """Add a participant and print it; one that is in the Session already is as wanted."""
    fields = participant(runtime, identifier, proxy, friendly_name)
    named = fields["identifier"]
    service = begin_one(runtime, service_name, PARTICIPANT)

    def decide() -> Plan:
        session = find_session(runtime.access.reader, service.sid, session_name)
        there = participants_of(runtime.access.reader, service.sid, session.sid)
        item = Item(named, None, None)
        known = next((one for one in there if one.get("identifier") == named), None)
        return Plan((add_chain(service.sid, session, item, fields) if known is None else NoOp(item, known),))

    def show(end: End) -> None:
        if end.action == "unchanged":
            runtime.note("the participant is in the Session already. It was not changed.")
        show_one(runtime, PARTICIPANT, end)

    who: dict[str, Any] = {"session": session_name, "identifiers": [named]}
    run_one(runtime, "participant add", service, "added", decide, show, **who)


def remove(runtime: Runtime, service_name: str, session_name: str, name: str) -> None:
    """Remove a participant, by SID or identifier, after a question; one that was removed is as wanted."""
    person = participant(runtime, name, None)["identifier"]
    service = begin_one(runtime, service_name, PARTICIPANT)

    def decide() -> Plan:
        session = find_session(runtime.access.reader, service.sid, session_name)
        rows = list(runtime.access.reader.rows(PARTICIPANTS.list(service.sid, session.sid)))
        rows.sort(key=lambda row: row.get("date_deleted") is not None)
        found = (row for row in rows if {name, person} & {row["sid"], row.get("identifier")})
        there = next(map(Participant, found), None)
        item = Item(name, there.sid if there else None, None)
        entry: Entry
        if there is None:
            hint = "'proxyctl participant list SERVICE SESSION' lists the participants."
            error = NotFoundError("there is no such participant in the Session.", hint=hint)
            entry = NoOp(item, error=error)
        elif there.date_deleted:
            entry = NoOp(item, there.raw, note="removed already")
        else:
            entry = remove_chain(service.sid, session, item, there)
        whose = "1 participant from Session ", Role.NAME(session.name)
        question = heading(runtime, "Remove", *whose, sids=[service.sid])
        return Plan((entry,)).asking(lambda _: [question])

    def say_removed(end: End) -> None:
        done = "removed" if end.action == "removed" else "nothing to do for"
        runtime.note(f"{done} participant {(end.seen or {}).get('sid')}.")

    run_one(runtime, "participant remove", service, "removed", decide, say_removed)
