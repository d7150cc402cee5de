"""What a verb has to do: only what is missing, for any items and any pool."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxyctl.api.models import PhoneNumber
from proxyctl.errors import RefusedError
from proxyctl.input.items import Item
from proxyctl.pools.decide import Wish, decide_all, decide_drain
from proxyctl.pools.pool import Pool
from proxyctl.writes.plan import Chain, Entry, NoOp
from proxyctl.writes.requests import ADD, RELEASE, REMOVE, RESERVE
from tests.pools.carrying import HOME, carried_out, index_of, requests_of
from tests.pools.rows import PATIENT, SERVICE, e164, flags_of, item, number, pool_of, sid

NUMBER_VERBS = (ADD, RESERVE, RELEASE, REMOVE)
MANY = st.dictionaries(st.integers(0, 30), st.booleans(), max_size=20)
POOLS = st.builds(pool_of, MANY, st.dictionaries(st.integers(0, 30), st.integers(0, 3)))
ITEMS = st.lists(
    st.builds(item, st.integers(0, 30), by_sid=st.booleans(), reserved=st.none() | st.booleans()),
    unique_by=lambda each: each.input,
    max_size=20,
)
WISHES = st.builds(
    Wish,
    st.sampled_from(NUMBER_VERBS),
    is_reserved=st.none() | st.booleans(),
    add_missing=st.booleans(),
    must_exist=st.booleans(),
)


def without_doubles(items: list[Item]) -> list[Item]:
    """Items that are all different numbers; one that is not in the pool can't be told by SID and by number."""
    return list({index_of(each): each for each in reversed(items)}.values())[::-1]


def one(wish: Wish, wanted: Item, pool: Pool) -> Entry:
    (entry,) = decide_all(wish, [wanted], pool, HOME)
    return entry


def change_of(entry: Entry) -> tuple[str, bool | None]:
    """The verb of the only request, and the flag that it sets."""
    (request,) = requests_of([entry])
    return request.verb.name, request.wanted.get("is_reserved")


@PATIENT
@given(WISHES, ITEMS, POOLS)
def test_each_item_is_decided_once_and_only_what_is_missing_is_sent(
    wish: Wish, items: list[Item], pool: Pool
) -> None:
    entries = decide_all(wish, items, pool, HOME)
    assert [entry.item for entry in entries] == items
    requests = [request for request in requests_of(entries) if request.before is not None]
    at_risk = {entry.request.sid for entry in entries if isinstance(entry, Chain) and entry.risks}
    assert len({request.sid for request in requests}) == len(requests), "a number is changed once"
    for request in requests:
        found = pool.by_sid[request.sid or ""]
        assert request.before == found.raw and request.parent == SERVICE
        if request.verb is REMOVE:
            assert (request.sid in at_risk) == bool(found.in_use), (
                "what is in use is removed only if permitted"
            )
        else:
            assert request.wanted == {"is_reserved": request.verb is RESERVE}
            assert found.is_reserved is not request.wanted["is_reserved"]


@PATIENT
@given(WISHES, ITEMS, POOLS)
def test_after_a_run_the_same_command_does_nothing(wish: Wish, items: list[Item], pool: Pool) -> None:
    items = without_doubles(items)
    after = carried_out(pool, requests_of(decide_all(wish, items, pool, HOME)))
    assert not list(requests_of(decide_all(wish, items, after, HOME)))
    then, named = flags_of(after), {index_of(each) for each in items}
    untouched = {index: flag for index, flag in flags_of(pool).items() if index not in named}
    assert {index: flag for index, flag in then.items() if index not in named} == untouched


@PATIENT
@given(ITEMS, POOLS, st.booleans())
def test_a_drain_reserves_what_is_there(items: list[Item], pool: Pool, removing: bool) -> None:
    entries = decide_drain(without_doubles(items), pool, HOME, removing=removing)
    after = carried_out(pool, requests_of(entries))
    assert set(flags_of(after)) == set(flags_of(pool)), "nothing is added or removed yet"
    for entry in entries:
        found = after.find(entry.item)
        if found is not None:
            assert found.is_reserved
        else:
            assert isinstance(entry, NoOp) and (entry.error is None) is removing


def test_an_add_of_what_is_there_meanwhile_sets_the_flag_that_was_asked_for() -> None:
    """Asked for by an option: the row of a file never changes what is in the pool."""
    for wanted, row, seen, verbs in (
        (True, None, False, ["reserve"]),
        (False, None, True, ["release"]),
        (True, False, True, []),
        (None, None, True, []),
        (None, False, True, []),
        (None, True, False, []),
    ):
        entry = one(Wish(ADD, is_reserved=wanted), item(1, reserved=row), pool_of({}))
        assert isinstance(entry, Chain) and entry.steps[0].then is not None
        following = entry.steps[0].then(number(1, seen).raw)
        assert [step.request.verb.name for step in following] == verbs
        assert all(step.request.sid == sid(1) and not step.takes for step in following)


def test_a_row_whose_sid_and_number_disagree_is_refused_and_stands_for_no_right_one() -> None:
    pool, wrong = pool_of({1: False, 2: False}), Item(sid(1), sid(1), e164(2))
    for verb in NUMBER_VERBS:
        refused = one(Wish(verb), wrong, pool)
        assert isinstance(refused, NoOp) and isinstance(refused.error, RefusedError)
        assert e164(1) in str(refused.error) and e164(2) in str(refused.error)
    for items in ([wrong, item(1)], [item(1), wrong]):
        entries = {entry.item.input: entry for entry in decide_all(Wish(RESERVE), items, pool, HOME)}
        assert change_of(entries[e164(1)]) == ("reserve", True)
        refused = entries[sid(1)]
        assert isinstance(refused, NoOp) and refused.error is not None


def test_a_pool_may_hold_numbers_that_are_not_in_e164() -> None:
    """Samples of the API show such; they are compared as they are."""
    pool = pool_of({1: False})
    pool.add(PhoneNumber({**number(2, False).raw, "phone_number": "12345"}))
    assert change_of(one(Wish(RESERVE), Item(sid(2), sid(2), "12345"), pool)) == ("reserve", True)
