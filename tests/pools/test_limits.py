"""The pool's limits, checked before anything is sent."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

from proxyctl.errors import RefusedError, exit_status
from proxyctl.input.items import Item
from proxyctl.pools.changes import Change, Decision, Kind, Wish, decide_all
from proxyctl.pools.limits import MOST_RESERVED, MOST_UNRESERVED, after, preflight
from proxyctl.pools.pool import Pool
from tests.pools.rows import PATIENT, item, pool_of
from tests.pools.simulation import carried_out
from tests.pools.test_changes import ITEMS, POOLS, WISHES, without_doubles


def changes_of(decisions: list[Decision]) -> list[Change]:
    return [decision for decision in decisions if isinstance(decision, Change)]


@PATIENT
@given(WISHES, ITEMS, POOLS)
def test_counts_are_those_of_the_pool_afterwards(wish: Wish, items: list[Item], pool: Pool) -> None:
    decisions = decide_all(wish, without_doubles(items, pool), pool)
    then = carried_out(pool, decisions)
    assert after(pool, changes_of(decisions)) == (then.reserved, then.unreserved)


def filled(reserved: int, unreserved: int) -> Pool:
    return pool_of({index: index < reserved for index in range(reserved + unreserved)})


def verdict(pool: Pool, wish: Wish, items: list[Item]) -> str | None:
    """What preflight refuses with, if it does."""
    try:
        preflight(pool, changes_of(decide_all(wish, items, pool)))
    except RefusedError as error:
        assert exit_status(error) == 5
        assert "nothing was sent" in error.message
        assert "several Services" in str(error.hint)
        return error.message
    return None


def new(count: int) -> list[Item]:
    return [item(index) for index in range(6000, 6000 + count)]


@pytest.mark.parametrize(
    ("reserved", "most", "there"), [(True, MOST_RESERVED, 4995), (False, MOST_UNRESERVED, 495)]
)
def test_at_the_edge(reserved: bool, most: int, there: int) -> None:
    pool = filled(there, 0) if reserved else filled(0, there)
    wish = Wish(Kind.ADD, is_reserved=reserved)
    assert verdict(pool, wish, new(5)) is None
    message = verdict(pool, wish, new(6))
    assert message is not None
    assert set(map(int, re.findall(r"[0-9]+", message))) == {most + 1, there, most}


def test_the_default_of_an_add_is_unreserved() -> None:
    assert verdict(filled(0, 500), Wish(Kind.ADD), new(1)) is not None
    assert verdict(filled(5000, 0), Wish(Kind.ADD), new(1)) is None


def test_a_change_of_the_flag_needs_room_on_the_other_side() -> None:
    full = filled(4999, 500)
    assert verdict(full, Wish(Kind.RESERVE), [item(4999)]) is None
    assert verdict(full, Wish(Kind.RESERVE), [item(4999), item(5000)]) is not None
    assert verdict(full, Wish(Kind.RELEASE), [item(0)]) is not None


def test_both_limits_at_once_are_both_told() -> None:
    items = [item(index, reserved=index % 2 == 0) for index in range(6000, 6004)]
    message = verdict(filled(5000, 500), Wish(Kind.ADD), items)
    assert message is not None
    assert "5002 reserved" in message and "502 unreserved" in message


def test_a_pool_that_is_over_already_can_still_shrink() -> None:
    """Limits differ by account: what is there is there, and a removal or a swap is no harm."""
    over = filled(5010, 600)
    assert verdict(over, Wish(Kind.REMOVE), [item(1)]) is None
    assert verdict(over, Wish(Kind.RESERVE), [item(5)]) is None, "as wanted"
    assert verdict(over, Wish(Kind.ADD, is_reserved=False), new(1)) is not None


def test_a_part_of_a_pool_is_left_to_the_api() -> None:
    part = filled(0, 500)
    part.complete = False
    assert verdict(part, Wish(Kind.ADD, is_reserved=False), new(9)) is None
