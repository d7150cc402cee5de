"""Sessions that no client made: a number made busy, those of a scenario, and those that an older database only counted.

Each has two made-up people, who share the number. They are inserted in bulk, past the API and its rules.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from proxyctl.errors import NotFoundError, RefusedError, UsageError
from proxyctl.sandbox.guesses import random_sid
from proxyctl.sandbox.world.countries import COUNTRIES
from proxyctl.sandbox.world.lifetime import due_of

_SESSIONS_AT_MOST = 10_000  # of one number
_MEMBER = (
    "SELECT numbers.sid, phone_number, iso_country, services.id AS service_id, services.sid AS service_sid,"
    " is_reserved FROM numbers LEFT JOIN pool ON number_id = numbers.id LEFT JOIN services ON services.id = service_id"
)
_ACTIVE = "FROM participants WHERE service_id = ? AND proxy_identifier_sid = ? AND is_active = 1"


@dataclass(frozen=True, slots=True)
class Draft:
    """A Session to be, made ``age`` seconds ago. ``number`` is a row of a pool's number."""

    number: sqlite3.Row
    people: tuple[str, str]
    status: str = "open"
    unique_name: str | None = None
    ttl: int = 0
    age: int = 0


def insert_sessions(
    db: sqlite3.Connection, drafts: Iterable[Draft], now: int, new_sid: Callable[[str], str] = random_sid
) -> None:
    """Add Sessions with their participants."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'sessions'").fetchone()
    sessions, participants = [], []
    for session_id, draft in enumerate(drafts, 1 if row is None else row["seq"] + 1):
        service_id, made = draft.number["service_id"], now - draft.age
        started = None if draft.status == "open" else made
        ended = now if draft.status == "closed" else None
        due = due_of(draft.status, draft.ttl, made, None, ended)
        sessions.append(
            (
                *(session_id, new_sid("KC"), service_id, draft.unique_name, draft.status),
                *(
                    "api" if ended else None,
                    draft.ttl,
                    started,
                    ended,
                    started,
                    made,
                    due,
                    made,
                    ended or made,
                ),
            )
        )
        number = (draft.number["phone_number"], draft.number["sid"])
        participants += [
            (new_sid("KP"), session_id, service_id, person, *number, ended is None, made, made)
            for person in draft.people
        ]
    db.executemany(
        "INSERT INTO sessions (id, sid, service_id, unique_name, status, closed_reason, ttl, date_started, date_ended,"
        " date_last_interaction, counts_from, due, date_created, date_updated, mode, mode_given)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'voice-and-message', 0)",
        sessions,
    )
    db.executemany(
        "INSERT INTO participants (sid, session_id, service_id, identifier, proxy_identifier, proxy_identifier_sid,"
        " is_active, date_created, date_updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        participants,
    )


def couples(country: str, taken: Iterable[str] = ()) -> Iterator[tuple[str, str]]:
    """Numbers of made-up people of a country, two and two. In North America they have its code for persons, 500."""
    pattern = "+1500#######" if country in ("US", "CA") else COUNTRIES[country][0].pattern
    pattern = pattern.replace("@", COUNTRIES[country][0].areas[0])
    digits, known = pattern.count("#"), set(taken)
    people = (f"{pattern[:-digits]}{5_550_000 + index:0{digits}}" for index in itertools.count())
    free = (person for person in people if person not in known)
    return zip(free, free, strict=False)


def member(db: sqlite3.Connection, number: str) -> sqlite3.Row | None:
    """A number of the account (PN SID or E.164), with the Service whose pool it is in, if any."""
    found: sqlite3.Row | None = db.execute(
        f"{_MEMBER} WHERE numbers.sid = ? OR phone_number = ?", (number, number)
    ).fetchone()
    return found


def set_in_use(
    db: sqlite3.Connection,
    number: str,
    sessions: int,
    now: int,
    new_sid: Callable[[str], str] = random_sid,
) -> dict[str, Any]:
    """Make a pool number (PN SID or E.164) busy with ``sessions`` active Sessions, or idle with 0.

    Opens Sessions that never expire, or closes the newest. Returns ``sid, phone_number, service_sid, is_reserved,
    in_use``. Raises NotFoundError for a number that the account does not have, RefusedError for one in no pool,
    UsageError for an impossible count.
    """
    if not 0 <= sessions <= _SESSIONS_AT_MOST:
        raise UsageError(f"SESSIONS is from 0 to {_SESSIONS_AT_MOST}, not {sessions}")
    if not number.isascii() or "\0" in number:
        raise UsageError("NUMBER is a PN SID or a phone number in E.164")
    found = member(db, number)
    if found is None:
        raise NotFoundError(
            f"the sandbox has no number {number}", hint="Add numbers to it: proxyctl sandbox seed"
        )
    if found["service_id"] is None:
        raise RefusedError(
            f"{number} is in no Service's pool, so it can't be in use",
            hint="Add it to one first: proxyctl number add SERVICE NUMBER --sandbox",
        )
    holders = db.execute(
        f"SELECT DISTINCT session_id {_ACTIVE} ORDER BY session_id DESC", (found["service_id"], found["sid"])
    ).fetchall()
    _open(db, found, sessions - len(holders), now, new_sid)
    _close(db, [row["session_id"] for row in holders[: max(0, len(holders) - sessions)]], now)
    shown = {name: found[name] for name in ("sid", "phone_number", "service_sid", "is_reserved")}
    return {**shown, "is_reserved": bool(found["is_reserved"]), "in_use": sessions}


def _open(
    db: sqlite3.Connection, number: sqlite3.Row, count: int, now: int, new_sid: Callable[[str], str]
) -> None:
    if count > 0:
        busy = db.execute(
            f"SELECT identifier {_ACTIVE}",
            (number["service_id"], number["sid"]),
        )
        people = couples(number["iso_country"], [row["identifier"] for row in busy])
        drafts = (Draft(number, pair) for pair in itertools.islice(people, count))
        insert_sessions(db, drafts, now, new_sid)


def _close(db: sqlite3.Connection, session_ids: list[int], now: int) -> None:
    db.executemany(
        "UPDATE sessions SET status = 'closed', closed_reason = 'api', date_ended = ?, date_updated = ?, due = ?"
        " WHERE id = ?",
        ((now, now, due_of("closed", 0, 0, None, now), session_id) for session_id in session_ids),
    )


def take_over(db: sqlite3.Connection) -> None:
    """Make of each count of a database of version 2 so many Sessions; its column stays, and nobody reads it."""
    for row in db.execute(
        "SELECT sid, in_use, pool.date_updated FROM pool JOIN numbers ON numbers.id = number_id WHERE in_use > 0"
    ).fetchall():
        set_in_use(db, row["sid"], min(row["in_use"], _SESSIONS_AT_MOST), row["date_updated"])
