"""What a bulk run does next: outcomes and the time go in, the next request or wait comes out.

Pure (no clock, thread or socket), so that whole runs can be tried in simulated time; ``engine`` acts on it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass

from proxyctl.bulk import outcomes, waiting
from proxyctl.bulk.gates import Gates
from proxyctl.bulk.rate import NEVER
from proxyctl.bulk.waiting import Doubts, Lanes, Pending, Send, Verify, outranks
from proxyctl.errors import PartialError, ProxyctlError
from proxyctl.text import counted

LONGEST_LAST_TURN = 8.0  # seconds: as long after that, a rescue that is answered 429 is tried again
MOST_READS = 4  # reads of one verification that are under way at once


@dataclass(eq=False)
class Schedule:
    """The state of one run. ``may_leave`` is asked just before a task is sent, and may stop the run."""

    chains: outcomes.Chains
    _: KW_ONLY
    gates: Gates
    random: Callable[[], float]
    observer: Callable[[outcomes.Result], None]
    may_leave: Callable[[outcomes.Task], bool] = lambda task: True
    retries: int = 4
    max_errors: int | None = None
    verify_after: Sequence[float] = (0.0, 1.0, 2.0, 5.0)

    def __post_init__(self) -> None:
        self._lanes = Lanes(self.gates)
        self._more = deque(self.chains.start())  # taken in between steps: results come in the midst of one
        self._under_way: dict[int, Pending] = {}
        self._doubts = Doubts(self.verify_after)
        self._errors = 0
        self._room_at = -NEVER
        self._now = -NEVER
        self._stopped_at = NEVER
        self._expired = False
        self._in_a_row = 0  # faults without a good answer between
        self._repeated = 0  # what they made us send again
        self.repeats = 0  # what was sent again
        self.stopped_by: ProxyctlError | None = None

    @property
    def finished(self) -> bool:
        """Nothing to send, nothing under way, nothing to verify."""
        doubts = self._doubts
        busy = self._more or self._under_way or doubts.unverified or doubts.delayed
        return not busy and self._lanes.empty

    # What to do next

    def next(self, now: float) -> Send | Verify | None:
        """What to do now, to be asked until it is None; then nothing happens before ``wake_at``."""
        self._now = now
        verification = self._next_verification()
        if verification is not None:
            return verification
        for item in self._doubts.again(now):
            self._lanes.put_back(item)
        found = self._next_item()
        if found is None:
            if self._under_way or not self._doubts.unverified:
                return None
            self._doubts.hurry()
            return self._next_verification()
        if not self.may_leave(found.task):
            (self._verify if found.lost else self._give_up)(found)
            return self.next(now)
        found.place = found.place or self.gates.take(now)
        found.ticket = self.gates.start(found.task.lane, now, found.place)
        found.sent += 1
        self._under_way[found.task.index] = found
        return Send(found)

    def _next_verification(self) -> Verify | None:
        """All that is due, in one go: on the places in flight that the items hold, or on one that is free."""
        items = self._doubts.due(self._now)
        reads = sum(item.place is not None for item in items)
        if items and not reads and self._has_room():
            items[0].place = self.gates.take(self._now)
            reads = 1
        if not reads:
            return None
        self._doubts.verifying = True
        return Verify(items, min(reads, MOST_READS))

    def _next_item(self) -> Pending | None:
        while True:
            self._let_in()
            item = self._lanes.next(self._now, not self._doubts.many, self._has_room)
            if item is not None and self._lanes.shut(item) is not None:
                self._give_up(item)
            elif item is not None or not self._more:
                return item

    def _let_in(self) -> None:
        """Take in what the last results let begin; after a stop only rescues."""
        while self._more:
            task = self._more.popleft()
            if self._expired or (self.stopped_by is not None and not task.rescue):
                self._give_up(Pending(task))
            else:
                self._lanes.add(task)

    def _has_room(self) -> bool:
        wait = self.gates.room(self._now)
        self._room_at = self._now + wait
        return wait <= 0

    def wake_at(self, now: float) -> float:
        """When ``next`` may have something to do although nothing was answered; infinity for never."""
        lanes = self._lanes.wake_at(now, not self._doubts.many, self._room_at)
        return min(lanes, self._doubts.wake_at(now, self._room_at))

    # What was answered

    def answered(self, item: Pending, outcome: outcomes.Outcome, started: float, ended: float) -> None:
        """Take in the outcome of a ``Send``, and when it was under way."""
        self._now = ended
        if self._under_way.pop(item.task.index, None) is None:
            return  # given up before
        ticket = item.ticket
        assert ticket is not None
        ticket.started = started
        self._lanes.unblock(item.task.lane)
        urgent = isinstance(outcome, outcomes.Unclear) and outcome.urgent
        if urgent or isinstance(outcome, outcomes.Unsent | outcomes.Lost):
            ticket.place = None  # the item keeps it
        else:
            item.place = None
        match outcome:
            case outcomes.Throttled():
                ticket.throttled(outcome.scope, outcome.retry_after, ended)
                self._turned_away(item, outcome)
            case outcomes.Unsent():
                ticket.unsent()
                self._failed(item, outcome)
            case outcomes.Lost():
                item.lost = True
                ticket.lost()
                self._failed(item, outcome)
            case outcomes.Unclear(error):
                ticket.answered(ended)
                self._in_a_row = 0
                item.error = error
                self._verify(item, urgent=urgent)
            case _:
                ticket.answered(ended)
                self._final(item, outcome)

    def _final(self, item: Pending, outcome: outcomes.Done | outcomes.Refused | outcomes.Stop) -> None:
        """What became of the item is known."""
        self._in_a_row = 0
        if item.place is not None:
            self.gates.answered(item.place, self._now)
            item.place = None
        match outcome:
            case outcomes.Done(action, detail):
                self._emit(outcomes.Result(item.task.index, "done", action, detail, attempts=item.sent))
            case outcomes.Refused(error, full):
                if full and item.task.room is not None:
                    self._lanes.closed.setdefault(item.task.room, error)
                self._end(item, "failed", error, full=full)
            case outcomes.Stop(error):
                self._end(item, "unknown" if item.lost or error.may_have_happened else "failed", error)
                self.stop(error, self._now)

    def _turned_away(self, item: Pending, outcome: outcomes.Throttled) -> None:
        self.repeats += 1
        asked = outcome.retry_after or 0.0
        if asked > waiting.LONGEST_RETRY_AFTER:
            self.stop(waiting.too_long(asked, outcome.error), self._now)
        if item.task.rescue:
            item.error = outcome.error
        if self._may_begin(item) and self._now < self._stopped_at + LONGEST_LAST_TURN:
            self._lanes.put_back(item)
        else:
            self._give_up(item)

    def _failed(self, item: Pending, outcome: outcomes.Unsent | outcomes.Lost) -> None:
        """A fault: send it again after a while, keeping its place, or verify what became of it."""
        item.tries += 1
        item.error = outcome.error
        self._in_a_row += 1
        if self._in_a_row >= waiting.MOST_IN_A_ROW:
            words = f"stopped after {waiting.MOST_IN_A_ROW} failed writes in a row"
            self.stop(waiting.temporary(words, outcome.error), self._now)
        again = item.tries <= self.retries
        if isinstance(outcome, outcomes.Lost) and (outcome.verify or not item.task.repeatable or not again):
            self._verify(item)
        elif again:
            stopped = self.stopped_by is not None
            self._repeat(item, waiting.wait_after(item.tries - 1, self.random(), stopped=stopped))
        else:
            self._give_up(item)
            self.stop(outcome.error, self._now)  # no connection in all its tries: nor would others have one

    def _repeat(self, item: Pending, wait: float) -> None:
        """Send it again; unless the run, or its budget, is over."""
        budget = self._lanes.tasks * waiting.REPEATED_SHARE + waiting.REPEATED_FLOOR
        if not item.task.rescue and self.stopped_by is None and self._repeated + 1 > budget:
            often = f"{self._repeated} retried writes: the API or the network fails too often"
            self.stop(waiting.temporary(f"stopped after {often}", item.error), self._now)
        if self._may_begin(item):
            self._repeated += 1
            self.repeats += 1
            self._doubts.delay(item, self._now + wait)
        elif item.lost:
            self._verify(item)
        else:
            self._give_up(item)

    # What was verified

    def verified(
        self, items: Sequence[Pending], answers: Mapping[int, outcomes.Outcome | None], now: float
    ) -> None:
        """Take in what a ``Verify`` found."""
        self._now = now
        self._doubts.verifying = False
        jitter = self.random()  # one for all: what failed together is tried again together
        for item in () if self._expired else items:
            match answers[item.task.index]:
                case None:
                    self._absent(item)
                case (
                    outcomes.Lost() | outcomes.Unsent() | outcomes.Throttled() | outcomes.Unclear() as outcome
                ):
                    self._unread(item, outcome, jitter)
                case outcome:
                    self._doubts.resolved(item)
                    self._final(item, outcome)

    def _absent(self, item: Pending) -> None:
        last = self._doubts.absent(item)
        if last:
            item.lost = False
        if not self._may_begin(item) or (last and item.tries > self.retries):
            self._doubts.resolved(item)
            self._give_up(item)
        elif last:
            self._repeat(item, 0.0)

    def _unread(self, item: Pending, outcome: outcomes.Undecided, jitter: float) -> None:
        """A read failed: try it again later, together with all others that are due then."""
        asked, error = 0.0, outcome.error
        if isinstance(outcome, outcomes.Throttled):
            self.repeats += 1
            asked = max(1.0, outcome.retry_after or 0.0)
        else:
            item.failed_reads += 1
        too_late = asked > waiting.LONGEST_RETRY_AFTER
        if too_late or item.failed_reads > self.retries or not self._may_begin(item):
            self._doubts.resolved(item)
            self._give_up(item)
            unseen = waiting.temporary("stopped: the results of some writes can't be read", error)
            self.stop(waiting.too_long(asked, error) if too_late else unseen, self._now)
        else:
            stopped = self.stopped_by is not None
            item.due = self._now + waiting.wait_after(item.failed_reads, jitter, asked, stopped=stopped)

    # Ends

    def _may_begin(self, item: Pending) -> bool:
        return self.stopped_by is None or item.task.rescue

    def stop(self, error: ProxyctlError, now: float) -> None:
        """Start nothing more but rescues: what was never sent is skipped, what is under way may still answer."""
        if self.stopped_by is not None:
            if outranks(error, self.stopped_by):
                self.stopped_by = error
            return
        self.stopped_by, self._stopped_at, self._now = error, now, now
        self._more.extend(self.chains.stop(error))
        for item in (*self._doubts.again(NEVER), *self._lanes.drain()):
            if item.task.rescue:
                self._lanes.put_back(item)
            elif item.lost:
                self._verify(item)
            else:
                self._give_up(item)
        for item in self._doubts.unverified.values():
            item.due = item.due if item.task.rescue else -NEVER
        self.gates.hurry(now)
        self._lanes.unblock()

    def _verify(self, item: Pending, *, urgent: bool = True) -> None:
        self._doubts.verify(item, self._now, last=not self._may_begin(item), urgent=urgent)

    def expire(self) -> None:
        """Wait no longer: what has not answered by now may or may not have been carried out."""
        self._expired = True
        for item in self._under_way.values():
            item.lost = True
        ended = [*self._under_way.values(), *self._doubts.unverified.values()]
        self._under_way.clear()
        self._doubts.unverified.clear()
        for item in (*ended, *self._doubts.again(NEVER), *self._lanes.drain()):
            self._give_up(item)

    def _give_up(self, item: Pending) -> None:
        """No more tries: its state is what is known so far."""
        if item.place is not None:
            self.gates.leave(item.place)
            item.place = None
        reason = self._lanes.shut(item) or self.stopped_by
        if item.lost or item.error is not None:
            self._end(item, "unknown" if item.lost else "failed", item.error or reason)
        else:
            self._emit(outcomes.Result(item.task.index, "skipped", error=reason, attempts=item.sent))

    def _end(
        self, item: Pending, state: outcomes.State, error: ProxyctlError | None, *, full: bool = False
    ) -> None:
        self._emit(outcomes.Result(item.task.index, state, error=error, attempts=item.sent, full=full))
        self._errors += not item.task.rescue  # whose item has been counted
        if self.max_errors is not None and self._errors >= self.max_errors:
            words = f"stopped after {counted(self._errors, 'error')} (--max-errors)"
            self.stop(PartialError(words), self._now)

    def _emit(self, result: outcomes.Result) -> None:
        self.observer(result)
        self._more.extend(self.chains.follow(result))
