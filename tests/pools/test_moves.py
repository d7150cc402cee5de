"""The moves of numbers as values: whatever fails, each number is in one pool or is told to be in none."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxyctl.api.models import IncomingNumber, PhoneNumber
from proxyctl.commands.report import report_of
from proxyctl.input.items import Item
from proxyctl.pools.decide import PRESENT, Home
from proxyctl.pools.moves import (
    Route,
    Trails,
    Unfinished,
    UnknownFlagError,
    by_way_of_messaging,
    decide_moves,
)
from proxyctl.pools.pool import Pool
from proxyctl.state.record import Trail
from proxyctl.writes.plan import MOST_IN_TRANSIT, NAMED_TWICE, Chain, Entry, NoOp, Plan
from tests.writes.simulation import Account, records, run, sid

A, B = "KS" + "a" * 32, "KS" + "b" * 32
MG = "MG" + "c" * 32
FLAGS = st.lists(st.booleans(), min_size=1, max_size=16)
SEEDS = st.integers(0, 2**32).map(random.Random)
SOME = st.sets(st.integers(0, 15))
often = settings(max_examples=100)


def item(number: str) -> Item:
    return Item(number, sid(number), None)


def pool(service: str, rows: Iterable[Mapping[str, Any]]) -> Pool:
    found = Pool(service)
    for row in rows:
        found.add(PhoneNumber(dict(row)))
    return found


def route(account: Account, **more: Any) -> Route:
    """What is read before a move from A to B."""
    pools = [pool(name, (account.row(name, number) for number in account.pools[name])) for name in (A, B)]
    return Route(Home(A, "a"), Home(B, "b"), (pools[0], pools[1]), **more)


def moves(account: Account, items: list[Item], **more: Any) -> list[Entry]:
    """What is decided of a move from A to B, through the Messaging Service."""
    way = route(account, **more)
    held = {sid(number): MG for number in account.senders}
    return by_way_of_messaging(decide_moves(items, way), held, way.unfinished, through=True)


def hinting(number: str, service: str = A) -> IncomingNumber:
    """A number of the account, with the webhooks that a Service gave it."""
    url = f"https://webhooks.twilio.com/v1/Accounts/AC1/Proxy/{service}/Webhooks/Call"
    return IncomingNumber({"sid": sid(number), "phone_number": number, "voice_url": url, "sms_url": url})


def scene(flags: list[bool], held: set[int]) -> tuple[Account, list[Item]]:
    numbers = {f"n{index}": flag for index, flag in enumerate(flags)}
    account = Account({A: numbers, B: {}}, senders=[n for n in numbers if int(n[1:]) in held])
    return account, [item(number) for number in numbers]


@often
@given(FLAGS, SOME, SEEDS, st.none() | st.integers(1, 40))
def test_each_number_is_where_it_is_said_to_be(
    flags: list[bool], held: set[int], rng: random.Random, stop: int | None
) -> None:
    account, items = scene(flags, held)
    senders = set(account.senders)
    plan = Plan(tuple(moves(account, items)), account.capacities())
    trouble = dict.fromkeys(("detach", "remove", "add", "attach", "rollback"), 0.2)
    flow = run(account, plan, rng, refused=trouble, stop_at=stop)
    assert account.most_out <= MOST_IN_TRANSIT
    for end in report_of(plan.entries, flow.ends(), None).ends:
        number = end.item.input
        place = next((name for name, numbers in account.pools.items() if number in numbers), None)
        as_before = (number in account.senders) == (number in senders)
        text = str(end.error)
        if place is None:
            assert end.action == "failed"
            assert f"{number} ({sid(number)}) has left its pool, and is in none now" in text
            assert "belongs in the pool of Service a" in text
        elif not as_before:
            assert end.action == "failed" and f"is out of Messaging Service {MG} now" in text
        else:
            assert place == (B if end.action == "moved" else A)
            assert end.action == "moved" or end.error is not None
        if place is not None:
            assert account.pools[place][number] is flags[int(number[1:])]


@often
@given(FLAGS, SOME, SEEDS, st.integers(1, 80), st.booleans())
def test_cut_off_anywhere_the_next_run_finishes(
    flags: list[bool], held: set[int], rng: random.Random, cut: int, remembers: bool
) -> None:
    """By its record; without one by the webhooks of the numbers, and the user's word on how they were."""
    if not remembers:
        flags, held = [True] * len(flags), set()
    account, items = scene(flags, held)
    before, senders = dict(account.pools[A]), set(account.senders)
    run(account, Plan(tuple(moves(account, items))), rng, kill_at=cut)
    trails = Trails([sid(number) for number in before], A)
    trails.take(records(account) if remembers else [])
    owned = {} if remembers else {sid(number): hinting(number) for number in account.out()}
    again = moves(account, items, unfinished=trails.found, owned=owned, is_reserved=True)
    assert not [entry for entry in again if isinstance(entry, NoOp) and entry.error]
    run(account, Plan(tuple(again)), rng)
    assert account.pools == {A: {}, B: before}
    assert set(account.senders) == senders


