"""Threads and files where the machine grants few of either: a run goes on with what it has."""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Generic, NamedTuple, TypeVar

from proxyctl.bulk.pauses import NEVER
from proxyctl.clock import Clock, SystemClock

RESERVED_FILES = 32  # for what else a run opens: history, modules, certificates
LONGEST_WAIT = 0.25  # seconds: a signal handler wakes nobody
Job = TypeVar("Job")


class Answer(NamedTuple, Generic[Job]):
    """What came of a job, and when it was under way."""

    job: Job
    what: object
    started: float
    ended: float


class Workers(Generic[Job]):
    """Threads that ``do`` jobs, which must not raise: as many as there are jobs at a time, or as can be started.

    ``lower_ceiling`` is told how many those are; without any the jobs are done where they are put.
    """

    def __init__(
        self, do: Callable[[Job], object], clock: Clock, lower_ceiling: Callable[[int], None]
    ) -> None:
        self._do = do
        self._clock = clock
        self._lower_ceiling = lower_ceiling
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._answers: SimpleQueue[Answer[Job]] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._all_hired = False
        self._busy = 0

    def put(self, job: Job) -> None:
        """Have ``job`` done."""
        self._busy += 1
        if self._busy > len(self._threads) and not self._all_hired:
            thread = hire(self._serve, "proxyctl-worker")
            if thread is not None:
                self._threads.append(thread)
            else:
                self._all_hired = True
                self._lower_ceiling(max(1, len(self._threads)))
        if self._threads:
            self._jobs.put(job)
        else:
            self._answer(job)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._answer(job)

    def _answer(self, job: Job) -> None:
        started = self._clock.monotonic()
        what = self._do(job)
        self._answers.put(Answer(job, what, started, self._clock.monotonic()))

    def answers(self, seconds: float) -> Iterator[Answer[Job]]:
        """Wait for an answer at most so long; yield all that are there."""
        timeout = min(seconds, LONGEST_WAIT)
        if not isinstance(self._clock, SystemClock) and seconds < NEVER:
            # A clock of a test: its time passes by sleeping, and only while no answer can come.
            if self._busy == 0:
                self._clock.sleep(seconds)
                return
            timeout = min(seconds, 0.01)
        try:
            answer = self._answers.get(timeout=timeout)
            while True:
                self._busy -= 1
                yield answer
                answer = self._answers.get_nowait()
        except Empty:
            return

    def dismiss(self) -> None:
        """Let the threads end; those that are busy are not waited for."""
        for _ in self._threads:
            self._jobs.put(None)
        if self._busy == 0:
            for thread in self._threads:
                thread.join()


def hire(work: Callable[[], None], name: str) -> threading.Thread | None:
    """Start a thread that does ``work``; None where no more can be started.

    It is a daemon: a process that was told to end does not wait for answers (so no ThreadPoolExecutor is used).
    """
    thread = threading.Thread(target=work, name=name, daemon=True)
    try:
        thread.start()
    except (RuntimeError, MemoryError):
        return None
    return thread


def affordable_ceiling(ceiling: int) -> int:
    """Return how many of ``ceiling`` requests can be under way with the files that may still be opened, at least 1."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return ceiling
    try:
        opened = sum(1 for _ in Path("/dev/fd").iterdir())
    except OSError:
        opened = RESERVED_FILES
    return max(1, min(ceiling, limit - opened - RESERVED_FILES))
