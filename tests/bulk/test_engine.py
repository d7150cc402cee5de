"""The engine with real threads: signals, deadlines, a full disk, defects. Delays are small, and nothing sleeps."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from proxyctl.bulk.engine import Engine
from proxyctl.bulk.gates import Gates
from proxyctl.bulk.outcomes import (
    Chains,
    Done,
    Outcome,
    Result,
    RunReport,
    State,
    Task,
    Throttled,
)
from proxyctl.clock import StopRequest
from proxyctl.errors import (
    InternalError,
    Interrupted,
    OutputError,
    ThrottledError,
)
from tests.bulk.simulation import FAULTS, LOST, Unchained
from tests.support import StandingClock

Send = Callable[[Task], Outcome]


def add(task: Task) -> Outcome:
    return Done("added", task.index)


def slow(seconds: float) -> Send:
    def send(task: Task) -> Outcome:
        time.sleep(seconds)
        return add(task)

    return send


class Script:
    """An executor whose answers are handed in; counts who is at work, and what was sent."""

    def __init__(self, send: Send = add, seen: Callable[[Task], Outcome | None] = lambda task: None) -> None:
        self.sent: Counter[int] = Counter()
        self.most = 0
        self.threads: set[str] = set()
        self._send = send
        self._seen = seen
        self._busy = 0
        self._lock = threading.Lock()

    def send(self, task: Task) -> Outcome:
        with self._lock:
            self.sent[task.index] += 1
            self._busy += 1
            self.most = max(self.most, self._busy)
        try:
            return self._send(task)
        finally:
            with self._lock:
                self._busy -= 1

    def verify(self, tasks: Sequence[Task], reads: int) -> dict[int, Outcome | None]:
        return {task.index: self._seen(task) for task in tasks}


class Diary:
    """A journal in memory; ``room`` lines fit on its disk."""

    def __init__(self, room: float = float("inf")) -> None:
        self.lines: list[tuple[str, int]] = []
        self._room = room

    def _write(self, kind: str, index: int) -> None:
        if len(self.lines) >= self._room:
            raise OutputError("No space left on device")
        self.lines.append((kind, index))

    def intent(self, task: Task) -> None:
        self._write("intent", task.index)

    def outcome(self, task: Task, outcome: Outcome) -> None:
        self._write(type(outcome).__name__, task.index)


def tasks(count: int, *, repeatable: bool = False) -> list[Task]:
    return [Task(index, "lane", "add", repeatable) for index in range(count)]


class PlainEngine(Engine):
    """An engine that takes plain tasks, too."""

    def run(
        self, tasks: Iterable[Task] | Chains, more: Callable[[Result], Iterable[Task]] | None = None
    ) -> RunReport:
        return super().run(Unchained(tasks, more) if isinstance(tasks, Iterable) else tasks)


def engine(executor: Script, *, ceiling: int = 20, **options: Any) -> PlainEngine:
    def half() -> float:
        return 0.5

    return PlainEngine(
        executor,
        gates=Gates(0, random=half, ceiling=ceiling),
        random=lambda: 0.001,
        verify_after=(0.0, 0.01, 0.02, 0.05),
        **options,
    )


def states(report: RunReport) -> Counter[State]:
    return Counter(result.state for result in report.results)


def test_everything_is_done_once_and_reported_in_order() -> None:
    executor, diary = Script(), Diary()
    heard: list[tuple[int, int]] = []
    report = engine(
        executor,
        observer=lambda result: heard.append((result.index, threading.get_ident())),
        journal=diary,
    ).run(tasks(500))
    assert [result.index for result in report.results] == list(range(500))
    assert states(report) == {"done": 500}
    assert {result.detail for result in report.results} == set(range(500))
    assert set(executor.sent.values()) == {1}
    assert sorted(heard) == [(index, threading.get_ident()) for index in range(500)]
    for index in range(500):
        assert diary.lines.index(("intent", index)) < diary.lines.index(("Done", index))


def test_nothing_to_do() -> None:
    before = threading.active_count()
    report = engine(Script()).run([])
    assert (report.results, report.stopped_by, threading.active_count()) == ([], None, before)


def test_the_ceiling_holds_and_threads_end_with_the_run() -> None:
    before = threading.active_count()
    executor = Script(slow(0.001))
    report = engine(executor, ceiling=7).run(tasks(200))
    assert states(report) == {"done": 200}
    assert executor.most <= 7
    assert threading.active_count() == before


def test_lost_answers_are_looked_for_in_batches() -> None:
    there: set[int] = set()

    def send(task: Task) -> Outcome:
        there.add(task.index)
        return LOST if task.index % 10 == 0 else add(task)

    executor = Script(send, lambda task: Done("added") if task.index in there else None)
    diary = Diary()
    report = engine(executor, journal=diary).run(tasks(100))
    assert states(report) == {"done": 100}
    assert set(executor.sent.values()) == {1}
    assert diary.lines.index(("Lost", 0)) < diary.lines.index(("Done", 0))


def test_what_is_unclear_is_kept_as_refused_until_it_is_read() -> None:
    executor = Script(lambda task: FAULTS["unclear"], seen=lambda task: Done("unchanged"))
    diary = Diary()
    assert states(engine(executor, journal=diary).run(tasks(3))) == {"done": 3}
    assert Counter(kind for kind, _ in diary.lines) == {"intent": 3, "Refused": 3, "Done": 3}


def test_429s_are_no_failures() -> None:
    turned = Throttled("concurrency", 0.001, ThrottledError("429"))
    executor = Script(lambda task: turned if executor.sent[task.index] == 1 else add(task))
    report = engine(executor, ceiling=4).run(tasks(4))
    assert states(report) == {"done": 4}
    assert report.retries == 4


def test_what_is_under_way_at_the_deadline_may_still_answer() -> None:
    gate = threading.Event()

    def send(task: Task) -> Outcome:
        gate.wait(5)
        return add(task)

    timer = threading.Timer(0.15, gate.set)
    timer.start()
    report = engine(Script(send), deadline=0.05).run(tasks(50))
    timer.join()
    assert states(report) == {"done": 4, "skipped": 46}


def test_what_has_not_answered_when_the_grace_ends_is_unknown() -> None:
    stop, gate = StopRequest(grace=0.05), threading.Event()

    def send(task: Task) -> Outcome:
        stop.request(Interrupted(2))
        gate.wait(5)
        return add(task)

    executor = Script(send)
    diary = Diary()
    report = engine(executor, stop=stop, journal=diary).run(tasks(100))
    gate.set()
    assert states(report) == {"unknown": 4, "skipped": 96}
    assert report.ended - report.started < 1.0
    assert [kind for kind, _ in diary.lines] == ["intent"] * 4


def test_a_request_made_before_the_run_lets_nothing_start() -> None:
    stop, executor = StopRequest(), Script()
    stop.request(Interrupted(2))
    assert states(engine(executor, stop=stop).run(tasks(3))) == {"skipped": 3}
    assert not executor.sent


@pytest.mark.parametrize("room", [0, 1, 7, 40])
def test_a_full_disk_ends_the_run_and_what_was_sent_is_reported(room: int) -> None:
    executor = Script()
    report = engine(executor, journal=Diary(room)).run(tasks(100))
    assert isinstance(report.stopped_by, OutputError)
    assert "No space left" in report.stopped_by.message
    done = {result.index for result in report.results if result.state == "done"}
    assert done == set(executor.sent)
    assert states(report) == Counter(done=len(done), skipped=100 - len(done))
    assert len(done) <= room


def test_a_defect_in_the_executor_ends_the_run_truthfully() -> None:
    def send(task: Task) -> Outcome:
        if task.index == 5:
            raise ZeroDivisionError
        return add(task)

    report = engine(Script(send)).run(tasks(1000))
    assert isinstance(report.stopped_by, InternalError)
    assert report.stopped_by.exit_code == 1
    assert isinstance(report.stopped_by.__cause__, ZeroDivisionError)
    assert len(report.results) == 1000
    assert report.results[5].state == "unknown"  # absent at the one look that was left: that proves little
    assert states(report)["skipped"] > 0


def test_waits_pass_by_the_clock_that_is_handed_in() -> None:
    clock = StandingClock()
    report = PlainEngine(Script(), clock=clock, gates=Gates(30, random=lambda: 0.5)).run(tasks(451))
    assert states(report) == {"done": 451}
    assert 15.0 <= report.ended - report.started <= 15.1
