"""Which Sessions there are, and who is in them. Participants are a request for each Session, so they are read only of
those that are left by all that the list itself says, in parallel. Nothing of them is kept on disk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from proxyctl.api.models import ACTIVE, Participant, PhoneNumber, Session
from proxyctl.api.resources import PARTICIPANTS, SESSIONS, fetch_session
from proxyctl.bulk.threads import in_order, side_by_side
from proxyctl.errors import AnswerError, NotFoundError, ProxyctlError, UsageError
from proxyctl.identifiers import is_sid
from proxyctl.input.items import Item
from proxyctl.sessions.lifetime import idle_since, instant, is_endless, is_overdue
from proxyctl.text import command_line
from proxyctl.writes.reading import Reader

Row = Mapping[str, Any]  # a Session as the API has it, perhaps with its ``participants``
Now = Callable[[], float]  # the server's time

NAMED = 3  # numbers, and Sessions of each, where some are named
COURTESY = 5.0  # seconds for what an error says besides
FEW = 10  # Sessions that are asked for one by one
WORKERS = 32  # Sessions whose participants are read at once; the gates decide how many requests that makes


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """What a Session must be like; nothing given does not care. Durations are in seconds. ``items`` are the numbers of
    which it must hold one, ``identifiers`` those of the participants of which it must have one.
    """

    statuses: Collection[str] = ()
    active: bool = False
    items: Sequence[Item] = ()
    identifiers: Collection[str] = ()
    idle_for: float | None = None
    older_than: float | None = None
    no_expiry: bool = False
    expired: bool = False

    def check(self) -> None:
        """Raise UsageError where no Session can be like that."""
        if self.no_expiry and self.expired:
            raise UsageError("--no-expiry and --expired exclude each other.", hint="Leave one of them out.")
        if self.statuses and (self.active or self.no_expiry or self.expired) and not self.wanted:
            text = "--status excludes active Sessions, and another filter wants them."
            raise UsageError(text, hint=f"Active are {' and '.join(ACTIVE)}.")

    @property
    def wanted(self) -> Collection[str]:
        """The statuses that will do; empty for all."""
        if not (self.active or self.no_expiry or self.expired):
            return self.statuses
        return [status for status in ACTIVE if not self.statuses or status in self.statuses]

    def accepts(self, session: Session, now: float) -> bool:
        """Whether a Session is like that, as far as its list says."""
        return (
            (not self.wanted or session.status in self.wanted)
            and is_past(idle_since(session), self.idle_for, now)
            and is_past(instant(session.date_created), self.older_than, now)
            and (not self.no_expiry or is_endless(session))
            and (not self.expired or is_overdue(session, now))
        )

    def admits(self, participants: Iterable[Participant]) -> bool:
        """Whether one of the participants is wanted."""
        return not self.identifiers or any(one.identifier in self.identifiers for one in participants)


def is_past(since: float | None, seconds: float | None, now: float) -> bool:
    """Whether so many seconds have passed; never since a time that is not known."""
    return seconds is None or (since is not None and now - since >= seconds)


def find_session(reader: Reader, service_sid: str, name_or_sid: str) -> Session:
    """Return a Session by SID or unique name. NotFoundError; UsageError for an empty name."""
    if not name_or_sid.strip():
        raise UsageError("SESSION is empty. Give a KC SID or a unique name")
    if not re.fullmatch(r"(?!\.\.?$)[^/\\;%]+", name_or_sid):  # no path can hold it
        rows = reader.rows(SESSIONS.list(service_sid))
        found = next((row for row in rows if row.get("unique_name") == name_or_sid), None)
        if found is None:
            raise not_found(name_or_sid, service_sid)
        return Session(found)
    try:
        session = Session(reader.request(fetch_session(service_sid, name_or_sid)).body)
    except NotFoundError as error:
        raise not_found(name_or_sid, service_sid, error) from None
    if not is_sid("KC", name_or_sid) and session.unique_name != name_or_sid:
        raise AnswerError("the response is about another Session than the one that was asked for")
    return session


def sessions_named(reader: Reader, service_sid: str, names: Sequence[str]) -> dict[str, Session]:
    """Return those that are there, by what names them: a few are asked for one by one, more are in the list."""
    found: dict[str, Session] = {}
    if len(names) > FEW:
        wanted = set(names)
        rows = map(Session, reader.rows(SESSIONS.list(service_sid)))
        return {name: one for one in rows for name in (one.unique_name, one.sid) if name in wanted}
    for name in names:
        with suppress(NotFoundError):
            found[name] = find_session(reader, service_sid, name)
    return found


def not_found(name_or_sid: str, service_sid: str, error: NotFoundError | None = None) -> NotFoundError:
    """Return the error about a Session that is not there."""
    listed = command_line("session", "list", service_sid)
    text = f"there is no Session {name_or_sid} in Service {service_sid}."
    hint = f"A closed Session is kept for 90 days. '{listed}' lists the Sessions."
    return NotFoundError(text, hint=hint, problem=error.problem if error else None)


def session_pages(reader: Reader, service_sid: str, chosen: SessionFilter, now: Now) -> Iterator[list[Row]]:
    """Yield of each page the Sessions that ``chosen`` accepts, as far as the list says."""
    for page in reader.pages(SESSIONS.list(service_sid)):
        yield [row for row in page.items if chosen.accepts(Session(row), now())]


def participants_of(reader: Reader, service_sid: str, session_sid: str) -> list[dict[str, Any]]:
    """Return who is in a Session; those that were removed stay in the API's list."""
    rows = reader.rows(PARTICIPANTS.list(service_sid, session_sid))
    return [row for row in rows if not row.get("date_deleted")]


