"""What a verb has to do: only what is missing, for any items and any pool."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxyctl.errors import NotFoundError, RefusedError, exit_status
from proxyctl.input.items import Item
from proxyctl.pools.changes import Change, Kind, Settled, Wish, decide_all, decide_drain
from proxyctl.pools.pool import Pool
from tests.pools.rows import PATIENT, e164, flags_of, item, number, pool_of, sid
from tests.pools.simulation import carried_out

MANY = st.dictionaries(st.integers(0, 30), st.booleans(), max_size=20)
POOLS = st.builds(pool_of, MANY, st.dictionaries(st.integers(0, 30), st.integers(0, 3)))
ITEMS = st.lists(
    st.builds(item, st.integers(0, 30), by_sid=st.booleans(), reserved=st.none() | st.booleans()),
    unique_by=lambda each: each.input,
    max_size=20,
)
WISHES = st.builds(
    Wish,
    st.sampled_from(Kind),
    is_reserved=st.none() | st.booleans(),
    add_missing=st.booleans(),
    force=st.booleans(),
    must_exist=st.booleans(),
)


def without_doubles(items: list[Item], pool: Pool) -> list[Item]:
    """Items that are all different numbers; one that is not in the pool can't be told by SID and by number."""
    seen: dict[int, Item] = {}
    for each in items:
        index = int(each.sid[2:], 16) if each.sid else int((each.phone_number or "")[-4:])
        seen.setdefault(index, each)
    return list(seen.values())


@PATIENT
@given(WISHES, ITEMS, POOLS)
def test_after_a_run_the_same_command_does_nothing(wish: Wish, items: list[Item], pool: Pool) -> None:
    items = without_doubles(items, pool)
    first = decide_all(wish, items, pool)
    after = carried_out(pool, first)
    again = decide_all(wish, items, after)
    assert not [decision for decision in again if isinstance(decision, Change)]


@PATIENT
@given(WISHES, ITEMS, POOLS)
def test_every_item_is_decided_in_order(wish: Wish, items: list[Item], pool: Pool) -> None:
    assert [decision.item for decision in decide_all(wish, items, pool)] == items


@PATIENT
@given(WISHES, ITEMS, POOLS)
def test_a_number_is_changed_once_and_only_if_it_is_not_as_wanted(
    wish: Wish, items: list[Item], pool: Pool
) -> None:
    changed: list[str] = []
    for decision in decide_all(wish, items, pool):
        if not isinstance(decision, Change) or decision.number is None:
            continue
        changed.append(decision.number.sid)
        if decision.kind in (Kind.RESERVE, Kind.RELEASE):
            assert decision.number.is_reserved != decision.is_reserved
            assert decision.is_reserved is (decision.kind is Kind.RESERVE)
    assert len(changed) == len(set(changed))


@PATIENT
@given(WISHES, ITEMS, POOLS)
def test_what_is_not_named_is_left_alone(wish: Wish, items: list[Item], pool: Pool) -> None:
    named = {int(each.sid[2:], 16) if each.sid else int((each.phone_number or "")[-4:]) for each in items}
    after = flags_of(carried_out(pool, decide_all(wish, without_doubles(items, pool), pool)))
    for index, flag in flags_of(pool).items():
        if index not in named:
            assert after[index] == flag


@PATIENT
@given(ITEMS, POOLS, st.booleans())
def test_what_is_in_use_is_removed_by_force_only(items: list[Item], pool: Pool, force: bool) -> None:
    for decision in decide_all(Wish(Kind.REMOVE, force=force), items, pool):
        if isinstance(decision, Change):
            assert decision.number is not None
            assert force or not decision.number.in_use


@PATIENT
@given(ITEMS, POOLS, st.booleans())
def test_a_drain_reserves_what_is_there(items: list[Item], pool: Pool, removing: bool) -> None:
    items = without_doubles(items, pool)
    decisions = decide_drain(items, pool, removing=removing)
    after = carried_out(pool, decisions)
    assert set(flags_of(after)) == set(flags_of(pool)), "nothing is added or removed yet"
    for decision in decisions:
        found = after.find(decision.item)
        if found is not None:
            assert found.is_reserved
        else:
            assert isinstance(decision, Settled)
            assert (decision.error is None) is removing


