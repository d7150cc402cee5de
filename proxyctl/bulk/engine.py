"""Runs a schedule in real time: one thread decides and writes the journal, the others send.

All state belongs to the deciding thread, which is the caller's; threads and signal handlers only put events
into its queue. So there is no lock, and results reach the observer in the caller's thread.
"""

from __future__ import annotations

import random as random_module
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from queue import Empty, SimpleQueue

from proxyctl.bulk.gates import Gates
from proxyctl.bulk.outcomes import (
    Chains,
    Executor,
    Journal,
    Lost,
    Observer,
    Outcome,
    Result,
    RunReport,
    Scope,
    Unchained,
    Work,
)
from proxyctl.bulk.pauses import NEVER
from proxyctl.bulk.schedule import Look, Schedule, Send, outranks
from proxyctl.bulk.threads import hire
from proxyctl.clock import Clock, SystemClock
from proxyctl.errors import DeadlineError, InternalError, OutputError, ProxyctlError
from proxyctl.stop import StopRequest

Job = Send | Look
LONGEST_WAIT = 0.25  # seconds
OWED = 0.2  # of a deadline, at most the time of grace: kept for the rescues of what is in transit


class _Answer:
    """What a worker hands back: the outcome of a send, or what a look found."""

    __slots__ = ("ended", "job", "started", "what")

    def __init__(self, job: Job, what: object, started: float, ended: float) -> None:
        self.job, self.what, self.started, self.ended = job, what, started, ended


class Engine:
    """Carries works out: as fast as the gates allow, each at most once, whatever the network does.

    ``gates`` decide when a request may start. Of ``deadline`` (seconds, which its error names) ``time_left`` are
    left at the start of ``run``: all of them, unless something was done before. ``retries`` are the extra tries of
    one item after faults (a 429 is no try); at ``max_errors`` failed items the run ends early.
    """

    def __init__(
        self,
        executor: Executor,
        *,
        gates: Gates | None = None,
        clock: Clock | None = None,
        journal: Journal | None = None,
        observer: Observer | None = None,
        stop: StopRequest | None = None,
        retries: int = 4,
        max_errors: int | None = None,
        deadline: float | None = None,
        time_left: float | None = None,
        random: Callable[[], float] = random_module.random,
        look_delays: Sequence[float] = (0.0, 1.0, 2.0, 5.0),
    ) -> None:
        self._executor = executor
        self._clock = clock or SystemClock()
        self._gates = gates or Gates(30.0, random=random, clock=self._clock)
        self._journal = journal
        self._observer = observer
        self._stop = stop or StopRequest()
        self._retries = retries
        self._max_errors = max_errors
        self._deadline = deadline
        self._time_left = deadline if time_left is None else time_left
        self._random = random
        self._look_delays = look_delays

    def run(
        self, works: Iterable[Work] | Chains, follow: Callable[[Result], Iterable[Work]] | None = None
    ) -> RunReport:
        """Carry ``works`` out and report on each, and on those that follow from their results. Raises for defects only.

        ``follow`` may let works in after each result, until the run is stopped.
        """
        return _Run(self, works if isinstance(works, Chains) else Unchained(works, follow)).run()


