"""How many requests to have under way at once: a gate for the account's unknown concurrency limit.

Pure, as the gate for the rate is: time is an argument, randomness is handed in.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from proxyctl.bulk.pauses import HURRIED, NEVER, Pause


@dataclass(frozen=True, slots=True)
class Place:
    """A request in flight: its level is how many there were, itself included, when it started; its round is how
    many bursts of 429s came before it.
    """

    level: int
    started: float
    round: int = 0


class ConcurrencyGate:
    """Finds how many requests the account may have in flight, and stays one below the level that failed.

    Slow start up to the first 429; one cut for each burst of them; after that the failed level is tried again
    now and then, with one request. ``ceiling`` is never passed. Grows only while it is what holds the run
    back.

    Which request of a burst is turned away says little: they overtake each other on the way. The level that
    failed is one above the most that were let through side by side meanwhile, once all have answered.
    """

    first_probe = 10.0
    last_probe = 160.0

    def __init__(self, *, random: Callable[[], float], ceiling: int = 100, start: int = 4) -> None:
        self.ceiling = ceiling
        self.limit = min(start, ceiling)
        self.in_flight = 0
        self._failed: int | None = None
        self._let_through = False  # anything since the last cut
        self._slow_start = True
        self._credit = 0.0
        self._grown_at = -NEVER
        self._round = 0
        self._burst_left = 0  # of those in flight at the last cut
        self._burst_began = -NEVER
        self._least = 1
        self._passed: deque[tuple[float, float]] = deque(maxlen=1000)  # when they were under way
        self._held = False
        self._pause = Pause(random)
        self._open_at = -NEVER
        self._cut_at = -NEVER
        self._probe_every = self.first_probe
        self._probe_at = NEVER
        self._probe: Place | None = None

    def wait(self, now: float) -> float:
        """Seconds until a request may start: 0 for now, infinity for "not before an answer".

        To be asked only when there is a request to send: being refused is what lets the limit grow.
        """
        if now < self._open_at:
            return self._open_at - now
        if self.in_flight < self.limit:
            self._held = False
            return 0.0
        self._held = True
        if self._may_probe():
            return max(0.0, self._probe_at - now)
        return NEVER

    def _may_probe(self) -> bool:
        return (
            self._probe is None and self.in_flight == self.limit < self.ceiling and self._failed is not None
        )

    def pause(self, now: float, retry_after: float | None) -> None:
        """A request that has no place of its own was turned away: which level failed is not known."""
        self._open_at = max(self._open_at, now + (self._pause.next() if retry_after is None else retry_after))

    def hurry(self, now: float) -> None:
        """The run ends: keep no long pause."""
        self._open_at = min(self._open_at, now + HURRIED)

    def lower_ceiling(self, ceiling: int) -> None:
        """There are fewer threads than were hoped for."""
        self.ceiling = min(self.ceiling, ceiling)
        self.limit = min(self.limit, self.ceiling)

    def start(self, now: float) -> Place:
        """Take a place, to be handed to ``answered`` or ``throttled``."""
        self.in_flight += 1
        place = Place(self.in_flight, now, self._round)
        if self.in_flight > self.limit and self._failed is not None and self._probe is None:
            self._probe = place
        return place

    def leave(self, place: Place) -> None:
        """Free a place without a word on the limit: nothing reached the server, or no answer came."""
        self.in_flight -= 1
        if self._probe is place:
            self._probe = None
        self._settle(place)

    def answered(self, place: Place, now: float) -> None:
        """The request was let through."""
        self.in_flight -= 1
        self._passed.append((place.started, now))
        self._settle(place)
        if place.started > self._cut_at:
            self._let_through = True
            self._pause.reset()
        if self._probe is place:
            self._probe_passed(now)
        elif self._held or self.in_flight + 1 >= self.limit:
            self._grow(place, now)

    def throttled(self, place: Place, now: float, retry_after: float | None = None) -> bool:
        """A 429 for the account; True when it is the first of a burst, which alone cuts the limit."""
        self.in_flight -= 1
        if retry_after is not None:
            self._open_at = max(self._open_at, now + retry_after)
        if self._probe is place:
            self._probe = None
            self._settle(place)
            self._failed = min(place.level, self._failed or place.level)
            self._probe_every = min(self.last_probe, 2 * self._probe_every)
            self._probe_at = now + self._probe_every
            self._cut_at = now
            return True
        if place.started <= self._cut_at:
            self._step_down()
            self._settle(place)
            return False
        self._cut(place, now)
        return True

    def _cut(self, place: Place, now: float) -> None:
        known = not self._slow_start and place.level >= self.limit and self._let_through
        self._slow_start = self._let_through = False
        self._probe_at = now + self._probe_every
        self._cut_at = now
        self._round += 1
        if known:  # the level above is now known to fail too: a step, not a collapse
            self._failed = min(place.level, self._failed or place.level) + 1
            self._least = max(1, int(self.limit * 0.7))
            self._burst_left = 0
            self._step_down()
        else:
            self.limit = max(1, int(self.limit * 0.7))
            self._failed = None  # not known before all have answered
            self._open_at = max(self._open_at, now + self._pause.next())
            self._burst_left, self._burst_began = self.in_flight, place.started
            self._settle_burst()

    def _step_down(self) -> None:
        """One step for each request that is turned away above a level that works, no deeper than a cut."""
        if self._failed is not None and self._burst_left == 0:
            self._failed = max(self._failed - 1, self._least + 1)
            self.limit = max(1, min(self.limit, self._failed - 1))

    def _settle(self, place: Place) -> None:
        """Count down those that were in flight at the last cut."""
        if self._burst_left and place.round < self._round:
            self._burst_left -= 1
            self._settle_burst()

    def _settle_burst(self) -> None:
        if self._burst_left == 0:
            passed = self._side_by_side()
            self._failed = passed + 1
            self.limit = max(1, min(self.limit, passed))

    def _side_by_side(self) -> int:
        """The most that were under way at once since the burst began, of those that were let through."""
        steps = [
            step
            for started, ended in self._passed
            if ended > self._burst_began
            for step in ((max(started, self._burst_began), 1), (ended, -1))
        ]
        return max(itertools.accumulate(change for _, change in sorted(steps)), default=0)

    def _probe_passed(self, now: float) -> None:
        self._probe = None
        self._failed = None
        self._probe_every = self.first_probe
        self._probe_at = NEVER
        self.limit = min(self.ceiling, self.limit + 1)

    def _grow(self, place: Place, now: float) -> None:
        top = self.ceiling if self._failed is None else min(self.ceiling, max(1, self._failed - 1))
        if self.limit >= top:
            return
        if self._failed is not None:
            self.limit += 1  # back to what is known to work
        elif not self._slow_start:
            self._credit += 1.0 / self.limit
            if self._credit >= 1.0:
                self._credit = 0.0
                self.limit += 1
        elif place.started >= self._grown_at:
            # One for each answer, but taken up together: a round that ends in 429s must not feed the next.
            self._credit += 1.0
            if self._credit >= self.limit:
                self._credit, self._grown_at = 0.0, now
                self.limit = min(top, 2 * self.limit)
