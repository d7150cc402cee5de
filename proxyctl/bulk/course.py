"""How a run goes on, and how it ends: what may be sent next, and what becomes of the rest when it is stopped.

Apart from ``schedule``, which takes in what was answered, and pure as that is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from proxyctl.bulk.budget import Faults
from proxyctl.bulk.gates import Gates
from proxyctl.bulk.lanes import Item, Lanes
from proxyctl.bulk.outcomes import Chains, Observer, Result, State, Work
from proxyctl.bulk.pauses import NEVER
from proxyctl.bulk.settling import Settling
from proxyctl.errors import Interrupted, PartialError, ProxyctlError, TemporaryError


class Send(NamedTuple):
    """Send this item's work once."""

    item: Item


class Look(NamedTuple):
    """Look what became of these items, in one go."""

    items: list[Item]


class Course:
    """The state of one run. ``may_leave`` is asked just before a work is sent, and may stop the run."""

    def __init__(
        self,
        chains: Chains,
        *,
        gates: Gates,
        random: Callable[[], float],
        observer: Observer,
        may_leave: Callable[[Work], bool] = lambda work: True,
        retries: int = 4,
        max_errors: int | None = None,
        look_delays: Sequence[float] = (0.0, 1.0, 2.0, 5.0),
    ) -> None:
        self._chains = chains
        self._gates = gates
        self._random = random
        self._observer = observer
        self._may_leave = may_leave
        self._retries = retries
        self._max_errors = NEVER if max_errors is None else max_errors
        self._lanes = Lanes(gates)
        self._more = deque(chains.start())  # taken in between steps: results come in the midst of one
        self._flying: dict[int, Item] = {}
        self._settling = Settling(look_delays)
        self._errors = 0
        self._room_at = -NEVER
        self._now = -NEVER
        self._stopped_at = NEVER
        self._expired = False
        self.faults = Faults()
        self.throttled = 0
        self.stopped_by: ProxyctlError | None = None

    @property
    def finished(self) -> bool:
        """Nothing to send, nothing under way, nothing unsettled."""
        settling = self._settling
        busy = self._more or self._flying or settling.unsettled or settling.delayed
        return not busy and self._lanes.empty

    # What to do next

    def next(self, now: float) -> Send | Look | None:
        """What to do now, to be asked until it is None; then nothing happens before ``wake_at``."""
        self._now = now
        looks = self._settling.looks(now)
        if looks:
            return Look(looks)
        for item in self._settling.again(now):
            self._lanes.put_back(item)
        found = self._next_item()
        if found is None:
            return None
        if not self._may_leave(found.work):
            (self._verify if found.lost else self._give_up)(found)
            return self.next(now)
        found.place = found.place or self._gates.take(now)
        found.ticket = self._gates.start(found.work.lane, now, found.place)
        found.sent += 1
        self._flying[found.work.index] = found
        return Send(found)

    def _next_item(self) -> Item | None:
        while True:
            self._let_in()
            item = self._lanes.next(self._now, not self._settling.many, self._has_room)
            if item is not None and self._lanes.shut(item) is not None:
                self._give_up(item)
            elif item is not None or not self._more:
                return item

    def _let_in(self) -> None:
        """Take in what the last results let begin; after a stop only rescues."""
        while self._more:
            work = self._more.popleft()
            if self._expired or (self.stopped_by is not None and not work.rescue):
                self._give_up(Item(work))
            else:
                self._lanes.add(work)

    def _has_room(self) -> bool:
        wait = self._gates.room(self._now)
        self._room_at = self._now + wait
        return wait <= 0

    def wake_at(self, now: float) -> float:
        """When ``next`` may have something to do although nothing was answered; infinity for never."""
        lanes = self._lanes.wake_at(now, not self._settling.many, self._room_at)
        return min(lanes, self._settling.wake_at())

    # Ends

    def _may_begin(self, item: Item) -> bool:
        return self.stopped_by is None or item.work.rescue

    def stop(self, error: ProxyctlError, now: float) -> None:
        """Start nothing more but rescues: what was never sent is skipped, what is under way may still answer."""
        if self.stopped_by is not None:
            if outranks(error, self.stopped_by):
                self.stopped_by = error
            return
        self.stopped_by, self._stopped_at, self._now = error, now, now
        self._more.extend(self._chains.stop(error))
        for item in (*self._settling.again(NEVER), *self._lanes.drain()):
            if item.work.rescue:
                self._lanes.put_back(item)
            elif item.lost:
                self._verify(item)
            else:
                self._give_up(item)
        for item in self._settling.unsettled.values():
            item.due = item.due if item.work.rescue else -NEVER
        self._gates.hurry(now)
        self._lanes.unblock()

    def _verify(self, item: Item) -> None:
        self._settling.verify(item, self._now, last=not self._may_begin(item))

    def expire(self) -> None:
        """Wait no longer: what has not answered by now may or may not have been carried out."""
        self._expired = True
        unanswered = [*self._flying.values(), *self._settling.unsettled.values()]
        self._flying.clear()
        self._settling.unsettled.clear()
        for item in unanswered:
            item.lost = True
        for item in (*unanswered, *self._settling.again(NEVER), *self._lanes.drain()):
            self._give_up(item)

    def _give_up(self, item: Item) -> None:
        """No more tries: its state is what is known so far."""
        if item.place is not None:
            self._gates.leave(item.place)
            item.place = None
        reason = self._lanes.shut(item) or self.stopped_by
        if item.lost or item.error is not None:
            self._end(item, "unknown" if item.lost else "failed", item.error or reason)
        else:
            self._emit(Result(item.work.index, "skipped", error=reason, attempts=item.sent))

    def _end(self, item: Item, state: State, error: ProxyctlError | None, *, full: bool = False) -> None:
        self._emit(Result(item.work.index, state, error=error, attempts=item.sent, full=full))
        self._errors += not item.work.rescue  # whose item has been counted
        if self._errors >= self._max_errors:
            self.stop(PartialError(f"stopped after {self._errors} errors, as --max-errors asks"), self._now)

    def _emit(self, result: Result) -> None:
        self._observer.on_result(result)
        self._more.extend(self._chains.follow(result))


def outranks(error: ProxyctlError, before: ProxyctlError | None) -> bool:
    """Whether ``error`` is what a run that was stopped by ``before`` ends with: a signal, after all but a failure."""
    return before is None or (
        isinstance(error, Interrupted) and isinstance(before, (TemporaryError, PartialError))
    )
