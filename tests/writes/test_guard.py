"""What would not fit is refused before anything is sent: the limits of pools and of Messaging Services."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given

from proxyctl.api.models import Service
from proxyctl.errors import RefusedError
from proxyctl.input.items import Item
from proxyctl.pools.decide import Wish, capacities, decide_all, place
from proxyctl.pools.pool import MOST_RESERVED, MOST_UNRESERVED, Pool
from proxyctl.writes.guard import IN_USE, LOSE_HALF, NO_UNRESERVED, TAKE_OVER, after, guard, needs, no_room
from proxyctl.writes.plan import Capacity, Chain, Entry, NoOp, Plan, at_risk
from proxyctl.writes.requests import ADD, RELEASE, REMOVE, RESERVE
from tests.pools.carrying import HOME, carried_out, requests_of
from tests.pools.rows import PATIENT, SERVICE, item, pool_of
from tests.pools.test_decide import ITEMS, POOLS, WISHES, without_doubles
from tests.writes.simulation import Account, planned, run, states

MG = "MG" + "c" * 32


def plan_for(pool: Pool, wish: Wish, items: Sequence[Item]) -> Plan:
    entries: list[Entry] = decide_all(wish, items, pool, HOME)
    return Plan(
        tuple(entries), capacities(pool, Service({"sid": pool.service_sid, "unique_name": "the pool"}))
    )


def verdict(plan: Plan) -> str | None:
    """What the guard refuses with, if it does."""
    try:
        assert guard(plan) == plan
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


# Rules, and what is at risk


def at(rule: str, chain: Chain) -> Chain:
    return at_risk(chain, rule, RefusedError(f"{chain.item.input} is at risk.", hint="Ask."))


def replaced(count: int, risk: str = "") -> tuple[Account, Plan]:
    """A pool of three numbers, all of them replaced; what comes or leaves first is at risk."""
    world = Account({"A": {f"old{i}": False for i in range(3)}})
    come = [world.add("A", f"new{i}", False) for i in range(3)]
    leave = [world.remove("A", f"old{i}") for i in range(3)]
    risky = leave if risk == IN_USE else come
    risky[:count] = [at(risk, chain) for chain in risky[:count]]
    return world, planned(world, [*come, *leave])


@pytest.mark.parametrize("count", [1, 3])
def test_what_may_not_come_leaves_what_it_should_replace(count: int) -> None:
    world, plan = replaced(count, TAKE_OVER)
    guarded = guard(plan, "apply")
    assert [(str(one.error), one.error and one.error.hint) for one in guarded.refused] == [
        (f"new{i} is at risk (rule take-over).", "Ask. --allow take-over permits it.") for i in range(count)
    ]
    flow = run(world, guarded, random.Random(1))
    assert {state: n for state, n in states(flow).items() if state != "done"} == {"skipped": count}
    assert len(world.pools["A"]) == 3
    world, plan = replaced(count, TAKE_OVER)
    assert states(run(world, guard(plan, "apply", [TAKE_OVER]), random.Random(1))) == {"done": 6}


def test_what_may_not_leave_keeps_nobody_from_coming() -> None:
    world, plan = replaced(1, IN_USE)
    assert states(run(world, guard(plan, "apply"), random.Random(1))) == {"done": 5}
    assert len(world.pools["A"]) == 4


@pytest.mark.parametrize(("count", "more"), [(1, ""), (2, ". And 1 more"), (3, ". And 2 more")])
def test_a_question_names_one_and_counts_the_others(count: int, more: str) -> None:
    _, plan = replaced(count, TAKE_OVER)
    assert needs(plan, "apply", ()) == [(TAKE_OVER, f"new0 is at risk{more}", "Ask.")]
    assert needs(plan, "apply", [TAKE_OVER]) == []
    assert needs(plan, "remove", ()) == [], "no rule of that command"


def test_a_refusal_names_each_rule_once() -> None:
    world = Account({"A": {"a": False, "b": True}, "B": {"c": False, "d": True}})
    chains = [world.flag("A", "a"), world.flag("B", "c")]
    with pytest.raises(
        RefusedError, match=r"participant a number\. Nothing was sent \(rule no-un.*ed\)"
    ) as one:
        guard(planned(world, chains), "reserve")
    assert one.value.hint == "--allow no-unreserved permits it."
    with pytest.raises(
        RefusedError, match=r"0 of its 1 unreserved numbers.*\(rules no-un.*ed, lose-half\)"
    ) as two:
        guard(planned(world, chains), "apply")
    assert two.value.hint == "--allow no-unreserved --allow lose-half permits it."
    guard(planned(world, chains), "apply", [NO_UNRESERVED, LOSE_HALF])
    part = Plan((chains[0],), {place("A", False): Capacity("A", 1, 500, whole=False)})
    with pytest.raises(RefusedError, match="A would hold 0 of its 1 numbers"):
        guard(part, "apply", [NO_UNRESERVED])


def test_full_rooms_say_how_many_places_are_missing() -> None:
    world = Account({"A": {}})
    chains = tuple(world.add("A", f"n{i}", True) for i in range(3))
    for held, told in ((8, "A holds 8 of 10 reserved numbers, 1 place missing"), (7, "the pools")):
        assert no_room(Plan(chains, {place("A", True): Capacity("A", held, 10)})).endswith(f": {told}")


def test_a_plan_is_the_same_only_if_all_that_was_shown_is() -> None:
    world = Account({"A": {"a": False}})
    chain, other = world.flag("A", "a"), world.add("A", "n2", True)
    is_there, gone = NoOp(chain.item, {"sid": "PN1"}), NoOp(chain.item)
    refusal = NoOp(chain.item, {"sid": "PN1"}, RefusedError("no"))
    world.pools["A"]["a"] = True
    back = world.flag("A", "a")
    entries = (chain, other, back, at(TAKE_OVER, chain), is_there, gone, refusal)
    prints = {repr(Plan((entry,)).fingerprint()) for entry in entries}
    assert len(prints) == len(entries)
    assert Plan((chain, gone)).fingerprint() == Plan((replace(chain), replace(gone))).fingerprint()
