"""Where every request asks whether it may start: the gates of all lanes and the account's, under one lock; and the
account's gate itself, for how many requests may be under way.

The engine's schedule asks without waiting, a thread that reads waits in `enter`. ``ConcurrencyGate`` is pure, as the
gate for the rate is: time is an argument, randomness is handed in.
"""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from proxyctl.bulk.rate import HURRIED, NEVER, Pause, RateGate
from proxyctl.clock import Clock, SystemClock

if TYPE_CHECKING:
    from proxyctl.bulk.outcomes import Scope

RESERVED_FILES = 32  # for what else a run opens: history, modules, certificates
NAP = 0.25  # seconds: an answer may let a request start before the time that a gate named


class Place:
    """A request in flight, and when it started."""

    __slots__ = ("started",)

    def __init__(self, started: float) -> None:
        self.started = started


class ConcurrencyGate:
    """Finds how many requests the account may have in flight, and stays at the level that works.

    Slow start up to the first 429. A burst of 429s takes off as many places as there were 429s, for these were the
    requests too many, but three in ten at most. After that one request now and then tries one place more, and only
    if it is let through the limit grows again. ``ceiling`` is never passed. Grows only while it is what holds the
    run back.
    """

    first_probe = 10.0
    last_probe = 160.0

    def __init__(self, *, random: Callable[[], float], ceiling: int = 100, start: int = 4) -> None:
        self.ceiling = ceiling
        self.limit = min(start, ceiling)
        self.in_flight = 0
        self._least = 1  # below which the burst that goes on does not take the limit
        self._factor = 2  # of the limit, for each round that is let through; 1: one more
        self._round = 0  # answers since it grew
        self._grown_at = -NEVER
        self._capped = False
        self._held = False
        self._pause = Pause(random)
        self.open_at = -NEVER
        self._cut_at = -NEVER
        self._probe: Place | None = None
        self._probe_every = self.first_probe
        self._probe_at = NEVER

    def wait(self, now: float) -> float:
        """Seconds until a request may start: 0 for now, infinity for "not before an answer".

        To be asked only when there is a request to send: being refused is what lets the limit grow.
        """
        if now < self.open_at:
            return self.open_at - now
        self._held = self.in_flight >= self.limit
        if not self._held:
            return 0.0
        may_probe = self._capped and self._probe is None and self.in_flight == self.limit < self.ceiling
        return max(0.0, self._probe_at - now) if may_probe else NEVER

    def start(self, now: float) -> Place:
        """Take a place, to be handed to one of the methods below."""
        self.in_flight += 1
        place = Place(now)
        if self._capped and self._probe is None and self.in_flight > self.limit:
            self._probe = place
        return place

    def leave(self, place: Place) -> None:
        """Free a place without a word on the limit: nothing reached the server, or no answer came."""
        self.in_flight -= 1
        if self._probe is place:
            self._probe = None

    def answered(self, place: Place, now: float) -> None:
        """The request was let through."""
        full = self._held or self.in_flight >= self.limit
        if place.started > self._cut_at:
            self._pause.reset()
        if self._probe is place:
            self._capped = False
            self._probe_every = self.first_probe
            self._grow(now)
        elif full and not self._capped and place.started >= self._grown_at:
            # Taken up together: a round that ends in 429s must not feed the next.
            self._round += 1
            if self._round >= self.limit:
                self._grow(now)
        self.leave(place)

    def _grow(self, now: float) -> None:
        self._round, self._grown_at = 0, now
        self.limit = min(self.ceiling, max(self.limit + 1, self._factor * self.limit))

    def throttled(self, place: Place | None, now: float, retry_after: float | None = None) -> None:
        """A 429 for the account. Without a place of its own, a request says nothing of the level: only hold back."""
        if place is None:
            self.pause(now, retry_after)
            return
        probe = self._probe is place
        self.leave(place)
        if retry_after is not None:
            self.open_at = max(self.open_at, now + retry_after)
        if probe:
            self._probe_every = min(self.last_probe, 2 * self._probe_every)
            self._probe_at = now + self._probe_every
            return
        if place.started > self._cut_at:  # the first of a burst
            self._capped, self._factor, self._round = True, 1, 0
            self._least = max(1, int(self.limit * 0.7))
            self._cut_at = now
            self._probe_at = now + self._probe_every
            self.pause(now, None)
        self.limit = max(self._least, self.limit - 1)

    def pause(self, now: float, retry_after: float | None) -> None:
        """Hold back, as long as was asked for, or longer each time."""
        self.open_at = max(self.open_at, now + (self._pause.next() if retry_after is None else retry_after))

    def begin(self, start: int) -> None:
        """A run begins: grow from ``start`` again, unless the level is known. Where reads got through, the first writes
        may all be refused.
        """
        if not self._capped:
            self.limit, self._round = min(self.limit, start), 0

    def hurry(self, now: float) -> None:
        """The run ends: keep no long pause."""
        self.open_at = min(self.open_at, now + HURRIED)

    def lower_ceiling(self, ceiling: int) -> None:
        """There are fewer threads than were hoped for."""
        self.ceiling = min(self.ceiling, ceiling)
        self.limit = min(self.limit, self.ceiling)


