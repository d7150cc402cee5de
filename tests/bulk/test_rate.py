"""The gate of a lane against servers with known and hidden rates, in simulated time."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass

import pytest

from proxyctl.bulk.gates import Gates
from proxyctl.bulk.outcomes import Done, Throttled
from proxyctl.bulk.rate import NEVER, RateGate
from proxyctl.errors import ThrottledError
from tests.bulk.simulation import Server, between, fixed, per_second, simulate, tasks

DOCUMENTED = (150, 5.0)


def bound(count: int) -> float:
    """The least time the documented window allows from the first write to the last."""
    return 5.0 * ((count - 1) // 150)


@pytest.mark.parametrize("way", [0.0, 0.02])
@pytest.mark.parametrize("count", [1, 150, 151, 1000, 3075])
def test_the_documented_window_is_used_up_and_never_passed(count: int, way: float) -> None:
    server = Server(window=DOCUMENTED, up=fixed(way), takes=fixed(0.08 - 2 * way), down=fixed(way))
    run = simulate(tasks(count), server)
    assert run.rejected == 0
    assert bound(count) <= run.seconds <= bound(count) + max(0.5, 0.01 * bound(count))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("lag", [fixed(0.0), between(0.0, 0.08)])
def test_jitter_on_the_way_does_not_press_two_bursts_together(seed: int, lag: object) -> None:
    server = Server(window=DOCUMENTED, up=between(0.01, 0.08), takes=fixed(0.03), rng=random.Random(seed))
    run = simulate(tasks(3075), server, lag=lag)  # type: ignore[arg-type]
    assert run.wasted <= 5.0
    assert run.seconds <= 1.03 * bound(3075)


def test_ten_lanes_take_as_long_as_one() -> None:
    alone = simulate(tasks(1000), Server(window=DOCUMENTED))
    lanes = [f"service {number}" for number in range(10)]
    ten = simulate(tasks(1000, lanes), Server(window=DOCUMENTED))
    assert len(ten.results) == 10_000
    assert ten.seconds <= 1.10 * alone.seconds


def test_rate_zero_is_no_gate() -> None:
    run = simulate(tasks(2000), Server(takes=fixed(0.08)), rate=0, ceiling=50)
    assert run.seconds <= 2000 * 0.08 / 50 / 0.9


def test_a_slow_rate_of_ones_own_is_kept() -> None:
    run = simulate(tasks(31), Server(window=(1, 5.0)), rate=0.2)
    assert run.rejected == 0
    assert run.seconds == pytest.approx(150, rel=0.01)


HIDDEN = [(1, 0.2), (2, 0.4), (3, 1.0), (5, 1.0), (10, 2.0), (25, 5.0)]


# Of its own rate each window and each latency meets both.
@pytest.mark.parametrize("window", HIDDEN)
@pytest.mark.parametrize("latency", [0.02, 0.08, 0.1])
def test_a_hidden_rate_is_found_soon(window: tuple[int, float], latency: float) -> None:
    count, seconds = window
    for seed in range(4):
        rate = (30.0, 0.0)[(seed + count) % 2]
        server = Server(window=window, takes=fixed(latency))
        run = simulate(tasks(150), server, rate=rate, seed=seed)
        assert 150 / run.seconds >= 0.85 * count / seconds
        assert run.wasted <= 80


@pytest.mark.parametrize("window", HIDDEN)
@pytest.mark.parametrize(("latency", "rate"), [(0.02, 30.0), (0.1, 0.0), (0.1, 30.0), (0.4, 0.0)])
def test_a_hidden_rate_is_found_and_kept(window: tuple[int, float], latency: float, rate: float) -> None:
    count, seconds = window
    run = simulate(tasks(1000), Server(window=window, takes=fixed(latency)), rate=rate)
    assert 1000 / run.seconds >= 0.90 * count / seconds
    assert run.wasted <= 40


def test_a_window_shared_with_another_run_is_shared() -> None:
    server = Server(window=DOCUMENTED)
    server.arrivals["a"] = deque([-1.0] * 100)
    run = simulate(tasks(2000), server)
    assert run.wasted <= 20
    assert run.seconds <= 1.25 * bound(2000)


def test_429_for_ever_on_a_lane_is_not_hammered() -> None:
    run = simulate(tasks(5000), Server(window=(0, 5.0)), until=600.0)
    assert run.results == []
    assert run.sent <= 60


@pytest.mark.parametrize("window", [(10, 5.0), None])
def test_retry_after_is_honoured(window: tuple[int, float] | None) -> None:
    ceiling = (lambda now: 2) if window is None else (lambda now: NEVER)
    server = Server(window=window, ceiling=ceiling, retry_after=3.0)
    run = simulate(tasks(100), server, rate=0)
    assert len(run.results) == 100
    first = min(when for when in run.done_at if when > 1.0)
    assert first >= 3.0


def test_what_was_never_sent_takes_no_slot() -> None:
    gate = RateGate(1.0, random=lambda: 0.5)
    for _ in range(20):
        assert gate.wait(0.0) == 0
        gate.unsent(gate.start(0.0))
    for _ in range(5):
        gate.start(0.0)
    assert gate.wait(0.0) >= 5.0


def test_a_lost_answer_takes_its_slot_for_a_whole_window() -> None:
    gate = RateGate(0.2, random=lambda: 0.5)
    gate.lost(gate.start(0.0))
    assert 5.0 < gate.wait(0.0) < 5.5


def test_a_window_outlives_a_run_of_the_engine() -> None:
    gates = Gates(30.0, random=lambda: 0.5)
    simulate(tasks(150), Server(window=DOCUMENTED), gates=gates)
    assert gates.wait("a", 1.0) > 3.0
    assert gates.wait("b", 1.0) == 0.0


def test_a_lane_that_was_idle_is_not_held_to_the_little_it_sent() -> None:
    gate = RateGate(30.0, random=lambda: 0.5)
    for second in range(0, 60, 5):
        gate.answered(gate.start(second), second, second + 0.1)
    gate.throttled(gate.start(60), 60, 60.1)
    now = 61.0
    for _ in range(1000):
        now += gate.wait(now)
        gate.answered(gate.start(now), now, now + 0.1)
    assert gate._paced is None or gate._paced > 20.0
    assert now < 150.0


@dataclass
class SharedServer(Server):
    """Another run takes two thirds of the window between ``start`` and ``end``."""

    start: float = 10.0
    end: float = 40.0
    taken_at: float = 0.0

    def admit(self, lane: str, now: float) -> Throttled | None:
        others = self.arrivals.setdefault(lane, deque())
        self.taken_at = max(self.taken_at, self.start)
        while self.taken_at <= min(now, self.end):
            if len([when for when in others if when > self.taken_at - 5.0]) < 150:
                others.append(self.taken_at)
            self.taken_at += 0.05
        return super().admit(lane, now)


def test_the_pace_comes_back_when_a_shared_window_frees() -> None:
    run = simulate(tasks(6000), SharedServer(window=DOCUMENTED))
    assert per_second(run, 20, 40) >= 5
    assert per_second(run, 160, 200) >= 0.9 * 30
    assert run.wasted <= 40


@pytest.mark.parametrize("share", [0.03, 0.3])
def test_each_429_is_believed(share: float) -> None:
    """Also those that have no reason: each slows the lane down, and all is done in the end."""
    run = simulate(tasks(400), Server(at_random=share, rng=random.Random(1)))
    assert len(run.done_at) == 400
    assert run.rejected <= 1.5 * 400 * share / (1 - share) + 10


def test_429s_by_chance_cost_little() -> None:
    """Of 400 adds every tenth is turned away for the account's sake: done within two minutes."""
    fates = iter(random.Random(1).random() < 0.1 for _ in range(10_000))
    turned = Throttled("concurrency", None, ThrottledError("429"))
    run = simulate(
        tasks(400),
        Server(window=DOCUMENTED),
        fate=lambda task, now: turned if next(fates) else Done("added"),
    )
    assert len(run.done_at) == 400
    assert run.seconds <= 120.0


def test_at_the_end_of_a_run_there_is_no_pace() -> None:
    """Little is still to be sent: it keeps to the window, and waits for nothing else for long."""
    gate = RateGate(30.0, random=lambda: 0.5)
    gate.answered(gate.start(0.0), 0.0, 0.1)
    gate.throttled(gate.start(0.2), 0.2, 0.3, retry_after=250.0)
    assert gate.wait(0.4) > 200
    gate.hurry(0.4)
    assert gate.wait(0.4) == pytest.approx(0.1)
    for _ in range(148):
        assert gate.wait(0.6) == 0
        gate.start(0.6)
    assert gate.wait(0.6) > 4.0