class _Run:
    """One call of ``Engine.run``."""

    def __init__(self, engine: Engine, chains: Chains) -> None:
        self._engine = engine
        self._chains = chains
        self._clock = engine._clock
        self._results: list[Result] = []
        self._observer = engine._observer
        self._observer_error: Exception | None = None
        self._journal = engine._journal
        self._events: SimpleQueue[_Answer | None] = SimpleQueue()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._all_hired = False
        self._busy = 0
        self._signalled = False
        self._grace_ends = NEVER
        self._schedule = Schedule(
            chains,
            gates=engine._gates,
            random=engine._random,
            emit=self._emit,
            on_limit=self._on_limit,
            retries=engine._retries,
            max_errors=engine._max_errors,
            look_delays=engine._look_delays,
        )

    def run(self) -> RunReport:
        started = self._clock.monotonic()
        left = self._engine._time_left
        self._deadline_at = NEVER if left is None else started + left
        self._engine._gates.begin()
        self._engine._stop.subscribe(self._wake)
        try:
            while not self._step():
                pass
        finally:
            self._engine._stop.unsubscribe(self._wake)
            self._dismiss()
        report = RunReport(
            results=sorted(self._results, key=lambda result: result.index),
            retries=self._schedule.retries,
            throttled=self._schedule.throttled,
            stopped_by=self._schedule.stopped_by,
            started=started,
            ended=self._clock.monotonic(),
            observer_error=self._observer_error,
        )
        late = self._engine._stop.error  # it may have come when there was nothing left to stop
        if late is not None and outranks(late, report.stopped_by) and report.count("skipped", "unknown"):
            report = replace(report, stopped_by=late)
        return report

    def _wake(self) -> None:
        self._events.put(None)  # reentrant, unlike a Condition: it is called from signal handlers

    def _step(self) -> bool:
        """Do all that can be done now, then wait for what comes first; True at the end of the run."""
        now = self._clock.monotonic()
        if self._schedule.finished:
            return True
        self._check_ends(now)
        while (job := self._schedule.next(now)) is not None:
            self._dispatch(job, now)
        if self._schedule.finished:
            return True
        until = min(self._schedule.wake_at(now), self._last_start, self._grace_ends)
        event = self._wait(max(0.0, until - self._clock.monotonic()))
        while True:
            if event is not None:
                self._take(event)
            try:
                event = self._events.get_nowait()
            except Empty:
                return False

    @property
    def _last_start(self) -> float:
        """When the deadline ends the run: earlier while something is in transit, which has to arrive or come back."""
        if not self._chains.in_transit:
            return self._deadline_at
        return self._deadline_at - min(self._engine._stop.grace, OWED * (self._engine._deadline or 0.0))

    def _check_ends(self, now: float) -> None:
        request = self._engine._stop
        if request.error is not None and not self._signalled:
            self._signalled = True
            self._end(request.error, now)
        if now >= self._last_start:
            self._deadline_at = NEVER
            self._end(
                DeadlineError(
                    f"the deadline of {self._engine._deadline:g} s was reached",
                    hint="run the same command again: it continues where this run ended",
                ),
                now,
            )
        if now >= self._grace_ends:
            self._grace_ends = NEVER
            self._schedule.expire()

    def _end(self, error: ProxyctlError, now: float) -> None:
        """Stop the run; what is under way has its time of grace, but no second one."""
        self._grace_ends = min(self._grace_ends, now + self._engine._stop.grace)
        self._schedule.stop(error, now)

    def _wait(self, seconds: float) -> _Answer | None:
        timeout = None if seconds == NEVER else seconds
        if not isinstance(self._clock, SystemClock) and timeout is not None:
            # A clock of a test: its time passes by sleeping, and only while no answer can come.
            if self._busy == 0:
                self._clock.sleep(timeout)
                return None
            timeout = min(timeout, 0.01)
        # A signal that comes just before the wait begins does not interrupt it: so no wait is a long one.
        timeout = LONGEST_WAIT if timeout is None else min(timeout, LONGEST_WAIT)
        try:
            return self._events.get(timeout=timeout)
        except Empty:
            return None

    # Sending

    def _dispatch(self, job: Job, now: float) -> None:
        if isinstance(job, Send) and not self._write_intent(job, now):
            return
        self._busy += 1
        if self._busy > len(self._threads) and not self._all_hired:
            self._hire()
        if self._threads:
            self._jobs.put(job)
        else:
            self._do(job)

    def _hire(self) -> None:
        """Start one more thread; where that can't be done, go on with those that there are."""
        thread = hire(self._serve, "proxyctl-worker")
        if thread is not None:
            self._threads.append(thread)
        else:
            self._all_hired = True
            self._engine._gates.lower_ceiling(max(1, len(self._threads)))

    def _serve(self) -> None:
        """A worker: does jobs until it is dismissed."""
        while (job := self._jobs.get()) is not None:
            self._do(job)

    def _do(self, job: Job) -> None:
        started = self._clock.monotonic()
        what = self._carry_out(job)
        self._events.put(_Answer(job, what, started, self._clock.monotonic()))

    def _carry_out(self, job: Job) -> object:
        try:
            if isinstance(job, Send):
                return self._engine._executor.send(job.item.work)
            return self._engine._executor.look(job.works)
        except BaseException as error:  # a defect: handed over, so that what is under way is still reported
            return error

    def _dismiss(self) -> None:
        for _ in self._threads:
            self._jobs.put(None)
        if self._busy == 0:
            for thread in self._threads:
                thread.join()

    # Taking in

    def _take(self, answer: _Answer) -> None:
        self._busy -= 1
        job, what = answer.job, answer.what
        if isinstance(what, BaseException):
            error = what if isinstance(what, ProxyctlError) else _defect(what)
            self._schedule.stop(error, answer.ended)
            what = Lost(error) if isinstance(job, Send) else {}
        if isinstance(job, Look):
            assert isinstance(what, dict)
            self._looked(job, what, answer.ended)
            return
        outcome: Outcome = what  # type: ignore[assignment]  # the executor's promise
        self._write_outcome(job.item.work, outcome, answer.ended)
        self._schedule.answered(job.item, outcome, answer.started, answer.ended)

    def _looked(self, job: Look, answers: dict[int, Outcome | None], now: float) -> None:
        for item in job.items:
            outcome = answers.get(item.work.index)
            if outcome is not None:
                self._write_outcome(item.work, outcome, now)
        self._schedule.looked(job.items, answers, now)

    def _write_intent(self, job: Send, now: float) -> bool:
        """Write what is about to be sent; False where that failed, and the request must not leave."""
        if self._journal is None:
            return True
        try:
            self._journal.intent(job.item.work)
        except (OSError, OutputError) as error:
            self._schedule.stop(_unwritten(error), now)
            if job.item.work.rescue:  # an item in no place at all is worse than one that nobody wrote down
                return True
            self._schedule.withdraw(job.item)
            return False
        return True

    def _write_outcome(self, work: Work, outcome: Outcome, now: float) -> None:
        if self._journal is None:
            return
        try:
            self._journal.outcome(work, outcome)
        except (OSError, OutputError) as error:
            self._schedule.stop(_unwritten(error), now)

    # Telling

    def _emit(self, result: Result) -> None:
        self._results.append(result)
        self._tell(lambda observer: observer.on_result(result))

    def _on_limit(self, scope: Scope) -> None:
        self._tell(lambda observer: observer.on_limit(scope))

    def _tell(self, what: Callable[[Observer], None]) -> None:
        if self._observer is None:
            return
        try:
            what(self._observer)
        except Exception as error:  # lost output must not leave the work half done
            self._observer, self._observer_error = None, error


def _unwritten(error: OSError | OutputError) -> OutputError:
    if isinstance(error, OutputError):
        return error
    return OutputError(
        f"the history can't be written: {error.strerror or error}",
        hint="nothing more was sent; make room, or use --no-history, and run the same command again",
    )


def _defect(error: BaseException) -> ProxyctlError:
    failure = InternalError(f"internal error: {type(error).__name__} while a change was sent")
    failure.__cause__ = error
    return failure