@pytest.mark.parametrize("kind", [Kind.RESERVE, Kind.RELEASE])
def test_only_what_is_in_the_pool_has_a_flag(kind: Kind) -> None:
    (decision,) = decide_all(Wish(kind), [item(1)], pool_of({}))
    assert isinstance(decision, Settled)
    assert isinstance(decision.error, NotFoundError)
    assert ("--add" in str(decision.error.hint)) is (kind is Kind.RESERVE)


def test_reserve_adds_what_is_missing_where_asked_to() -> None:
    (decision,) = decide_all(Wish(Kind.RESERVE, add_missing=True), [item(1)], pool_of({}))
    assert isinstance(decision, Change)
    assert (decision.kind, decision.is_reserved) == (Kind.ADD, True)


@pytest.mark.parametrize(
    ("option", "column", "wanted"),
    [(None, None, None), (True, None, True), (None, False, False), (True, False, True), (False, True, False)],
)
def test_the_option_goes_before_the_column(
    option: bool | None, column: bool | None, wanted: bool | None
) -> None:
    wish = Wish(Kind.ADD, is_reserved=option)
    (decision,) = decide_all(wish, [item(1, reserved=column)], pool_of({}))
    assert isinstance(decision, Change)
    assert decision.is_reserved is wanted


def test_an_add_leaves_the_flag_unless_another_is_asked_for() -> None:
    pool = pool_of({1: True, 2: False})
    kept = decide_all(Wish(Kind.ADD), [item(1), item(2)], pool)
    assert [isinstance(decision, Settled) and decision.note for decision in kept] == [
        "in the pool already"
    ] * 2
    changed = decide_all(Wish(Kind.ADD, is_reserved=True), [item(1), item(2)], pool)
    assert isinstance(changed[0], Settled)
    assert isinstance(changed[1], Change) and changed[1].kind is Kind.RESERVE


def test_removed_already_is_as_wanted_unless_it_must_exist() -> None:
    (gone,) = decide_all(Wish(Kind.REMOVE), [item(1)], pool_of({}))
    assert isinstance(gone, Settled) and gone.error is None
    (gone,) = decide_all(Wish(Kind.REMOVE, must_exist=True), [item(1)], pool_of({}))
    assert isinstance(gone, Settled) and gone.error is not None and exit_status(gone.error) == 4


def test_a_sid_and_a_number_that_disagree_are_refused() -> None:
    pool = pool_of({1: False, 2: False})
    wrong = Item(sid(1), sid(1), e164(2))
    for kind in Kind:
        (decision,) = decide_all(Wish(kind), [wrong], pool)
        assert isinstance(decision, Settled)
        assert isinstance(decision.error, RefusedError)
        assert e164(1) in str(decision.error) and e164(2) in str(decision.error)


def test_a_wrong_row_does_not_stand_for_a_right_one() -> None:
    wrong = Item(sid(1), sid(1), e164(2))
    for items in ([wrong, item(1)], [item(1), wrong]):
        decisions = {
            d.item.input: d for d in decide_all(Wish(Kind.RESERVE), items, pool_of({1: False, 2: False}))
        }
        assert isinstance(decisions[e164(1)], Change)
        refused = decisions[sid(1)]
        assert isinstance(refused, Settled) and refused.error is not None


def test_a_pool_may_hold_numbers_that_are_not_in_e164() -> None:
    """Samples of the API show such; they are compared as they are."""
    pool = Pool("KS" + "0" * 32)
    pool.add(number(1, False))
    raw = {**number(2, False).raw, "phone_number": "12345"}
    pool.add(type(number(2, False))(raw))
    (decision,) = decide_all(Wish(Kind.RESERVE), [Item(sid(2), sid(2), "12345")], pool)
    assert isinstance(decision, Change)


def test_two_names_for_one_number_count_once_and_share_a_note() -> None:
    items = [item(1), item(1, by_sid=True), item(2), item(2, by_sid=True)]
    decisions = decide_all(Wish(Kind.RESERVE), items, pool_of({1: False, 2: False}))
    assert [isinstance(decision, Change) for decision in decisions] == [True, False, True, False]
    assert len({decision.note for decision in decisions if isinstance(decision, Settled)}) == 1
