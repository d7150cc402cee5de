"""Orders, names and records that are easy to get wrong, each with the smallest case."""

from __future__ import annotations

import random
from typing import Any

import pytest

from proxyctl.errors import RefusedError
from proxyctl.input.items import Item
from proxyctl.pools.desired import plan_of
from proxyctl.pools.moves import Unfinished, decide_moves
from proxyctl.pools.undo import inverse
from proxyctl.writes.guard import guard
from proxyctl.writes.plan import Chain, Settled
from tests.pools.carrying import requests_of, world_of
from tests.pools.rows import SERVICE, e164, pool_of
from tests.pools.test_desired import Numbers, decided
from tests.pools.test_desired import world_of as world_of_account
from tests.pools.test_moves import A, B, hinting, item, one, route, verbs
from tests.pools.test_undo import record
from tests.writes.simulation import Account, run, sid

FEW = {True: 4, False: 3}


def applied(account: Account, goal: dict[str, Numbers], seed: int, **more: Any) -> None:
    plan = plan_of(decided(account, goal), world_of_account(account))
    run(account, guard(plan), random.Random(seed), **more)


@pytest.fixture(autouse=True)
def small_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    from proxyctl.pools import pool as limits

    for flag, most in FEW.items():
        monkeypatch.setitem(limits.POOL_LIMITS, flag, most)


@pytest.mark.parametrize("seed", range(3))
def test_numbers_that_change_places_go_before_those_that_only_leave(seed: int) -> None:
    """Each pool may spare one number. The two that change places need that, and give it back; the others can wait."""
    account = Account({"a": {"n1": True, "n3": True}, "b": {"n2": True, "n4": True}}, FEW)
    goal = {"a": {"n2": True}, "b": {"n1": True}}
    applied(account, goal, seed)
    assert account.pools == goal


@pytest.mark.parametrize("seed", range(8))
def test_what_has_an_order_on_paper_has_one_in_any_order_of_answers(seed: int) -> None:
    before = {
        "a": dict.fromkeys(("n20", "n12", "n18", "n17"), True),
        "b": dict.fromkeys(("n16", "n19", "n14", "n13"), True),
    }
    goal = {
        "a": dict.fromkeys(("n20", "n19", "n15"), True),
        "b": {"n18": True, "n16": False},
        "c": {"n12": False},
    }
    account = Account(before, FEW)
    applied(account, goal, seed)
    assert account.pools == goal


def test_a_number_leaves_a_full_pool_first_only_where_that_is_allowed() -> None:
    """No two change places here: b is full, its number could go once that of a has come, which finds no place."""
    full = {"n2": False, "n3": False, "n4": False}
    account = Account({"a": {"n1": False}, "b": full, "c": {}}, FEW)
    goal = {"a": {}, "b": {"n1": False, "n3": False, "n4": False}, "c": {"n2": False}}
    with pytest.raises(RefusedError, match="leave-first"):
        applied(account, goal, 1)


def test_two_names_for_one_number_in_transit_count_once() -> None:
    items = [item("n1"), Item("by number", None, "n1")]
    account = Account({A: {}, B: {}})
    undone = dict.fromkeys((sid("n1"), "n1"), Unfinished(sid("n1"), True, None, "n1"))
    owned = dict.fromkeys((sid("n1"), "n1"), hinting("n1"))
    for more in ({"unfinished": undone}, {"owned": owned, "is_reserved": True}):
        first, second = decide_moves(items, route(account, **more))
        assert isinstance(first, Chain)
        assert isinstance(second, Settled) and "the same number" in str(second.note)


def test_the_users_word_counts_where_a_record_does_not_say_how_a_number_was() -> None:
    """The webhooks do not help: they could not be read, or are the user's own again."""
    unfinished = {sid("n1"): Unfinished(sid("n1"), None)}
    entry = one("n1", {}, unfinished=unfinished, is_reserved=True)
    assert verbs(entry) == ["add"], "its error said: the same command again, with --reserved"
    assert next(requests_of([entry])).wanted == {"is_reserved": True}


def test_a_row_that_disagrees_is_refused_in_transit_too() -> None:
    owned = {sid("n1"): hinting("n1"), "n2": hinting("n2")}
    entry = one(Item("n1", sid("n1"), "n2"), {}, owned=owned, is_reserved=True)
    assert isinstance(entry, Settled) and isinstance(entry.error, RefusedError)


def test_an_item_whose_service_is_not_recorded_stops_nothing() -> None:
    """Of a run on several Services, one line is damaged."""
    done = {"state": "done", "action": "reserved"}
    whole = record("reserve", done, service_sid=SERVICE)
    damaged = record("reserve", done, service_sid=7, phone_number=e164(2))
    entries = inverse([whole, damaged], None, world_of(pool_of({1: True, 2: True})))
    assert [request.verb.name for request in requests_of(entries)] == ["release"]