def with_participants(
    reader: Reader, service_sid: str, pages: Iterable[Sequence[Row]], workers: int = WORKERS
) -> Iterator[Row]:
    """Yield Sessions with their participants, in order; one that was deleted meanwhile is left out.

    Where reading some fails, those that were read already come first.
    """

    def ask(sid: str) -> list[dict[str, Any]] | None:
        try:
            return participants_of(reader, service_sid, sid)
        except NotFoundError:
            return None

    for page in pages:
        rows = {Session(dict(row)).sid: row for row in page}
        for sid, participants in in_order(rows, side_by_side(ask, rows, workers=workers)):
            if participants is not None:
                yield {**rows[sid], "participants": participants}


def members(row: Row) -> list[Participant]:
    """Return the participants that were read with a Session."""
    return list(map(Participant, row["participants"]))


class Holders:
    """Finds the Sessions that hold ``numbers`` of a Service, until there are as many as their ``in_use`` says."""

    def __init__(self, numbers: Sequence[PhoneNumber]) -> None:
        self.left = {number.sid: number.in_use or 0 for number in numbers}
        self._sids = {str(number.phone_number): number.sid for number in numbers}
        self.stopped = False  # before the list ended

    @property
    def done(self) -> bool:
        """Whether all that the numbers' ``in_use`` says were found."""
        return all(count <= 0 for count in self.left.values())

    def held(self, row: Row) -> set[str]:
        """Return which of the numbers, by SID, a Session holds."""
        named = {name for one in members(row) for name in (one.proxy_identifier_sid, one.proxy_identifier)}
        return {sid for number, sid in self._sids.items() if named & {sid, number}}

    def among(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the Sessions that hold any of the numbers; ``rows`` have their participants."""
        if self.done:
            self.stopped = True
            return
        for row in rows:
            held = self.held(row)
            for sid in held:
                self.left[sid] -= 1
            if held:
                yield row
            if self.done:
                self.stopped = True
                return


def in_a_hurry(reader: Reader) -> Reader:
    """Return a reader for what an error says besides: `COURTESY` in all, and what it may not read ends nothing else."""
    return reader.within(COURTESY, in_all=True).apart()


def active_of(reader: Reader, service_sid: str) -> Iterator[Row]:
    """Yield active Sessions with their participants, as many as a reader in a hurry can read."""
    pages = session_pages(reader, service_sid, SessionFilter(active=True), lambda: 0.0)
    with suppress(ProxyctlError):
        yield from with_participants(reader, service_sid, pages)


def first_holders(rows: Iterable[Row], numbers: Sequence[PhoneNumber]) -> dict[str, list[str]]:
    """Return the first Sessions that hold each number, by its SID; ``rows`` are read no further than that takes."""
    holders = Holders(numbers)
    found: dict[str, list[str]] = {number.sid: [] for number in numbers}
    for row in rows:
        for sid in holders.held(row):
            found[sid].append(str(row["sid"]))
        if all(len(found[number.sid]) >= min(NAMED, number.in_use or NAMED) for number in numbers):
            break
    return {sid: sessions[:NAMED] for sid, sessions in found.items()}


def some_of(sids: Sequence[str], count: int) -> str:
    """Return the first SIDs, and how many more there are."""
    more = max(count, len(sids)) - len(sids[:NAMED])
    return ", ".join(sids[:NAMED]) + (f" and {more} more" if more else "")