@dataclass(eq=False)
class Gates:
    """Kept for all that a command sends: a lane's window outlives a run of the engine.

    ``rate``: starts a second in each lane, 0 for no limit; ``ceiling`` and ``start_at``: how many requests may be under
    way at most, and at first. ``random`` gives numbers from 0 to 1.
    """

    rate: float
    _: KW_ONLY
    random: Callable[[], float]
    ceiling: int = 100
    start_at: int = 4
    clock: Clock = field(default_factory=SystemClock)

    def __post_init__(self) -> None:
        self._lanes: dict[str, RateGate] = {}
        self.concurrency = ConcurrencyGate(random=self.random, ceiling=self.ceiling, start=self.start_at)
        self.hurried = False
        self._changed = threading.Condition()

    def lane(self, name: str) -> RateGate:
        """The gate of one lane, made on first use."""
        if name not in self._lanes:
            self._lanes[name] = RateGate(self.rate, random=self.random)
        return self._lanes[name]

    def paused(self, now: float) -> float:
        """Seconds that a 429 keeps everything, or a lane, closed still; 0 where none does."""
        with self._changed:
            opening = [self.concurrency.open_at, *(lane.open_at for lane in self._lanes.values())]
            return max(0.0, max(opening) - now)

    # Without waiting

    def wait(self, lane: str, now: float) -> float:
        """Seconds until the lane lets a request start: 0 for now, infinity for "not before an answer"."""
        with self._changed:
            return self.lane(lane).wait(now)

    def room(self, now: float) -> float:
        """Seconds until there is a place in flight, as for ``wait``. To be asked only when one is needed."""
        with self._changed:
            return self.concurrency.wait(now)

    def take(self, now: float) -> Place:
        """Take a place in flight."""
        with self._changed:
            return self.concurrency.start(now)

    def start(self, lane: str, now: float, place: Place | None) -> Ticket:
        """Let a request through, on a place that was taken for it; None: on that of another."""
        with self._changed:
            gate = self.lane(lane)
            return Ticket(self, gate, gate.start(now), now, place)

    def leave(self, place: Place) -> None:
        """Free a place without a word on the limit."""
        with self.changing():
            self.concurrency.leave(place)

    def answered(self, place: Place, now: float) -> None:
        """Free the place of a request that was let through, as is known by now."""
        with self.changing():
            self.concurrency.answered(place, now)

    def lower_ceiling(self, ceiling: int) -> None:
        """There are fewer threads than were hoped for."""
        with self._changed:
            self.concurrency.lower_ceiling(ceiling)

    def begin(self) -> None:
        """A run of the engine begins."""
        with self._changed:
            self.hurried = False
            self.concurrency.begin(self.start_at)

    def hurry(self, now: float) -> None:
        """A run ends, and little is still to be sent: no pause is a long one until the next run begins."""
        self.hurried = True
        with self.changing():
            self.concurrency.hurry(now)
            for gate in self._lanes.values():
                gate.hurry(now)

    # With waiting

    def enter(
        self, lane: str, *, lent: bool = False, check: Callable[[float], None] = lambda wait: None
    ) -> Ticket:
        """Wait until both gates let a request through.

        ``check`` gets the seconds that this takes as things are, and may raise. ``lent``: the request travels on
        the place in flight that its caller holds, and waits for its lane only.
        """
        while True:
            with self._changed:
                now = self.clock.monotonic()
                wait = self.wait(lane, now) or (0.0 if lent else self.room(now))
                check(wait)
                if wait <= 0:
                    return self.start(lane, now, None if lent else self.take(now))
                if wait == NEVER:
                    self._changed.wait(NAP)
                    continue
            self.clock.sleep(min(wait, NAP))

    @contextmanager
    def changing(self, now: float | None = None) -> Iterator[float]:
        """Take in what became of a request at ``now``, or just now: whoever waits asks again."""
        with self._changed:
            yield self.clock.monotonic() if now is None else now
            self._changed.notify_all()


class Ticket:
    """One request that was let through. One method says what became of it, at ``now``, or just now.

    ``place`` is its place in flight, which is free then; None where it travels on that of another, or keeps it.
    """

    __slots__ = ("_gate", "_gates", "_number", "place", "started")

    def __init__(self, gates: Gates, gate: RateGate, slot: int, started: float, place: Place | None) -> None:
        self._gates, self._gate, self._number = gates, gate, slot
        self.started = started
        self.place = place

    def answered(self, now: float | None = None) -> None:
        """The server let it through, whatever else it said."""
        with self._gates.changing(now) as at:
            self._gate.answered(self._number, self.started, at)
            if self.place is not None:
                self._gates.answered(self.place, at)

    def throttled(self, scope: Scope, retry_after: float | None = None, now: float | None = None) -> None:
        """429, for the lane or for the account."""
        with self._gates.changing(now) as at:
            if scope == "rate":
                self._leave()
                self._gate.throttled(self._number, self.started, at, retry_after)
            else:
                self._gate.lost(self._number)
                self._gates.concurrency.throttled(self.place, at, retry_after)
            if self._gates.hurried:
                self._gates.hurry(at)

    def lost(self) -> None:
        """No answer came."""
        with self._gates.changing():
            self._gate.lost(self._number)
            self._leave()

    def unsent(self) -> None:
        """It never reached the server."""
        with self._gates.changing():
            self._gate.unsent(self._number)
            self._leave()

    def _leave(self) -> None:
        if self.place is not None:
            self._gates.leave(self.place)


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
