"""What would not fit is refused before anything is sent: the limits of pools and of Messaging Services."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given

from proxyctl.api.resources import Service
from proxyctl.errors import RefusedError
from proxyctl.input.items import Item
from proxyctl.pools.decide import Wish, capacities, decide_all, place
from proxyctl.pools.pool import MOST_RESERVED, MOST_UNRESERVED, Pool
from proxyctl.writes.guard import after, guard
from proxyctl.writes.plan import Entry, Plan
from proxyctl.writes.requests import ADD, RELEASE, REMOVE, RESERVE
from tests.pools.carrying import HOME, carried_out, requests_of
from tests.pools.rows import PATIENT, SERVICE, item, pool_of
from tests.pools.test_decide import ITEMS, POOLS, WISHES, without_doubles

MG = "MG" + "c" * 32


def plan_for(pool: Pool, wish: Wish, items: Sequence[Item]) -> Plan:
    entries: list[Entry] = decide_all(wish, items, pool, HOME)
    return Plan(
        tuple(entries), capacities(pool, Service({"sid": pool.service_sid, "unique_name": "the pool"}))
    )


def verdict(plan: Plan) -> str | None:
    """What the guard refuses with, if it does."""
    try:
        assert guard(plan) is plan
    except RefusedError as error:
        assert error.exit_code == 5 and "nothing was sent" in error.message.lower()
        assert "several" in str(error.hint)
        return error.message
    return None


@PATIENT
@given(WISHES, ITEMS, POOLS)
def test_counts_are_those_of_the_pool_afterwards(wish: Wish, items: list[Item], pool: Pool) -> None:
    plan = plan_for(pool, wish, without_doubles(items))
    then = carried_out(pool, requests_of(plan.entries))
    held = after(plan)
    assert (held[place(SERVICE, True)], held[place(SERVICE, False)]) == (then.reserved, then.unreserved)


def filled(reserved: int, unreserved: int) -> Pool:
    return pool_of({index: index < reserved for index in range(reserved + unreserved)})


def new(count: int) -> list[Item]:
    return [item(index) for index in range(6000, 6000 + count)]


@pytest.mark.parametrize(
    ("reserved", "most", "there"), [(True, MOST_RESERVED, 4995), (False, MOST_UNRESERVED, 495)]
)
def test_at_the_edge(reserved: bool, most: int, there: int) -> None:
    pool = filled(there, 0) if reserved else filled(0, there)
    wish = Wish(ADD, is_reserved=reserved)
    assert verdict(plan_for(pool, wish, new(5))) is None
    message = verdict(plan_for(pool, wish, new(6)))
    assert message is not None
    assert set(map(int, re.findall(r"[0-9]+", message))) == {most + 1, there, most}


def test_a_change_of_the_flag_needs_room_on_the_other_side() -> None:
    full = filled(4999, 500)
    assert verdict(plan_for(full, Wish(RESERVE), [item(4999)])) is None
    assert verdict(plan_for(full, Wish(RESERVE), [item(4999), item(5000)])) is not None
    assert verdict(plan_for(full, Wish(RELEASE), [item(0)])) is not None


def test_both_limits_at_once_are_both_named() -> None:
    items = [item(index, reserved=index % 2 == 0) for index in range(6000, 6004)]
    message = verdict(plan_for(filled(5000, 500), Wish(ADD), items))
    assert message is not None and "5002 reserved" in message and "502 unreserved" in message


def test_a_pool_that_is_over_already_can_still_shrink() -> None:
    """Limits differ by account: what is there is there."""
    over = filled(5010, 600)
    assert verdict(plan_for(over, Wish(REMOVE), [item(1), item(5600)])) is None
    assert verdict(plan_for(over, Wish(RESERVE), [item(5)])) is None, "as wanted"
    assert verdict(plan_for(over, Wish(ADD, is_reserved=False), new(1))) is not None


def test_a_pool_that_was_read_in_part_is_left_to_the_api() -> None:
    part = filled(0, 500)
    part.complete = False
    assert verdict(plan_for(part, Wish(ADD, is_reserved=False), new(9))) is None
