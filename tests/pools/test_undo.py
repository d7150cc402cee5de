"""The inverse of a run: the pool as it was before, and nothing that somebody else did since is taken back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxyctl.errors import RefusedError
from proxyctl.input.items import Item
from proxyctl.pools.changes import Change, Kind, Settled, Wish, decide_all
from proxyctl.pools.pool import Pool
from proxyctl.pools.undo import undo_all, what_was_done
from proxyctl.state.record import ItemRecord
from tests.pools.rows import PATIENT, flags_of, item, pool_of
from tests.pools.simulation import carried_out, recorded
from tests.pools.test_changes import ITEMS, MANY, POOLS, WISHES, without_doubles
from tests.state.records import item_record

ENDS = st.sampled_from(["done", "lost", None])


@PATIENT
@given(WISHES, ITEMS, POOLS)
def test_undo_gives_back_the_pool_before(wish: Wish, items: list[Item], pool: Pool) -> None:
    decisions = decide_all(wish, without_doubles(items, pool), pool)
    after = carried_out(pool, decisions)
    inverse = undo_all(recorded(decisions), after)
    assert all(isinstance(decision, Change) for decision in inverse)
    assert flags_of(carried_out(after, inverse)) == flags_of(pool)


@PATIENT
@given(WISHES, ITEMS, POOLS, st.data())
def test_whatever_became_of_each_item(wish: Wish, items: list[Item], pool: Pool, data: st.DataObject) -> None:
    """Some were done, some refused, some nobody knows: the pool settles these."""
    decisions = decide_all(wish, without_doubles(items, pool), pool)
    changes = [decision for decision in decisions if isinstance(decision, Change)]
    done = [data.draw(st.booleans()) for _ in changes]
    ends = [
        data.draw(ENDS if took_place else st.sampled_from(["lost", None, "refused"])) for took_place in done
    ]
    after = carried_out(
        pool, [change for change, took_place in zip(changes, done, strict=True) if took_place]
    )
    inverse = undo_all(recorded(changes, ends), after)
    assert not [decision for decision in inverse if isinstance(decision, Settled) and decision.error]
    assert flags_of(carried_out(after, inverse)) == flags_of(pool)


@PATIENT
@given(WISHES, ITEMS, POOLS, MANY)
def test_whatever_happened_since(wish: Wish, items: list[Item], pool: Pool, now: dict[int, bool]) -> None:
    """Each item ends as it was before the run, or is left as it is now and refused."""
    decisions = decide_all(wish, without_doubles(items, pool), pool)
    inverse = undo_all(recorded(decisions), pool_of(now))
    then = carried_out(pool_of(now), inverse)
    for decision in inverse:
        before, kept = pool.find(decision.item), pool_of(now).find(decision.item)
        found = then.find(decision.item)
        if isinstance(decision, Settled) and decision.error is not None:
            assert (found and found.raw) == (kept and kept.raw)
        else:
            assert (found and found.is_reserved) == (before and before.is_reserved)


@PATIENT
@given(WISHES, ITEMS, POOLS)
def test_the_undo_of_an_undo_is_the_run(wish: Wish, items: list[Item], pool: Pool) -> None:
    decisions = decide_all(wish, without_doubles(items, pool), pool)
    after = carried_out(pool, decisions)
    inverse = undo_all(recorded(decisions), after)
    before = carried_out(after, inverse)
    assert flags_of(carried_out(before, undo_all(recorded(inverse), before))) == flags_of(after)


@PATIENT
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=5)
        | st.sampled_from(["add", "done", "lost"]),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["is_reserved", "x"]), inner, max_size=2)
        ),
        max_leaves=4,
    ),
    st.data(),
)
def test_a_damaged_record_stops_nothing(value: Any, data: st.DataObject) -> None:
    keys = ["action", "sid", "phone_number", "input", "before", "after", "state"]
    (change,) = decide_all(Wish(Kind.RESERVE), [item(1)], pool_of({1: False}))
    (record,) = recorded([change])
    assert record.outcome is not None
    intent, outcome = asdict(record.intent), asdict(record.outcome)
    for key in data.draw(st.lists(st.sampled_from(keys), max_size=4)):
        intent[key] = outcome[key] = value
    broken = item_record(intent, data.draw(st.sampled_from([outcome, None])))
    decisions = undo_all([broken], pool_of({1: True}))
    assert len(decisions) <= 1


def one(record: ItemRecord, pool: Pool) -> Change | Settled:
    (decision,) = undo_all([record], pool)
    return decision


def record(action: str, *outcomes: dict[str, Any] | None, **facts: Any) -> ItemRecord:
    named = {"action": action, "input": "+14155550001", "phone_number": "+14155550001"}
    return item_record({**named, **facts}, *outcomes)


def refusal(decision: Change | Settled) -> str:
    assert isinstance(decision, Settled)
    assert isinstance(decision.error, RefusedError)
    return decision.error.message


def test_an_add_that_only_changed_the_flag_is_no_reason_to_remove() -> None:
    """Somebody added the number between the look and the add; the run then reserved it."""
    added = record("add", {"state": "done", "action": "reserved"}, after={"is_reserved": True})
    decision = one(added, pool_of({1: True}))
    assert isinstance(decision, Change)
    assert (decision.kind, decision.is_reserved) == (Kind.RELEASE, False)


def test_what_was_found_as_wanted_is_left_alone() -> None:
    assert undo_all([record("add", {"state": "done", "action": "unchanged"})], pool_of({1: True})) == []


@pytest.mark.parametrize("state", ["refused", "full", "stop", "throttled", "unsent", "failed", "skipped"])
def test_what_was_not_done_is_left_alone(state: str) -> None:
    assert undo_all([record("reserve", {"state": state})], pool_of({1: True})) == []


def test_an_answer_that_was_lost_before_the_last_try_still_counts() -> None:
    """The first try may have worked, although the second one was turned away."""
    lost = record("reserve", {"state": "lost"}, {"state": "throttled"})
    assert what_was_done(lost) is Kind.RESERVE
    assert isinstance(one(lost, pool_of({1: True})), Change)
    assert isinstance(one(lost, pool_of({1: False})), Settled)


def test_changed_since() -> None:
    done = {"state": "done"}
    reserved = record("reserve", done | {"action": "reserved"}, before={"is_reserved": False})
    assert "it has left the pool" in refusal(one(reserved, pool_of({})))
    added = record("add", done | {"action": "added"}, after={"is_reserved": True})
    assert "in use by 1 Session." in refusal(one(added, pool_of({1: True}, {1: 1})))
    assert "in use by 2 Sessions" in refusal(one(added, pool_of({1: True}, {1: 2})))
    assert "reserved or released" in refusal(one(added, pool_of({1: False})))
    removed = record("remove", done | {"action": "removed"}, before={"is_reserved": True})
    assert "with the other flag" in refusal(one(removed, pool_of({1: False})))


def test_a_record_without_a_number_is_told() -> None:
    lost = item_record({"action": "remove"}, {"state": "done", "action": "removed"}, index=3)
    decision = one(lost, pool_of({}))
    assert "which number" in refusal(decision)
    assert decision.item.input == "item 3"
