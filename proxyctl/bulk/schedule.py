"""What a bulk run does next: outcomes and the time go in, the next request or wait comes out.

Pure (no clock, thread or socket), so that whole runs can be tried in simulated time; ``engine`` acts on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from proxyctl.bulk.budget import RepeatBudget
from proxyctl.bulk.lanes import Item, Lanes
from proxyctl.bulk.outcomes import (
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
from proxyctl.bulk.pace import NEVER, ConcurrencyGate, RateGate
from proxyctl.bulk.settling import MOST, Settling
from proxyctl.errors import PartialError, ProxyctlError, TemporaryError, ThrottledError

LONGEST_RETRY_AFTER = 300.0


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
    """The state of one run. ``emit`` is told of each result at once, ``on_limit`` of each burst of 429s."""

    def __init__(
        self,
        works: Iterable[Work],
        *,
        rate: Callable[[str], RateGate],
        concurrency: ConcurrencyGate,
        random: Callable[[], float],
        emit: Callable[[Result], None],
        on_limit: Callable[[Scope], None] = lambda scope: None,
        retries: int = 4,
        max_errors: int | None = None,
        look_delays: Sequence[float] = (0.0, 1.0, 2.0, 5.0),
    ) -> None:
        self._lanes = Lanes(works, rate)
        self._concurrency = concurrency
        self._random = random
        self._emit = emit
        self._on_limit = on_limit
        self._retries = retries
        self._max_errors = max_errors
        self._settling = Settling(look_delays)
        self._budget = RepeatBudget()
        self._closed: dict[str, ProxyctlError] = {}
        self._flying: dict[int, Item] = {}
        self._errors = 0
        self._room_at = -NEVER
        self.throttled = 0
        self.stopped_by: ProxyctlError | None = None

    @property
    def retries(self) -> int:
        """Repeated writes after faults so far."""
        return self._budget.used

    def add(self, works: Sequence[Work]) -> None:
        """Take in more works; none is sent once the run is stopped."""
        for work in works:
            if self.stopped_by is not None:
                self._emit(Result(work.index, "skipped", error=self.stopped_by))
            else:
                self._lanes.add(work)

    @property
    def finished(self) -> bool:
        """Nothing to send, nothing under way, nothing unsettled."""
        return not (self._flying or self._settling) and self._lanes.empty

    # What to do next

    def next(self, now: float) -> Send | Look | None:
        """What to do now, to be asked until it is None; then nothing happens before ``wake_at``."""
        looks = self._settling.take(now)
        if looks:
            return Look(tuple(looks))
        if self.stopped_by is not None:
            return None
        fresh_too = self._lanes.fill() and self._untroubled
        item = self._lanes.next(now, fresh_too, lambda: self._has_room(now))
        while item is not None and item.work.kind in self._closed and not item.lost:
            self._skip(item, self._closed[item.work.kind])
            item = self._lanes.next(now, fresh_too, lambda: self._has_room(now))
        if item is None:
            return None
        if item.place is None:
            item.place = self._concurrency.start(now)
        item.ticket = item.lane.gate.start(now)
        item.sent += 1
        self._flying[item.work.index] = item
        return Send(item)

    def _has_room(self, now: float) -> bool:
        wait = self._concurrency.wait(now)
        self._room_at = now + wait
        return wait <= 0

    @property
    def _untroubled(self) -> bool:
        return len(self._settling) + self._lanes.delayed < MOST

    def wake_at(self, now: float) -> float:
        """When ``next`` may have something to do although nothing was answered; infinity for never."""
        if self.stopped_by is not None:
            return self._settling.wake_at()
        lanes = self._lanes.wake_at(now, self._untroubled, self._room_at)
        return min(lanes, self._settling.wake_at())

    # What became of it

    def answered(self, item: Item, outcome: Outcome, started: float, ended: float) -> None:
        """Take in the outcome of a ``Send``, and when it was under way."""
        if self._flying.pop(item.work.index, None) is None:
            return  # given up before
        item.lane.blocked_until = -NEVER
        if isinstance(outcome, Throttled):
            self._throttled(item, outcome, started, ended)
            return
        item.tries += 1
        gate = item.lane.gate
        match outcome:
            case Unsent():
                gate.unsent(item.ticket)
                self._unsent(item, outcome.error, ended)
            case Lost():
                gate.lost(item.ticket)
                self._lost(item, outcome.error, ended)
            case _:
                gate.answered(item.ticket, started, ended)
                self._settle(item, outcome, ended)

    def _settle(self, item: Item, outcome: Done | Refused | Full | Stop, now: float) -> None:
        """What became of the item is known."""
        if item.place is not None:
            self._concurrency.answered(item.place, now)
            item.place = None
        match outcome:
            case Done():
                self._end(item, "done", action=outcome.action, detail=outcome.detail)
            case Refused():
                self._end(item, "failed", outcome.error)
            case Full():
                self._end(item, "failed", outcome.error)
                self._close(item.work.kind, outcome.error)
            case Stop():
                lost = item.lost or outcome.error.may_have_happened
                self._end(item, "unknown" if lost else "failed", outcome.error)
                self.stop(outcome.error, now)

    def _throttled(self, item: Item, outcome: Throttled, started: float, ended: float) -> None:
        self.throttled += 1
        self._slow_down(item, outcome, started, ended)
        asked = outcome.retry_after
        if asked is not None and asked > LONGEST_RETRY_AFTER:
            self.stop(too_long(asked, outcome.error), ended)
            self._give_back(item)
        elif self.stopped_by is not None:
            self._give_back(item)
        else:
            item.lane.turned_away.append(item)

    def _slow_down(self, item: Item, outcome: Throttled, started: float, ended: float) -> None:
        assert item.place is not None
        gate, place, item.place = item.lane.gate, item.place, None
        if outcome.scope == "rate":
            self._concurrency.leave(place)
            first = gate.throttled(item.ticket, started, ended, outcome.retry_after)
        else:
            gate.lost(item.ticket)
            first = self._concurrency.throttled(place, ended, outcome.retry_after)
        if first:
            self._on_limit(outcome.scope)

    def _unsent(self, item: Item, error: ProxyctlError, now: float) -> None:
        item.error = error
        if item.tries > self._retries:
            self._give_back(item)
            self.stop(error, now)  # no connection in all its tries: others would have none either
        else:
            self._repeat(item, now)

    def _lost(self, item: Item, error: ProxyctlError, now: float) -> None:
        item.error = error
        item.lost = True
        if item.work.repeatable and item.tries <= self._retries and self.stopped_by is None:
            self._repeat(item, now)
        else:
            self._settling.add(item, now)
            if self.stopped_by is not None:
                self._settling.hurry()

    def _repeat(self, item: Item, now: float) -> None:
        """Send it again after a while, keeping its place; unless the run, or its budget, is over."""
        if self._goes_on(item, now):
            wait = self._random() * min(20.0, 0.5 * 2.0 ** (item.tries - 1))
            self._lanes.delay(item, now + wait)
        elif item.lost:
            self._settling.add(item, now)  # one look settles it
            self._settling.hurry()
        else:
            self._give_back(item)

    def _goes_on(self, item: Item, now: float) -> bool:
        """Whether ``item`` may be repeated; a budget that is used up ends the run."""
        if self.stopped_by is None and not self._may_repeat():
            self.stop(out_of_budget(self._budget.used, item.error), now)
        return self.stopped_by is None

    def _may_repeat(self) -> bool:
        self._budget.items = max(self._lanes.expected, self._lanes.read)
        return self._budget.take()

    # Looking

    def looked(self, items: Sequence[Item], answers: Mapping[int, Outcome | None], now: float) -> None:
        """Take in what a ``Look`` found; an index that is missing in ``answers`` was not settled."""
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
            if self.stopped_by is not None:
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
            item.lane.again.append(item)
        else:
            self._give_back(item)

    def _look_failed(self, item: Item, outcome: Lost | Unsent | Throttled | None, now: float) -> None:
        throttled = isinstance(outcome, Throttled)
        self.throttled += throttled
        asked = outcome.retry_after if isinstance(outcome, Throttled) else None
        item.failed_looks += not throttled
        if asked is not None and asked > LONGEST_RETRY_AFTER and isinstance(outcome, Throttled):
            self._settling.settled(item)
            self._give_back(item)
            self.stop(too_long(asked, outcome.error), now)
        elif item.failed_looks > self._retries or self.stopped_by is not None:
            self._settling.settled(item)
            self._give_back(item)
            self.stop(in_the_dark(outcome), now)
        else:
            wait = 1.0 if throttled else self._random() * min(20.0, 0.5 * 2.0**item.failed_looks)
            self._settling.postpone(item, now + max(wait, asked or 0.0))

    # Ends

    def stop(self, error: ProxyctlError, now: float) -> None:
        """Start nothing more: what was never sent is skipped, what is under way may still answer."""
        if self.stopped_by is not None:
            return
        self.stopped_by = error
        for item in self._lanes.drain_again():
            if item.lost:
                self._settling.add(item, now)  # one look settles it
            else:
                self._give_back(item)
        for work in self._lanes.drain_fresh():
            self._emit(Result(work.index, "skipped", error=self._closed.get(work.kind, error)))
        self._settling.hurry()

    def withdraw(self, item: Item) -> None:
        """An item from ``next`` was not sent after all."""
        del self._flying[item.work.index]
        item.lane.gate.unsent(item.ticket)
        item.sent -= 1
        if item.lost:
            self._settling.add(item, -NEVER)
        else:
            self._give_back(item)

    def expire(self) -> None:
        """Wait no longer: what has not answered by now may or may not have been carried out."""
        for item in (*self._flying.values(), *self._settling.drain()):
            item.lost = True
            self._give_back(item)
        self._flying.clear()

    def _close(self, kind: str, error: ProxyctlError) -> None:
        self._closed.setdefault(kind, error)
        for work in self._lanes.drop_kind(kind):
            self._emit(Result(work.index, "skipped", error=error))

    def _skip(self, item: Item, error: ProxyctlError) -> None:
        if item.place is not None:
            self._concurrency.leave(item.place)
            item.place = None
        if item.error is None:
            self._emit(Result(item.work.index, "skipped", error=error, attempts=item.sent))
        else:
            self._end(item, "failed", item.error)

    def _give_back(self, item: Item) -> None:
        """No more tries: its state is what is known so far."""
        if item.lost:
            if item.place is not None:
                self._concurrency.leave(item.place)
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
    ) -> None:
        self._emit(Result(item.work.index, state, action, detail, error, item.sent))
        if state in ("failed", "unknown"):
            self._errors += 1
            if self._max_errors is not None and self._errors >= self._max_errors:
                self._stop_at_errors()

    def _stop_at_errors(self) -> None:
        self.stop(PartialError(f"stopped after {self._errors} errors, as --max-errors asks"), 0.0)


def too_long(asked: float, error: ProxyctlError) -> ThrottledError:
    """The error for a Retry-After that is too long to wait for."""
    return ThrottledError(
        f"the API asks to wait {asked:.0f} s before the next request (429)",
        hint="run the same command again after that: it continues where this run ended",
        problem=error.problem,
    )


def in_the_dark(outcome: Lost | Unsent | Throttled | None) -> TemporaryError:
    """The error for a run that can no longer see what became of its writes: more of them would be in the dark."""
    error = outcome.error if outcome is not None else None
    return TemporaryError(
        "stopped: it can't be seen what became of some writes"
        + (f" (the last time: {error.message})" if error is not None else ""),
        hint="run the same command again later: it continues where this run ended",
        problem=error.problem if error is not None else None,
    )


def out_of_budget(used: int, error: ProxyctlError | None) -> TemporaryError:
    """The error for a run in which too many writes had to be repeated."""
    return TemporaryError(
        f"stopped after {used} repeated writes: the API or the network fails too often"
        + (f" (the last time: {error.message})" if error is not None else ""),
        hint="run the same command again later: it continues where this run ended",
        problem=error.problem if error is not None else None,
    )
