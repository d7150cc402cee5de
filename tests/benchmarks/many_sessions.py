"""A database with many Sessions, filled by SQL: ten Services with full pools, half of their Sessions active."""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Iterable, Iterator

from proxyctl.sandbox.api.services import DEFAULTS
from proxyctl.sandbox.context import insert_row
from proxyctl.sandbox.world.rehearsal import Draft, couples, insert_sessions
from proxyctl.sandbox.world.seed import fill_pool, insert_numbers, kind_of, stable_sid
from proxyctl.sandbox.world.store import Store

_MEMBERS = (
    "SELECT numbers.sid, phone_number, iso_country, service_id FROM pool JOIN numbers ON numbers.id = number_id"
    " WHERE service_id"
)

SERVICES = 10
NUMBERS = 500  # of each Service


def fill(
    store: Store, sessions: int = 100_000, services: int = SERVICES, now: int = 1_750_000_000
) -> list[str]:
    """Give each of ``services`` Services a full pool and its share of ``sessions``; return their SIDs."""
    sids = [stable_sid("KS", f"many {index}") for index in range(services)]
    with store.writing() as db:
        for index, sid in enumerate(sids):
            named = {"sid": sid, "unique_name": f"many-{index}"}
            insert_row(db, "services", {**DEFAULTS, **named, "date_created": now, "date_updated": now})
            drawn = insert_numbers(db, random.Random(index), NUMBERS, "US", kind_of("US"), now)
            fill_pool(db, sid, [row["sid"] for row in drawn], False, now)
            members = db.execute(f"{_MEMBERS} = (SELECT id FROM services WHERE sid = ?)", (sid,)).fetchall()
            insert_sessions(db, _drafts(members, sessions // services // NUMBERS), now)
    return sids


def _drafts(members: Iterable[sqlite3.Row], each: int) -> Iterator[Draft]:
    for number in members:
        for index, people in enumerate(itertools.islice(couples("US"), each)):
            yield Draft(number, people, "closed" if index % 2 else "open", age=index)
