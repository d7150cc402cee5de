"""The inverse of a run: the account as it was before, and nothing that somebody else did since is taken back."""

from __future__ import annotations

import random
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proxyctl.api.models import Service
from proxyctl.errors import RefusedError
from proxyctl.input.items import Item
from proxyctl.pools.decide import Wish, decide_all
from proxyctl.pools.desired import World, decide_file, plan_of
from proxyctl.pools.facts import minding_senders
from proxyctl.pools.pool import Pool
from proxyctl.pools.undo import inverse, services_of
from proxyctl.pools.versions import Since
from proxyctl.state.record import ItemRecord, RunDetail, RunSummary
from proxyctl.writes.guard import LEAVE_FIRST, guard
from proxyctl.writes.plan import Chain, Entry, NoOp, sids_of
from proxyctl.writes.requests import RESERVE, Request
from tests.pools.carrying import HOME, NAME, carried_out, recorded, requests_of, world_of
from tests.pools.rows import PATIENT, SERVICE, e164, flags_of, item, pool_of, sid
from tests.pools.test_decide import ITEMS, MANY, POOLS, WISHES, change_of, without_doubles
from tests.pools.test_desired import Numbers, account_states, wanted
from tests.pools.test_desired import world_of as world_of_account
from tests.state.records import item_record
from tests.writes.simulation import Account, records, run

ENDS = st.sampled_from(["done", "lost", None])
LEFT = ["refused", "full", "stop", "throttled", "unsent", "failed", "skipped"]
TROUBLE = {"add": 0.2, "remove": 0.1, "reserve": 0.2, "release": 0.2, "unknown": 0.2}


def changes(wish: Wish, items: list[Item], pool: Pool) -> list[Request]:
    """The requests of a run."""
    return list(requests_of(decide_all(wish, without_doubles(items), pool, HOME)))


def undo(records: list[ItemRecord], pool: Pool, world: World | None = None) -> list[Entry]:
    """The inverse of a run on one Service that nothing has followed; or, with ``world``, of one on several."""
    only = SERVICE if world is None else None
    run = RunDetail(RunSummary(id="1", service_sid=only), tuple(records))
    return inverse(run, Since(run), world or world_of(pool))


@PATIENT
@given(WISHES, ITEMS, POOLS)
def test_undo_gives_back_the_pool_before_and_its_undo_is_the_run(
    wish: Wish, items: list[Item], pool: Pool
) -> None:
    requests = changes(wish, items, pool)
    after = carried_out(pool, requests)
    back = list(requests_of(undo(recorded(requests), after)))
    assert len(back) == len(requests)
    before = carried_out(after, back)
    assert flags_of(before) == flags_of(pool)
    again = list(requests_of(undo(recorded(back), before)))
    assert flags_of(carried_out(before, again)) == flags_of(after)


@PATIENT
@given(WISHES, ITEMS, POOLS, st.data())
def test_whatever_became_of_each_item(wish: Wish, items: list[Item], pool: Pool, data: st.DataObject) -> None:
    """Some were done, some refused, some nobody knows: the pool tells of these."""
    requests = changes(wish, items, pool)
    done = [data.draw(st.booleans()) for _ in requests]
    ends = [data.draw(ENDS if did else st.sampled_from(["lost", None, "refused"])) for did in done]
    after = carried_out(pool, [one for one, did in zip(requests, done, strict=True) if did])
    entries = undo(recorded(requests, ends), after)
    assert not [entry for entry in entries if isinstance(entry, NoOp) and entry.error]
    assert flags_of(carried_out(after, requests_of(entries))) == flags_of(pool)


@PATIENT
@given(WISHES, ITEMS, POOLS, MANY)
def test_whatever_happened_since(wish: Wish, items: list[Item], pool: Pool, now: dict[int, bool]) -> None:
    """Each item ends as it was before the run, or is left as it is now and refused."""
    entries = undo(recorded(changes(wish, items, pool)), pool_of(now))
    then = carried_out(pool_of(now), requests_of(entries))
    for entry in entries:
        before, kept = pool.find(entry.item), pool_of(now).find(entry.item)
        found = then.find(entry.item)
        if isinstance(entry, NoOp) and entry.error is not None:
            assert (found and found.raw) == (kept and kept.raw)
        else:
            assert (found and found.is_reserved) == (before and before.is_reserved)


