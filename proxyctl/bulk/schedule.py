"""What a bulk run does next: outcomes and the time go in, the next request or wait comes out.

Pure (no clock, thread or socket), so that whole runs can be tried in simulated time; ``engine`` acts on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from proxyctl.bulk.budget import LONGEST_RETRY_AFTER, in_the_dark, out_of_budget, outage, too_long
from proxyctl.bulk.course import Course
from proxyctl.bulk.lanes import Item
from proxyctl.bulk.outcomes import Done, Full, Lost, Outcome, Refused, Result, Stop, Throttled, Unsent
from proxyctl.bulk.pauses import NEVER

LONGEST_LAST_WAIT = 1.0  # seconds: before a rescue is repeated once the run is stopped
LONGEST_LAST_TURN = 8.0  # seconds: as long after that, a rescue that is answered 429 is tried again


class Schedule(Course):
    """A run that is told what came of its requests."""

    def answered(self, item: Item, outcome: Outcome, started: float, ended: float) -> None:
        """Take in the outcome of a ``Send``, and when it was under way."""
        self._now = ended
        if self._flying.pop(item.work.index, None) is None:
            return  # given up before
        ticket = item.ticket
        assert ticket is not None
        ticket.started = started
        self._lanes.unblock(item.work.lane)
        match outcome:
            case Throttled():
                item.place = None
                if ticket.throttled(outcome.scope, outcome.retry_after, ended):
                    self._observer.on_limit(outcome.scope)
                self._turned_away(item, outcome)
            case Unsent():
                ticket.unsent(keep=True)
                self._failed(item, outcome)
            case Lost():
                ticket.lost(keep=True)
                item.lost = True
                self._failed(item, outcome)
            case _:
                item.place = None
                ticket.answered(ended)
                self._settle(item, outcome)

    def _settle(self, item: Item, outcome: Done | Refused | Full | Stop) -> None:
        """What became of the item is known."""
        self.faults.saw(good=True)
        if item.place is not None:
            self._gates.settled(item.place, self._now)
        match outcome:
            case Done(action, detail):
                self._emit(Result(item.work.index, "done", action, detail, attempts=item.sent))
            case Refused(error):
                self._end(item, "failed", error)
            case Full(error):
                if item.work.room is not None:
                    self._lanes.closed.setdefault(item.work.room, error)
                self._end(item, "failed", error, full=True)
            case Stop(error):
                self._end(item, "unknown" if item.lost or error.may_have_happened else "failed", error)
                self.stop(error, self._now)

    def _turned_away(self, item: Item, outcome: Throttled) -> None:
        self.throttled += 1
        asked = outcome.retry_after or 0.0
        if asked > LONGEST_RETRY_AFTER:
            self.stop(too_long(asked, outcome), self._now)
        if item.work.rescue:
            item.error = outcome.error
        if self._may_begin(item) and self._now < self._stopped_at + LONGEST_LAST_TURN:
            self._lanes.put_back(item)
        else:
            self._give_up(item)

    def _failed(self, item: Item, outcome: Unsent | Lost) -> None:
        """A fault: send it again after a while, keeping its place, or look what became of it."""
        item.tries += 1
        item.error = outcome.error
        if self.faults.saw(good=False):
            self.stop(outage(outcome), self._now)
        tries_left = item.tries <= self._retries
        if isinstance(outcome, Lost) and (outcome.verify or not item.work.repeatable or not tries_left):
            self._verify(item)
        elif tries_left:
            self._repeat(item, self._after_fault(item.tries - 1))
        else:
            self._give_up(item)
            self.stop(outcome.error, self._now)  # no connection in all its tries: nor would others have one

    def _after_fault(self, count: int) -> float:
        """Seconds until the next try, after ``count`` others."""
        wait = self._random() * min(20.0, 0.5 * 2.0**count)
        return wait if self.stopped_by is None else min(wait, LONGEST_LAST_WAIT)

    def _repeat(self, item: Item, wait: float) -> None:
        """Send it again; unless the run, or its budget, is over."""
        if not item.work.rescue and self.stopped_by is None and not self.faults.may_repeat(self._lanes.works):
            self.stop(out_of_budget(self.faults.repeats, item.error), self._now)
        if self._may_begin(item):
            self.faults.repeats += 1
            self._settling.delay(item, self._now + wait)
        elif item.lost:
            self._verify(item)
        else:
            self._give_up(item)

    # Looking

    def looked(self, items: Sequence[Item], answers: Mapping[int, Outcome | None], now: float) -> None:
        """Take in what a ``Look`` found; an index that is missing in ``answers`` was not settled."""
        self._now = now
        self._settling.looking = False
        for item in () if self._expired else items:
            if item.work.index not in answers:
                self._look_failed(item, None)
                continue
            match answers[item.work.index]:
                case None:
                    self._absent(item)
                case Lost() | Unsent() | Throttled() as outcome:
                    self._look_failed(item, outcome)
                case outcome:
                    self._settling.settled(item)
                    self._settle(item, outcome)

    def _absent(self, item: Item) -> None:
        last = self._settling.absent(item)
        if last:
            item.lost = False
        if not self._may_begin(item) or (last and item.tries > self._retries):
            self._settling.settled(item)
            self._give_up(item)
        elif last:
            self._repeat(item, 0.0)

    def _look_failed(self, item: Item, outcome: Lost | Unsent | Throttled | None) -> None:
        asked = 0.0
        if isinstance(outcome, Throttled):
            self.throttled += 1
            asked = max(1.0, outcome.retry_after or 0.0)
        else:
            item.failed_looks += 1
        too_late = asked > LONGEST_RETRY_AFTER
        if too_late or item.failed_looks > self._retries or not self._may_begin(item):
            self._settling.settled(item)
            self._give_up(item)
            self.stop(too_long(asked, outcome) if too_late else in_the_dark(outcome), self._now)
        else:
            longest = NEVER if self.stopped_by is None else LONGEST_LAST_WAIT
            item.due = self._now + min(longest, asked or self._after_fault(item.failed_looks))
