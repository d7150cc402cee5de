"""What close, delete and update of `session` do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from proxyctl.api.models import Service, Session
from proxyctl.commands.number.given import Given, begin
from proxyctl.commands.report import End, Report
from proxyctl.commands.run import Job, carry_out, finish, finish_one, heading
from proxyctl.commands.session.filters import Chosen, chosen_by, numbers_of, sessions_of
from proxyctl.commands.session.holders import in_words
from proxyctl.errors import ProxyctlError, RefusedError, UsageError
from proxyctl.input.items import Item
from proxyctl.input.sessions import SessionReading
from proxyctl.render.shapes import SESSION, SESSION_RESULT
from proxyctl.roles import Line, Role, line
from proxyctl.runtime import Runtime
from proxyctl.sessions.decide import StillChosen, decide_each, decide_end, decide_update, plan_of
from proxyctl.sessions.lifetime import as_date
from proxyctl.sessions.reading import find_session, sessions_named
from proxyctl.text import counted
from proxyctl.writes.plan import Entry, Plan
from proxyctl.writes.requests import Verb
from proxyctl.writes.session_requests import CLOSE_SESSION, DELETE_SESSION

VERBS = {"close": CLOSE_SESSION, "delete": DELETE_SESSION}


def end(
    runtime: Runtime,
    verb: str,
    service_name: str,
    sessions: Sequence[str],
    *,
    file: str | None = None,
    all_sessions: bool,
    most: int | None = None,
    **filters: Any,
) -> None:
    """Close or delete the Sessions that are named or chosen; raises the error that the run ends with."""
    row, listed = VERBS[verb], bool(sessions) or file is not None
    chosen = choice(runtime, verb, listed, all_sessions, filters)
    given = begin(runtime, sessions, file, required=listed, shape=SESSION_RESULT, kind=SessionReading)
    service = runtime.account.service(service_name)
    given.require(service)
    entries = entries_of(runtime, row, service, given, chosen)

    def decide() -> Plan:
        plan = plan_of(entries())
        if most is not None and len(plan.chains) > most:
            count = counted(len(plan.chains), "Session")
            raise RefusedError(f"{count} would be {row.done}, more than --max {most}. Nothing was sent.")
        return plan.asking(lambda plan: question(runtime, service, verb, plan))

    job = Job(f"session {verb}", [service.sid], given.deciding(decide), row.done, given.single, service)
    report = carry_out(runtime, replace(job, shape=SESSION_RESULT))
    say_alive(runtime, report)
    finish(runtime, SESSION_RESULT, report, given.rest)


def entries_of(
    runtime: Runtime, verb: Verb, service: Service, given: Given, chosen: Chosen | None
) -> Callable[[], list[Entry]]:
    """Return what reads the Sessions that are named or chosen, and decides for each."""
    asked: list[Session] = []

    def named() -> list[Entry]:
        found = sessions_named(runtime.access.reader, service.sid, [item.name for item in given.items])
        return decide_each(given.items, found, lambda item, one: decide_end(verb, item, one, service.sid))

    def read(chosen: Chosen) -> list[Entry]:
        if not asked:  # what a question has shown is what is carried out
            numbers = numbers_of(runtime, [service], chosen.items)[service.sid]
            pages = sessions_of(runtime, service, chosen, numbers)
            asked.extend(Session(dict(one)) for page in pages for one in page)
        still = still_chosen(runtime, chosen, deleting=verb is DELETE_SESSION)
        return [decide_end(verb, Item(one.sid, one.sid, None), one, service.sid, still) for one in asked]

    return named if chosen is None else partial(read, chosen)


def choice(
    runtime: Runtime, verb: str, listed: bool, all_sessions: bool, filters: dict[str, Any]
) -> Chosen | None:
    """Return which Sessions are meant; None for those that are named. UsageError: none, or in two ways."""
    filters = {
        name: value for name, value in filters.items() if value not in (None, []) and value is not False
    }
    if [listed, all_sessions, bool(filters)].count(True) != 1:
        raise UsageError(
            "choose Sessions in one way: by name, from a file, by filters, or with --all-sessions.",
            hint="'proxyctl session list SERVICE --idle-for 7d' shows what filters choose.",
        )
    if listed:
        return None
    chosen = chosen_by(runtime, **filters | ({"active": True} if verb == "close" else {}))
    keep_off_disk(runtime, *chosen.filter.identifiers)
    return chosen


def keep_off_disk(runtime: Runtime, *texts: str | None) -> None:
    """Let neither the history nor a lock keep what is personal."""
    for text in filter(None, texts):
        runtime.kept.add(text)


def still_chosen(runtime: Runtime, chosen: Chosen, *, deleting: bool) -> StillChosen | None:
    """Return whether a Session is still as it was chosen, where time decides that; None where it does not.

    A closed one that was opened again is not deleted.
    """
    timely = chosen.filter.idle_for is not None or chosen.filter.expired
    if not timely and not (deleting and chosen.filter.statuses):
        return None
    return lambda session: chosen.filter.accepts(session, runtime.access.now())


def question(runtime: Runtime, service: Service, verb: str, plan: Plan) -> list[Line]:
    """Say how many Sessions will be closed or deleted, where, and as whom."""
    name = Role.NAME(service.unique_name or service.sid)
    count = counted(len(plan.chains), "Session")
    lines = [heading(runtime, verb.capitalize(), f"{count} of ", name, sids=[service.sid])]
    if verb == "delete":
        active = sum(Session(dict(chain.before or {})).is_active for chain in plan.chains)
        lines.append(line(f"  Active now: {active}.", hang=2))
        lines += [
            line("  Their participants and interactions are deleted for good.", hang=2),
            line("  The Message and Call SIDs of their interactions can't be found afterwards.", hang=2),
        ]
    return lines


def say_alive(runtime: Runtime, report: Report | None) -> None:
    """Count the Sessions that were left alone, because they came to life."""
    ends = report.ends if report is not None else ()
    alive = [
        one for one in ends if one.action == "unchanged" and one.seen and Session(dict(one.seen)).is_active
    ]
    if alive:
        runtime.note(f"{counted(len(alive), 'Session')} left alone: no longer as they were chosen.")


# One Session


def carry_out_one(
    runtime: Runtime,
    job: Job,
    show: Callable[[End], None],
    refused: Callable[[RefusedError], ProxyctlError],
) -> None:
    """Carry a job with one item out; ``refused`` makes more of a refusal, after the lock was released."""
    try:
        finish_one(runtime, carry_out(runtime, job), show)
    except RefusedError as error:
        raise refused(error) from None


def settings(
    runtime: Runtime, *, ttl: float | None, expires: str | None, **others: str | None
) -> dict[str, Any]:
    """Return what was given as the API's fields; an expiry may be a time from now."""
    if expires is not None and expires.startswith("+"):
        expires = as_date(runtime.access.now() + float(expires))
    given = {"ttl": None if ttl is None else int(ttl), "date_expiry": expires, **others}
    return {name: value for name, value in given.items() if value is not None}


