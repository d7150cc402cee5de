"""Whole runs in simulated time: a schedule with its gates against a server that counts as the documented one does.

Thousands of requests take milliseconds, so that pace can be a matter of unit tests.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from proxyctl.bulk.gates import Gates
from proxyctl.bulk.outcomes import (
    Chains,
    Done,
    Lost,
    Outcome,
    Refused,
    Result,
    State,
    Stop,
    Task,
    Throttled,
    Unclear,
    Unsent,
)
from proxyctl.bulk.rate import NEVER
from proxyctl.bulk.schedule import Schedule
from proxyctl.bulk.waiting import Send, Verify
from proxyctl.errors import (
    AuthenticationError,
    NetworkError,
    ProxyctlError,
    RefusedError,
    ServerError,
    ThrottledError,
)

Latency = Callable[[random.Random], float]
Fate = Callable[[Task, float], Outcome]

# What may become of a request, by name.
FAULTS: dict[str, Outcome] = {
    "lost": Lost(ServerError("500", may_have_happened=True)),
    "unsent": Unsent(NetworkError("connection refused")),
    "busy": Throttled("concurrency", None, ThrottledError("429")),
    "rate": Throttled("rate", None, ThrottledError("429")),
    "refused": Refused(RefusedError("80301")),
    "unclear": Unclear(RefusedError("80104")),
    "urgent": Unclear(RefusedError("20404"), urgent=True),
    "full": Refused(RefusedError("80622"), full=True),
    "stop": Stop(AuthenticationError("401")),
}
LOST, REFUSED, STOP = (FAULTS[name] for name in ("lost", "refused", "stop"))


def at_once(rng: random.Random) -> float:
    return 0.0


def usual(rng: random.Random) -> float:
    return 0.08


def fixed(seconds: float) -> Latency:
    return lambda rng: seconds


def between(low: float, high: float) -> Latency:
    return lambda rng: rng.uniform(low, high)


@dataclass
class Server:
    """A window for each lane, a ceiling for all; times in seconds.

    A request needs ``up`` to arrive, ``takes`` at the server (``reject`` when turned away) and ``down`` back.
    """

    window: tuple[int, float] | None = None
    ceiling: Callable[[float], float] = lambda now: NEVER
    up: Latency = at_once
    takes: Latency = usual
    down: Latency = at_once
    reject: Latency | None = None
    retry_after: float | None = None
    at_random: float = 0.0  # the share that gets an 80621 for no reason
    rng: random.Random = field(default_factory=lambda: random.Random(1))
    busy: int = 0
    accepted: int = 0
    rejected: int = 0
    arrivals: dict[str, deque[float]] = field(default_factory=dict)

    def admit(self, lane: str, now: float) -> Throttled | None:
        """Decide on a request that arrives now."""
        error = ThrottledError("429")
        if self.at_random and self.rng.random() < self.at_random:
            self.rejected += 1
            return Throttled("rate", self.retry_after, error)
        if self.busy >= self.ceiling(now):
            self.rejected += 1
            return Throttled("concurrency", self.retry_after, error)
        if self.window is not None:
            count, seconds = self.window
            arrivals = self.arrivals.setdefault(lane, deque())
            while arrivals and arrivals[0] <= now - seconds:
                arrivals.popleft()
            if len(arrivals) >= count:
                self.rejected += 1
                return Throttled("rate", self.retry_after, error)
            arrivals.append(now)
        self.accepted += 1
        self.busy += 1
        return None

    def release(self) -> None:
        self.busy -= 1


@dataclass
class Run:
    """What a simulated run came to."""

    results: list[Result]
    first: float
    last: float
    rejected: int
    sent: int
    done_at: list[float]
    lane_last: dict[str, float]
    verifications: int = 0
    retries: int = 0
    stopped_by: ProxyctlError | None = None
    now: float = 0.0  # at the end

    @property
    def states(self) -> Counter[State]:
        return Counter(result.state for result in self.results)

    @property
    def seconds(self) -> float:
        """From the first write to the last answer."""
        return self.last - self.first

    @property
    def wasted(self) -> float:
        """429s for each 1,000 items."""
        return 1000.0 * self.rejected / max(1, len(self.results))


def per_second(run: Run, start: float, end: float) -> float:
    """Tasks done a second between two times."""
    return sum(start <= when < end for when in run.done_at) / (end - start)


def tasks(count: int, lanes: Sequence[str] = ("a",)) -> list[Task]:
    """``count`` tasks for each lane, lane after lane."""
    numbers = itertools.count()
    return [Task(next(numbers), lane, f"add {lane}", False) for lane in lanes for _ in range(count)]


class Unchained:
    """Tasks that wait for nothing; ``more`` may let in others after a result, until the run is stopped."""

    in_transit = 0

    def __init__(self, tasks: Iterable[Task], more: Callable[[Result], Iterable[Task]] | None = None) -> None:
        self._works = tasks
        self._more = more

    def start(self) -> Iterable[Task]:
        return self._works

    def follow(self, result: Result) -> Iterable[Task]:
        return self._more(result) if self._more is not None else ()

    def stop(self, error: ProxyctlError) -> Iterable[Task]:
        self._more = None
        return ()


def absent(tasks: Sequence[Task], now: float) -> dict[int, Outcome | None]:
    """Nothing is there."""
    return {task.index: None for task in tasks}


def chains_of(items: Iterable[Task] | Chains) -> Chains:
    """``items`` themselves, or plain tasks as chains of one."""
    return Unchained(items) if isinstance(items, Iterable) else items


def simulate(
    items: Iterable[Task] | Chains,
    server: Server,
    *,
    rate: float = 30.0,
    gates: Gates | None = None,
    ceiling: int = 100,
    until: float = NEVER,
    seed: int = 7,
    lag: Latency = fixed(0.0),
    fate: Fate = lambda task, now: Done("added"),
    verify: Callable[[Sequence[Task], float], dict[int, Outcome | None]] = absent,
    read: float = 0.05,
    stop_at: tuple[float, ProxyctlError] | None = None,
    grace: float = 8.0,
    **options: Any,
) -> Run:
    """Run ``items`` to the end (or to ``until``).

    ``lag`` is what the client itself needs to get a request sent; ``fate`` what becomes of one that is let
    through, on its arrival; ``verify`` says what is found out, ``read`` seconds later. ``options``
    are those of the schedule.
    """
    rng = random.Random(seed)
    results: list[Result] = []
    schedule = Schedule(
        chains_of(items),
        gates=gates or Gates(rate, random=rng.random, ceiling=ceiling),
        random=rng.random,
        observer=results.append,
        **options,
    )
    events: list[tuple[float, int, Callable[[float], None]]] = []
    order = itertools.count()
    run = Run(results, NEVER, 0.0, 0, 0, [], {})

    def at(when: float, what: Callable[[float], None]) -> None:
        heapq.heappush(events, (when, next(order), what))

    def send(job: Send, now: float) -> None:
        started = now + lag(rng)
        run.first = min(run.first, started)
        run.sent += 1
        at(started + server.up(server.rng), lambda t: arrive(job, started, t))

    def arrive(job: Send, started: float, now: float) -> None:
        refusal = server.admit(job.item.task.lane, now)
        if refusal is not None:
            back = now + (server.reject or server.takes)(server.rng) + server.down(server.rng)
            at(back, lambda t: answer(job, refusal, started, t))
            return
        outcome = fate(job.item.task, now)
        ends = now + server.takes(server.rng)
        at(ends, lambda t: server.release())
        at(ends + server.down(server.rng), lambda t: answer(job, outcome, started, t))

    def verified(job: Verify, now: float) -> None:
        schedule.verified(job.items, verify([item.task for item in job.items], now), now)

    def answer(job: Send, outcome: Outcome, started: float, now: float) -> None:
        run.last = now
        run.lane_last[job.item.task.lane] = now
        if isinstance(outcome, Done):
            run.done_at.append(now)
        schedule.answered(job.item, outcome, started, now)

    now = 0.0
    while now < until:
        if stop_at is not None and now >= stop_at[0]:
            schedule.stop(stop_at[1], now)
        if stop_at is not None and now >= stop_at[0] + grace:
            schedule.expire()
        while (job := schedule.next(now)) is not None:
            if isinstance(job, Verify):
                run.verifications += 1
                at(now + read, lambda t, job=job: verified(job, t))  # type: ignore[misc]
            else:
                send(job, now)
        if schedule.finished:
            break
        wake = schedule.wake_at(now)
        if stop_at is not None:
            wake = min(wake, next((t for t in (stop_at[0], stop_at[0] + grace) if t > now), NEVER))
        soonest = min(events[0][0] if events else NEVER, wake)
        assert soonest < NEVER, "the run hangs"
        assert soonest > now or events, "the run spins"
        now = max(now, soonest)
        while events and events[0][0] <= now:
            heapq.heappop(events)[2](now)
    run.now, run.rejected = now, server.rejected
    run.retries = schedule._repeated
    run.stopped_by = schedule.stopped_by
    return run