# Decisions, one by one


def one(wanted: str | Item, numbers: Mapping[str, Mapping[str, Any]], **more: Any) -> Entry:
    """Decide for one number; ``numbers``: by Service, {number: in_use}, all reserved."""
    rows = {
        name: [
            {"sid": sid(n), "phone_number": n, "is_reserved": True, "in_use": in_use}
            for n, in_use in there.items()
        ]
        for name, there in numbers.items()
    }
    pools = pool(A, rows.get(A, ())), pool(B, rows.get(B, ()))
    wanted = item(wanted) if isinstance(wanted, str) else wanted
    senders, through = more.pop("senders", {}), more.pop("through", False)
    way = Route(Home(A, "a"), Home(B, "b"), pools, **more)
    (entry,) = by_way_of_messaging(decide_moves([wanted], way), senders, way.unfinished, through=through)
    return entry


def undone_of(is_reserved: bool | None, messaging_service: str | None = None) -> Unfinished:
    """What the record of a move of n1 that was cut off says."""
    return Unfinished(sid("n1"), "n1", Trail(A, B, is_reserved, messaging_service))


def verbs(entry: Entry) -> list[str]:
    return [step.request.verb.name for step in entry.steps] if isinstance(entry, Chain) else []


def refusal(entry: Entry) -> str:
    assert isinstance(entry, NoOp) and entry.error is not None
    return f"{entry.error} {entry.error.hint}"


def test_arrived() -> None:
    """All that can be left to do is to go back into the Messaging Service."""
    there = {B: {"n1": 0}}
    undone = {sid("n1"): undone_of(True, MG)}
    for more in ({}, {"unfinished": undone, "senders": {sid("n1"): MG}}):
        entry = one("n1", there, **more)
        assert isinstance(entry, NoOp) and (entry.error, entry.note) == (None, PRESENT)
    assert verbs(one("n1", there, unfinished=undone)) == ["attach"]


RECORDED, HINTED = {"unfinished": True}, {"owned": True}


@pytest.mark.parametrize(
    ("known", "recorded", "said", "flag"),
    [
        ({"record"}, True, None, True),
        ({"record"}, False, None, False),
        ({"record", "webhooks"}, False, True, False),  # the record knows better than the user
        ({"record", "webhooks"}, None, True, True),
        ({"record"}, None, True, True),  # the webhooks could not be read, or are the user's own again
        ({"webhooks"}, None, True, True),
        ({"webhooks"}, None, False, False),
        ({"webhooks"}, None, None, None),
        ({"record", "webhooks"}, None, None, None),
    ],
)
def test_in_transit(known: set[str], recorded: bool | None, said: bool | None, flag: bool | None) -> None:
    more: dict[str, Any] = {"is_reserved": said}
    if "record" in known:
        more["unfinished"] = {sid("n1"): undone_of(recorded)}
    if "webhooks" in known:
        more["owned"] = {sid("n1"): hinting("n1")}
    entry = one("n1", {}, **more)
    if flag is None:
        assert isinstance(entry, NoOp) and isinstance(entry.error, UnknownFlagError)
        assert "--reserved or --unreserved" in refusal(entry)
        return
    assert isinstance(entry, Chain) and verbs(entry) == ["add"]
    assert entry.steps[0].request.parent == B and entry.steps[0].request.wanted == {"is_reserved": flag}
    held = {"senders": {sid("n1"): MG}}
    assert "it can be added to no pool" in refusal(one("n1", {}, **more, **held))
    assert verbs(one("n1", {}, **more, **held, through=True)) == ["detach", "add", "attach"]


