"""The order of a plan: for any two states, wherever it is cut off, no pool is ever beyond its limits."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from proxyctl.bulk.outcomes import RunReport
from proxyctl.pools.captives import travellers, without_captives
from proxyctl.pools.plan import check_limits
from tests.pools.account import Account, Numbers, number_sid, plan_for, run

LIMITS = {True: 4, False: 3}
NAMES = ("a", "b", "c")


@st.composite
def states(draw: st.DrawFn, names: tuple[str, ...] = NAMES) -> dict[str, Numbers]:
    """Pools within the limits, full ones among them."""
    order = draw(st.permutations(range(21)))
    pools: dict[str, Numbers] = {}
    for name in names:
        pools[name] = {}
        for flag, most in LIMITS.items():
            for _ in range(draw(st.sampled_from([0, 1, most - 1, most, most]))):
                pools[name][number_sid(order.pop())] = flag
    return pools


@settings(max_examples=300, deadline=None)
@given(states(), states(), st.integers(0, 2**32), st.integers(0, 40))
def test_any_state_leads_to_any_other(
    before: dict[str, Numbers], after: dict[str, Numbers], seed: int, cut: int
) -> None:
    chance = random.Random(seed)
    account = Account(before, LIMITS)
    plan = plan_for(account, after)
    check_limits(plan, LIMITS)
    run(account, plan, chance, at_most=cut)  # killed
    again = plan_for(account, after)
    flow = run(account, again, chance)
    assert account.pools == after
    assert all(end.error is None for end in flow.ends(RunReport()))
    assert not plan_for(account, after).steps


@settings(max_examples=300, deadline=None)
@given(states(("a", "b")), states(), st.integers(0, 2**32))
def test_failures_break_nothing_and_another_run_mends_them(
    before: dict[str, Numbers], after: dict[str, Numbers], seed: int
) -> None:
    chance = random.Random(seed)
    account = Account(before, LIMITS)
    plan = plan_for(account, after)
    flow = run(account, plan, chance, failing=("failed", "unknown", "skipped"))
    ends = flow.ends(RunReport())
    assert len(ends) == len(plan.steps)
    for end in ends:
        assert (end.error is None) == (end.action not in ("failed", "skipped", "unknown"))
    run(account, plan_for(account, after), chance)
    assert account.pools == after
    assert not plan_for(account, after).steps


@settings(max_examples=100, deadline=None)
@given(states(), states(), st.integers(0, 2**32), st.sets(st.integers(0, 20)))
def test_captives_never_leave_but_for_good(
    before: dict[str, Numbers], after: dict[str, Numbers], seed: int, held: set[int]
) -> None:
    """Numbers of a Messaging Service may be removed, but neither moved nor taken out for a moment."""
    account = Account(before, LIMITS)
    plan = plan_for(account, after)
    captives = {number_sid(index): "MG" for index in held}
    asked = travellers(plan, LIMITS)
    plan = without_captives(plan, asked, {sid: captives[sid] for sid in asked & set(captives)})
    everywhere = {sid for numbers in before.values() for sid in numbers}
    kept = {sid for numbers in after.values() for sid in numbers} & everywhere & set(captives)
    run(account, plan, random.Random(seed))
    assert kept <= {sid for numbers in account.pools.values() for sid in numbers}
    assert not account.added & everywhere & set(captives)


@settings(max_examples=100, deadline=None)
@given(states(), states(), st.integers(0, 2**32), st.sets(st.integers(0, 20)))
def test_busy_numbers_never_leave(
    before: dict[str, Numbers], after: dict[str, Numbers], seed: int, busy: set[int]
) -> None:
    """The rest is done as far as it fits; `Account` fails where a busy number is removed."""
    account = Account(before, LIMITS, frozenset(number_sid(index) for index in busy))
    plan = plan_for(account, after)
    at_home = {sid: name for name, numbers in before.items() for sid in numbers if sid in account.busy}
    run(account, plan, random.Random(seed))
    for sid, name in at_home.items():
        assert sid in account.pools[name]
