"""Numbers for a sandbox account, and pools filled at once: the same seed gives the same numbers and SIDs."""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from proxyctl.errors import NotFoundError, UsageError
from proxyctl.sandbox.context import webhooks_of
from proxyctl.sandbox.world.clock import present
from proxyctl.sandbox.world.countries import CAPABILITIES, COUNTRIES, Kind
from proxyctl.sandbox.world.store import Store

_NUMBERS_AT_MOST = 1_000_000  # in one go
_DRAWS_PER_NUMBER = 50  # before a country counts as full
_NO_URL = ""  # a number that was just bought leads nowhere


def seed_numbers(
    store: Store,
    count: int,
    country: str = "US",
    seed: int | None = None,
    *,
    type: str | None = None,  # noqa: A002 - the API's own word
    now: float | None = None,
) -> list[dict[str, Any]]:
    """Give the account ``count`` more numbers of ``country`` and return them, in one transaction.

    Returns ``sid, phone_number, friendly_name, iso_country, type, capabilities`` for each. With ``seed``, the same
    account gets the same numbers and SIDs. ``type`` picks ``local`` or ``mobile`` where a country has both; by
    default numbers that can do SMS. Raises UsageError for an unknown country or an impossible count.
    """
    kind = kind_of(country, type)
    if not 0 <= count <= _NUMBERS_AT_MOST:
        raise UsageError(f"--numbers is from 0 to {_NUMBERS_AT_MOST}, not {count}")
    with store.writing() as db:
        return insert_numbers(db, _draw(seed, country), count, country.upper(), kind, present(db, now))


def pool_numbers(
    store: Store,
    service_sid: str,
    sids: Iterable[str],
    *,
    is_reserved: bool = False,
    now: float | None = None,
) -> int:
    """Put account numbers straight into a Service's pool, past the API and its limits; returns how many.

    For scenarios and tests that need a nearly full pool at once. Raises NotFoundError for an unknown Service.
    """
    with store.writing() as db:
        return fill_pool(db, service_sid, sids, is_reserved, present(db, now))


def _draw(seed: int | None, country: str) -> random.Random:
    return random.Random(None if seed is None else f"{seed} {country.upper()}")


def kind_of(country: str, wanted: str | None = None) -> Kind:
    """The form of numbers of a country and type; UsageError where the sandbox does not know it."""
    kinds = COUNTRIES.get(country.upper())
    if kinds is None:
        raise UsageError(
            f"the sandbox has no numbers of {country}", hint=f"It knows {', '.join(sorted(COUNTRIES))}."
        )
    for kind in kinds:
        if wanted is None or kind.type == wanted:
            return kind
    raise UsageError(f"the sandbox has no {wanted} numbers of {country}")


def insert_numbers(
    db: sqlite3.Connection, draw: random.Random, count: int, country: str, kind: Kind, now: int
) -> list[dict[str, Any]]:
    """As ``seed_numbers``, inside a transaction."""
    can = {capability: capability in kind.can for capability in CAPABILITIES}
    salt = draw.getrandbits(64)
    phone_numbers = _draw_new(db, draw, count, country, kind)
    drawn = [
        {
            "sid": stable_sid("PN", f"{salt} {phone_number}"),
            "phone_number": phone_number,
            "friendly_name": _friendly(phone_number),
            "iso_country": country,
            "type": kind.type,
            "capabilities": can,
        }
        for phone_number in phone_numbers
    ]
    stored = json.dumps(can)
    db.executemany(
        "INSERT INTO numbers (sid, phone_number, friendly_name, iso_country, type, capabilities, voice_url, sms_url,"
        " date_created, date_updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                *(row["sid"], row["phone_number"], row["friendly_name"], country, kind.type, stored),
                *(_NO_URL, _NO_URL, now, now),
            )
            for row in drawn
        ),
    )
    return drawn


def _draw_new(
    db: sqlite3.Connection, draw: random.Random, count: int, country: str, kind: Kind
) -> Iterator[str]:
    """Yield ``count`` numbers that the account does not have yet."""
    prefix = kind.pattern[: min(kind.pattern.find(mark) % 99 for mark in "@#")]
    taken = {
        row["phone_number"]
        for row in db.execute(
            "SELECT phone_number FROM numbers WHERE phone_number >= ? AND phone_number < ?",
            (prefix, prefix + ":"),
        )
    }
    # The same seed again first meets all the numbers that it gave before.
    draws = _DRAWS_PER_NUMBER * count + 2 * len(taken)
    while count > 0:
        if draws == 0:
            raise UsageError(f"the sandbox has no numbers of {country} left", hint="Give another --country.")
        draws -= 1
        phone_number = _draw_one(draw, kind)
        if phone_number not in taken:
            taken.add(phone_number)
            count -= 1
            yield phone_number


def _draw_one(draw: random.Random, kind: Kind) -> str:
    text = kind.pattern.replace("@", draw.choice(kind.areas))
    digits = text.count("#")
    return text[: len(text) - digits] + f"{draw.randrange(10**digits):0{digits}}"


def stable_sid(prefix: str, name: str) -> str:
    """A SID that the name alone decides, so that a seed repeats it."""
    return prefix + hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def _friendly(phone_number: str) -> str:
    """``(415) 555-0100`` in North America, as Twilio names numbers; the number itself elsewhere."""
    if phone_number.startswith("+1"):
        return f"({phone_number[2:5]}) {phone_number[5:8]}-{phone_number[8:]}"
    return phone_number


def fill_pool(
    db: sqlite3.Connection, service_sid: str, sids: Iterable[str], is_reserved: bool, now: int
) -> int:
    """As ``pool_numbers``, inside a transaction."""
    service = db.execute("SELECT id FROM services WHERE sid = ?", (service_sid,)).fetchone()
    if service is None:
        raise NotFoundError(f"the sandbox has no Service {service_sid}")
    members = list(sids)
    added = db.executemany(
        "INSERT INTO pool (service_id, number_id, is_reserved, date_created, date_updated)"
        " SELECT ?, id, ?, ?, ? FROM numbers WHERE sid = ?",
        ((service["id"], is_reserved, now, now, sid) for sid in members),
    ).rowcount
    voice_url, sms_url = webhooks_of(service_sid)
    db.executemany(
        "UPDATE numbers SET voice_url = ?, sms_url = ?, date_updated = ? WHERE sid = ?",
        ((voice_url, sms_url, now, sid) for sid in members),
    )
    return added
