"""A database with many Sessions, filled by SQL: ten Services with full pools, half of their Sessions active."""

from __future__ import annotations

import itertools
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from proxyctl.sandbox.api.services import DEFAULTS
from proxyctl.sandbox.context import ACCOUNT_SID, Response, insert_row
from proxyctl.sandbox.world.rehearsal import Draft, couples, insert_sessions
from proxyctl.sandbox.world.seed import fill_pool, insert_numbers, kind_of, stable_sid
from proxyctl.sandbox.world.store import Store
from tests.benchmarks.figures import Figure, at_most
from tests.sandbox.asking import Answer, Ask

_MEMBERS = (
    "SELECT numbers.sid, phone_number, iso_country, service_id FROM pool JOIN numbers ON numbers.id = number_id"
    " WHERE service_id"
)

SERVICES = 10
PARTICIPANT_MS, MESSAGE_MS = 3.0, 10.0  # at most
NUMBERS = 500  # of each Service


def fill(
    store: Store,
    sessions: int = 100_000,
    services: int = SERVICES,
    now: int = 1_750_000_000,
    every: int = 2,
) -> list[str]:
    """Give each of ``services`` Services a full pool and its share of ``sessions``, of which each so many are active;
    return their SIDs.
    """
    sids = [stable_sid("KS", f"many {index}") for index in range(services)]
    with store.writing() as db:
        for index, sid in enumerate(sids):
            named = {"sid": sid, "unique_name": f"many-{index}"}
            insert_row(db, "services", {**DEFAULTS, **named, "date_created": now, "date_updated": now})
            drawn = insert_numbers(db, random.Random(index), NUMBERS, "US", kind_of("US"), now)
            fill_pool(db, sid, [row["sid"] for row in drawn], False, now)
            members = db.execute(f"{_MEMBERS} = (SELECT id FROM services WHERE sid = ?)", (sid,)).fetchall()
            insert_sessions(db, _drafts(members, sessions // services // NUMBERS, every), now)
    return sids


def _drafts(members: Iterable[sqlite3.Row], each: int, every: int) -> Iterator[Draft]:
    for number in members:
        for index, people in enumerate(itertools.islice(couples("US"), each)):
            yield Draft(number, people, "closed" if index % every else "open", age=index)


def sessions(quick: bool) -> Iterator[Figure]:
    """What one request costs the sandbox itself, with 100,000 Sessions in its database."""
    with tempfile.TemporaryDirectory() as directory, Store(Path(directory) / "sandbox.db") as store:
        service = f"/v1/Services/{fill(store, 10_000 if quick else 100_000)[0]}"
        ask = Ask(store)
        paths = [ask.session(service) for _ in range(200)]
        joins = [partial(ask.join, path, f"+1415777{index:04}") for index, path in enumerate(paths)]
        milliseconds = _median(joins)
        yield _figure("a participant", milliseconds, PARTICIPANT_MS)
        pairs = [ask.join(path, f"+1415778{index:04}").body for index, path in enumerate(paths)]
        webhook = f"/v1/Accounts/{ACCOUNT_SID}/Proxy/{service.rpartition('/')[2]}/Webhooks/Message"
        texts = [{"From": one["identifier"], "To": one["proxy_identifier"], "Body": "hello"} for one in pairs]
        yield _figure(
            "a message", _median([partial(ask.raw, "POST", webhook, text) for text in texts]), MESSAGE_MS
        )
        for name in ("PhoneNumbers", "Sessions"):
            milliseconds = _median([partial(ask.get, f"{service}/{name}")] * 100)
            yield Figure(f"sessions: a page of 50 {name}", f"{milliseconds:.2f} ms")


def _figure(what: str, milliseconds: float, most: float) -> Figure:
    measured, limit = f"{milliseconds:.2f} ms", f"{most} ms"
    return Figure(f"sessions: {what}", measured, limit, milliseconds / most, at_most(1.0))


def _median(calls: Iterable[Callable[[], Answer | Response]]) -> float:
    """The median of these calls' processor time, in milliseconds."""
    taken = []
    for call in calls:
        started = time.process_time()
        assert call().status < 300
        taken.append(time.process_time() - started)
    return statistics.median(taken) * 1000
