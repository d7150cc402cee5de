"""Whole accounts to rehearse with, as data: Services, pools in all states, and faults for an audit to find."""

from __future__ import annotations

import itertools
import json
import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from proxyctl.errors import RefusedError, UsageError
from proxyctl.sandbox.api.messaging import DEFAULTS as MESSAGING_DEFAULTS
from proxyctl.sandbox.api.services import DEFAULTS as SERVICE_DEFAULTS
from proxyctl.sandbox.context import insert_row, webhooks_of
from proxyctl.sandbox.guesses import RULES
from proxyctl.sandbox.world.clock import present
from proxyctl.sandbox.world.rehearsal import Draft, couples, insert_sessions, member, set_in_use
from proxyctl.sandbox.world.seed import fill_pool, insert_numbers, kind_of, seed_numbers, stable_sid
from proxyctl.sandbox.world.store import Store

_EVENTS = "https://app.example.com/proxy/events"
_CROWDED = 130  # open sessions, where Twilio advises 100 at most
# Sessions with names: status, name, seconds to live (0: for ever), age in seconds.
_RIDES = (
    ("open", "ride-1001", 3600, 600),
    ("in-progress", "ride-1002", 3600, 1500),
    ("open", "ride-1003", 0, 90_000),
    ("closed", "ride-1004", 3600, 9000),
)
_OVERDUE = ("in-progress", "ride-1005", 3600, 7200)  # the first request closes it


@dataclass(frozen=True, slots=True)
class Pool:
    """Numbers of one country and type in a Service; ``busy`` of each kind have open sessions."""

    country: str
    unreserved: int = 0
    reserved: int = 0
    busy: int = 0
    draining: int = 0  # reserved, and still in use
    most: int = 90  # sessions of a busy number
    type: str | None = None


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """A Service, its settings and its pools."""

    unique_name: str
    pools: tuple[Pool, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)


AGENCY = (
    ServicePlan(
        "rides-us",
        (Pool("US", unreserved=430, reserved=120, busy=260, draining=12),),  # 86 % of the unreserved
        {"callback_url": _EVENTS, "geo_match_level": "area-code", "default_ttl": 3600},
    ),
    ServicePlan(
        "archive-us", (Pool("US", reserved=4600),), {"callback_url": _EVENTS}
    ),  # 92 % of the reserved
    ServicePlan(
        "rides-ca",
        (Pool("CA", unreserved=60, reserved=15, busy=20),),
        {"callback_url": "http://app.example.com/events"},
    ),
    ServicePlan(
        "clinic-gb",
        (
            Pool("GB", unreserved=40, busy=8),
            Pool("GB", unreserved=10, type="local"),
        ),  # the local ones have no SMS
        {"callback_url": _EVENTS, "default_ttl": 86400},
    ),
    ServicePlan(
        "delivery-de",
        (Pool("DE", unreserved=50, reserved=30, busy=25, draining=9),),
        {"callback_url": _EVENTS, "number_selection_behavior": "avoid-sticky"},
    ),
    ServicePlan(
        "concierge-fr",
        (Pool("FR", reserved=30),),  # none to choose from
        {"callback_url": webhooks_of(stable_sid("KS", "deleted long ago"))[1]},  # Proxy would call itself
    ),
    ServicePlan("pilot-au"),  # no numbers at all
)

FLEET = tuple(
    ServicePlan(
        f"fleet-{number:02}",
        (Pool("US", unreserved=100, reserved=900, busy=40, most=9),),
        {"callback_url": _EVENTS},
    )
    for number in range(1, 11)
)