def test_a_number_in_no_pool_whose_webhooks_do_not_point_at_the_source_is_none_of_ours() -> None:
    torn = IncomingNumber({**hinting("n1").raw, "sms_url": "https://example.com"})
    for number in (hinting("n1", B), torn, IncomingNumber({"sid": sid("n1")})):
        assert "not in the pool" in refusal(one("n1", {}, owned={sid("n1"): number}, is_reserved=True))


def test_two_names_for_one_number_count_once() -> None:
    items = [item("n1"), Item("by number", None, "n1")]
    undone = dict.fromkeys((sid("n1"), "n1"), undone_of(True))
    owned = dict.fromkeys((sid("n1"), "n1"), hinting("n1"))
    in_transit = {"unfinished": undone}, {"owned": owned, "is_reserved": True}
    for there, more in (({"n1": True}, {}), *(({}, facts) for facts in in_transit)):
        first, second = moves(Account({A: there, B: {}}), items, **more)
        assert isinstance(first, Chain)
        assert isinstance(second, NoOp) and second.note == NAMED_TWICE


def test_a_row_that_disagrees_is_refused_wherever_the_number_is() -> None:
    torn = Item("n1", sid("n1"), "n2")
    owned = {sid("n1"): hinting("n1"), "n2": hinting("n2")}
    entries = [one(torn, {service: {"n1": 0, "n2": 0}}) for service in (A, B)]
    for entry in (*entries, one(torn, {}, owned=owned, is_reserved=True)):
        assert "is n1 in the pool, not n2" in refusal(entry)


# What the records say of earlier moves


def trails_after(parts: int, *, source: str = A, end: str = "done") -> dict[str, Unfinished]:
    """What is left undone of a move through a Messaging Service, cut off after so many of its requests."""
    account = Account({A: {"n1": True}, B: {}}, senders=["n1"])
    plan = Plan(tuple(moves(account, [item("n1")])))
    run(account, plan, random.Random(1), kill_at=parts + 1, under_way=1)
    trails = Trails([sid("n1")], source)
    trails.take(records(account)[:parts])
    assert trails.wanted == (set() if parts else {sid("n1")})
    return trails.found


def test_a_move_that_was_finished_is_no_trail() -> None:
    undone = {sid("n1"): undone_of(True, MG)}
    assert [trails_after(parts) for parts in range(5)] == [{}, undone, undone, undone, {}]
    assert trails_after(2, source=B) == {}


def test_a_number_that_was_put_back_is_no_trail() -> None:
    account = Account({A: {"n1": True}, B: {}}, senders=["n1"])
    flow = run(
        account,
        Plan(tuple(moves(account, [item("n1")]))),
        random.Random(1),
        refused={"add": 1.0},
    )
    assert [end.rolled_back for end in flow.ends()] == [True]
    assert [request.verb.name for request, _ in account.sent.values()] == [
        "detach",
        "remove",
        "add",
        "add",
        "attach",
    ]
    trails = Trails([sid("n1")], A)
    trails.take(records(account))
    assert (trails.found, trails.wanted) == ({}, set())
    assert account.pools[A] == {"n1": True} and set(account.senders) == {"n1"}
