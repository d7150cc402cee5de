"""A pool file carried out on an account in memory: wherever it is cut off, the same file again leads there."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proxyctl.api.models import PhoneNumber, Service
from proxyctl.errors import InputError, RefusedError
from proxyctl.input.items import Item
from proxyctl.pools import pool as limits
from proxyctl.pools.desired import World, decide_file, plan_of
from proxyctl.pools.facts import minding_senders
from proxyctl.pools.pool import Pool
from proxyctl.pools.poolfile import WantedService
from proxyctl.writes.guard import LEAVE_FIRST, guard
from proxyctl.writes.plan import MOST_IN_TRANSIT, NAMED_TWICE, Chain, Entry, NoOp, Plan, sids_of
from tests.writes.simulation import Account, run, sid, states

LIMITS = {True: 4, False: 3}
Numbers = dict[str, bool]
TROUBLE = dict.fromkeys(("add", "remove", "reserve", "release", "create_service"), 0.15)


@pytest.fixture(autouse=True, scope="module")
def small_pools() -> Iterator[None]:
    """Limits that a few numbers reach."""
    with pytest.MonkeyPatch.context() as patch:
        for flag, most in LIMITS.items():
            patch.setitem(limits.POOL_LIMITS, flag, most)
        yield


@st.composite
def account_states(draw: st.DrawFn, names: str = "abc", full: bool = True) -> dict[str, Numbers]:
    """Pools within the limits, full ones among them."""
    order = draw(st.permutations(range(21)))
    pools: dict[str, Numbers] = {name: {} for name in names}
    for pool in pools.values():
        for flag, most in LIMITS.items():
            for _ in range(draw(st.sampled_from([0, 1, most - 1, *([most, most] if full else [])]))):
                pool[f"n{order.pop()}"] = flag
    return pools


SEEDS = st.integers(0, 2**32).map(random.Random)
HELD = st.sets(st.integers(0, 20)).map(lambda held: {f"n{index}" for index in held})
often = settings(max_examples=100)


def world_of(account: Account) -> World:
    pools = {name: Pool(name) for name in account.pools}
    for name, pool in pools.items():
        for number in account.pools[name]:
            pool.add(PhoneNumber({**account.row(name, number), "in_use": int(number in account.busy)}))
    return World({name: Service({"sid": name, "unique_name": name}) for name in pools}, pools)


def wanted(pools: Mapping[str, Numbers]) -> list[WantedService]:
    return [
        WantedService(name, numbers=tuple(Item(n, None, n, flag) for n, flag in pool.items()), create=True)
        for name, pool in pools.items()
    ]


def decided(account: Account, goal: Mapping[str, Numbers]) -> list[Entry]:
    """What is to be done, with what a Messaging Service forbids refused."""
    entries = decide_file(wanted(goal), world_of(account), prune=True)
    assert sids_of(entries, "move") <= {sid(number) for pool in account.pools.values() for number in pool}
    return minding_senders(entries, {sid(number): "MG" for number in account.senders}, "add", "move")


def plan_for(account: Account, goal: Mapping[str, Numbers], *, leave_first: bool = False) -> Plan | None:
    """The plan as it may be carried out; None where it does not fit."""
    try:
        plan = plan_of(decided(account, goal), world_of(account))
        return guard(plan, allowed=[LEAVE_FIRST] if leave_first else [])
    except RefusedError as error:
        # The goal itself is within the limits, unless something has to stay.
        assert "in any order" in error.message or account.senders or account.busy
        return None


def everywhere(pools: Iterable[Mapping[str, bool]]) -> set[str]:
    return {number for pool in pools for number in pool}


def is_full(pools: Mapping[str, Numbers]) -> bool:
    """Whether a pool is to hold all that it may."""
    counts = ((flag, list(pool.values()).count(flag)) for pool in pools.values() for flag in LIMITS)
    return any(count == LIMITS[flag] for flag, count in counts)


def one_way(before: Mapping[str, Numbers], goal: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """The goal without exchanges: numbers move to later Services only; others stand for those that would come back."""
    home = {number: name for name, pool in before.items() for number in pool}
    return {
        name: {n if home.get(n, "a") <= name else f"n{int(n[1:]) + 100}": flag for n, flag in pool.items()}
        for name, pool in goal.items()
    }


@often
@given(account_states("ab"), account_states(), SEEDS, st.integers(1, 40), st.booleans())
def test_any_state_leads_to_any_other_wherever_it_is_cut_off(
    before: dict[str, Numbers], goal: dict[str, Numbers], rng: random.Random, cut: int, leave_first: bool
) -> None:
    goal = one_way(before, goal)
    account = Account(before, LIMITS)
    plan = plan_for(account, goal, leave_first=leave_first)
    assume(plan is not None)
    assert plan is not None
    if rng.random() < 0.7:
        run(account, plan, rng, kill_at=cut)
        gone = everywhere(before.values()) - everywhere(goal.values())
        assert len(account.out() - gone) <= MOST_IN_TRANSIT
        # What has come before it was killed is no replacement any more, so that a full pool may need --allow.
        plan = plan_for(account, goal, leave_first=leave_first or is_full(goal))
        assert plan is not None
    flow = run(account, plan, rng)
    assert account.pools == goal
    assert set(states(flow)) <= {"done"}
    assert not any(isinstance(entry, Chain) or entry.error for entry in decided(account, goal))


@often
@given(account_states("ab"), account_states(full=False), SEEDS, st.sampled_from([0.0, 0.15]))
def test_failures_break_nothing_and_another_run_corrects_them(
    before: dict[str, Numbers], goal: dict[str, Numbers], rng: random.Random, unknown: float
) -> None:
    goal = one_way(before, goal)
    account = Account(before, LIMITS)
    plan = plan_for(account, goal)
    assume(plan is not None)
    assert plan is not None
    one_by_one = plan.spares != plan_of(plan.entries, world_of(account)).spares  # numbers that change places
    flow = run(account, plan, rng, refused={**TROUBLE, "unknown": unknown})
    ends = flow.ends()
    assert len(ends) == len(plan.chains)
    assert all((end.error is None) == (end.state == "done") for end in ends)
    for name, flag in ((name, flag) for name in before for flag in LIMITS):
        held, then = (sum(value is flag for value in pools[name].values()) for pools in (before, goal))
        if not flag:  # a release waits for nobody, so that reserved ones may become fewer
            assert account.least[name, flag] >= min(held, then) - one_by_one, (
                "none leaves before another is there"
            )
    gone = everywhere(before.values()) - everywhere(goal.values())
    assert unknown or account.out() <= gone, "what is refused elsewhere finds its place again"
    again = plan_for(account, goal, leave_first=True)
    assert again is not None
    run(account, again, rng)
    assert account.pools == goal


@often
@given(account_states("ab"), account_states(full=False), SEEDS, HELD, HELD)
def test_numbers_in_a_messaging_service_or_in_use_never_leave(
    before: dict[str, Numbers],
    goal: dict[str, Numbers],
    rng: random.Random,
    held: set[str],
    busy: set[str],
) -> None:
    """One in a Messaging Service leaves for good only. `Account` fails where one in use is removed."""
    account = Account(before, LIMITS, senders=held, busy=busy)
    at_home = {n: name for name, pool in before.items() for n in pool}
    kept = {n for n in held | busy if n in at_home and (n in busy or n in everywhere(goal.values()))}
    plan = plan_for(account, goal, leave_first=True)
    assume(plan is not None)
    assert plan is not None
    run(account, plan, rng, refused={"add": 0.1})
    assert all(n in account.pools[at_home[n]] for n in kept)
    refused = {entry.item.input: str(entry.error) for entry in plan.refused}
    for n in kept:
        there = next((name for name, pool in goal.items() if n in pool), None)
        assert (there == at_home[n]) != (n in refused)
        reasons = [*(["Session"] if n in busy else []), *(["Messaging Service MG"] if n in held else [])]
        assert n not in refused or any(reason in refused[n] for reason in reasons)


IN_ORDER: dict[str, tuple[dict[str, Numbers], dict[str, Numbers]]] = {
    # Each pool may spare one number. The two that change places need that, and give it back; the others can wait.
    "those that change places go before those that only leave": (
        {"a": dict.fromkeys(("n1", "n3"), True), "b": dict.fromkeys(("n2", "n4"), True)},
        {"a": {"n2": True}, "b": {"n1": True}},
    ),
    "what has an order on paper has one in any order of answers": (
        {
            "a": dict.fromkeys(("n20", "n12", "n18", "n17"), True),
            "b": dict.fromkeys(("n16", "n19", "n14", "n13"), True),
        },
        {
            "a": dict.fromkeys(("n20", "n19", "n15"), True),
            "b": {"n18": True, "n16": False},
            "c": {"n12": False},
        },
    ),
}


@pytest.mark.parametrize("case", IN_ORDER)
def test_orders_that_are_easy_to_get_wrong(case: str) -> None:
    before, goal = IN_ORDER[case]
    for seed in range(8):
        account = Account(before, LIMITS)
        plan = plan_for(account, goal)
        assert plan is not None
        run(account, plan, random.Random(seed))
        assert account.pools == goal


def test_a_number_leaves_a_full_pool_first_only_where_that_is_allowed() -> None:
    """No two change places here: b is full, its number could go once that of a has come, which finds no place."""
    full = {"n2": False, "n3": False, "n4": False}
    account = Account({"a": {"n1": False}, "b": full, "c": {}}, LIMITS)
    goal = {"a": {}, "b": {"n1": False, "n3": False, "n4": False}, "c": {"n2": False}}
    with pytest.raises(RefusedError, match="leave-first"):
        guard(plan_of(decided(account, goal), world_of(account)))


def test_a_file_of_more_numbers_than_a_pool_may_hold_is_refused() -> None:
    for account in (Account({"a": {}}, LIMITS), Account({}, LIMITS)):
        plan = plan_of(decided(account, {"a": {f"n{i}": True for i in range(5)}}), world_of(account))
        with pytest.raises(RefusedError, match=r"a would hold 5 reserved numbers .*Nothing was sent"):
            guard(plan)


def test_a_number_has_one_place_in_a_file() -> None:
    """It may have two names in one list, if both want the same of it."""
    account = Account({"a": {"n1": True}, "b": {}})
    by_sid = Item(sid("n1"), sid("n1"), None, True)
    by_number = Item("n1", None, "n1", True)
    twice = [WantedService("a", numbers=(by_sid, by_number))]
    first, second = decide_file(twice, world_of(account), prune=True)
    assert isinstance(first, NoOp) and isinstance(second, NoOp)
    assert (first.error, second.error, second.note) == (None, None, NAMED_TWICE)
    torn = [WantedService("a", numbers=(by_sid,)), WantedService("b", numbers=(by_number,))]
    with pytest.raises(InputError, match="are one number"):
        decide_file(torn, world_of(account))