class _Builder:
    """One transaction's work: inserts what a plan says, and remembers the numbers."""

    def __init__(self, db: sqlite3.Connection, draw: random.Random, now: int) -> None:
        self.db = db
        self.draw = draw
        self.now = now
        self.salt = draw.getrandbits(64)
        self._sids = random.Random(self.salt)
        self.numbers: list[dict[str, Any]] = []

    def service(self, plan: ServicePlan) -> str:
        sid = stable_sid("KS", f"{self.salt} {plan.unique_name}")
        named = {"sid": sid, "unique_name": plan.unique_name}
        dates = {"date_created": self.now, "date_updated": self.now}
        insert_row(self.db, "services", {**SERVICE_DEFAULTS, **plan.settings, **named, **dates})
        for pool in plan.pools:
            self.pool(sid, pool)
        return sid

    def pool(self, service_sid: str, pool: Pool) -> None:
        drawn = self.account_numbers(pool.unreserved + pool.reserved, pool.country, pool.type, service_sid)
        sids = [row["sid"] for row in drawn]
        unreserved, reserved = sids[: pool.unreserved], sids[pool.unreserved :]
        fill_pool(self.db, service_sid, unreserved, False, self.now)
        fill_pool(self.db, service_sid, reserved, True, self.now)
        busy = [
            (sid, self.draw.randint(1, pool.most))
            for sid in unreserved[: pool.busy] + reserved[: pool.draining]
        ]
        self.sessions(draft for sid, count in busy for draft in self.talks(sid, count))

    def talks(self, sid: str, count: int) -> Iterator[Draft]:
        """Sessions of a number, every third of them in progress, none of which expires."""
        number = member(self.db, sid)
        assert number is not None
        for index, people in enumerate(itertools.islice(couples(number["iso_country"]), count)):
            yield Draft(number, people, "open" if index % 3 else "in-progress", age=index * 977 % 86_400)

    def sessions(self, drafts: Iterable[Draft]) -> None:
        insert_sessions(self.db, drafts, self.now, self.new_sid)

    def new_sid(self, prefix: str) -> str:
        return f"{prefix}{self._sids.getrandbits(128):032x}"

    def account_numbers(
        self, count: int, country: str, type_: str | None = None, service_sid: str | None = None
    ) -> list[dict[str, Any]]:
        drawn = insert_numbers(self.db, self.draw, count, country, kind_of(country, type_), self.now)
        self.numbers += ({**row, "service_sid": service_sid} for row in drawn)
        return drawn

    def members(self, unique_name: str) -> list[str]:
        """The PN SIDs of a Service's pool, in the order in which they joined."""
        rows = self.db.execute(
            "SELECT numbers.sid FROM pool JOIN numbers ON numbers.id = pool.number_id"
            " JOIN services ON services.id = pool.service_id WHERE unique_name = ? ORDER BY pool.id",
            (unique_name,),
        )
        return [row["sid"] for row in rows]

    def point(self, sids: list[str], voice_url: str, sms_url: str) -> None:
        self.db.executemany(
            "UPDATE numbers SET voice_url = ?, sms_url = ? WHERE sid = ?",
            ((voice_url, sms_url, sid) for sid in sids),
        )

    def crowd(self, sid: str) -> None:
        """Give a number Sessions with names, and more than it should have."""
        number = member(self.db, sid)
        assert number is not None
        people = zip(*[(f"+1415555{index:04}" for index in itertools.count(150))] * 2, strict=False)
        named = [Draft(number, next(people), *ride) for ride in (*_RIDES, _OVERDUE)]
        self.sessions(named[:-1])
        set_in_use(self.db, sid, _CROWDED, self.now, self.new_sid)
        self.sessions(named[-1:])

    def messaging_service(self, name: str, sids: list[str], *, defers: bool) -> None:
        settings = json.dumps({**MESSAGING_DEFAULTS, "use_inbound_webhook_on_number": defers})
        identity = self.db.execute(
            "INSERT INTO messaging_services (sid, friendly_name, settings, date_created, date_updated)"
            " VALUES (?, ?, ?, ?, ?)",
            (stable_sid("MG", f"{self.salt} {name}"), name, settings, self.now, self.now),
        ).lastrowid
        self.db.executemany(
            "INSERT INTO messaging_numbers (messaging_service_id, number_id, date_created, date_updated)"
            " SELECT ?, id, ?, ? FROM numbers WHERE sid = ?",
            ((identity, self.now, self.now, sid) for sid in sids),
        )


def _agency(builder: _Builder) -> None:
    """An agency with several clients, and the problems of such accounts."""
    services = {plan.unique_name: builder.service(plan) for plan in AGENCY}
    spare = [row["sid"] for row in builder.account_numbers(50, "US")]
    # Left a pool, or never joined it: the webhooks still lead to a Service that does not hold the number.
    builder.point(spare[:5], *webhooks_of(services["rides-us"]))
    builder.point(spare[5:7], *webhooks_of(stable_sid("KS", "deleted long ago")))
    # Their Service was deleted: they greet callers in Twilio's name.
    builder.point(spare[7:10], RULES.demo_voice_url, RULES.demo_sms_url)
    # In a pool, but somebody pointed them elsewhere: Proxy never sees their calls and messages.
    builder.point(
        builder.members("rides-ca")[:3], "https://old.example.com/voice", "https://old.example.com/sms"
    )
    builder.crowd(builder.members("rides-us")[0])
    builder.messaging_service("A2P rides", builder.members("rides-us")[:100], defers=True)
    builder.messaging_service("Newsletters", builder.members("rides-ca")[:10] + spare[40:], defers=False)


def _fleet(builder: _Builder) -> None:
    """Ten like Services with 1,000 numbers each, to measure and to move numbers between."""
    for plan in FLEET:
        builder.service(plan)


SCENARIOS: dict[str, Callable[[_Builder], None]] = {"agency": _agency, "fleet": _fleet}


def seed(
    store: Store,
    numbers: int | None,
    country: str | None,
    scenario: str | None,
    seed: int | None,
    *,
    now: float,
) -> list[dict[str, Any]]:
    """Make ``numbers`` of a country, or a whole scenario: what the command and its request take."""
    for name, value in (("--numbers", numbers), ("--country", country)):
        if scenario is not None and value is not None:
            raise UsageError(f"--scenario does not go with {name}.", hint="A scenario has its own.")
    if scenario is not None:
        return seed_scenario(store, scenario, seed, now=now)
    return seed_numbers(store, 10 if numbers is None else numbers, country or "US", seed, now=now)


def seed_scenario(
    store: Store, name: str, seed: int | None = None, *, now: float | None = None
) -> list[dict[str, Any]]:
    """Build the scenario ``name`` in one transaction and return its numbers.

    Each as ``seed_numbers`` gives it, with ``service_sid`` (None for one in no pool). With ``seed``, an empty
    sandbox always becomes the same account. Raises UsageError for an unknown scenario, RefusedError where its
    Services exist already.
    """
    build = SCENARIOS.get(name)
    if build is None:
        raise UsageError(f"there is no scenario {name}", hint=f"There are {', '.join(sorted(SCENARIOS))}.")
    with store.writing() as db:
        builder = _Builder(db, random.Random(None if seed is None else f"{seed} {name}"), present(db, now))
        try:
            build(builder)
        except sqlite3.IntegrityError as error:
            raise RefusedError(
                f"the scenario {name} is in the sandbox already",
                hint="Start from an empty sandbox: proxyctl sandbox reset",
            ) from error
        return builder.numbers
