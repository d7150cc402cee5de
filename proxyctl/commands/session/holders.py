"""Which Sessions hold a number: said of numbers that could not go, and of participants who could get none. It is read
after the run, in a few seconds. What can't be read in that time is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress

from proxyctl.api import codes
from proxyctl.api.models import PhoneNumber, Service
from proxyctl.commands.report import Report
from proxyctl.errors import Interrupted, ProxyctlError, RefusedError, reworded
from proxyctl.identifiers import argument, country_of
from proxyctl.pools.account import Account
from proxyctl.pools.pool import country
from proxyctl.runtime import Runtime
from proxyctl.sessions import reading
from proxyctl.text import command_line, counted


def say_holders(runtime: Runtime, service: Service, report: Report | None, *, drained: bool = False) -> None:
    """Name the first Sessions that hold numbers of a run which are still in use, and the command that shows all.

    ``drained``: also of numbers that are as wanted.
    """
    if report is None or runtime.options.quiet or isinstance(report.stopped, Interrupted):
        return
    ends = [end for end in report.ends if drained or isinstance(end.error, RefusedError)]
    busy = [PhoneNumber(dict(end.seen)) for end in ends if end.seen and end.seen.get("in_use")]
    if not busy:
        return
    busy, found = busy[: reading.NAMED], {}
    with suppress(ProxyctlError):
        rows = reading.active_of(reading.in_a_hurry(runtime.access.reader), service.sid)
        found = reading.first_holders(rows, busy)
    held = [(one, reading.some_of(sids, one.in_use or 0)) for one in busy if (sids := found.get(one.sid))]
    lines = [f"{number.phone_number} is held by {sessions}." for number, sessions in held]
    numbers = [word for number in busy for word in ("--number", number.phone_number or number.sid)]
    where = argument(service.unique_name, service.sid)
    command = command_line("session", "list", where, *numbers, "--with-participants")
    runtime.note(*lines, f"'{command}' shows all Sessions.")


# No number for a participant

NO_NUMBER = (*range(codes.NO_VOICE_NUMBER, codes.NONE_LEFT + 1), codes.PAIR_ACTIVE)


def in_words(
    runtime: Runtime, service: Service, error: ProxyctlError, session: str, identifiers: Sequence[str] = ()
) -> ProxyctlError:
    """Return a refusal of a participant, or of a Session that is opened again, with the facts that can be read: which
    numbers fit, and which are taken. Twilio's order of rules is not published, so nothing is predicted.

    ``identifiers`` are the participants that were to be added, or else those of the Session are meant.
    """
    if error.problem is None or error.problem.code not in NO_NUMBER:
        return error
    named = [one for place, one in enumerate(identifiers, 1) if f"participant {place} " in error.message]
    people = set(named or identifiers)
    reader, own = reading.in_a_hurry(runtime.access.reader), ""
    facts: list[str] = []
    with suppress(ProxyctlError):
        if session:
            own = reading.find_session(reader, service.sid, session).sid
            rows = [] if people else reading.participants_of(reader, service.sid, own)
            people |= {str(row.get("identifier")) for row in rows}
        facts += facts_of_pool(Account(reader).pool(service.sid).by_sid.values(), people)
        facts += facts_of_sessions(reading.active_of(reader, service.sid), people, own)
    return reworded(error, " ".join([f"{error.message.rstrip('.')}.", *facts])) if facts else error


def facts_of_pool(numbers: Iterable[PhoneNumber], people: Collection[str]) -> list[str]:
    """Say how many numbers there are, how many fit a country, and how many are reserved."""
    pool = list(numbers)
    facts = [f"The pool has {counted(len(pool), 'number')}, {reserved_of(pool)}."]
    for code in sorted({code for person in people if (code := country_of(person))}):
        fit = [number for number in pool if country(number.raw) == code]
        facts.append(f"{counted(len(fit), 'number')} of the country {code}, {reserved_of(fit)}.")
    return facts


def reserved_of(numbers: Sequence[PhoneNumber]) -> str:
    """Return how many of the numbers are reserved."""
    return f"{sum(bool(number.is_reserved) for number in numbers)} reserved"


def facts_of_sessions(rows: Iterable[reading.Row], people: Collection[str], own: str) -> list[str]:
    """Say which numbers these people hold in other active Sessions; nobody is named."""
    held: dict[str, set[str]] = defaultdict(set)
    read = list(rows)
    for row in read:
        for one in reading.members(row):
            if one.identifier in people and row["sid"] != own:
                held[str(row["sid"])].add(str(one.proxy_identifier))
    numbers = {number for some in held.values() for number in some}
    if not held:
        return [f"In {counted(len(read), 'active Session')} that could be read, the participant holds none."]
    sids = list(held)
    return [f"The participant holds {counted(len(numbers), 'number')} in {reading.some_of(sids, len(sids))}."]
