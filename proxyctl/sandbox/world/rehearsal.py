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
    sessions = list(enumerate(drafts, 1 if row is None else row["seq"] + 1))
    _insert(db, "sessions", [_session(new_sid("KC"), key, draft, now) for key, draft in sessions])
    rows = [
        {
            "sid": new_sid("KP"),
            "session_id": key,
            "service_id": draft.number["service_id"],
            "identifier": person,
            "proxy_identifier": draft.number["phone_number"],
            "proxy_identifier_sid": draft.number["sid"],
            "is_active": draft.status != "closed",
            "date_created": now - draft.age,
            "date_updated": now - draft.age,
        }
        for key, draft in sessions
        for person in draft.people
    ]
    _insert(db, "participants", rows)


def _session(sid: str, key: int, draft: Draft, now: int) -> dict[str, Any]:
    made = now - draft.age
    started = None if draft.status == "open" else made
    ended = now if draft.status == "closed" else None
    return {
        "id": key,
        "sid": sid,
        "service_id": draft.number["service_id"],
        "unique_name": draft.unique_name,
        "status": draft.status,
        "closed_reason": "api" if ended else None,
        "ttl": draft.ttl,
        "date_started": started,
        "date_ended": ended,
        "date_last_interaction": started,
        "counts_from": made,
        "due": due_of(draft.status, draft.ttl, made, None, ended),
        "date_created": made,
        "date_updated": ended or made,
    }


def _insert(db: sqlite3.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        columns, marks = ", ".join(rows[0]), ", ".join("?" * len(rows[0]))
        values = (tuple(row.values()) for row in rows)
        db.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)


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


def pool_member(db: sqlite3.Connection, number: str) -> sqlite3.Row:
    """As ``member``. NotFoundError for a number that the account does not have, RefusedError for one in no pool."""
    if not number.isascii() or "\0" in number:
        raise UsageError("NUMBER is a PN SID or a phone number in E.164")
    found = member(db, number)
    if found is None:
        raise NotFoundError(
            f"the sandbox has no number {number}", hint="Add numbers to it: proxyctl sandbox seed"
        )
    if found["service_id"] is None:
        raise RefusedError(
            f"{number} is in no Service's pool",
            hint="Add it to one first: proxyctl number add SERVICE NUMBER --sandbox",
        )
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
    in_use``. Raises as ``pool_member``, and UsageError for an impossible count.
    """
    if not 0 <= sessions <= _SESSIONS_AT_MOST:
        raise UsageError(f"SESSIONS is from 0 to {_SESSIONS_AT_MOST}, not {sessions}")
    found = pool_member(db, number)
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
        busy = db.execute(f"SELECT identifier {_ACTIVE}", (number["service_id"], number["sid"]))
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
