"""What a bulk run does next: outcomes and the time go in, the next request or wait comes out.

Pure (no clock, thread or socket), so that whole runs can be tried in simulated time; ``engine`` acts on it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from proxyctl.bulk.budget import LONGEST_RETRY_AFTER, Faults, in_the_dark, out_of_budget, outage, too_long
from proxyctl.bulk.gates import Gates
from proxyctl.bulk.lanes import Item, Lanes
from proxyctl.bulk.outcomes import (
    Chains,
    Done,
    Full,
    Lost,
    Outcome,
    Refused,
    Result,
    Scope,
    State,
    Stop,
    Throttled,
    Unsent,
    Work,
)
from proxyctl.bulk.pauses import NEVER
from proxyctl.bulk.settling import MOST, Settling
from proxyctl.errors import Interrupted, PartialError, ProxyctlError, TemporaryError

LONGEST_LAST_WAIT = 1.0  # seconds: before a rescue is repeated once the run is stopped
LONGEST_LAST_TURN = 8.0  # seconds: as long after that, a rescue that is answered 429 is tried again


@dataclass(frozen=True, slots=True)
class Send:
    """Send this item's work once."""

    item: Item


@dataclass(frozen=True, slots=True)
class Look:
    """Look what became of these items, in one go."""

    items: tuple[Item, ...]

    @property
    def works(self) -> list[Work]:
        return [item.work for item in self.items]


