"""Whole runs in simulated time against faults before and after the effect: nothing twice, nothing untold."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from proxyctl.bulk.outcomes import (
    Done,
    Outcome,
    Refused,
    Result,
    Task,
    Throttled,
    Unclear,
)
from proxyctl.bulk.waiting import LONGEST_RETRY_AFTER
from proxyctl.errors import (
    AuthenticationError,
    DeadlineError,
    PartialError,
    RefusedError,
    TemporaryError,
    ThrottledError,
)
from tests.bulk.simulation import FAULTS, LOST, Server, fixed, simulate, tasks


class World:
    """What the server really has: a ledger of commits, each visible to a look only after ``delay`` seconds."""

    def __init__(self, seed: int = 1, *, delay: float = 0.0, **faults: float) -> None:
        self.committed: Counter[int] = Counter()
        self.visible_at: dict[int, float] = {}
        self.looked: list[list[int]] = []
        self.arrivals: list[float] = []
        self._rng = random.Random(seed)
        self._delay = delay
        self._look_fails = faults.pop("look", 0.0)
        self.faults = faults

    def fate(self, task: Task, now: float) -> Outcome:
        self.arrivals.append(now)
        dice = self._rng.random()
        for fault, share in self.faults.items():
            dice -= share
            if dice < 0:
                return self._fault(fault, task, now)
        return self._commit(task, now)

    def _fault(self, fault: str, task: Task, now: float) -> Outcome:
        if fault == "after":
            self._commit(task, now)
            return LOST
        return FAULTS[fault]

    def _commit(self, task: Task, now: float) -> Outcome:
        self.committed[task.index] += 1
        self.visible_at.setdefault(task.index, now + self._delay)
        return Done("added", task.index)

    def verify(self, items: Sequence[Task], now: float) -> dict[int, Outcome | None]:
        self.looked.append([task.index for task in items])
        if self._rng.random() < self._look_fails:
            return {task.index: LOST for task in items}
        there = {index for index, visible_at in self.visible_at.items() if visible_at <= now}
        return {task.index: Done("added") if task.index in there else None for task in items}


def check(results: list[Result], world: World, count: int) -> None:
    """What has to be true however a run of creates went."""
    assert sorted(result.index for result in results) == list(range(count))
    assert max(world.committed.values(), default=0) <= 1
    for result in results:
        if result.state == "done":
            assert world.committed[result.index] == 1
        elif result.state in ("failed", "skipped"):
            assert world.committed[result.index] == 0
            assert result.error is not None


shares = st.sampled_from([0.0, 0.0, 0.02, 0.1, 0.4])


@settings(max_examples=120)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(0, 120),
    faults=st.fixed_dictionaries(
        {
            "lost": shares,
            "after": shares,
            "unsent": shares,
            "busy": st.sampled_from([0.0, 0.02]),
            "rate": st.sampled_from([0.0, 0.02]),
            "refused": st.sampled_from([0.0, 0.02]),
            "unclear": st.sampled_from([0.0, 0.02, 0.4]),
            "urgent": st.sampled_from([0.0, 0.02, 0.4]),
            "stop": st.sampled_from([0.0, 0.0, 0.005]),
            "full": st.sampled_from([0.0, 0.0, 0.01]),
            "look": st.sampled_from([0.0, 0.3, 1.0]),
        }
    ),
    delay=st.sampled_from([0.0, 2.0]),
    stop_at=st.none() | st.floats(0.0, 10.0),
    grace=st.sampled_from([0.0, 0.03, 8.0]),
)
def test_no_mix_of_faults_adds_twice_or_tells_a_lie(
    seed: int,
    count: int,
    faults: dict[str, float],
    delay: float,
    stop_at: float | None,
    grace: float,
) -> None:
    world = World(seed, delay=delay, **faults)
    server = Server(rng=random.Random(seed))
    run = simulate(
        tasks(count),
        server,
        fate=world.fate,
        verify=world.verify,
        stop_at=None if stop_at is None else (stop_at, DeadlineError("late")),
        grace=grace,
        seed=seed,
    )
    check(run.results, world, count)
    assert run.retries <= 0.1 * count + 10


def test_five_percent_of_500s_are_all_healed_by_looking() -> None:
    world = World(lost=0.025, after=0.025)
    run = simulate(tasks(2000), Server(), fate=world.fate, verify=world.verify)
    assert set(run.states) == {"done"}
    assert run.stopped_by is None


def test_one_look_is_for_all_that_are_due() -> None:
    world = World(after=1.0)
    simulate(tasks(4), Server(), fate=world.fate, verify=world.verify)
    assert world.looked == [[0, 1, 2, 3]]


def test_absent_is_looked_at_again_after_1_2_and_5_seconds_and_only_then_repeated() -> None:
    world = World()
    fates: Iterator[Outcome] = iter([LOST, Done("added")])
    times: list[float] = []
    looks: list[float] = []

    def fate(task: Task, now: float) -> Outcome:
        times.append(now)
        return next(fates)

    def verify(items: Sequence[Task], now: float) -> dict[int, Outcome | None]:
        looks.append(now)
        return {task.index: None for task in items}

    run = simulate(tasks(1), Server(), fate=fate, verify=verify)
    lost_at = times[0] + 0.08
    assert [round(when - lost_at - 0.05, 6) for when in looks] == [0.0, 1.0, 2.0, 5.0]
    assert times[1] >= looks[-1]
    assert (run.results[0].state, run.results[0].attempts, run.retries) == ("done", 2, 1)
    assert not world.committed


def test_late_visibility_is_waited_for() -> None:
    world = World(after=1.0, delay=2.5)
    run = simulate(tasks(3), Server(), fate=world.fate, verify=world.verify)
    check(run.results, world, 3)
    assert set(run.states) == {"done"}


def test_with_twenty_unsettled_no_new_write_starts() -> None:
    world = World(lost=1.0)
    run = simulate(tasks(500), Server(), fate=world.fate, verify=world.verify, until=4.0, rate=0, retries=0)
    in_flight_when_the_first_was_lost = 8
    assert run.sent <= 20 + in_flight_when_the_first_was_lost


def test_an_outage_stops_the_run_within_its_budget() -> None:
    world = World(lost=1.0)
    run = simulate(tasks(1000), Server(), fate=world.fate, verify=world.verify)
    check(run.results, world, 1000)
    assert isinstance(run.stopped_by, TemporaryError)
    assert run.retries <= 110
    assert "20 failed writes in a row" in run.stopped_by.message
    assert run.sent <= 20 + 8


def test_too_many_faults_between_good_answers_stop_the_run_too() -> None:
    world = World(lost=0.5)
    run = simulate(tasks(1000), Server(), fate=world.fate, verify=world.verify)
    check(run.results, world, 1000)
    assert isinstance(run.stopped_by, TemporaryError)
    assert run.retries <= 110
    assert "retried writes" in run.stopped_by.message


def test_an_outage_under_repeatable_works_stops_too() -> None:
    world = World(lost=1.0)
    items = [Task(index, "a", "k", repeatable=True) for index in range(300)]
    run = simulate(items, Server(), fate=world.fate, verify=world.verify)
    assert run.stopped_by is not None
    assert run.retries <= 40
    assert run.sent <= 40 + 40
    assert not any(result.state == "done" for result in run.results)


def test_no_connection_in_all_the_tries_of_one_item_stops_the_run() -> None:
    world = World(unsent=1.0)
    run = simulate(tasks(5000), Server(), fate=world.fate, verify=world.verify)
    assert run.stopped_by is FAULTS["unsent"].error
    assert run.sent <= 4 * 5
    states = run.states
    assert states["skipped"] >= 4990
    assert states["failed"] >= 1


def test_a_429_is_no_try() -> None:
    fates: Iterator[Outcome] = iter([Throttled("rate", None, ThrottledError("429"))] * 12 + [Done("added")])
    run = simulate(tasks(1), Server(), fate=lambda task, now: next(fates), retries=0)
    assert (run.results[0].state, run.results[0].attempts, run.retries) == ("done", 13, 0)


def test_a_retry_after_that_is_too_long_stops_and_says_how_long() -> None:
    refusal = Throttled("rate", LONGEST_RETRY_AFTER + 1, ThrottledError("429"))
    run = simulate(tasks(10), Server(), fate=lambda task, now: refusal)
    assert isinstance(run.stopped_by, ThrottledError)
    assert "301 s" in run.stopped_by.message
    assert set(run.states) == {"skipped"}


def test_401_stops_at_once() -> None:
    world = World(stop=1.0)
    run = simulate(tasks(1000), Server(), fate=world.fate)
    assert isinstance(run.stopped_by, AuthenticationError)
    assert run.sent == 4
    assert run.states == {"failed": 4, "skipped": 996}


def test_a_full_pool_skips_the_rest_of_the_kind_and_no_other() -> None:
    items = tasks(100, ["reserved", "unreserved"])

    def fate(task: Task, now: float) -> Outcome:
        full = task.lane == "reserved" and task.index >= 5
        return Refused(RefusedError("80622"), full=True) if full else Done("added")

    run = simulate(items, Server(), fate=fate)
    states = Counter((result.index >= 100, result.state) for result in run.results)
    assert states[(True, "done")] == 100
    assert states[(False, "done")] == 5
    assert 1 <= states[(False, "failed")] <= 16
    assert sum(states.values()) == 200


def test_max_errors_stops_early() -> None:
    world = World(refused=1.0)
    run = simulate(tasks(1000), Server(), fate=world.fate, max_errors=3)
    assert isinstance(run.stopped_by, PartialError)
    states = run.states
    assert 3 <= states["failed"] <= 8
    assert states["failed"] + states["skipped"] == 1000


def test_a_poisoned_item_fails_alone() -> None:
    def fate(task: Task, now: float) -> Outcome:
        return LOST if task.index == 7 else Done("added")

    items = [Task(index, "a", "k", repeatable=True) for index in range(100)]
    run = simulate(items, Server(), fate=fate)
    assert run.stopped_by is None
    assert [result.index for result in run.results if result.state == "failed"] == [7]
    assert run.retries == 4


def test_what_stays_lost_is_unknown() -> None:
    world = World(after=0.05, look=1.0)
    run = simulate(tasks(100), Server(), fate=world.fate, verify=world.verify)
    check(run.results, world, 100)
    states = run.states
    assert states["unknown"] > 0
    assert states["unknown"] + states["done"] + states["skipped"] == 100


def test_where_everything_hangs_it_is_over_within_30_seconds() -> None:
    """Four adds and all reads last the 0.5 s of --timeout, and none is answered."""
    run = simulate(
        tasks(4),
        Server(takes=fixed(0.5)),
        fate=lambda task, now: LOST,
        verify=lambda found, now: {task.index: FAULTS["unsent"] for task in found},
        read=0.5,
    )
    assert isinstance(run.stopped_by, TemporaryError)
    assert [result.state for result in run.results] == ["unknown"] * 4
    assert run.verifications == 5 and run.sent == 4
    assert run.now <= 30.0


def test_refusals_that_need_a_read_wait_for_each_other_but_urgent_ones() -> None:
    """They are no faults, hold no place, and are verified when there is nothing more to send."""
    for urgent in (False, True):
        found: list[int] = []

        def verify(items: Sequence[Task], now: float, found: list[int] = found) -> dict[int, Outcome | None]:
            found.append(len(items))
            return {task.index: Done("unchanged") for task in items}

        unclear = Unclear(RefusedError("80104"), urgent=urgent)
        run = simulate(tasks(60), Server(), fate=lambda task, now, is_=unclear: is_, verify=verify)  # type: ignore[misc]
        assert set(run.states) == {"done"}
        assert run.stopped_by is None and run.sent == sum(found) == 60
        assert (len(found) == 1) is not urgent
        assert found[0] == (4 if urgent else 60)
