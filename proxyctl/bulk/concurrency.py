"""How many requests to have under way at once: a gate for the account's unknown concurrency limit.

Pure, as the gate for the rate is: time is an argument, randomness is handed in.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

NEVER = math.inf
HURRIED = 0.1  # seconds: the longest pause once only rescues are sent


class Pause:
    """Growing pauses while 429s keep coming, for both gates: 0.25 s doubling to 30 s, half of each random."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._count = 0

    def next(self) -> float:
        """The next pause, in seconds."""
        full: float = min(30.0, 0.25 * 2 ** min(self._count, 10))
        self._count += 1
        return full * (0.5 + 0.5 * self._random())

    def reset(self) -> None:
        self._count = 0


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A request in flight, and when it started."""

    started: float


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
        self._open_at = -NEVER
        self._cut_at = -NEVER
        self._probe: Place | None = None
        self._probe_every = self.first_probe
        self._probe_at = NEVER

    def wait(self, now: float) -> float:
        """Seconds until a request may start: 0 for now, infinity for "not before an answer".

        To be asked only when there is a request to send: being refused is what lets the limit grow.
        """
        if now < self._open_at:
            return self._open_at - now
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

    def throttled(self, place: Place, now: float, retry_after: float | None = None) -> bool:
        """A 429 for the account; True when it is the first of a burst."""
        probe = self._probe is place
        self.leave(place)
        if retry_after is not None:
            self._open_at = max(self._open_at, now + retry_after)
        if probe:
            self._probe_every = min(self.last_probe, 2 * self._probe_every)
            self._probe_at = now + self._probe_every
            return True
        first = place.started > self._cut_at
        if first:
            self._capped, self._factor, self._round = True, 1, 0
            self._least = max(1, int(self.limit * 0.7))
            self._cut_at = now
            self._probe_at = now + self._probe_every
            self.pause(now, None)
        self.limit = max(self._least, self.limit - 1)
        return first

    def pause(self, now: float, retry_after: float | None) -> None:
        """Hold back; alone where a request without a place of its own was turned away: it says nothing of the level."""
        self._open_at = max(self._open_at, now + (self._pause.next() if retry_after is None else retry_after))

    def hurry(self, now: float) -> None:
        """The run ends: keep no long pause."""
        self._open_at = min(self._open_at, now + HURRIED)

    def lower_ceiling(self, ceiling: int) -> None:
        """There are fewer threads than were hoped for."""
        self.ceiling = min(self.ceiling, ceiling)
        self.limit = min(self.limit, self.ceiling)
