"""Tasks that are let in while a run goes on, and what brings items back when it stops: in simulated time."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxyctl.bulk.outcomes import (
    Done,
    Outcome,
    Result,
    Task,
    Throttled,
)
from proxyctl.errors import (
    AuthenticationError,
    DeadlineError,
    Interrupted,
    PartialError,
    ProxyctlError,
    TemporaryError,
    ThrottledError,
)
from tests.bulk.moves import BACK, JOIN, LEAVE, Moves
from tests.bulk.simulation import FAULTS, LOST, REFUSED, STOP, Server, Unchained, fixed, simulate
from tests.bulk.test_engine import Script, engine, states

Fate = Callable[[Task, float], Outcome]


def fates(moves: Moves, **parts: Outcome | list[Outcome]) -> Fate:
    """What becomes of each part, of a list one after another; done where nothing is said."""

    def fate(task: Task, now: float) -> Outcome:
        outcome = parts.get(moves.part(task), Done("done"))
        if isinstance(outcome, list):
            return outcome.pop(0) if outcome else Done("done")
        return outcome

    return fate


def chain(last: int) -> tuple[Task, list[Task]]:
    return Task(0, "lane", "add", False), [
        Task(index, f"lane {index}", "add", False) for index in range(1, last)
    ]


def crowd(count: int, room: str | None) -> Unchained:
    """Many tasks of one lane, the first of which needs a rescue."""
    rescue = Task(count, "a", room, False, rescue=True)
    tasks = [Task(index, "a", room, False) for index in range(count)]
    return Unchained(tasks, lambda result: [rescue] if result.index == 0 else [])


def test_each_result_lets_the_next_one_in() -> None:
    """Also into lanes that did not exist before, and at the very end of what there was."""
    executor = Script()
    first, rest = chain(50)

    def follow(result: Result) -> list[Task]:
        return rest[result.index : result.index + 1]

    report = engine(executor).run([first], follow)
    assert [result.index for result in report.results] == list(range(50))
    assert states(report) == {"done": 50}
    assert executor.most == 1


def test_results_that_come_without_a_request_count_too() -> None:
    """A room that is full is skipped, and what follows that is sent all the same."""

    def send(task: Task) -> Outcome:
        return FAULTS["full"] if task.index == 0 else Done("added")

    def follow(result: Result) -> list[Task]:
        if result.index == 0:
            return [Task(index, "lane", "add", False) for index in (1, 2)]
        return [Task(result.index + 2, "other", "else", False)] if result.index in (1, 2) else []

    report = engine(Script(send), ceiling=1).run([Task(0, "lane", "add", False)], follow)
    assert [(result.index, result.state, result.full) for result in report.results] == [
        (0, "failed", True),
        (1, "skipped", False),
        (2, "skipped", False),
        (3, "done", False),
        (4, "done", False),
    ]


def test_nothing_is_let_in_once_the_run_is_stopped() -> None:
    asked = []

    def send(task: Task) -> Outcome:
        return STOP if task.index == 5 else REFUSED

    def follow(result: Result) -> list[Task]:
        asked.append(result.index)
        return [Task(result.index + 1, "lane", "add", False)]

    executor = Script(send)
    report = engine(executor, ceiling=1).run([Task(0, "lane", "add", False)], follow)
    assert report.stopped_by is not None
    assert max(executor.sent) == 5
    assert asked[:5] == [0, 1, 2, 3, 4]
    assert len(report.results) <= 7


def test_a_move_goes_through_all_of_its_parts() -> None:
    moves = Moves(100)
    run = simulate(moves, Server())
    assert set(moves.ends.values()) == {"there"}
    assert moves.states == {(LEAVE, "done"): 100, (JOIN, "done"): 100}
    assert run.stopped_by is None and not moves.stops


@pytest.mark.parametrize("ceiling", [1, 100])
@pytest.mark.parametrize(
    "error", [DeadlineError("late"), Interrupted(15), AuthenticationError("401"), TemporaryError("budget")]
)
def test_after_a_stop_what_is_in_transit_comes_back(error: ProxyctlError, ceiling: int) -> None:
    """What was under way may end; then only rescues begin, and all that is not sent is heard of."""
    moves = Moves(100, most=10)
    run = simulate(moves, Server(), stop_at=(1.0, error), ceiling=ceiling)
    assert run.stopped_by is error
    assert moves.stops == [error]
    assert set(moves.ends.values()) == {"here", "there"}
    assert moves.states[BACK, "done"] >= 1
    assert len(run.results) == len(moves.parts) == sum(moves.states.values())


@pytest.mark.parametrize("grace", [0.0, 0.1])
def test_a_rescue_that_has_no_answer_when_the_grace_ends_is_unknown_or_was_not_sent(grace: float) -> None:
    moves = Moves(10, most=10)
    run = simulate(moves, Server(takes=fixed(0.4)), stop_at=(1.0, Interrupted(15)), grace=grace, ceiling=4)
    assert len(run.results) == len(moves.parts)
    assert moves.between
    assert {state for part, state in moves.states if part == BACK} <= {"unknown", "skipped"}


def test_a_rescue_is_sent_although_its_room_is_full() -> None:
    """Also ahead of all that waits in its lane; the others of the room are dropped."""
    sent: list[int] = []

    def fate(task: Task, now: float) -> Outcome:
        sent.append(task.index)
        return FAULTS["full"] if task.index == 0 else Done("added")

    run = simulate(crowd(100, "room"), Server(), fate=fate, ceiling=1)
    assert sent == [0, 100]
    assert {result.state for result in run.results if result.index not in (0, 100)} == {"skipped"}
    assert next(result.state for result in run.results if result.index == 100) == "done"


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("fault", [FAULTS["rate"], FAULTS["busy"], FAULTS["unsent"]])
def test_a_rescue_is_tried_again_after_a_stop(fault: Outcome, times: int) -> None:
    moves = Moves(1)
    run = simulate(moves, Server(), fate=fates(moves, join=STOP, back=[fault] * times))
    assert moves.ends == {0: "here"}
    assert run.seconds <= 4.0


def test_a_rescue_whose_answer_is_lost_is_looked_for_and_then_repeated_in_time() -> None:
    moves = Moves(1)
    fate = fates(moves, join=REFUSED, back=[LOST])
    run = simulate(moves, Server(), fate=fate, stop_at=(0.3, Interrupted(15)))
    assert moves.ends == {0: "here"}
    assert run.verifications == 4
    assert run.last <= 0.3 + 8.0


@pytest.mark.parametrize("outcome", [REFUSED, STOP])
def test_a_rescue_that_is_refused_is_tried_once(outcome: Outcome) -> None:
    moves = Moves(1)
    run = simulate(moves, Server(), fate=fates(moves, join=STOP, back=outcome))
    assert moves.states == {(LEAVE, "done"): 1, (JOIN, "failed"): 1, (BACK, "failed"): 1}
    assert run.sent == 3


@pytest.mark.parametrize("retry_after", [None, 3.0, 250.0, 2099.0])
def test_a_rescue_that_is_answered_429_for_ever_ends(retry_after: float | None) -> None:
    """Also where no signal and no deadline sets a clock; and no pause is a long one by then."""
    moves = Moves(1)
    turned = Throttled("rate", retry_after, ThrottledError("429"))
    run = simulate(moves, Server(), fate=fates(moves, join=STOP, back=turned))
    assert moves.states[BACK, "failed"] == 1
    assert isinstance(run.stopped_by, AuthenticationError)
    assert 8.0 <= run.last <= 9.0
    assert run.sent >= 8


def test_a_long_pause_ends_when_the_run_is_stopped() -> None:
    """Nobody waits for a Retry-After of minutes while an item is in no place."""
    moves = Moves(1)
    fate = fates(moves, join=REFUSED, back=[Throttled("rate", 250.0, ThrottledError("429"))])
    simulate(moves, Server(), fate=fate, stop_at=(30.0, Interrupted(15)))
    assert moves.ends == {0: "here"}


def test_rescues_are_not_counted_against_the_budget_of_repeats() -> None:
    """Thirty ways back, each lost twice: 60 repeats, where 10 % and 10 would be all."""
    moves = Moves(30, most=1)
    times: dict[int, int] = {}

    def fate(task: Task, now: float) -> Outcome:
        if moves.part(task) != BACK:
            return REFUSED if moves.part(task) == JOIN else Done("done")
        times[task.index] = times.get(task.index, 0) + 1
        return FAULTS["unsent"] if times[task.index] <= 2 else Done("done")

    run = simulate(moves, Server(), fate=fate)
    assert run.stopped_by is None
    assert run.retries == 60
    assert set(moves.ends.values()) == {"here"}


def test_a_rescue_begins_although_twenty_are_unsettled() -> None:
    times: dict[int, float] = {}

    def fate(task: Task, now: float) -> Outcome:
        times[task.index] = now
        return {0: REFUSED, 21: Done("added")}.get(task.index, LOST)

    simulate(crowd(21, None), Server(), fate=fate, until=3.0)
    assert times[21] < 1.0


def test_max_errors_counts_items_and_not_their_ways_back() -> None:
    moves = Moves(100, most=1)
    run = simulate(moves, Server(), fate=fates(moves, join=REFUSED, back=REFUSED), max_errors=3)
    assert isinstance(run.stopped_by, PartialError)
    assert moves.states[JOIN, "failed"] == 3


@pytest.mark.parametrize("good", [Done("added"), REFUSED, FAULTS["full"]])
def test_one_good_answer_begins_the_row_anew(good: Outcome) -> None:
    items = [Task(index, "a", None, False) for index in range(50)]

    def fate(task: Task, now: float) -> Outcome:
        return good if task.index % 15 == 14 else LOST

    run = simulate(items, Server(), fate=fate, ceiling=1, retries=0)
    assert run.stopped_by is None


def test_a_look_that_finds_something_begins_the_row_anew() -> None:
    items = [Task(index, "a", None, False) for index in range(100)]
    run = simulate(
        items,
        Server(),
        fate=lambda task, now: LOST,
        verify=lambda tasks, now: {task.index: Done("added") for task in tasks},
        ceiling=10,
    )
    assert run.stopped_by is None
    assert set(run.states) == {"done"}


share = st.sampled_from([0.0, 0.0, 0.05, 0.5])


@settings(max_examples=100)
@given(
    seed=st.integers(0, 10_000),
    shares=st.fixed_dictionaries(dict.fromkeys(FAULTS, share)),
    stop_at=st.none() | st.floats(0.0, 5.0),
    grace=st.sampled_from([0.0, 0.5, 8.0]),
    ceiling=st.sampled_from([1, 3, 100]),
)
def test_whatever_happens_each_work_is_heard_of_and_whoever_is_nowhere_is_known(
    seed: int, shares: dict[str, float], stop_at: float | None, grace: float, ceiling: int
) -> None:
    moves, rng = Moves(40), random.Random(seed)

    def fate(task: Task, now: float) -> Outcome:
        dice = rng.random()
        for fault, part in shares.items():
            dice -= part / 3
            if dice < 0:
                return FAULTS[fault]
        return Done("done")

    run = simulate(
        moves,
        Server(rng=rng),
        fate=fate,
        stop_at=None if stop_at is None else (stop_at, Interrupted(15)),
        grace=grace,
        ceiling=ceiling,
        seed=seed,
    )
    assert len(run.results) == len(moves.parts)
    assert moves.between == {item for item in moves.stuck if moves.ends[item] == "nowhere"}
    assert len(moves.stops) == (run.stopped_by is not None)
    assert run.last <= (stop_at or 1000.0) + max(grace, 0.1)
