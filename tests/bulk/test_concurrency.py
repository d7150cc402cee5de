"""The account's gate against hidden limits of requests under way, in simulated time."""

from __future__ import annotations

import random

import pytest

from proxyctl.bulk.gates import ConcurrencyGate
from proxyctl.bulk.rate import NEVER, Pause
from tests.bulk.simulation import Server, between, fixed, per_second, simulate, tasks


@pytest.mark.parametrize(
    ("limit", "count", "waste"), [(1, 1000, 50), (5, 1000, 10), (20, 4000, 10), (50, 5000, 10)]
)
@pytest.mark.parametrize(
    ("reject", "latency"),
    [(None, fixed(0.1)), (fixed(0.005), fixed(0.1)), (fixed(0.005), between(0.05, 0.15))],
)
def test_a_hidden_concurrency_is_found_and_kept(
    limit: int, count: int, waste: int, reject: object, latency: object
) -> None:
    server = Server(ceiling=lambda now: limit, takes=latency, reject=reject)  # type: ignore[arg-type]
    run = simulate(tasks(count), server, rate=0)
    assert run.wasted <= waste
    assert run.seconds <= 1.1 * count * 0.1 / limit


@pytest.mark.parametrize(
    ("limit", "count", "waste", "seed"),
    [
        (2, 1000, 15, 1),
        (2, 1000, 15, 2),
        (5, 1000, 10, 1),
        (5, 1000, 10, 2),
        (20, 4000, 10, 1),
        (50, 5000, 15, 2),
    ],
)
def test_requests_that_overtake_each_other_do_not_hide_the_limit(
    limit: int, count: int, waste: int, seed: int
) -> None:
    """The one that is turned away may be the first that was sent: its place in the row says nothing."""
    way = between(0.005, 0.03)
    server = Server(ceiling=lambda now: limit, up=way, takes=fixed(0.1), down=way, rng=random.Random(seed))
    run = simulate(tasks(count), server, rate=0, seed=seed)
    assert run.wasted <= waste
    assert run.seconds <= 1.2 * count * 0.135 / limit


def test_a_limit_that_falls_and_rises_again() -> None:
    server = Server(ceiling=lambda now: 8 if 20 <= now < 60 else 30, takes=fixed(0.1))
    run = simulate(tasks(30_000), server, rate=0)
    assert per_second(run, 10, 20) >= 0.95 * 300
    assert per_second(run, 25, 60) >= 0.95 * 80
    assert per_second(run, 95, 105) >= 0.95 * 300
    assert run.wasted <= 10


def test_429_for_ever_is_not_hammered() -> None:
    run = simulate(tasks(5000), Server(ceiling=lambda now: 0), until=600.0)
    assert run.results == []
    assert run.sent <= 60


def test_the_ceiling_is_never_passed() -> None:
    gate = ConcurrencyGate(random=lambda: 0.5, ceiling=3)
    places = [gate.start(0.0) for _ in range(3)]
    for _ in range(50):
        assert gate.wait(1.0) == NEVER
        gate.answered(places.pop(0), 1.0)
        assert gate.wait(1.0) == 0
        places.append(gate.start(1.0))
    assert gate.limit == 3


def test_a_run_that_needs_no_more_does_not_raise_the_limit() -> None:
    gate = ConcurrencyGate(random=lambda: 0.5)
    for second in range(100):
        assert gate.wait(second) == 0
        gate.answered(gate.start(second), second + 0.1)
    assert gate.limit == 4


def test_one_burst_of_429s_is_one_cut() -> None:
    gate = ConcurrencyGate(random=lambda: 0.5, start=40)
    places = [gate.start(0.0) for _ in range(40)]
    for place in reversed(places[30:]):
        gate.throttled(place, 0.1)
    assert gate.limit == 30, "those were too many"
    assert 0 < gate.wait(0.1) <= 0.25


def test_pauses_double_to_half_a_minute_half_of_each_random() -> None:
    least, most = Pause(lambda: 0.0), Pause(lambda: 1.0)
    assert [least.next() for _ in range(3)] == [0.125, 0.25, 0.5]
    assert [most.next() for _ in range(12)][-1] == 30.0


def test_no_burst_takes_the_limit_down_too_far() -> None:
    gate = ConcurrencyGate(random=lambda: 0.5, start=40)
    places = [gate.start(0.0) for _ in range(40)]
    for place in places:
        gate.throttled(place, 0.1)
    assert gate.limit == 28


def test_a_run_begins_slowly_unless_the_level_is_known() -> None:
    """Reads that met no limit say nothing of writes: the first may all be refused."""
    grown, capped = (ConcurrencyGate(random=lambda: 0.5, start=50) for _ in range(2))
    capped.throttled(capped.start(0.0), 1.0)
    for gate in (grown, capped):
        gate.begin(4)
    assert (grown.limit, capped.limit) == (4, 49)
