"""What `session create`, `participant add` and `participant remove` do."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from proxyctl.api.models import Participant, Service, Session
from proxyctl.api.resources import PARTICIPANTS
from proxyctl.commands.report import End
from proxyctl.commands.run import Job, carry_out, finish_one, heading
from proxyctl.commands.session.change import carry_out_one, keep_off_disk, settings
from proxyctl.commands.session.holders import in_words
from proxyctl.errors import NotFoundError, ProxyctlError, RefusedError, UsageError
from proxyctl.identifiers import is_sid, parse_number, require_number
from proxyctl.input.items import Item
from proxyctl.render.shapes import PARTICIPANT, SESSION, SESSION_RESULT
from proxyctl.roles import Role
from proxyctl.runtime import Runtime
from proxyctl.sessions.decide import add_chain, complete_chain, create_chain, remove_chain
from proxyctl.sessions.reading import find_session, participants_of, sessions_named
from proxyctl.writes.plan import Entry, NoOp, Plan


def participant(
    runtime: Runtime, identifier: str, number: str | None, friendly_name: str | None = None
) -> dict[str, Any]:
    """Return the fields of a participant, whose identifier need not be a number. None of it is kept on disk."""
    if not is_sid("KP", identifier):
        keep_off_disk(runtime, identifier, friendly_name)
    country = runtime.options.default_country
    if not identifier.strip():
        raise UsageError(
            "a participant's IDENTIFIER is empty.", hint="Give a number in E.164, for example +14155550199."
        )
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
    ttl: float | None,
    expires: str | None,
    mode: str | None,
    participants: Sequence[str] | None,
    if_not_exists: bool,
) -> None:
    """Create a Session with its participants and print it; with ``if_not_exists`` complete the one of this name."""
    if if_not_exists and unique_name is None:
        raise UsageError("--if-not-exists needs --unique-name.", hint="Add --unique-name NAME.")
    runtime.out.check(SESSION)
    people = [
        participant(runtime, identifier, number if equals else None)
        for identifier, equals, number in (text.partition("=") for text in participants or ())
    ]
    runtime.guard_writes()
    service = runtime.account.service(service_name)
    fields = settings(runtime, ttl=ttl, expires=expires, mode=mode)

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

    job = Job("session create", [service.sid], decide, "created", True, service, shape=SESSION_RESULT)
    carry_out_one(
        runtime,
        job,
        lambda one: show_created(runtime, service, one),
        lambda error: not_joined(runtime, service, error, people),
    )


def not_joined(
    runtime: Runtime, service: Service, error: RefusedError, people: Sequence[dict[str, Any]]
) -> ProxyctlError:
    """Give a refusal of the API the facts about the participant whom it names."""
    named = [one for place, one in enumerate(people, 1) if error.message.startswith(f"participant {place} ")]
    return in_words(runtime, service, error, identifier=named[0]["identifier"] if named else "")


def show_created(runtime: Runtime, service: Service, end: End) -> None:
    """Print a Session, in json with its participants, and at a terminal who sees which number."""
    if runtime.options.silent:
        return
    raw, people = dict(end.seen or {}), {}
    if runtime.format in ("json", "jsonl", "table"):
        with suppress(ProxyctlError):  # it is created
            people = {"participants": participants_of(runtime.access.reader, service.sid, str(raw["sid"]))}
    table = runtime.format == "table"
    runtime.out.one(SESSION, raw if table else raw | people)
    if table and any(people.values()) and runtime.options.fields is None:
        runtime.out.text("")
        runtime.out.rows(PARTICIPANT, people.values())


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
    runtime.out.check(PARTICIPANT)
    fields = participant(runtime, identifier, proxy, friendly_name)
    runtime.guard_writes()
    service = runtime.account.service(service_name)
    found: list[Session] = []

    def decide() -> Plan:
        found[:] = [session := find_session(runtime.access.reader, service.sid, session_name)]
        there = participants_of(runtime.access.reader, service.sid, session.sid)
        item = Item(fields["identifier"], None, None)
        known = next((one for one in there if one.get("identifier") == fields["identifier"]), None)
        return Plan((add_chain(service.sid, session, item, fields) if known is None else NoOp(item, known),))

    def refused(error: RefusedError) -> ProxyctlError:
        return in_words(
            runtime, service, error, identifier=fields["identifier"], session=found[0] if found else None
        )

    job = Job("participant add", [service.sid], decide, "added", True, service, shape=SESSION_RESULT)
    carry_out_one(runtime, job, lambda one: show_added(runtime, one), refused)


def show_added(runtime: Runtime, end: End) -> None:
    """Print a participant."""
    if end.action == "unchanged":
        runtime.note("the participant is in the Session already. It was not changed.")
    if not runtime.options.silent:
        runtime.out.one(PARTICIPANT, dict(end.seen or {}))


def remove(runtime: Runtime, service_name: str, session_name: str, name: str) -> None:
    """Remove a participant, by SID or identifier, after a question; one that was removed is as wanted."""
    person = participant(runtime, name, None)["identifier"]
    runtime.guard_writes()
    service = runtime.account.service(service_name)

    def decide() -> Plan:
        session = find_session(runtime.access.reader, service.sid, session_name)
        rows = list(runtime.access.reader.rows(PARTICIPANTS.list(service.sid, session.sid)))
        rows.sort(key=lambda row: row.get("date_deleted") is not None)
        there = next(
            (Participant(row) for row in rows if {name, person} & {row["sid"], row.get("identifier")}), None
        )
        item = Item(name, there.sid if there else None, None)
        entry: Entry
        if there is None:
            error = NotFoundError("there is no such participant in the Session.", hint=LISTED)
            entry = NoOp(item, error=error)
        elif there.date_deleted:
            entry = NoOp(item, there.raw, note="removed already")
        else:
            entry = remove_chain(service.sid, session, item, there)
        title = Role.NAME(session.unique_name or session.sid)
        return Plan((entry,)).asking(
            lambda _: [heading(runtime, "Remove", "1 participant from Session ", title, sids=[service.sid])]
        )

    def say_removed(end: End) -> None:
        done = "removed" if end.action == "removed" else "nothing to do for"
        runtime.note(f"{done} participant {(end.seen or {}).get('sid')}.")

    job = Job("participant remove", [service.sid], decide, "removed", True, service, shape=SESSION_RESULT)
    finish_one(runtime, carry_out(runtime, job), say_removed)


LISTED = "'proxyctl participant list SERVICE SESSION' lists the participants."
