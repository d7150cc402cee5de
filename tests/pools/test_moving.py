"""The moves of numbers as values: whatever fails, each number is in one pool or is told to be in none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proxyctl.api.models import PhoneNumber
from proxyctl.bulk.outcomes import Result, State, Work
from proxyctl.errors import RefusedError, ServerError
from proxyctl.input.items import Item
from proxyctl.pools.changes import Kind
from proxyctl.pools.moving import Move, Moves, Moving, Route, Trails, Unfinished, decide_all, trail
from proxyctl.pools.pool import Pool
from proxyctl.pools.writer import Written
from proxyctl.state.record import Intent, ItemRecord, Outcome

A, B, MG = "KS" + "a" * 32, "KS" + "b" * 32, "MG" + "c" * 32


def sid(index: int) -> str:
    return f"PN{index:032x}"


def number(index: int, **raw: Any) -> PhoneNumber:
    return PhoneNumber(
        {"sid": sid(index), "phone_number": f"+1415555{index:04}", "is_reserved": True, "in_use": 0, **raw}
    )


def pool(service: str, *numbers: PhoneNumber) -> Pool:
    found = Pool(service)
    for one in numbers:
        found.add(one)
    return found


def item(index: int) -> Item:
    return Item(sid(index), sid(index), None)


class World:
    """Where each number is: in A, in B or in neither (None); and which are in the Messaging Service."""

    def __init__(self, count: int, captives: set[int]) -> None:
        self.place: dict[str, str | None] = {sid(index): A for index in range(count)}
        self.flags: dict[str, bool | None] = {sid(index): index % 2 == 0 for index in range(count)}
        self.senders = {sid(index) for index in captives}
        self.most_astray = 0

    def route(self, *, through: bool = True, unfinished: Mapping[str, Unfinished] | None = None) -> Route:
        pools = []
        for service in (A, B):
            held = [name for name, place in self.place.items() if place == service]
            pools.append(
                pool(service, *(number(int(one[2:], 16), is_reserved=self.flags[one]) for one in held))
            )
        captives = dict.fromkeys(self.senders, MG)
        return Route(pools[0], pools[1], captives, through, unfinished or {})

    def carry_out(self, work: Work) -> None:
        """Do what the API would do; what it would refuse is a mistake here."""
        moving: Moving = work.payload
        name = moving.move.sid
        if moving.part in ("detach", "attach"):
            assert moving.service_sid == MG
            assert (name in self.senders) == (moving.part == "detach")
            (self.senders.discard if moving.part == "detach" else self.senders.add)(name)
            return
        assert moving.change is not None
        if moving.change.kind is Kind.REMOVE:
            assert self.place[name] == moving.service_sid == A
            assert name not in self.senders
            self.place[name] = None
        else:
            assert self.place[name] is None and name not in self.senders
            self.place[name] = moving.service_sid
            assert moving.change.is_reserved == self.flags[name]
        self.most_astray = max(self.most_astray, sum(place is None for place in self.place.values()))


def perform(
    world: World, moves: Sequence[Move], states: Sequence[State], stop: int
) -> tuple[Moves, list[Result]]:
    """Send what the flow allows; ``states`` say how each request ends, ``stop`` after how many the run is cut off."""
    flow = Moves(moves, A, B, under_way=3)
    works = flow.start()
    results: list[Result] = []
    ends = iter(states)
    while works and len(results) < stop:
        work = works.pop(0)
        state: State = next(ends, "done")
        if state == "done":
            world.carry_out(work)
        moved = number(int(work.payload.move.sid[2:], 16))
        error = None if state == "done" else RefusedError("no")
        result = Result(work.index, state, "done", Written(moved, None), error)
        results.append(result)
        if len(results) < stop:
            works += flow.follow(result)
    return flow, results


STATES = st.lists(st.sampled_from(["done", "done", "failed", "skipped"]), max_size=30)


@given(st.integers(1, 6), st.sets(st.integers(0, 5)), STATES, st.integers(0, 40))
def test_each_number_is_where_it_is_said_to_be(
    count: int, captives: set[int], states: list[State], stop: int
) -> None:
    world = World(count, {index for index in captives if index < count})
    senders = set(world.senders)
    decisions = decide_all([item(index) for index in range(count)], world.route())
    moves = [decision for decision in decisions if isinstance(decision, Move)]
    assert len(moves) == count
    flow, results = perform(world, moves, states, stop)
    assert world.most_astray <= 3
    for end in flow.ends(results, ServerError("stopped")):
        name = end.move.sid
        at_home = (name in world.senders) == (name in senders)
        match end.action:
            case "moved":
                assert world.place[name] == B and at_home
            case "skipped":
                assert world.place[name] == A and at_home
            case _:
                assert end.action == "failed" and end.error is not None
                if world.place[name] is None:
                    assert "is in none now" in end.error.message
                elif not at_home:
                    assert f"is out of Messaging Service {MG} now" in end.error.message
                else:
                    assert world.place[name] == A


@given(st.integers(1, 5), st.sets(st.integers(0, 4)), st.integers(0, 20))
def test_cut_off_anywhere_the_next_run_finishes(count: int, captives: set[int], stop: int) -> None:
    world = World(count, {index for index in captives if index < count})
    senders = set(world.senders)
    items = [item(index) for index in range(count)]
    moves = [one for one in decide_all(items, world.route()) if isinstance(one, Move)]
    flow, results = perform(world, moves, [], stop)
    records = [
        record(position, part, flow.moves[position], result is not None)
        for (position, part), result in zip(
            flow._sent, [*results, *[None] * (len(flow._sent) - len(results))], strict=True
        )
    ]
    trails = Trails([sid(index) for index in range(count)], A)
    trails.take(records)
    again = decide_all(items, world.route(unfinished=trails.found))
    perform(world, [one for one in again if isinstance(one, Move)], [], 1000)
    assert set(world.place.values()) == {B}
    assert world.senders == senders


def record(position: int, part: str, move: Move, done: bool) -> ItemRecord:
    """What the history keeps of a request; one that was not done was never sent."""
    action = {"leave": "remove", "change": "add"}.get(part, part)
    intent = Intent(action=action, sid=move.sid, move=trail(move, A, B))
    outcome = Outcome(state="done", action={"remove": "removed", "add": "added"}.get(action, f"{action}ed"))
    return ItemRecord(position, intent, outcome if done else None, 1)


def test_what_is_refused() -> None:
    busy, captive, free = number(0, in_use=3), number(1), number(2)
    route = Route(pool(A, busy, captive, free), pool(B, number(3)), {captive.sid: MG})
    decisions = decide_all([item(index) for index in range(5)], route)
    assert [type(one).__name__ for one in decisions] == ["Settled", "Settled", "Move", "Settled", "Settled"]
    errors = [getattr(one, "error", None) for one in decisions]
    assert "3 open Sessions" in str(errors[0]) and MG in str(errors[1])
    assert errors[3] is None and "not in the pool" in str(errors[4])


def test_a_move_that_was_finished_is_no_trail() -> None:
    move = Move(item(1), sid(1), True, number(1), ("leave", "change"))
    done = [record(0, "leave", move, True), record(1, "change", move, True)]
    trails = Trails([sid(1)], A)
    trails.take(done)
    assert (trails.found, trails.wanted) == ({}, set())
    cut_off = Trails([sid(1)], A)
    cut_off.take(done[:1])
    assert cut_off.found == {sid(1): Unfinished(sid(1), True)}
    elsewhere = Trails([sid(1)], B)
    elsewhere.take(done[:1])
    assert elsewhere.found == {}
