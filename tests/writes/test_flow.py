"""What holds on an account whatever is refused, stopped or killed: properties of `Flow`, on a simulated account."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from proxyctl.bulk.outcomes import Result
from proxyctl.errors import RefusedError, TemporaryError
from proxyctl.input.items import Item
from proxyctl.pools.decide import Home, add_chain, place
from proxyctl.pools.desired import create_chain
from proxyctl.writes.flow import Flow
from proxyctl.writes.guard import LEAVE_FIRST, guard, stuck
from proxyctl.writes.plan import MOST_IN_TRANSIT, Capacity, Chain, Entry, NoOp, Plan
from proxyctl.writes.requests import ADD, ATTACH, CREATE_SERVICE, REMOVE, RESERVE, Seen
from tests.writes.simulation import Account, goal_chains, planned, random_pools, run, states

NUMBERS = [f"n{i}" for i in range(150)]


def account(senders: Sequence[str] = (), count: int = 150) -> Account:
    return Account({"A": dict.fromkeys(NUMBERS[:count], True), "B": {}}, senders=senders)


def moves(world: Account, count: int = 150, messaging_service: str | None = None) -> Plan:
    chains = tuple(world.move(number, "A", "B", messaging_service) for number in NUMBERS[:count])
    return Plan(chains, world.capacities())


def from_answer(start: int) -> Callable[[int], bool]:
    return lambda answers: answers > start


@pytest.mark.parametrize(("rate", "most"), [(0.0, 8), (1.0, 1), (0.9, 10)], ids=str)
def test_few_numbers_are_in_transit_and_none_stays_there(rate: float, most: int) -> None:
    world = account()
    flow = run(world, moves(world), random.Random(1), refused={"add": rate})
    assert world.out() == set()
    assert world.most_out == most
    assert flow.in_transit == 0
    moved = len(world.pools["B"])
    assert states(flow) == {key: n for key, n in (("done", moved), ("failed", 150 - moved)) if n}


@pytest.mark.parametrize(("start", "most"), [(0, 1), (60, MOST_IN_TRANSIT), (200, MOST_IN_TRANSIT)])
def test_rollbacks_that_are_refused_end_departures(start: int, most: int) -> None:
    world = account()
    refused = {"add": from_answer(start), "rollback": from_answer(start)}
    flow = run(world, moves(world), random.Random(1), refused=refused)
    assert 1 <= len(world.out()) <= most
    stranded = [end for end in flow.ends() if end.pending]
    assert {end.chain.item.input for end in stranded} == world.out()
    assert all(end.pending[0].parent == "A" for end in stranded)


def test_a_full_target_takes_one_number_out_and_back() -> None:
    world = Account({"A": dict.fromkeys(NUMBERS, True), "B": {}}, {True: 0, False: 0})
    world.limits = {True: 150, False: 0}
    plan = moves(world)
    world.limits = {True: 150, False: 0}
    world.pools["B"] = dict.fromkeys((f"other{i}" for i in range(150)), True)
    flow = run(world, plan, random.Random(1))
    assert states(flow) == {"failed": 1, "skipped": 149}
    assert world.out() == set()


def test_a_messaging_service_gets_its_numbers_back() -> None:
    world = account(senders=NUMBERS[:90], count=90)
    run(world, moves(world, 90, "MG"), random.Random(1), refused={"add": 0.3})
    assert world.out() == set()
    assert set(world.senders) == set(NUMBERS[:90])


def test_numbers_move_into_a_service_that_is_created_meanwhile() -> None:
    world = Account({"A": dict.fromkeys(NUMBERS[:90], True)})
    chains: list[Chain] = [world.move(number, "A", "N") for number in NUMBERS[:90]]
    chains.append(create_chain("N", Item("N", None, None), {}))
    rooms = {**world.capacities(), ("N", "reserved"): Capacity("N", 0, 5000, open=False)}
    flow = run(world, guard(Plan(tuple(chains), rooms)), random.Random(1))
    assert states(flow) == {"done": 91}
    assert len(world.pools["N"]) == 90


def test_what_was_created_is_known_by_its_sid_from_then_on() -> None:
    world = Account({"A": {"n1": True}})
    chains = (world.move("n1", "A", "N", "MG"), create_chain("N", Item("N", None, None), {}))
    rooms = {**world.capacities(), place("N", True): Capacity("N", 0, 5000, open=False)}
    flow = Flow(Plan(chains, rooms))
    (step,), parents = flow.start(), []
    for seen in ({"sid": "KS1"}, {}, {}, {"sid": "PN1", "is_reserved": True}):
        (step,) = flow.follow(Result(step.index, "done", None, Seen(seen)))
        parents.append(step.payload.request.parent)
    assert (step.payload.request.verb, parents) == (ATTACH, ["MG", "A", "KS1", "MG"])
    assert flow.follow(Result(step.index, "done", None, Seen({"sid": "PN1"}))) == []
    assert flow.created == {"N": "KS1"}
    assert flow.ends()[0].seen == {"sid": "PN1", "is_reserved": True}, "as the pool has it"


def test_whenever_a_run_is_stopped_all_numbers_are_back() -> None:
    for seed in range(4):
        for moment in range(1, 60, 2):
            world = account(count=40)
            run(world, moves(world, 40), random.Random(seed), stop_at=moment, refused={"add": 0.2})
            assert world.out() == set(), (seed, moment)


def test_after_a_stop_what_has_left_goes_back() -> None:
    world = account()
    flow = Flow(moves(world, 3))
    (leaving,) = flow.start()
    assert leaving.payload.request.verb is REMOVE and flow.in_transit == 1
    assert leaving.room == ("B", "reserved")
    assert flow.stop(TemporaryError("deadline")) == []
    (back,) = flow.follow(Result(leaving.index, "done", "removed", Seen({})))
    assert (back.payload.request.verb, back.payload.request.parent, back.rescue) == (ADD, "A", True)
    assert flow.follow(Result(back.index, "done", "added", Seen({"is_reserved": True}))) == []
    assert [(end.state, end.rolled_back, str(end.error)) for end in flow.ends()] == [
        ("skipped", True, "deadline"),
        *[("skipped", False, "deadline")] * 2,
    ]


def test_a_number_that_can_not_go_back_says_why_it_had_to() -> None:
    world = account()
    flow = Flow(moves(world, 2))
    (leaving,) = flow.start()
    (adding,) = flow.follow(Result(leaving.index, "done", "removed", Seen({})))
    (back,) = flow.follow(Result(adding.index, "failed", error=RefusedError("not here.")))
    assert flow.follow(Result(back.index, "failed", error=RefusedError("nor here"))) == []
    first, second = flow.ends()
    assert (first.state, str(first.error)) == ("failed", "not here. It could not be put back: nor here")
    assert first.pending == [back.payload.request]
    assert (second.state, str(second.error)) == (
        "skipped", "left where it is, since n0 could not be put back: nor here",
    )  # fmt: skip


def test_who_is_lost_keeps_its_place() -> None:
    flow = Flow(moves(account(), 3))
    (leaving,) = flow.start()
    assert flow.follow(Result(leaving.index, "unknown", error=TemporaryError("lost"))) == []
    assert states(flow) == {"unknown": 1, "skipped": 2}
    assert flow.in_transit == 1


def test_nothing_leaves_for_a_service_that_was_not_created() -> None:
    world = Account({"A": dict.fromkeys(NUMBERS[:9], True)})
    chains = [*(world.move(number, "A", "N") for number in NUMBERS[:9])]
    chains.append(create_chain("N", Item("N", None, None), {}))
    rooms = {**world.capacities(), ("N", "reserved"): Capacity("N", 0, 5000, open=False)}
    flow = run(world, Plan(tuple(chains), rooms), random.Random(1), refused={CREATE_SERVICE.name: 1.0})
    assert states(flow) == {"failed": 1, "skipped": 9}
    assert {str(end.error) for end in flow.ends()} == {"Service N was not created", "refused"}


@pytest.mark.parametrize(
    ("action", "state", "pending"), [("added", "failed", 1), ("unchanged", "skipped", 0)]
)
def test_half_a_chain_that_is_skipped_has_failed(action: str, state: str, pending: int) -> None:
    flow = Flow(Plan((Account({"A": {}}).add("A", "n1", True),)))
    (adding,) = flow.start()
    (flagging,) = flow.follow(
        Result(adding.index, "done", action, Seen({"sid": "PN1", "is_reserved": False}))
    )
    assert flow.follow(Result(flagging.index, "skipped", error=TemporaryError("deadline"))) == []
    (end,) = flow.ends()
    assert (end.state, len(end.pending)) == (state, pending)


def test_a_place_that_was_not_taken_is_free_for_the_next() -> None:
    pools = {"A": dict.fromkeys(NUMBERS[:3], True), "B": dict.fromkeys(NUMBERS[3:5], True)}
    world = Account(pools, {True: 3, False: 0})
    plan = Plan(tuple(world.move(number, "A", "B") for number in NUMBERS[:2]), world.capacities())
    flow = run(world, plan, random.Random(1), refused={"add": lambda answers: answers == 2})
    assert states(flow) == {"failed": 1, "done": 1}


def test_what_a_number_gave_up_stays_its_own_until_it_has_arrived() -> None:
    """Others wait to join the pool that it leaves, which is full: its way back finds its place all the same."""
    for seed in range(20):
        world = Account({"A": dict.fromkeys(NUMBERS[:20], True), "B": {}}, {True: 20, False: 0})
        joining = [world.add("A", f"m{i}", True) for i in range(10)]
        plan = Plan((*moves(world, 10).chains, *joining), world.capacities())
        flow = run(world, plan, random.Random(seed), refused={"add": 0.5})
        assert world.out() == set()
        assert not [end for end in flow.ends() if end.pending]


def test_a_place_is_given_up_once() -> None:
    """Each goes on to a Messaging Service after it has arrived."""
    world = Account(
        {"A": dict.fromkeys(NUMBERS[:20], True), "B": {}}, {True: 20, False: 0}, senders=NUMBERS[:10]
    )
    joining = [world.add("A", f"m{i}", True) for i in range(15)]
    plan = Plan((*moves(world, 10, "MG").chains, *joining), world.capacities())
    assert states(run(world, plan, random.Random(1))) == {"done": 20, "skipped": 5}


def test_who_only_joins_leaves_a_place_for_an_exchange() -> None:
    world = Account({"A": {"n1": True, "n2": False, "n3": False}}, {True: 2, False: 2})
    chains = (world.add("A", "m4", True), world.flag("A", "n2"), world.flag("A", "n1"))
    assert states(run(world, Plan(chains, world.capacities()), random.Random(1))) == {"done": 3}


def test_a_number_that_was_there_already_gets_its_flag() -> None:
    world = Account({"A": {}})
    flow = Flow(Plan((world.add("A", "n1", True),)))
    (adding,) = flow.start()
    found = {"sid": "PN1", "phone_number": "n1", "is_reserved": False}
    (flagging,) = flow.follow(Result(adding.index, "done", "unchanged", Seen(found)))
    assert (flagging.payload.request.verb, flagging.payload.request.sid) == (RESERVE, "PN1")
    assert flow.follow(Result(flagging.index, "done", None, Seen({**found, "is_reserved": True}))) == []
    (end,) = flow.ends()
    assert (end.state, end.actions, end.seen) == (
        "done", ["unchanged", "reserved"], {**found, "is_reserved": True},
    )  # fmt: skip


# Replacements come first


def replaced(count: int, limit: int) -> tuple[Account, Plan]:
    world = Account({"A": {f"old{i}": False for i in range(count)}}, {True: 5000, False: limit})
    entries = [
        *(add_chain(Home("A", "A"), Item(f"new{i}", None, f"new{i}"), False) for i in range(count)),
        *(world.remove("A", f"old{i}") for i in range(count)),
    ]
    return world, planned(world, entries)


@pytest.mark.parametrize(("count", "rate"), [(3, 1.0), (45, 0.0), (45, 0.3), (45, 1.0)])
def test_no_number_leaves_before_its_replacement_is_there(count: int, rate: float) -> None:
    world, plan = replaced(count, 50)
    flow = run(world, guard(plan), random.Random(3), refused={"add": rate})
    came = sum(number.startswith("new") for number in world.pools["A"])
    assert len(world.pools["A"]) == count
    skipped = [str(end.error) for end in flow.ends() if end.state == "skipped"]
    assert skipped == ["not changed: its replacement did not come"] * (count - came)


def test_a_full_pool_is_refused_unless_numbers_may_leave_first() -> None:
    world, plan = replaced(50, 50)
    with pytest.raises(
        RefusedError, match=r"50 of 50 unreserved numbers, 50 places missing.*rule leave-first"
    ):
        guard(plan)
    run(world, guard(plan, allowed=[LEAVE_FIRST]), random.Random(3))
    assert {number[:3] for number in world.pools["A"]} == {"new"}
    assert len(world.pools["A"]) == 50


def test_replacements_that_were_refused_keep_what_they_should_replace() -> None:
    world = Account({"A": {f"old{i}": False for i in range(3)}})
    refused = RefusedError("not ours")
    entries: list[Entry] = [
        NoOp(Item(f"new{i}", None, f"new{i}"), None, refused, change="add", service="A") for i in range(3)
    ]
    entries += [world.remove("A", f"old{i}") for i in range(3)]
    flow = run(world, guard(planned(world, entries), "apply"), random.Random(1))
    assert states(flow) == {"skipped": 3}
    assert len(world.pools["A"]) == 3


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_a_release_waits_for_nobody_and_what_is_reserved_waits_for_it(rate: float) -> None:
    pool = {**{f"r{i}": True for i in range(2)}, **{f"u{i}": False for i in range(4)}}
    world = Account({"A": pool})
    entries = [*(world.flag("A", f"u{i}") for i in range(4)), *(world.flag("A", f"r{i}") for i in range(2))]
    run(world, guard(planned(world, entries)), random.Random(3), refused={"release": rate})
    assert world.count("A", False) == 2


def test_numbers_change_places_between_pools_one_by_one() -> None:
    pools = {"A": {f"a{i}": True for i in range(9)}, "B": {f"b{i}": True for i in range(9)}}
    world = Account(pools)
    entries = [
        *(world.move(f"a{i}", "A", "B") for i in range(8)),
        *(world.move(f"b{i}", "B", "A") for i in range(8)),
    ]
    assert states(run(world, guard(planned(world, entries)), random.Random(1))) == {"done": 16}
    assert [len(pool) for pool in world.pools.values()] == [9, 9]
    assert [world.least[name, True] for name in "AB"] == [8, 8]


def test_what_no_order_can_do_is_refused_on_paper() -> None:
    exchange = Account({"A": {"n1": True}, "B": {"n2": True}}, {True: 1, False: 0})
    swap = Account({"A": {"n1": True, "n2": False}}, {True: 1, False: 1})
    for world, chains in (
        (exchange, (exchange.move("n1", "A", "B"), exchange.move("n2", "B", "A"))),
        (swap, (swap.flag("A", "n1"), swap.flag("A", "n2"))),
    ):
        plan = Plan(chains, world.capacities())
        assert len(stuck(plan)) == 2
        with pytest.raises(RefusedError, match="in any order"):
            guard(plan, allowed=[LEAVE_FIRST])


@pytest.mark.parametrize("block", range(4))
def test_random_accounts_reach_random_goals_whatever_happens_on_the_way(block: int) -> None:
    for seed in range(block * 50, block * 50 + 50):
        rng = random.Random(seed)
        limits = {True: rng.randint(3, 30), False: rng.randint(1, 8)}
        names = [f"n{i}" for i in range(rng.randint(3, 90))]
        world = Account(random_pools(rng, names, limits), limits)
        wanted = random_pools(rng, names, limits)
        goal = {
            key: {n: flag for n, flag in pool.items() if n in world.owned} for key, pool in wanted.items()
        }
        removed = {n for n in world.owned if all(n not in pool for pool in goal.values())}
        for turn in range(8):
            plan = Plan(tuple(goal_chains(world, goal)), world.capacities())
            fits = not stuck(plan)
            troubled = turn < 3
            kill = rng.randint(1, 40) if troubled and rng.random() < 0.6 else None
            stop = rng.randint(1, 40) if troubled and rng.random() < 0.3 else None
            refused = {"add": 0.1, "remove": 0.05} if turn < 2 else {}
            before = len(world.out() - removed)
            flow = run(world, plan, rng, refused=refused, stop_at=stop, kill_at=kill)
            assert len(world.out() - removed) <= MOST_IN_TRANSIT + before, seed
            if not troubled and kill is None and fits:
                assert set(states(flow)) <= {"done"}, seed
            if kill is None and not list(goal_chains(world, goal)):
                break
        else:
            assert not fits, f"seed {seed}: the goal fits, and was not reached"
