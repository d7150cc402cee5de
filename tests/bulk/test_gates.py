"""The gates of a whole command: many threads and the engine's schedule go through the same ones."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from proxyctl.bulk.gates import Gates, Ticket
from proxyctl.errors import DeadlineError
from tests.support import StandingClock

PATIENCE = 10.0


def gates(rate: float = 0.0, ceiling: int = 100, clock: StandingClock | None = None) -> Gates:
    return Gates(rate, random=lambda: 0.5, ceiling=ceiling, clock=clock or StandingClock())


def entered(ready: Gates, lane: str = "a", *, lent: bool = False) -> Callable[[], Ticket]:
    """Let a thread enter; what is returned waits for its ticket."""
    tickets: list[Ticket] = []
    thread = threading.Thread(target=lambda: tickets.append(ready.enter(lane, lent=lent)), daemon=True)
    thread.start()

    def ticket() -> Ticket:
        thread.join(PATIENCE)
        return tickets[0]

    return ticket


def test_a_lane_makes_its_threads_wait_by_the_clock() -> None:
    clock = StandingClock()
    ready = gates(rate=1.0, clock=clock)
    for _ in range(5):
        ready.enter("a").answered()
    assert clock.time == 0.0
    ready.enter("b").answered()
    ready.enter("a").answered()
    assert 5.0 <= clock.time <= 5.3


@pytest.mark.parametrize(
    "leave",
    [
        lambda ticket: ticket.answered(),
        lambda ticket: ticket.lost(),
        lambda ticket: ticket.unsent(),
        lambda ticket: ticket.throttled("rate"),
        lambda ticket: ticket.throttled("concurrency"),
    ],
)
def test_whoever_waits_for_a_place_gets_it_when_one_is_free(leave: Callable[[Ticket], None]) -> None:
    ready = gates(ceiling=1)
    first = ready.enter("a")
    second = entered(ready)
    leave(first)
    assert second().place is not None


def test_a_lent_place_is_no_second_one() -> None:
    """One request at a time: what is looked up for it would otherwise wait for ever."""
    ready = gates(ceiling=1)
    first = ready.enter("a")
    look = ready.enter("b", lent=True)
    assert look.place is None
    look.answered()
    assert ready.room(0.0) > 0, "the place is still the first one's"
    first.answered()
    assert ready.room(0.0) == 0


@pytest.mark.parametrize("scope", ["rate", "concurrency"])
def test_a_lent_request_that_is_turned_away_holds_the_others_back(scope: str) -> None:
    clock = StandingClock()
    ready = gates(clock=clock)
    ready.enter("a", lent=True).throttled(scope, 3.0)  # type: ignore[arg-type]
    ready.enter("a").answered()
    assert clock.time >= 3.0


def test_a_lent_request_waits_for_its_lane() -> None:
    clock = StandingClock()
    ready = gates(rate=0.2, clock=clock)
    ready.enter("a", lent=True).answered()
    ready.enter("a", lent=True).answered()
    assert clock.time >= 5.0


def test_whoever_asks_may_give_up_meanwhile() -> None:
    ready = gates(rate=0.2)
    ready.enter("a").answered()

    def check(wait: float) -> None:
        if wait > 1.0:
            raise DeadlineError("too late")

    with pytest.raises(DeadlineError):
        ready.enter("a", check=check)


def test_no_pause_is_long_at_the_end_of_a_run_and_the_next_one_has_them_again() -> None:
    ready = gates()
    ready.hurry(0.0)
    for scope in ("rate", "concurrency"):
        ready.enter("a").throttled(scope, 250.0)  # type: ignore[arg-type]
        assert max(ready.wait("a", 0.0), ready.room(0.0)) <= 1.0
        ready = gates()
        ready.hurry(0.0)
    ready.hurried = False
    ready.enter("a").throttled("rate", 250.0)
    assert ready.wait("a", 0.0) > 200.0


def test_many_threads_keep_to_one_ceiling() -> None:
    ready = Gates(0.0, random=lambda: 0.5, ceiling=3)
    lock = threading.Lock()
    now = most = 0

    def task() -> None:
        nonlocal now, most
        for _ in range(50):
            ticket = ready.enter("a")
            with lock:
                now += 1
                most = max(most, now)
            with lock:
                now -= 1
            ticket.answered()

    threads = [threading.Thread(target=task, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)
    assert 1 <= most <= 3