@settings(max_examples=100)
@given(
    account_states(),
    account_states(full=False),
    st.integers(0, 2**32).map(random.Random),
    st.none() | st.integers(1, 40),
)
def test_a_run_on_several_services_is_taken_back_whatever_became_of_it(
    before: dict[str, Numbers], goal: dict[str, Numbers], rng: random.Random, cut: int | None
) -> None:
    """Numbers go back as they came: what was moved is moved, and each has one entry."""
    account = Account(before)
    entries = decide_file(wanted(goal), world_of_account(account), prune=True)
    plan = guard(plan_of(entries, world_of_account(account)), allowed=[LEAVE_FIRST])
    run(account, plan, rng, refused=TROUBLE, kill_at=cut)
    made = records(account)
    assume(made)
    assert set(services_of(made, None)) <= set(before)
    back = undo(made, pool_of({}), world_of_account(account))
    assert not [entry for entry in back if isinstance(entry, NoOp) and entry.error]
    sids = [entry.steps[0].request.sid for entry in back if isinstance(entry, Chain)]
    assert len(set(sids)) == len(sids), "each has one entry"
    run(account, plan_of(back, world_of_account(account), replacing=False), rng)
    assert account.pools == before


@PATIENT
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=5)
        | st.sampled_from(["add", "update_service", "done", "lost"]),
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
    (entry,) = recorded(changes(Wish(RESERVE), [item(1)], pool_of({1: False})))
    assert entry.outcome is not None
    intent, outcome = asdict(entry.intent), asdict(entry.outcome)
    for key in data.draw(st.lists(st.sampled_from(keys), max_size=4)):
        intent[key] = outcome[key] = value
    broken = item_record(intent, data.draw(st.sampled_from([outcome, None])))
    assert services_of([broken], SERVICE) in ([], [SERVICE])
    assert len(undo([broken], pool_of({1: True}))) <= 1


# One by one


def record(action: str, *outcomes: dict[str, Any] | None, **facts: Any) -> ItemRecord:
    named = {"action": action, "input": "+14155550001", "phone_number": "+14155550001"}
    return item_record({**named, **facts}, *outcomes)


def one(entry: ItemRecord, pool: Pool) -> Entry:
    (undone,) = undo([entry], pool)
    return undone


def refusal(entry: Entry) -> str:
    if isinstance(entry, Chain):
        (risk,) = entry.risks
        return risk.error.message
    assert isinstance(entry.error, RefusedError)
    return entry.error.message


def test_an_add_that_only_changed_the_flag_is_no_reason_to_remove() -> None:
    """Somebody added the number between the read and the add; the run then reserved it."""
    added = record("add", {"state": "done", "action": "reserved"}, after={"is_reserved": True})
    assert change_of(one(added, pool_of({1: True}))) == ("release", False)
    found = record("add", {"state": "done", "action": "unchanged"}, after={"is_reserved": True})
    flagged = record("reserve", {"state": "done", "action": "reserved"}, before={"is_reserved": False})
    assert [change_of(entry) for entry in undo([found, flagged], pool_of({1: True}))] == [("release", False)]


def test_what_was_found_as_wanted_or_was_not_done_is_left_alone() -> None:
    assert undo([record("add", {"state": "done", "action": "unchanged"})], pool_of({1: True})) == []
    assert undo([record("reserve", {"state": state}) for state in LEFT], pool_of({1: True})) == []


def test_an_answer_that_was_lost_before_the_last_try_still_counts() -> None:
    """The first try may have worked, although the second one was turned away."""
    lost = record("reserve", {"state": "lost"}, {"state": "throttled"})
    assert change_of(one(lost, pool_of({1: True}))) == ("release", False)
    assert isinstance(one(lost, pool_of({1: False})), NoOp)


def test_changed_since() -> None:
    done = {"state": "done"}
    reserved = record("reserve", done | {"action": "reserved"}, before={"is_reserved": False})
    assert "it has left the pool" in refusal(one(reserved, pool_of({})))
    added = record("add", done | {"action": "added"}, after={"is_reserved": True})
    assert "in use by 1 open Session." in refusal(one(added, pool_of({1: True}, {1: 1})))
    assert "in use by 2 open Sessions" in refusal(one(added, pool_of({1: True}, {1: 2})))
    assert "it is unreserved in the pool" in refusal(one(added, pool_of({1: False})))
    removed = record("remove", done | {"action": "removed"}, before={"is_reserved": True})
    assert "it is unreserved in the pool" in refusal(one(removed, pool_of({1: False})))


def test_a_removed_number_comes_back_though_its_flag_was_not_recorded() -> None:
    removed = record("remove", {"state": "done", "action": "removed"})
    assert change_of(one(removed, pool_of({}))) == ("add", None)
    for flag in (True, False):
        back = one(removed, pool_of({1: flag}))
        assert isinstance(back, NoOp) and (back.error, back.note) == (None, "as it was already")


