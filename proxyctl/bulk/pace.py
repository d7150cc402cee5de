"""How fast to go: a gate for the documented rate of a lane, one for the account's unknown concurrency limit.

Both are pure: time is an argument, randomness is handed in. They are apart from the engine so that thousands
of requests can be tried against them in simulated time.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

WINDOW = 5.0
NEVER = math.inf


class Pause:
    """Growing pauses while 429s keep coming: 0.25 s doubling to 30 s, half of each random."""

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


@dataclass(slots=True)
class _Slot:
    """A place in the window. ``free_at``: when a request that takes it next can't arrive too early."""

    free_at: float


class RateGate:
    """At most ``rate`` × 5 s starts in any 5 s of one lane, as the server counts them.

    The server counts arrivals, which this side does not see. An answer bounds one: a request arrived no later
    than its answer less the shortest round trip seen. So a slot is free again a window after that (plus
    ``margin``), and jitter can't press two bursts together.

    A 429 while the mirrored window is in order means that the real rate is lower, or shared. The gate then
    goes over to evenly paced starts at the rate that was really let through, counted over the last window; it
    stays just below a rate that failed, and tries more only after a while. ``rate=0`` turns it off.
    """

    margin = 0.006
    lateness = 0.1  # what an answer may at most delay its slot, or a slow server would slow the run
    first_hold = 20.0
    last_hold = 160.0

    def __init__(self, rate: float, *, random: Callable[[], float]) -> None:
        self.rate = rate
        self._window = max(WINDOW, 1.0 / rate) if rate > 0 else 0.0
        self._capacity = max(1, int(rate * self._window + 1e-9))
        self._slots: dict[int, _Slot] = {}
        self._frees: list[tuple[float, int]] = []
        self._tickets = 0
        self._round_trip = NEVER
        self._accepted: deque[float] = deque()
        self._first: float | None = None
        self._pause = Pause(random)
        self._open_at = -NEVER
        self._cut_at = -NEVER
        self._turned_away_at = -NEVER
        self._forgiven = 0
        self._recovering = False
        self._measured: float | None = None
        self._paced: float | None = None
        self._next_at = -NEVER
        self._grown_at = -NEVER
        self._hold = self.first_hold
        self._hold_until = -NEVER
        self._growth = 0.02
        self._probe: int | None = None

    @property
    def paced(self) -> float | None:
        """The rate in force after a cut, in starts a second; None while the documented window is."""
        return self._paced

    def wait(self, now: float) -> float:
        """Seconds until a request may start: 0 for now, infinity for "not before an answer"."""
        if now < self._open_at:
            return self._open_at - now
        if self._recovering and self._probe is not None:
            return NEVER
        if self.rate <= 0 and self._paced is None:
            return 0.0
        self._expire(now)
        full = self.rate > 0 and len(self._slots) >= self._capacity
        at = self._frees[0][0] if full else now
        if self._paced is not None and not self._recovering:
            at = max(at, self._next_at)
        return max(0.0, at - now)

    def start(self, now: float) -> int:
        """Take a place; the ticket goes back through one of the methods below."""
        self._tickets += 1
        ticket = self._tickets
        if self._first is None:
            self._first = now
        if self.rate > 0:
            self._slots[ticket] = _Slot(0.0)
            self._release(ticket, now + self.lateness)
        if self._recovering:
            self._probe = ticket
        if self._paced is not None:
            self._grow(now)
            interval = 1.0 / self._paced
            # A late wake-up is made good, but by little: a burst is what failed.
            self._next_at = max(self._next_at, now - min(interval, 0.02)) + interval
        return ticket

    def unsent(self, ticket: int) -> None:
        """The request never reached the server: its place is free."""
        self._slots.pop(ticket, None)
        self._probe_ended(ticket)

    def answered(self, ticket: int, started: float, ended: float) -> None:
        """The request was let through (whatever else became of it), between ``started`` and ``ended``."""
        self._settle(ticket, started, ended)
        self._accepted.append(started)
        while self._accepted[0] < started - 2 * WINDOW:
            self._accepted.popleft()
        self._probe_ended(ticket)
        if self._recovering and started > self._cut_at:
            self._recovered(started, ended)

    def lost(self, ticket: int) -> None:
        """No answer, so nothing is learnt: the place stays taken as long as it may count."""
        self._probe_ended(ticket)

    def throttled(self, ticket: int, started: float, ended: float, retry_after: float | None = None) -> bool:
        """A 429 of this lane; True when it is the first of a burst, which alone changes the pace."""
        self._settle(ticket, started, ended)
        self._probe_ended(ticket)
        if retry_after is not None:
            self._open_at = max(self._open_at, ended + retry_after)
        if started <= self._cut_at:
            return False
        self._turned_away_at = started
        again, self._cut_at = self._recovering, ended
        self._open_at = max(self._open_at, ended + self._pause.next())
        if again:  # nothing was let through since the last one: still the same trouble
            return False
        self._cut(started)
        return True

    def _cut(self, at: float) -> None:
        through = sum(at - WINDOW < start <= at for start in self._accepted)
        whole = self._first is not None and at - self._first >= WINDOW
        as_documented = self._paced is None and self.rate > 0 and through >= 0.9 * self._capacity
        if as_documented and self._forgiven < 3:
            # The mirror ran ahead of the server's window by a little: keep more distance.
            self._forgiven += 1
            self.margin, self.lateness = min(0.1, 2 * self.margin), min(0.4, 2 * self.lateness)
            return
        self._recovering = True
        # A lane that was not busy for a whole window tells little by how much it got through.
        busy = self._paced is not None or through >= 0.3 * self._capacity
        self._measured = self._real_rate(through / WINDOW, at) if whole and busy and through else None
        current = self._paced or self.rate or through / WINDOW or 1.0
        self._paced = max(0.05, 0.7 * current)

    def _real_rate(self, through: float, at: float) -> float:
        """What the server lets through, if it let ``through`` a second through before it failed."""
        if self._paced is None:
            return through
        if at < self._hold_until:
            return min(through, self._paced)
        # The rate was growing: over the server's window, which may be shorter, it was between the two.
        return (through + self._paced) / 2

    def _recovered(self, started: float, now: float) -> None:
        """The first request let through after a cut: now the real rate can be told."""
        assert self._paced is not None
        self._recovering = False
        self._pause.reset()
        before = [start for start in self._accepted if start < self._cut_at]
        if self._measured is not None:
            target = 0.97 * self._measured
            self._hold_until, self._growth = now + self._hold, 0.02
            self._hold = min(self.last_hold, 2 * self._hold)
        elif len(before) >= 2:
            # The window opened between the last request that was turned away and this one.
            opened = (max(self._turned_away_at, self._cut_at) + started) / 2
            target, self._hold_until, self._growth = len(before) / (opened - before[0]), now, 0.08
        else:
            target, self._hold_until, self._growth = self._paced, now, 0.08
        self._paced = min(self.rate, target) if self.rate > 0 else target
        self._next_at = now + 1.0 / self._paced
        self._grown_at = now

    def _grow(self, now: float) -> None:
        """Come back slowly, up to the rate that was asked for; bursts would gain nothing more."""
        assert self._paced is not None
        since = now - max(self._grown_at, self._hold_until)
        if since < 0 or self._recovering:
            return
        # An idle lane has shown nothing: only the time of one start or so counts.
        grown = self._paced * (1 + self._growth * min(since, 2.0 / self._paced, 10.0))
        self._paced = min(grown, self.rate) if self.rate > 0 else grown
        self._grown_at = now

    def _settle(self, ticket: int, started: float, ended: float) -> None:
        self._round_trip = min(self._round_trip, ended - started)
        late = min(ended - started - self._round_trip, self.lateness)
        if ticket in self._slots:
            self._release(ticket, started + late)

    def _release(self, ticket: int, arrived: float) -> None:
        slot = self._slots[ticket]
        slot.free_at = arrived + self._window + self.margin
        heapq.heappush(self._frees, (slot.free_at, ticket))

    def _expire(self, now: float) -> None:
        """Drop what is over; afterwards the head of the heap is a slot that is really taken."""
        while self._frees:
            free_at, ticket = self._frees[0]
            slot = self._slots.get(ticket)
            if slot is not None and slot.free_at == free_at and free_at > now:
                return
            heapq.heappop(self._frees)
            if slot is not None and slot.free_at == free_at:
                del self._slots[ticket]

    def _probe_ended(self, ticket: int) -> None:
        if self._probe == ticket:
            self._probe = None


class RateGates:
    """The gate of each lane, made on first use and kept: a lane's window outlives a run of the engine."""

    def __init__(self, rate: float, *, random: Callable[[], float]) -> None:
        self._rate = rate
        self._random = random
        self._gates: dict[str, RateGate] = {}

    def __call__(self, lane: str) -> RateGate:
        if lane not in self._gates:
            self._gates[lane] = RateGate(self._rate, random=self._random)
        return self._gates[lane]


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
