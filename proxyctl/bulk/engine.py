"""Runs a schedule in real time: one thread decides and writes the journal, the others send.

All state but the gates' belongs to the deciding thread, which is the caller's; the others only put answers into its
queue. So there is no lock, and results reach the observer in the caller's thread.
"""

from __future__ import annotations

import random as random_module
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any

from proxyctl.bulk.gates import Gates
from proxyctl.bulk.outcomes import (
    Chains,
    Executor,
    Journal,
    Lost,
    Observer,
    Outcome,
    Refused,
    Result,
    RunReport,
    Scope,
    Task,
    Unclear,
    Unsent,
)
from proxyctl.bulk.rate import NEVER
from proxyctl.bulk.schedule import Schedule
from proxyctl.bulk.threads import Workers
from proxyctl.bulk.waiting import Send, Verify, outranks
from proxyctl.clock import Clock, StopRequest, SystemClock
from proxyctl.errors import DeadlineError, InternalError, OutputError, ProxyctlError

OWED = 0.2  # of a deadline, at most the time of grace: kept for the rescues of what is in transit


@dataclass
class Engine:
    """Carries tasks out: as fast as the gates allow, each at most once, whatever the network does.

    Of ``deadline`` (seconds, which its error names) ``time_left`` are left at the start of ``run``: all of them,
    unless something was done before. ``retries`` are the extra tries of one item after faults (a 429 is no try); at
    ``max_errors`` failed items the run ends early.
    """

    executor: Executor
    _: KW_ONLY
    gates: Gates
    clock: Clock = field(default_factory=SystemClock)
    journal: Journal | None = None
    observer: Observer | None = None
    stop: StopRequest = field(default_factory=StopRequest)
    retries: int = 4
    max_errors: int | None = None
    deadline: float | None = None
    time_left: float | None = None
    random: Callable[[], float] = random_module.random
    verify_after: Sequence[float] = (0.0, 1.0, 2.0, 5.0)

    def run(self, chains: Chains) -> RunReport:
        """Send what ``chains`` let begin, and report on each task. Raises for defects only."""
        return _Run(self, chains).run()


