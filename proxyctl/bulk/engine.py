"""Runs a schedule in real time: one thread decides and writes the journal, the others send.

All state but the gates' belongs to the deciding thread, which is the caller's; the others only put answers into its
queue. So there is no lock, and results reach the observer in the caller's thread.
"""

from __future__ import annotations

import random as random_module
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from proxyctl.bulk import outcomes
from proxyctl.bulk.gates import Gates
from proxyctl.bulk.rate import NEVER
from proxyctl.bulk.schedule import Schedule
from proxyctl.bulk.threads import Workers
from proxyctl.bulk.waiting import Send, Verify, outranks
from proxyctl.clock import Clock, StopRequest, SystemClock
from proxyctl.errors import DeadlineError, InternalError, OutputError, ProxyctlError

OWED = 0.2  # of a deadline, at most the time of grace: kept for the rescues of what is in transit


@dataclass
class Engine:
    """Carries the tasks of one run out: as fast as the gates allow, each at most once, whatever the network does.

    Of ``deadline`` (seconds, which its error names) ``time_left`` are left at the start of ``run``: all of them,
    unless something was done before. ``retries`` are the extra tries of one item after faults (a 429 is no try); at
    ``max_errors`` failed items the run ends early. ``observer`` gets each result as it comes, in the thread of ``run``.
    """

    executor: outcomes.Executor
    _: KW_ONLY
    gates: Gates
    clock: Clock = field(default_factory=SystemClock)
    journal: outcomes.Journal | None = None
    observer: Callable[[outcomes.Result], None] = lambda result: None
    stop: StopRequest = field(default_factory=StopRequest)
    retries: int = 4
    max_errors: int | None = None
    deadline: float | None = None
    time_left: float | None = None
    random: Callable[[], float] = random_module.random
    verify_after: Sequence[float] = (0.0, 1.0, 2.0, 5.0)

    def run(self, chains: outcomes.Chains) -> outcomes.RunReport:
        """Send what ``chains`` let begin, and report on each task. Raises for defects only."""
        self._chains = chains
        self._results: list[outcomes.Result] = []
        self._workers: Workers[Send | Verify] = Workers(self._do, self.clock, self.gates.lower_ceiling)
        self._signalled = False
        self._grace_ends = NEVER
        started = self.clock.monotonic()
        left = self.deadline if self.time_left is None else self.time_left
        self._deadline_at = NEVER if left is None else started + left
        self.gates.begin()
        self._schedule = Schedule(
            chains,
            gates=self.gates,
            random=self.random,
            observer=self._take_result,
            may_leave=self._may_leave,
            retries=self.retries,
            max_errors=self.max_errors,
            verify_after=self.verify_after,
        )
        try:
            while not self._schedule.finished:
                self._step()
        finally:
            self._workers.dismiss()
        results = sorted(self._results, key=lambda result: result.index)
        stopped_by, late = self._schedule.stopped_by, self.stop.error
        # A signal may have come when there was nothing left to stop.
        unfinished = any(result.state in ("skipped", "unknown") for result in results)
        if late is not None and unfinished and outranks(late, stopped_by):
            stopped_by = late
        ended = self.clock.monotonic()
        return outcomes.RunReport(results, self._schedule.repeats, stopped_by, started, ended)

    def _step(self) -> None:
        """Do all that can be done now, then wait for what comes first, and take it in."""
        now = self.clock.monotonic()
        self._check_ends(now)
        while (job := self._schedule.next(now)) is not None:
            self._workers.put(job)
        if self._schedule.finished:
            return
        until = min(self._schedule.wake_at(now), self._last_start, self._grace_ends)
        for answer in self._workers.answers(max(0.0, until - self.clock.monotonic())):
            self._take(*answer)

    @property
    def _last_start(self) -> float:
        """When the deadline ends the run: earlier while something is in transit, which has to arrive or come back."""
        owed = min(self.stop.grace, OWED * (self.deadline or 0.0))
        return self._deadline_at - (owed if self._chains.in_transit else 0.0)

    def _check_ends(self, now: float) -> None:
        if self.stop.error is not None and not self._signalled:
            self._signalled = True
            self._end(self.stop.error, now)
        if now >= self._last_start:
            self._deadline_at = NEVER
            words = f"the deadline of {self.deadline:g} s was reached"
            self._end(DeadlineError(words, hint="Run the same command again to continue."), now)
        if now >= self._grace_ends:
            self._grace_ends = NEVER
            self._schedule.expire()

    def _end(self, error: ProxyctlError, now: float) -> None:
        """Stop the run; what is under way has its time of grace, but no second one."""
        self._grace_ends = min(self._grace_ends, now + self.stop.grace)
        self._schedule.stop(error, now)

    # Sending

    def _may_leave(self, task: outcomes.Task) -> bool:
        """Write down what is about to be sent; where that fails only a rescue may leave."""
        # An item in no place at all is worse than one that nobody wrote down.
        return self._written(lambda journal: journal.intent(task)) or task.rescue

    def _do(self, job: Send | Verify) -> object:
        """In a worker's thread. An internal error is handed over, so that what is under way is still reported."""
        try:
            if isinstance(job, Send):
                return self.executor.send(job.item.task)
            return self.executor.verify([item.task for item in job.items], job.reads)
        except BaseException as error:
            return error

    # Taking in

    def _take(self, job: Send | Verify, what: Any, started: float, ended: float) -> None:
        failure = None
        if isinstance(what, BaseException):
            failure = what if isinstance(what, ProxyctlError) else None
            if failure is None:
                failure = InternalError(f"internal error: {type(what).__name__} during a change")
                failure.__cause__ = what
            self._schedule.stop(failure, ended)
        if isinstance(job, Send):
            outcome: outcomes.Outcome = what if failure is None else outcomes.Lost(failure)
            self._write_outcome(job.item.task, outcome)
            self._schedule.answered(job.item, outcome, started, ended)
            return
        found: dict[int, outcomes.Outcome | None] = what if failure is None else {}
        for item in job.items:
            seen = found.setdefault(item.task.index, outcomes.Unsent(failure or InternalError("not read")))
            if seen is not None:
                self._write_outcome(item.task, seen)
        self._schedule.verified(job.items, found, ended)

    def _write_outcome(self, task: outcomes.Task, outcome: outcomes.Outcome) -> None:
        # What is unclear was refused; that it is as wanted all the same is for a read to say.
        kept = outcomes.Refused(outcome.error) if isinstance(outcome, outcomes.Unclear) else outcome
        self._written(lambda journal: journal.outcome(task, kept))

    def _written(self, write: Callable[[outcomes.Journal], None]) -> bool:
        """Write to the journal; a failure stops the run."""
        try:
            if self.journal is not None:
                write(self.journal)
        except OutputError as error:
            self._schedule.stop(error, self.clock.monotonic())
            return False
        return True

    def _take_result(self, result: outcomes.Result) -> None:
        self._results.append(result)
        self.observer(result)