def update(
    runtime: Runtime,
    service_name: str,
    session_name: str,
    *,
    ttl: float | None,
    expires: str | None,
    status: str | None,
) -> None:
    """Change what differs, and print the Session."""
    if ttl is None and expires is None and status is None:
        raise UsageError("nothing to update was given.", hint="Give --ttl, --expires or --status.")
    runtime.out.check(SESSION)
    runtime.guard_writes()
    service = runtime.account.service(service_name)
    wanted = settings(runtime, ttl=ttl, expires=expires, status=status)
    found: list[Session] = []

    def decide() -> Plan:
        found[:] = [find_session(runtime.access.reader, service.sid, session_name)]
        plan = Plan((decide_update(Item(session_name, found[0].sid, None), found[0], service.sid, wanted),))
        closes = status == "closed"
        return plan.asking(lambda plan: question(runtime, service, "close", plan)) if closes else plan

    job = Job("session update", [service.sid], decide, "updated", True, service, shape=SESSION_RESULT)
    carry_out_one(
        runtime,
        job,
        lambda one: show(runtime, one),
        lambda error: in_words(runtime, service, error, session=found[0] if found else None),
    )


def show(runtime: Runtime, end: End) -> None:
    """Print the Session that a run changed."""
    if not runtime.options.silent:
        runtime.out.one(SESSION, dict(end.seen or {}))