class Schedule:
    """The state of one run. ``emit`` hears of each result at once, ``on_limit`` of each burst of 429s."""

    def __init__(
        self,
        chains: Chains,
        *,
        gates: Gates,
        random: Callable[[], float],
        emit: Callable[[Result], None],
        on_limit: Callable[[Scope], None] = lambda scope: None,
        retries: int = 4,
        max_errors: int | None = None,
        look_delays: Sequence[float] = (0.0, 1.0, 2.0, 5.0),
    ) -> None:
        self._chains = chains
        self._more: deque[Work] = (
            deque()
        )  # let in between steps: results come while all this is busy with itself
        self._lanes = Lanes(chains.start(), gates)
        self._gates = gates
        self._random = random
        self._tell = emit
        self._on_limit = on_limit
        self._retries = retries
        self._max_errors = max_errors
        self._settling = Settling(look_delays)
        self._faults = Faults()
        self._closed: dict[str | None, ProxyctlError] = {}
        self._flying: dict[int, Item] = {}
        self._errors = 0
        self._room_at = -NEVER
        self._now = -NEVER
        self._stopped_at = NEVER
        self._expired = False
        self.throttled = 0
        self.stopped_by: ProxyctlError | None = None

    @property
    def retries(self) -> int:
        """Repeated writes after faults so far."""
        return self._faults.repeats

    @property
    def finished(self) -> bool:
        """Nothing to send, nothing under way, nothing unsettled."""
        return not (self._more or self._flying or self._settling) and self._lanes.empty

    # What to do next

    def next(self, now: float) -> Send | Look | None:
        """What to do now, to be asked until it is None; then nothing happens before ``wake_at``."""
        self._now = now
        looks = self._settling.take(now)
        if looks:
            return Look(tuple(looks))
        item = self._next_item(now)
        if item is None:
            return None
        if item.place is None:
            item.place = self._gates.take(now)
        item.ticket = self._gates.start(item.lane.name, now, item.place)
        item.sent += 1
        self._flying[item.work.index] = item
        return Send(item)

    def _next_item(self, now: float) -> Item | None:
        while True:
            self._let_in()
            fresh_too = self._lanes.fill() and self._untroubled
            item = self._lanes.next(now, fresh_too, lambda: self._has_room(now))
            if item is None:
                if not self._more:
                    return None
            elif item.work.room in self._closed and not (item.lost or item.work.rescue):
                self._skip(item, self._closed[item.work.room])
            else:
                return item

    def _let_in(self) -> None:
        """Take in what the last results let begin; after a stop only rescues."""
        while self._more:
            work = self._more.popleft()
            if self._expired or (self.stopped_by is not None and not work.rescue):
                self._emit(Result(work.index, "skipped", error=self.stopped_by))
            else:
                self._lanes.add(work)

    def _has_room(self, now: float) -> bool:
        wait = self._gates.room(now)
        self._room_at = now + wait
        return wait <= 0

    @property
    def _untroubled(self) -> bool:
        return len(self._settling) + self._lanes.delayed < MOST

    def wake_at(self, now: float) -> float:
        """When ``next`` may have something to do although nothing was answered; infinity for never."""
        lanes = self._lanes.wake_at(now, self._untroubled, self._room_at)
        return min(lanes, self._settling.wake_at())

    # What became of it

    def answered(self, item: Item, outcome: Outcome, started: float, ended: float) -> None:
        """Take in the outcome of a ``Send``, and when it was under way."""
        self._now = ended
        if self._flying.pop(item.work.index, None) is None:
            return  # given up before
        assert item.ticket is not None
        item.ticket.started = started
        item.lane.blocked_until = -NEVER
        if isinstance(outcome, Throttled):
            self._throttled(item, outcome, ended)
            return
        item.tries += 1
        match outcome:
            case Unsent():
                item.ticket.unsent(keep=True)
                self._fault(outcome.error)
                self._unsent(item, outcome.error, ended)
            case Lost():
                item.ticket.lost(keep=True)
                self._fault(outcome.error)
                self._lost(item, outcome, ended)
            case _:
                item.ticket.answered(ended)
                item.place = None
                self._settle(item, outcome, ended)

    def _fault(self, error: ProxyctlError) -> None:
        if self._faults.saw(good=False):
            self.stop(outage(error), self._now)

    def _settle(self, item: Item, outcome: Done | Refused | Full | Stop, now: float) -> None:
        """What became of the item is known."""
        self._faults.saw(good=True)
        if item.place is not None:
            self._gates.settled(item.place, now)
            item.place = None
        match outcome:
            case Done():
                self._end(item, "done", action=outcome.action, detail=outcome.detail)
            case Refused():
                self._end(item, "failed", outcome.error)
            case Full():
                self._end(item, "failed", outcome.error, full=True)
                self._close(item.work.room, outcome.error)
            case Stop():
                lost = item.lost or outcome.error.may_have_happened
                self._end(item, "unknown" if lost else "failed", outcome.error)
                self.stop(outcome.error, now)

    def _throttled(self, item: Item, outcome: Throttled, ended: float) -> None:
        assert item.ticket is not None
        self.throttled += 1
        item.place = None
        if item.ticket.throttled(outcome.scope, outcome.retry_after, ended):
            self._on_limit(outcome.scope)
        asked = outcome.retry_after
        if asked is not None and asked > LONGEST_RETRY_AFTER:
            self.stop(too_long(asked, outcome.error), ended)
        if item.work.rescue:
            item.error = outcome.error
        last_turn = self._stopped_at + LONGEST_LAST_TURN
        if self.stopped_by is None or (item.work.rescue and ended < last_turn):
            item.lane.put_back(item)
        else:
            self._give_back(item)

    def _unsent(self, item: Item, error: ProxyctlError, now: float) -> None:
        item.error = error
        if item.tries > self._retries:
            self._give_back(item)
            self.stop(error, now)  # no connection in all its tries: others would have none either
        else:
            self._repeat(item, now)

    def _lost(self, item: Item, outcome: Lost, now: float) -> None:
        item.error = outcome.error
        item.lost = True
        safe = item.work.repeatable and not outcome.verify
        if safe and item.tries <= self._retries and self._may_begin(item):
            self._repeat(item, now)
        else:
            self._settling.add(item, now)
            if self.stopped_by is not None:
                self._settling.hurry()

    def _repeat(self, item: Item, now: float) -> None:
        """Send it again after a while, keeping its place; unless the run, or its budget, is over."""
        if self._goes_on(item, now):
            longest = 20.0 if self.stopped_by is None else LONGEST_LAST_WAIT
            wait = min(longest, self._random() * min(20.0, 0.5 * 2.0 ** (item.tries - 1)))
            self._lanes.delay(item, now + wait)
        elif item.lost:
            self._settling.add(item, now)  # one look settles it
            self._settling.hurry()
        else:
            self._give_back(item)

    def _may_begin(self, item: Item) -> bool:
        return self.stopped_by is None or item.work.rescue

    def _goes_on(self, item: Item, now: float) -> bool:
        """Whether ``item`` may be repeated; a budget that is used up ends the run, and counts for no rescue."""
        items = max(self._lanes.expected, self._lanes.read)
        if not item.work.rescue and self.stopped_by is None and not self._faults.may_repeat(items):
            self.stop(out_of_budget(self._faults.repeats, item.error), now)
        goes_on = self._may_begin(item)
        self._faults.repeats += goes_on
        return goes_on

    # Looking

    def looked(self, items: Sequence[Item], answers: Mapping[int, Outcome | None], now: float) -> None:
        """Take in what a ``Look`` found; an index that is missing in ``answers`` was not settled."""
        self._now = now
        if self._expired:
            return
        for item in items:
            if item.work.index not in answers:
                self._look_failed(item, None, now)
                continue
            match answers[item.work.index]:
                case None:
                    self._absent(item, now)
                case Lost() | Unsent() | Throttled() as outcome:
                    self._look_failed(item, outcome, now)
                case outcome:
                    self._settling.settled(item)
                    self._settle(item, outcome, now)

    def _absent(self, item: Item, now: float) -> None:
        last = self._settling.absent(item)
        if not last:
            if not self._may_begin(item):
                self._settling.settled(item)
                self._give_back(item)
            return
        item.lost = False
        if item.tries > self._retries:
            self._give_back(item)
        else:
            self._repeat_now(item, now)

    def _repeat_now(self, item: Item, now: float) -> None:
        if self._goes_on(item, now):
            item.lane.put_back(item)
        else:
            self._give_back(item)

    def _look_failed(self, item: Item, outcome: Lost | Unsent | Throttled | None, now: float) -> None:
        throttled = isinstance(outcome, Throttled)
        self.throttled += throttled
        asked = outcome.retry_after if isinstance(outcome, Throttled) else None
        item.failed_looks += not throttled
        too_late = asked is not None and asked > LONGEST_RETRY_AFTER
        if too_late or item.failed_looks > self._retries or not self._may_begin(item):
            self._settling.settled(item)
            self._give_back(item)
            error = too_long(asked or 0.0, outcome.error) if outcome and too_late else in_the_dark(outcome)
            self.stop(error, now)
            return
        wait = 1.0 if throttled else self._random() * min(20.0, 0.5 * 2.0**item.failed_looks)
        wait = max(wait, asked or 0.0)
        self._settling.postpone(
            item, now + (wait if self.stopped_by is None else min(wait, LONGEST_LAST_WAIT))
        )

    # Ends

    def stop(self, error: ProxyctlError, now: float) -> None:
        """Start nothing more but rescues: what was never sent is skipped, what is under way may still answer."""
        if self.stopped_by is not None:
            if outranks(error, self.stopped_by):
                self.stopped_by = error
            return
        self.stopped_by, self._stopped_at = error, now
        self._more.extend(self._chains.stop(error))
        for item in self._lanes.drain_again():
            if item.work.rescue:
                item.lane.put_back(item)
            elif item.lost:
                self._settling.add(item, now)  # one look settles it
            else:
                self._give_back(item)
        for work in self._lanes.drain_fresh():
            self._emit(Result(work.index, "skipped", error=self._closed.get(work.room, error)))
        self._settling.hurry()
        self._gates.hurry(now)
        self._lanes.unblock()

    def withdraw(self, item: Item) -> None:
        """An item from ``next`` was not sent after all."""
        del self._flying[item.work.index]
        assert item.ticket is not None
        item.ticket.unsent(keep=True)
        item.sent -= 1
        if item.lost:
            self._settling.add(item, -NEVER)
        else:
            self._give_back(item)

    def expire(self) -> None:
        """Wait no longer: what has not answered by now may or may not have been carried out."""
        self._expired = True
        for item in (*self._flying.values(), *self._settling.drain()):
            item.lost = True
            self._give_back(item)
        self._flying.clear()
        for item in self._lanes.drain_again():
            self._give_back(item)

    def _close(self, room: str | None, error: ProxyctlError) -> None:
        if room is not None:
            self._closed.setdefault(room, error)
            for work in self._lanes.drop_room(room):
                self._emit(Result(work.index, "skipped", error=error))

    def _skip(self, item: Item, error: ProxyctlError) -> None:
        if item.place is not None:
            self._gates.leave(item.place)
            item.place = None
        if item.error is None:
            self._emit(Result(item.work.index, "skipped", error=error, attempts=item.sent))
        else:
            self._end(item, "failed", item.error)

    def _give_back(self, item: Item) -> None:
        """No more tries: its state is what is known so far."""
        if item.lost:
            if item.place is not None:
                self._gates.leave(item.place)
                item.place = None
            self._end(item, "unknown", item.error or self.stopped_by)
        else:
            self._skip(item, self.stopped_by or TemporaryError("the run was stopped"))

    def _end(
        self,
        item: Item,
        state: State,
        error: ProxyctlError | None = None,
        *,
        action: str | None = None,
        detail: object = None,
        full: bool = False,
    ) -> None:
        self._emit(Result(item.work.index, state, action, detail, error, item.sent, full))
        if state in ("failed", "unknown") and not item.work.rescue:  # its item has been counted
            self._errors += 1
            if self._max_errors is not None and self._errors >= self._max_errors:
                words = f"stopped after {self._errors} errors, as --max-errors asks"
                self.stop(PartialError(words), self._now)

    def _emit(self, result: Result) -> None:
        self._tell(result)
        self._more.extend(self._chains.follow(result))


def outranks(error: ProxyctlError, before: ProxyctlError | None) -> bool:
    """Whether ``error`` is what a run that was stopped by ``before`` ends with: a signal, after all but a failure."""
    return before is None or (
        isinstance(error, Interrupted) and isinstance(before, (TemporaryError, PartialError))
    )