def test_a_number_whose_rollback_was_cut_off_goes_back() -> None:
    """It had left, and nobody knows whether it had come back; both are not what somebody else did."""
    left = record("remove", {"state": "done", "action": "removed"}, before={"is_reserved": True})
    back = record("add", None, after={"is_reserved": True})
    (entry,) = undo([left, back], pool_of({}))
    assert change_of(entry) == ("add", True)
    (entry,) = undo([left, back], pool_of({1: True}))
    assert isinstance(entry, NoOp) and entry.error is None
    (entry,) = undo([left, back], pool_of({1: False}))
    assert "it is unreserved in the pool" in refusal(entry)


def test_an_item_whose_service_is_not_recorded_stops_nothing() -> None:
    """Of a run on several Services, one line is damaged."""
    done = {"state": "done", "action": "reserved"}
    damaged = record("reserve", done, service_sid=7, phone_number=e164(2))
    whole = record("reserve", done, service_sid=SERVICE)
    entries = undo([whole, damaged], pool_of({}), world_of(pool_of({1: True, 2: True})))
    assert [request.verb.name for request in requests_of(entries)] == ["release"]


def test_a_record_without_a_number_is_told() -> None:
    lost = item_record({"action": "remove"}, {"state": "done", "action": "removed"}, index=3)
    entry = one(lost, pool_of({}))
    assert "which number" in refusal(entry)
    assert entry.item.input == "item 3"


def test_what_a_messaging_service_forbids_is_refused() -> None:
    """Flags can be changed all the same."""
    requests = changes(Wish(RESERVE, add_missing=True), [item(1), item(2)], pool_of({1: False}))
    entries = undo(recorded(requests), carried_out(pool_of({1: False}), requests))
    assert sids_of(entries, "add", "remove", "move") == {sid(2)}
    held = dict.fromkeys((sid(1), sid(2)), "MG9")
    flagged, added = minding_senders(entries, held, "add", "remove")
    assert change_of(flagged) == ("release", False)
    assert "is in Messaging Service MG9" in refusal(added)


# Settings


def undo_settings(now: dict[str, Any], *outcomes: dict[str, Any] | None, **facts: Any) -> list[Entry]:
    """The inverse of an update of default_ttl from 60 to 90 that named callback_url too, and did not change it."""
    facts = {
        "before": {"default_ttl": 60, "callback_url": None},
        "after": {"default_ttl": "90", "callback_url": ""},
        "service_sid": SERVICE,
        **facts,
    }
    update = item_record({"action": "update_service", "input": NAME, **facts}, *outcomes)
    service = Service({"sid": SERVICE, "unique_name": NAME, **now})
    return undo([update], pool_of({}), World({NAME: service}, {NAME: pool_of({})}))


@pytest.mark.parametrize(
    "outcomes", [({"state": "done", "action": "updated"},), ({"state": "lost"},), (None,)]
)
def test_settings(outcomes: tuple[dict[str, Any] | None, ...]) -> None:
    """A change whose answer was lost is there or is not; what others changed is not touched."""
    (entry,) = undo_settings({"default_ttl": 90, "callback_url": "https://other"}, *outcomes)
    (request,) = requests_of([entry])
    assert (request.verb.name, request.sid, request.wanted) == (
        "update_service",
        SERVICE,
        {"default_ttl": 60},
    )
    assert undo_settings({"default_ttl": 60, "callback_url": None}, *outcomes) == []
    (entry,) = undo_settings({"default_ttl": 30, "callback_url": None}, *outcomes)
    assert (
        refusal(entry)
        == f"default_ttl of Service {NAME} has changed since that run: something else changed it."
    )


def test_settings_that_were_not_changed_or_not_recorded() -> None:
    done = {"state": "done", "action": "updated"}
    assert undo_settings({"default_ttl": 90}, *({"state": state} for state in LEFT)) == []
    assert undo_settings({"default_ttl": 90}, done, before=None) == []
    shown = {**done, "after": {"default_ttl": 95, "callback_url": None}}
    (entry,) = undo_settings({"default_ttl": 95}, shown)
    assert isinstance(entry, Chain), "what the answer showed counts, not what was asked for"
    cleared = {"before": {"callback_url": None}, "after": {"callback_url": "https://x"}}
    (entry,) = undo_settings({"callback_url": "https://x"}, done, **cleared)
    assert next(requests_of([entry])).wanted == {"callback_url": ""}


# Webhooks


@pytest.mark.parametrize("before", ["https://old", ""])
def test_webhooks_of_a_number_that_has_left_the_account(before: str) -> None:
    pointed = record(
        "set_webhooks",
        {"state": "done", "action": "updated"},
        sid="PN" + "1" * 32,
        service_sid=SERVICE,
        before={"voice_url": before},
        after={"voice_url": "https://new"},
    )
    assert refusal(one(pointed, pool_of({}))).endswith("has changed since that run: it has left the account.")