class _Run:
    """One call of ``Engine.run``."""

    def __init__(self, engine: Engine, chains: Chains) -> None:
        self._engine = engine
        self._chains = chains
        self._clock = engine.clock
        self._observer = engine.observer
        self._results: list[Result] = []
        self._workers: Workers[Send | Verify] = Workers(self._do, engine.clock, engine.gates.lower_ceiling)
        self._signalled = False
        self._grace_ends = NEVER
        self._started = engine.clock.monotonic()
        left = engine.deadline if engine.time_left is None else engine.time_left
        self._deadline_at = NEVER if left is None else self._started + left
        engine.gates.begin()
        self._schedule = Schedule(
            chains,
            gates=engine.gates,
            random=engine.random,
            observer=self,
            may_leave=self._may_leave,
            retries=engine.retries,
            max_errors=engine.max_errors,
            verify_after=engine.verify_after,
        )

    def run(self) -> RunReport:
        try:
            while not self._schedule.finished:
                self._step()
        finally:
            self._workers.dismiss()
        report = RunReport(
            results=sorted(self._results, key=lambda result: result.index),
            retries=self._schedule.faults.repeats,
            throttled=self._schedule.throttled,
            stopped_by=self._schedule.stopped_by,
            started=self._started,
            ended=self._clock.monotonic(),
        )
        late = self._engine.stop.error  # it may have come when there was nothing left to stop
        if late is not None and outranks(late, report.stopped_by) and report.count("skipped", "unknown"):
            report = replace(report, stopped_by=late)
        return report

    def _step(self) -> None:
        """Do all that can be done now, then wait for what comes first, and take it in."""
        now = self._clock.monotonic()
        self._check_ends(now)
        while (job := self._schedule.next(now)) is not None:
            self._workers.put(job)
        if self._schedule.finished:
            return
        until = min(self._schedule.wake_at(now), self._last_start, self._grace_ends)
        for answer in self._workers.answers(max(0.0, until - self._clock.monotonic())):
            self._take(*answer)

    @property
    def _last_start(self) -> float:
        """When the deadline ends the run: earlier while something is in transit, which has to arrive or come back."""
        owed = min(self._engine.stop.grace, OWED * (self._engine.deadline or 0.0))
        return self._deadline_at - (owed if self._chains.in_transit else 0.0)

    def _check_ends(self, now: float) -> None:
        request = self._engine.stop
        if request.error is not None and not self._signalled:
            self._signalled = True
            self._end(request.error, now)
        if now >= self._last_start:
            self._deadline_at = NEVER
            words = f"the deadline of {self._engine.deadline:g} s was reached"
            hint = "Run the same command again to continue."
            self._end(DeadlineError(words, hint=hint), now)
        if now >= self._grace_ends:
            self._grace_ends = NEVER
            self._schedule.expire()

    def _end(self, error: ProxyctlError, now: float) -> None:
        """Stop the run; what is under way has its time of grace, but no second one."""
        self._grace_ends = min(self._grace_ends, now + self._engine.stop.grace)
        self._schedule.stop(error, now)

    # Sending

    def _may_leave(self, task: Task) -> bool:
        """Write down what is about to be sent; where that fails only a rescue may leave."""
        # An item in no place at all is worse than one that nobody wrote down.
        return self._written(lambda journal: journal.intent(task)) or task.rescue

    def _do(self, job: Send | Verify) -> object:
        """In a worker's thread. An internal error is handed over, so that what is under way is still reported."""
        executor = self._engine.executor
        try:
            if isinstance(job, Send):
                return executor.send(job.item.task)
            return executor.verify([item.task for item in job.items], job.reads)
        except BaseException as error:
            return error

    # Taking in

    def _take(self, job: Send | Verify, what: Any, started: float, ended: float) -> None:
        failure = None
        if isinstance(what, BaseException):
            failure = what if isinstance(what, ProxyctlError) else _internal(what)
            self._schedule.stop(failure, ended)
        if isinstance(job, Send):
            outcome: Outcome = what if failure is None else Lost(failure)
            self._write_outcome(job.item.task, outcome)
            self._schedule.answered(job.item, outcome, started, ended)
            return
        found: dict[int, Outcome | None] = what if failure is None else {}
        for item in job.items:
            seen = found.setdefault(item.task.index, Unsent(failure or InternalError("nothing was read")))
            if seen is not None:
                self._write_outcome(item.task, seen)
        self._schedule.verified(job.items, found, ended)

    def _write_outcome(self, task: Task, outcome: Outcome) -> None:
        # What is unclear was refused; that it is as wanted all the same is for a read to say.
        kept = Refused(outcome.error) if isinstance(outcome, Unclear) else outcome
        self._written(lambda journal: journal.outcome(task, kept))

    def _written(self, write: Callable[[Journal], None]) -> bool:
        """Write to the journal; a failure stops the run."""
        try:
            if self._engine.journal is not None:
                write(self._engine.journal)
        except (OSError, OutputError) as error:
            self._schedule.stop(_unwritten(error), self._clock.monotonic())
            return False
        return True

    # Reporting

    def on_result(self, result: Result) -> None:
        self._results.append(result)
        self._tell(lambda observer: observer.on_result(result))

    def on_limit(self, scope: Scope) -> None:
        self._tell(lambda observer: observer.on_limit(scope))

    def _tell(self, what: Callable[[Observer], None]) -> None:
        if self._observer is None:
            return
        try:
            what(self._observer)
        except Exception:  # lost output must not leave the work half done
            self._observer = None


def _unwritten(error: OSError | OutputError) -> OutputError:
    if isinstance(error, OutputError):
        return error
    return OutputError(
        f"the history can't be written: {error.strerror or error}",
        hint="Nothing more was sent. Make room, or add --no-history, and run the same command again.",
    )


def _internal(error: BaseException) -> ProxyctlError:
    failure = InternalError(f"internal error: {type(error).__name__} during a change")
    failure.__cause__ = error
    return failure
