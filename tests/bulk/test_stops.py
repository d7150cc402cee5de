"""How a run with real threads ends: signals, deadlines, a history that can't be written, too few threads or files."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Callable

import pytest

from proxyctl.bulk.gates import RESERVED_FILES, affordable_ceiling
from proxyctl.bulk.outcomes import (
    Done,
    Outcome,
    Result,
    RunReport,
    Stop,
    Task,
)
from proxyctl.bulk.threads import side_by_side
from proxyctl.clock import StopRequest
from proxyctl.errors import (
    AuthenticationError,
    DeadlineError,
    InternalError,
    Interrupted,
    OutputError,
    TemporaryError,
)
from tests.bulk.moves import BACK, JOIN, Moves
from tests.bulk.simulation import FAULTS, LOST
from tests.bulk.test_engine import Diary, Script, add, engine, slow, states, tasks
from tests.support import StandingClock


def moving(moves: Moves, join: Callable[[], Outcome]) -> Script:
    """Takes items out, and back in; ``join`` says what the other place answers."""
    return Script(lambda task: join() if moves.part(task) == JOIN else Done("done"))


@pytest.mark.parametrize("lines", [0, 1, 2, 5, 20, 21])
def test_items_come_back_although_the_history_cannot_be_written(lines: int) -> None:
    """The rescue is sent all the same; all other writes end before the bytes leave."""
    moves = Moves(50)
    executor = moving(moves, lambda: Done("done"))
    report = engine(executor, journal=Diary(lines)).run(moves)
    assert isinstance(report.stopped_by, OutputError)
    assert set(moves.ends.values()) <= {"here", "there"}
    assert sum(executor.sent.values()) <= lines + sum(part == BACK for _, part in moves.parts)
    assert len(report.results) == len(moves.parts)


def test_a_deadline_leaves_time_for_what_is_in_transit() -> None:
    moves = Moves(10)
    report = engine(moving(moves, lambda: FAULTS["rate"]), deadline=1.0, clock=StandingClock()).run(moves)
    assert isinstance(report.stopped_by, DeadlineError)
    assert set(moves.ends.values()) == {"here"}
    assert 0.8 <= report.ended - report.started < 1.0


def test_a_deadline_stands_while_nothing_is_in_transit() -> None:
    report = engine(Script(lambda task: FAULTS["rate"]), deadline=0.3, clock=StandingClock()).run(tasks(5))
    assert 0.3 <= report.ended - report.started < 0.4


def test_a_signal_after_the_deadline_is_what_the_run_ends_with() -> None:
    stop = StopRequest()

    def send(task: Task) -> Outcome:
        time.sleep(0.15)
        stop.request(Interrupted(15))
        return add(task)

    report = engine(Script(send), deadline=0.05, stop=stop).run(tasks(50))
    assert report.stopped_by is stop.error
    assert states(report)["skipped"] >= 40


@pytest.mark.parametrize("stopped_by", [AuthenticationError("401"), TemporaryError("503")])
def test_a_signal_after_another_end(stopped_by: AuthenticationError | TemporaryError) -> None:
    """It wins where running again is the cure; refused credentials stay what has to be told."""
    stop = StopRequest()
    first = threading.Event()

    def send(task: Task) -> Outcome:
        if task.index == 0:
            first.set()
            return Stop(stopped_by)
        first.wait(5)
        time.sleep(0.05)
        stop.request(Interrupted(15))
        return add(task)

    report = engine(Script(send), stop=stop).run(tasks(10))
    signalled = isinstance(stopped_by, TemporaryError)
    assert report.stopped_by is (stop.error if signalled else stopped_by)


class Late:
    """An observer that asks to stop when it hears of the last result."""

    def __init__(self, stop: StopRequest, count: int) -> None:
        self.stop, self.count = stop, count

    def __call__(self, result: Result) -> None:
        self.count -= 1
        if self.count == 0:
            self.stop.request(Interrupted(15))


def run_with_late_signal(outcome: Callable[[Task], Outcome]) -> tuple[RunReport, StopRequest]:
    stop = StopRequest()
    return engine(Script(outcome), stop=stop, observer=Late(stop, 10), ceiling=1).run(tasks(10)), stop


def test_a_signal_that_comes_with_the_last_answer_interrupted_nothing() -> None:
    report, stop = run_with_late_signal(add)
    assert (report.stopped_by, states(report)) == (None, {"done": 10})
    assert isinstance(stop.error, Interrupted)


def test_a_signal_that_comes_with_the_last_answer_is_told_where_something_was_left() -> None:
    report, stop = run_with_late_signal(lambda task: FAULTS["full"] if task.index == 5 else add(task))
    assert states(report) == {"done": 5, "failed": 1, "skipped": 4}
    assert report.stopped_by is stop.error


def test_a_defect_brings_back_what_is_in_transit() -> None:
    moves = Moves(20)

    def join() -> Outcome:
        raise ZeroDivisionError

    report = engine(moving(moves, join)).run(moves)
    assert isinstance(report.stopped_by, InternalError)
    assert moves.states[JOIN, "unknown"] >= 1
    assert {moves.stuck[item] for item in moves.between} == {"unknown"}


class Bound:
    """Lets ``count`` threads start, and no more."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, count: int, error: type[BaseException]) -> None:
        self.left = count
        start = threading.Thread.start

        def bounded(thread: threading.Thread) -> None:
            if self.left == 0:
                raise error("can't start new thread")
            self.left -= 1
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", bounded)


@pytest.mark.parametrize("error", [RuntimeError, MemoryError])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_run_goes_on_with_the_threads_that_there_are(
    monkeypatch: pytest.MonkeyPatch, count: int, error: type[BaseException]
) -> None:
    Bound(monkeypatch, count, error)
    executor, diary = Script(slow(0.001)), Diary()
    report = engine(executor, journal=diary).run(tasks(50))
    assert (report.stopped_by, states(report)) == (None, {"done": 50})
    assert executor.most == max(1, count)
    open_at = [sum(1 if kind == "intent" else -1 for kind, _ in diary.lines[:end]) for end in range(101)]
    assert max(open_at) <= 4, "no more is written down than the threads are about to send"


def test_lost_answers_are_looked_for_without_any_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    Bound(monkeypatch, 0, RuntimeError)
    report = engine(Script(lambda task: LOST, lambda task: Done("added"))).run(tasks(5))
    assert states(report) == {"done": 5}


@pytest.mark.parametrize("count", [0, 2])
def test_questions_are_asked_with_the_threads_that_there_are(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    Bound(monkeypatch, count, RuntimeError)
    assert sorted(side_by_side(lambda thing: thing * 2, range(20))) == [
        (thing, thing * 2) for thing in range(20)
    ]


@pytest.mark.parametrize(("limit", "expected"), [(resource.RLIM_INFINITY, 100), (10_000, 100), (1, 1)])
def test_no_more_is_under_way_than_files_may_be_open(
    monkeypatch: pytest.MonkeyPatch, limit: int, expected: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (limit, limit))
    assert affordable_ceiling(100) == expected


def test_the_files_that_are_open_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (500, 500))
    assert 1 < affordable_ceiling(1000) <= 500 - RESERVED_FILES - 3
