"""How fast to go: the gate for the documented rate of a lane; the one for the account's unknown concurrency limit
comes from ``concurrency``.

Both are pure: time is an argument, randomness is handed in. They are apart from the engine so that thousands
of requests can be tried against them in simulated time.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from proxyctl.bulk.chance import Chance, Trial
from proxyctl.bulk.concurrency import ConcurrencyGate, Place
from proxyctl.bulk.pauses import HURRIED, NEVER, Pause

__all__ = ["NEVER", "ConcurrencyGate", "Pause", "Place", "RateGate", "RateGates"]

WINDOW = 5.0


@dataclass(slots=True)
class _Slot:
    """A place in the window. ``free_at``: when a request that takes it next can't arrive too early."""

    free_at: float


class RateGate:
    """At most ``rate`` × 5 s starts in any 5 s of one lane, as the server counts them.

    The server counts arrivals, which this side does not see. An answer bounds one: a request arrived no later
    than its answer less the shortest round trip seen. So a slot is free again a window after that (plus
    ``margin``), and jitter can't press two bursts together.

    A 429 while the mirrored window is in order may mean that the real rate is lower, or shared. The gate then
    goes over to evenly paced starts at the rate that was really let through, counted over the last window; it
    stays just below a rate that failed, and tries more only after a while. ``rate=0`` turns it off.

    Or it came by chance, and slowing down would cost time for nothing. Single requests tell: if those after it
    are let through, or if it came at a pace well below one that was let through before, the pace stays. As many
    as usual are not even waited for then; a run of them, or clearly more, are looked into again.
    """

    margin = 0.006
    lateness = 0.1  # what an answer may at most delay its slot, or a slow server would slow the run
    first_hold = 20.0
    last_hold = 160.0
    fast_growth = 0.25  # of the pace in a second, where it was cut without need
    below_best = 0.85  # of the best window: a 429 below it is no word on the rate

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
        self._chance = Chance()
        self._trial: Trial | None = None
        self._contradictions = 0  # 429s since the last cut that the rate does not explain
        self._counted_from = -NEVER
        self._last_window: deque[float] = deque()
        self._best = 0  # the most that was let through in one window

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

    def hurry(self, now: float) -> None:
        """The run ends: keep no long pause."""
        self._open_at = min(self._open_at, now + HURRIED)
        self._next_at = min(self._next_at, now + HURRIED)

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
        self._note_best(started)
        self._saw(ticket, started, refused=False)
        self._probe_ended(ticket)
        if self._recovering and started > self._cut_at:
            self._judge()
            if self._trial is None:
                self._recovered(started, ended)
            elif self._trial.by_chance:
                self._go_on(ended)
            else:
                self._pause.reset()  # something gets through: the next one need not wait long
        elif self._paced is not None and self._chance.in_vain():
            self._by_chance(ended)

    def _note_best(self, started: float) -> None:
        self._last_window.append(started)
        while self._last_window[0] <= started - WINDOW:
            self._last_window.popleft()
        self._best = max(self._best, len(self._last_window))

    def lost(self, ticket: int) -> None:
        """No answer, so nothing is learnt: the place stays taken as long as it may count."""
        self._probe_ended(ticket)

    def throttled(self, ticket: int, started: float, ended: float, retry_after: float | None = None) -> bool:
        """A 429 of this lane; True when it is the first of a burst, which alone changes the pace."""
        self._settle(ticket, started, ended)
        self._saw(ticket, started, refused=True)
        self._probe_ended(ticket)
        if retry_after is not None:
            self._open_at = max(self._open_at, ended + retry_after)
        if started <= self._cut_at:
            return False
        self._turned_away_at = started
        if self._trial is None and not self._recovering and self._expected():
            return False
        again, self._cut_at = self._recovering, ended
        self._open_at = max(self._open_at, ended + self._pause.next())
        if again:  # nothing was let through since the last one: still the same trouble
            return self._judge()
        if self._forgive(started):
            return True
        self._recovering = True
        if self._paced is None or self._doubtful(started):
            self._trial = Trial(ticket, started)
            return False
        self._cut(started)
        return True

    def _doubtful(self, at: float) -> bool:
        """Whether a 429 at a pace that was cut before may have another cause than the pace."""
        return self._chance.in_a_row or self._through(at) < self.below_best * self._best

    def _saw(self, ticket: int, started: float, *, refused: bool) -> None:
        if started > self._counted_from:
            self._chance.saw(refused)
        if self._trial is not None:
            self._trial.saw(ticket, refused, started > self._cut_at)

    def _expected(self) -> bool:
        """Whether a 429 is no news: as many as this come by chance."""
        return self._chance.share > 0 and not (self._chance.in_a_row or self._chance.excess)

    def _forgive(self, at: float) -> bool:
        """The mirror may have run ahead of the server's window by a little: keep more distance."""
        as_documented = self._paced is None and self.rate > 0 and self._through(at) >= 0.9 * self._capacity
        if not as_documented or self._forgiven >= 3:
            return False
        self._forgiven += 1
        self.margin, self.lateness = min(0.1, 2 * self.margin), min(0.4, 2 * self.lateness)
        return True

    def _through(self, at: float) -> int:
        return sum(at - WINDOW < start <= at for start in self._accepted)

    def _judge(self) -> bool:
        """Cut the pace if the trial shows that the rate is the cause; True if so."""
        if self._trial is None or not self._trial.by_rate:
            return False
        at, self._trial = self._trial.started, None
        self._chance.forget()
        self._cut(at)
        return True

    def _go_on(self, now: float) -> None:
        """The trial shows that the rate is not the cause: nothing changes."""
        self._recovering, self._trial = False, None
        self._pause.reset()
        self._contradictions += 1
        if self._paced is None:
            self._chance.learn()
            return
        self._next_at = now + 1.0 / self._paced
        if self._contradictions >= 2:
            self._by_chance(now)

    def _by_chance(self, now: float) -> None:
        """Slowing down did not help: some are turned away at any pace."""
        self._chance.learn()
        self._hold_until, self._growth = min(self._hold_until, now), self.fast_growth

    def _cut(self, at: float) -> None:
        through = self._through(at)
        whole = self._first is not None and at - self._first >= WINDOW
        # A lane that was not busy for a whole window tells little by how much it got through.
        busy = self._paced is not None or through >= 0.3 * self._capacity
        self._measured = self._real_rate(through / WINDOW, at) if whole and busy and through else None
        current = self._paced or self.rate or through / WINDOW or 1.0
        self._paced = max(0.05, 0.7 * current)
        self._contradictions = 0

    def _real_rate(self, through: float, at: float) -> float:
        """What the server lets through, if it let ``through`` a second through before it failed."""
        if self._paced is None or self._growth == self.fast_growth or self._chance.share > 0:
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
        self._chance.cut()
        self._counted_from = now  # what was under way before says nothing on the new pace
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
