"""What `session close` and `session delete` do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from proxyctl.api.models import Service, Session
from proxyctl.commands.number.given import Given, begin
from proxyctl.commands.report import Report
from proxyctl.commands.run import Job, carry_out, finish, heading
from proxyctl.commands.session.listing import chosen_by, numbers_of, sessions_of
from proxyctl.errors import RefusedError, UsageError
from proxyctl.input.items import Item, SessionReading
from proxyctl.render.shapes import SESSION_RESULT
from proxyctl.roles import Line, Role, line
from proxyctl.runtime import Runtime
from proxyctl.sessions.decide import MOST_READ_AGAIN, READ_AGAIN, StillChosen, decide_end, disagrees
from proxyctl.sessions.reading import SessionFilter, sessions_named
from proxyctl.text import counted
from proxyctl.writes.plan import Entry, Plan, decide_each
from proxyctl.writes.requests import CLOSE_SESSION, DELETE_SESSION, Verb

VERBS = {"close": CLOSE_SESSION, "delete": DELETE_SESSION}


def end(
    runtime: Runtime,
    verb: str,
    service_name: str,
    sessions: Sequence[str],
    *,
    all_sessions: bool,
    most: int | None = None,
    **filters: Any,
) -> None:
    """Close or delete the Sessions that are named or chosen; raises the error that the run ends with."""
    row, listed = VERBS[verb], bool(sessions) or runtime.options.file is not None
    chosen = choice(runtime, verb, listed, all_sessions, filters)
    given = begin(runtime, sessions, required=False, shape=SESSION_RESULT, kind=SessionReading)
    service = runtime.account.service(service_name)
    given.require(service)
    asked: list[Session] = []

    def decide() -> Plan:
        if chosen is None:
            entries = entries_of_named(runtime, row, service, given)
        else:
            entries = entries_of_chosen(runtime, row, service, chosen, asked)
        plan = Plan(tuple(entries), spares={READ_AGAIN: MOST_READ_AGAIN})
        if most is not None and len(plan.chains) > most:
            count = counted(len(plan.chains), "Session")
            raise RefusedError(f"{count} would be {row.done}, more than --max {most}. Nothing was sent.")
        return plan.asking(lambda plan: question(runtime, service, verb, plan))

    job = Job(f"session {verb}", [service.sid], given.deciding(decide), row.done, given.single, service)
    report = carry_out(runtime, replace(job, shape=SESSION_RESULT))
    say_alive(runtime, report)
    finish(runtime, SESSION_RESULT, report, given.rest)


def choice(
    runtime: Runtime, verb: str, listed: bool, all_sessions: bool, filters: dict[str, Any]
) -> SessionFilter | None:
    """Return which Sessions are meant; None for those that are named. UsageError: none, or in two ways."""
    filters = {key: one for key, one in filters.items() if one not in (None, []) and one is not False}
    if [listed, all_sessions, bool(filters)].count(True) != 1:
        text = "choose Sessions in one way: by name, from a file, by filters, or with --all-sessions."
        hint = "'proxyctl session list SERVICE --idle-for 7d' shows what filters choose."
        raise UsageError(text, hint=hint)
    if listed:
        return None
    chosen = chosen_by(runtime, **filters | ({"active": True} if verb == "close" else {}))
    keep_off_disk(runtime, *chosen.identifiers)
    return chosen


def keep_off_disk(runtime: Runtime, *texts: str | None) -> None:
    """Let neither the history nor a lock keep what is personal."""
    for text in filter(None, texts):
        runtime.kept.add(text)


def entries_of_named(runtime: Runtime, verb: Verb, service: Service, given: Given) -> list[Entry]:
    """Read the Sessions that are named, and decide for each."""
    found = sessions_named(runtime.access.reader, service.sid, [item.name for item in given.items])

    def decide_one(item: Item, session: Session | None) -> Entry:
        return decide_end(verb, item, session, service.sid)

    return decide_each(given.items, lambda item: found.get(item.name), disagrees, decide_one)


def entries_of_chosen(
    runtime: Runtime, verb: Verb, service: Service, chosen: SessionFilter, asked: list[Session]
) -> list[Entry]:
    """Read the Sessions that are chosen, and decide for each. What a question has shown (``asked``) is not read again,
    so that this is what is carried out.
    """
    if not asked:
        numbers = numbers_of(runtime, [service], chosen.items)[service.sid]
        pages = sessions_of(runtime, service, chosen, numbers)
        asked.extend(Session(dict(one)) for page in pages for one in page)
    still = still_chosen(runtime, chosen, deleting=verb is DELETE_SESSION)
    return [decide_end(verb, Item(one.sid, one.sid, None), one, service.sid, still) for one in asked]


def still_chosen(runtime: Runtime, chosen: SessionFilter, *, deleting: bool) -> StillChosen | None:
    """Return whether a Session is still as it was chosen, where time decides that; None where it does not.

    A closed one that was opened again is not deleted.
    """
    timely = chosen.idle_for is not None or chosen.expired
    if not timely and not (deleting and chosen.statuses):
        return None
    return lambda session: chosen.accepts(session, runtime.access.now())


def question(runtime: Runtime, service: Service, verb: str, plan: Plan) -> list[Line]:
    """Say how many Sessions will be closed or deleted, where, and as whom."""
    name = Role.NAME(service.name)
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
    left = [one.seen for one in ends if one.action == "unchanged" and one.seen]
    alive = sum(Session(dict(seen)).is_active for seen in left)
    if alive:
        runtime.note(f"{counted(alive, 'Session')} left alone: no longer as they were chosen.")
