"""How fast to go in one lane: the gate for the documented rate, or for a lower one that the server does not name; and
the pauses that both gates make.

Pure: time is an argument, randomness is handed in. So thousands of requests can be tried in simulated time.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable

NEVER = math.inf
HURRIED = 0.1  # seconds: the longest pause once only rescues are sent
WINDOW = 5.0


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


class RateGate:
    """At most ``rate`` × 5 s starts in any 5 s of one lane, as the server counts them. ``rate=0`` turns it off.

    The server counts arrivals, which this side does not see. An answer bounds one: a request arrived no later
    than its answer less the shortest round trip seen. So a slot is free again a window after that (plus
    ``margin``), and jitter can't press two bursts together.

    A 429 while the mirrored window is in order means that the real rate is lower, or shared. Then single requests
    find out when the next one is let through, and starts are evenly paced from there on: at first by how many were
    let through until the server said no, and for how long it did. From there the pace grows, until it fails again.
    Each time it is set just below what failed and grows more slowly, and at last only after a while.
    """

    margin = 0.012
    lateness = 0.1  # what an answer may at most delay its slot, or a slow server would slow the run
    below_failed = 0.97
    last_moments = 0.7  # how much the pace that failed counts, beside what was let through in the last window
    fast = 0.12  # growth, of the pace in a second
    slow = 0.02
    hold = 15.0  # seconds at a pace that works, before more is tried

    def __init__(self, rate: float, *, random: Callable[[], float]) -> None:
        self.rate = rate
        self._window = max(WINDOW, 1.0 / rate) if rate > 0 else 0.0
        self._capacity = max(1, int(rate * self._window + 1e-9))
        # By ticket: when a request that takes its slot can't arrive too early.
        self._free_at: dict[int, float] = {}
        self._frees: list[tuple[float, int]] = []
        self._tickets = 0
        self._round_trip = NEVER
        self._accepted: deque[float] = deque()  # starts
        self._first: float | None = None
        self._pause = Pause(random)
        self.open_at = -NEVER
        self._cut_at = -NEVER
        self._failed_at = -NEVER
        self._before: list[float] = []  # what was let through in the last window before the cut
        self._recovering = False
        self._probe: int | None = None
        self._paced: float | None = None  # the rate in force after a cut, in starts a second
        self._next_at = -NEVER
        self._grown_at = -NEVER
        self._growth = self.fast
        self._grows_from = -NEVER

    def wait(self, now: float) -> float:
        """Seconds until a request may start: 0 for now, infinity for "not before an answer"."""
        if now < self.open_at:
            return self.open_at - now
        if self._recovering and self._probe is not None:
            return NEVER
        if self.rate <= 0 and self._paced is None:
            return 0.0
        self._expire(now)
        full = self.rate > 0 and len(self._free_at) >= self._capacity
        at = self._frees[0][0] if full else now
        if self._paced is not None and not self._recovering:
            at = max(at, self._next_at)
        return max(0.0, at - now)

    def hurry(self, now: float) -> None:
        """The run ends, and little is still to be sent: keep to the window, but to no long pause and no pace."""
        self.open_at = min(self.open_at, now + HURRIED)
        self._recovering, self._paced = False, None

    def start(self, now: float) -> int:
        """Take a slot; the ticket goes back through one of the methods below."""
        self._tickets += 1
        ticket = self._tickets
        if self._first is None:
            self._first = now
        if self.rate > 0:
            self._hold_slot(ticket, now + self.lateness)
        if self._recovering:
            self._probe = ticket
        elif self._paced is not None:
            self._grow(now)
            interval = 1.0 / self._paced
            # A late wake-up is made good, but by little: a burst is what failed.
            self._next_at = max(self._next_at, now - min(interval, 0.02)) + interval
        return ticket

    def unsent(self, ticket: int) -> None:
        """The request never reached the server: its slot is free."""
        self._free_at.pop(ticket, None)
        self._probe_ended(ticket)

    def lost(self, ticket: int) -> None:
        """No answer, so nothing is learnt: the slot stays taken as long as it may count."""
        self._probe_ended(ticket)

    def answered(self, ticket: int, started: float, ended: float) -> None:
        """The request was let through (whatever else became of it), between ``started`` and ``ended``."""
        self._arrived(ticket, started, ended)
        self._accepted.append(started)
        while self._accepted[0] < started - WINDOW:
            self._accepted.popleft()
        if self._recovering and started > self._cut_at:
            self._recovered(started, ended)

    def throttled(self, ticket: int, started: float, ended: float, retry_after: float | None = None) -> None:
        """A 429 of this lane; the first of a burst alone changes the pace."""
        self._arrived(ticket, started, ended)
        if retry_after is not None:
            self.open_at = max(self.open_at, ended + retry_after)
        if started <= self._cut_at:
            return
        self._cut_at = ended
        # If the window is the documented one, there is room when the oldest that it holds has left it.
        oldest = next((start for start in self._accepted if start > ended - WINDOW), NEVER)
        pause = min(self._pause.next(), oldest + WINDOW + 4 * self.margin - ended)
        self.open_at = max(self.open_at, ended + pause)
        if not self._recovering:
            self._before = [start for start in self._accepted if started - WINDOW < start <= started]
            self._failed_at = started
            self._recovering = True

    def _recovered(self, started: float, now: float) -> None:
        """The first request is let through after a cut: set the pace."""
        self._recovering = False
        self._pause.reset()
        self._grown_at = self._grows_from = now
        pace = self._first_pace(started) if self._paced is None else self._next_pace(self._paced)
        self._paced = self._bounded(pace)
        self._next_at = now + 1.0 / self._paced

    def _first_pace(self, started: float) -> float:
        count = len(self._before)
        if not count:
            return self.rate or 1.0
        seconds = started - self._before[0]
        # Few requests say little. But if they filled the documented window, the pace is no guess.
        self._growth = self.fast * (1 + 3 / count) if seconds < WINDOW else self.slow
        return count / seconds

    def _next_pace(self, failed: float) -> float:
        assert self._first is not None
        through = len(self._before) / min(WINDOW, self._failed_at - self._first)
        self._growth = max(self.slow, self._growth / 5)
        if self._growth == self.slow:
            self._grows_from += self.hold
        # The real rate is between the two: the shorter the server's window, the nearer to what failed.
        return self.below_failed * min(failed, through + self.last_moments * (failed - through))

    def _bounded(self, pace: float) -> float:
        """Never more than was asked for: bursts would gain nothing then."""
        return min(pace, self.rate) if self.rate > 0 else pace

    def _grow(self, now: float) -> None:
        assert self._paced is not None
        since = now - max(self._grown_at, self._grows_from)
        if since < 0:
            return
        # The longer nothing fails, the faster: a shared window may be free again.
        growth = max(self._growth, min(self.fast, self._growth * (1 + (now - self._grows_from) / 5)))
        # An idle lane has shown nothing: only the time of one start or so counts.
        self._paced = self._bounded(self._paced * (1 + growth * min(since, 2.0 / self._paced)))
        self._grown_at = now

    def _arrived(self, ticket: int, started: float, ended: float) -> None:
        """An answer came: it shows when its request arrived at the latest."""
        self._probe_ended(ticket)
        self._round_trip = min(self._round_trip, ended - started)
        if ticket in self._free_at:
            self._hold_slot(ticket, started + min(ended - started - self._round_trip, self.lateness))

    def _hold_slot(self, ticket: int, arrived: float) -> None:
        free_at = self._free_at[ticket] = arrived + self._window + self.margin
        heapq.heappush(self._frees, (free_at, ticket))

    def _expire(self, now: float) -> None:
        """Drop what is over; afterwards the head of the heap is a slot that is really taken."""
        while self._frees:
            free_at, ticket = self._frees[0]
            taken = self._free_at.get(ticket) == free_at
            if taken and free_at > now:
                return
            heapq.heappop(self._frees)
            if taken:
                del self._free_at[ticket]

    def _probe_ended(self, ticket: int) -> None:
        if self._probe == ticket:
            self._probe = None
