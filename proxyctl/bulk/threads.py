"""Threads that do many things at once, as many as the machine grants: a run goes on with what it has."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from proxyctl.bulk.rate import NEVER
from proxyctl.clock import Clock, SystemClock

LONGEST_WAIT = 0.25  # seconds: a signal handler wakes nobody
LONGEST_LEAVE = 1.0  # seconds that an answer which nobody waits for may take
Job = TypeVar("Job")
Found = TypeVar("Found")


Reply = tuple[Job, Any, float, float]  # a job, what came of it, and when it was under way


@dataclass(eq=False)
class Workers(Generic[Job]):
    """Threads that ``do`` jobs, which must not raise: as many as there are jobs, ``most``, or as can be started.

    ``lower_ceiling`` gets how many those are; without any the jobs are done where they are put.
    """

    do: Callable[[Job], object]
    clock: Clock
    lower_ceiling: Callable[[int], None] = lambda threads: None
    most: float = NEVER

    def __post_init__(self) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._answers: SimpleQueue[Reply[Job]] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self.busy = 0

    def put(self, job: Job) -> None:
        """Have ``job`` done."""
        self.busy += 1
        if len(self._threads) < min(self.busy, self.most):
            self._hire()
        if self._threads:
            self._jobs.put(job)
        else:
            self._answer(job)

    def _hire(self) -> None:
        # A daemon: a process that is to end does not wait for answers (so no ThreadPoolExecutor is used).
        thread = threading.Thread(target=self._serve, name="proxyctl-worker", daemon=True)
        try:
            thread.start()
        except (RuntimeError, MemoryError):
            self.most = len(self._threads)
            self.lower_ceiling(max(1, len(self._threads)))
        else:
            self._threads.append(thread)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._answer(job)

    def _answer(self, job: Job) -> None:
        started = self.clock.monotonic()
        what = self.do(job)
        self._answers.put((job, what, started, self.clock.monotonic()))

    def answers(self, seconds: float) -> Iterator[Reply[Job]]:
        """Wait for an answer at most so long; yield all that are there."""
        timeout = min(seconds, LONGEST_WAIT)
        if not isinstance(self.clock, SystemClock) and seconds < NEVER:
            # A clock of a test: its time passes by sleeping, and only while no answer can come.
            if self.busy == 0:
                self.clock.sleep(seconds)
                return
            timeout = min(seconds, 0.01)
        try:
            answer = self._answers.get(timeout=timeout)
            while True:
                self.busy -= 1
                yield answer
                answer = self._answers.get_nowait()
        except Empty:
            return

    def dismiss(self, patience: float = 0.0) -> None:
        """Let the threads end; those that are busy have ``patience`` seconds."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            # The garbage collector may end this in one of the threads.
            if thread is not threading.current_thread() and (patience or not self.busy):
                thread.join(patience or None)


def side_by_side(
    ask: Callable[[Job], Found], things: Iterable[Job], *, workers: int = 8
) -> Generator[tuple[Job, Found], None, None]:
    """Ask the same of many things at once; yield each with its answer, in the order in which the answers come.

    The first error ends it, and no further question is asked. Without any thread the questions are asked here.
    """
    stopped = threading.Event()

    def answer(thing: Job) -> tuple[Found | None, BaseException | None] | None:
        if stopped.is_set():
            return None
        try:
            return ask(thing), None
        except BaseException as error:
            stopped.set()  # here, not where it is heard of: refused credentials must not be tried again
            return None, error

    crew = Workers(answer, SystemClock(), most=workers)
    patience = 0.0
    try:
        for thing in things:
            crew.put(thing)
        while crew.busy:
            for thing, answered, *_ in crew.answers(NEVER):
                if answered is not None:
                    found, error = answered
                    if error is not None:
                        raise error
                    yield thing, found
    except GeneratorExit:  # nobody wants the rest: what is under way ends before its connection is closed
        patience = LONGEST_LEAVE
        raise
    finally:
        stopped.set()
        crew.dismiss(patience)


def in_order(things: Iterable[Job], answers: Iterable[tuple[Job, Found]]) -> Iterator[tuple[Job, Found]]:
    """Yield ``answers`` in the order of ``things``, each as early as that allows; before an error, all that came."""
    waiting = list(things)
    early: dict[Job, Found] = {}
    try:
        for thing, found in answers:
            early[thing] = found
            while waiting and waiting[0] in early:
                yield waiting[0], early.pop(waiting.pop(0))
    except Exception:
        yield from ((thing, early[thing]) for thing in waiting if thing in early)
        raise
