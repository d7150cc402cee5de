"""The gates against servers with known and hidden limits, in simulated time."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass

import pytest

from proxyctl.bulk.chance import Chance
from proxyctl.bulk.outcomes import Throttled
from proxyctl.bulk.pace import NEVER, ConcurrencyGate, Pause, RateGate, RateGates
from tests.bulk.simulation import Run, Server, between, fixed, simulate, works

DOCUMENTED = (150, 5.0)


def bound(count: int) -> float:
    """The least time the documented window allows from the first write to the last."""
    return 5.0 * ((count - 1) // 150)


def per_second(run: Run, start: float, end: float) -> float:
    return sum(start <= when < end for when in run.done_at) / (end - start)


@pytest.mark.parametrize(("up", "down"), [(0.0, 0.0), (0.02, 0.02)])
def test_the_documented_window_is_used_up_and_never_passed(up: float, down: float) -> None:
    server = Server(window=DOCUMENTED, up=fixed(up), work=fixed(0.08 - up - down), down=fixed(down))
    run = simulate(works(3075), server)
    assert run.rejected == 0
    assert bound(3075) <= run.seconds <= 1.01 * bound(3075)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("lag", [fixed(0.0), between(0.0, 0.08)])
def test_jitter_on_the_way_does_not_press_two_bursts_together(seed: int, lag: object) -> None:
    server = Server(window=DOCUMENTED, up=between(0.01, 0.08), work=fixed(0.03), rng=random.Random(seed))
    run = simulate(works(3075), server, lag=lag)  # type: ignore[arg-type]
    assert run.wasted <= 5.0
    assert run.seconds <= 1.03 * bound(3075)


def test_ten_lanes_take_as_long_as_one() -> None:
    alone = simulate(works(1000), Server(window=DOCUMENTED))
    lanes = [f"service {number}" for number in range(10)]
    ten = simulate(works(1000, lanes), Server(window=DOCUMENTED))
    assert len(ten.results) == 10_000
    assert ten.seconds <= 1.10 * alone.seconds


def test_rate_zero_is_no_gate() -> None:
    run = simulate(works(2000), Server(work=fixed(0.08)), rate=0, ceiling=50)
    assert run.seconds <= 2000 * 0.08 / 50 / 0.9


def test_a_slow_rate_of_ones_own_is_kept() -> None:
    run = simulate(works(31), Server(window=(1, 5.0)), rate=0.2)
    assert run.rejected == 0
    assert run.seconds == pytest.approx(150, rel=0.01)


@pytest.mark.parametrize("window", [(25, 5.0), (5, 1.0)])
@pytest.mark.parametrize("latency", [0.02, 0.1, 0.4])
@pytest.mark.parametrize("rate", [30.0, 0.0])
def test_a_hidden_rate_is_found_and_kept(window: tuple[int, float], latency: float, rate: float) -> None:
    run = simulate(works(1000), Server(window=window, work=fixed(latency)), rate=rate)
    assert 1000 / run.seconds >= 0.90 * 5
    assert run.wasted <= 40


def test_a_window_shared_with_another_run_is_shared() -> None:
    server = Server(window=DOCUMENTED)
    server.arrivals["a"] = deque([-1.0] * 100)
    run = simulate(works(2000), server)
    assert run.wasted <= 20
    assert run.seconds <= 1.25 * bound(2000)


@pytest.mark.parametrize(
    ("limit", "count", "waste"), [(1, 1000, 50), (5, 1000, 10), (20, 4000, 10), (50, 5000, 10)]
)
@pytest.mark.parametrize("reject", [None, fixed(0.005)])
@pytest.mark.parametrize("latency", [fixed(0.1), between(0.05, 0.15)])
def test_a_hidden_concurrency_is_found_and_kept(
    limit: int, count: int, waste: int, reject: object, latency: object
) -> None:
    server = Server(ceiling=lambda now: limit, work=latency, reject=reject)  # type: ignore[arg-type]
    run = simulate(works(count), server, rate=0)
    assert run.wasted <= waste
    assert run.seconds <= 1.1 * count * 0.1 / limit


@pytest.mark.parametrize(
    ("limit", "count", "waste"), [(2, 1000, 15), (5, 1000, 10), (20, 4000, 10), (50, 5000, 15)]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_requests_that_overtake_each_other_do_not_hide_the_limit(
    limit: int, count: int, waste: int, seed: int
) -> None:
    """The one that is turned away may be the first that was sent: its place in the row says nothing."""
    way = between(0.005, 0.03)
    server = Server(ceiling=lambda now: limit, up=way, work=fixed(0.1), down=way, rng=random.Random(seed))
    run = simulate(works(count), server, rate=0, seed=seed)
    assert run.wasted <= waste
    assert run.seconds <= 1.2 * count * 0.135 / limit


def test_the_benchmark_of_five_at_a_time() -> None:
    run = simulate(works(600), Server(ceiling=lambda now: 5, work=fixed(0.1)), rate=0)
    assert run.rejected <= 6
    assert run.seconds <= 600 * 0.1 / 5 / 0.9


def test_a_limit_that_falls_and_rises_again() -> None:
    server = Server(ceiling=lambda now: 8 if 20 <= now < 60 else 30, work=fixed(0.1))
    run = simulate(works(30_000), server, rate=0)
    assert per_second(run, 10, 20) >= 0.95 * 300
    assert per_second(run, 25, 60) >= 0.95 * 80
    assert per_second(run, 95, 105) >= 0.95 * 300
    assert run.wasted <= 10


def test_429_for_ever_is_not_hammered() -> None:
    run = simulate(works(5000), Server(ceiling=lambda now: 0), until=600.0)
    assert run.results == []
    assert run.sent <= 60


def test_429_for_ever_on_a_lane_is_not_hammered() -> None:
    run = simulate(works(5000), Server(window=(0, 5.0)), until=600.0)
    assert run.results == []
    assert run.sent <= 60


@pytest.mark.parametrize("window", [(10, 5.0), None])
def test_retry_after_is_honoured(window: tuple[int, float] | None) -> None:
    ceiling = (lambda now: 2) if window is None else (lambda now: NEVER)
    server = Server(window=window, ceiling=ceiling, retry_after=3.0)
    run = simulate(works(100), server, rate=0)
    assert len(run.results) == 100
    first = min(when for when in run.done_at if when > 1.0)
    assert first >= 3.0


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
    cuts = [gate.throttled(place, 0.1) for place in reversed(places[30:])]
    assert cuts == [True] + [False] * 9
    assert gate.limit == 28
    assert 0 < gate.wait(0.1) <= 0.25


def test_pauses_double_to_half_a_minute_half_of_each_random() -> None:
    least, most = Pause(lambda: 0.0), Pause(lambda: 1.0)
    assert [least.next() for _ in range(3)] == [0.125, 0.25, 0.5]
    assert [most.next() for _ in range(12)][-1] == 30.0


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
    gates = RateGates(30.0, random=lambda: 0.5)
    simulate(works(150), Server(window=DOCUMENTED), gates=gates)
    assert gates("a").wait(1.0) > 3.0
    assert gates("b").wait(1.0) == 0.0


def test_a_lane_that_was_idle_is_not_held_to_the_little_it_sent() -> None:
    gate = RateGate(30.0, random=lambda: 0.5)
    for second in range(0, 60, 5):
        gate.answered(gate.start(second), second, second + 0.1)
    gate.throttled(gate.start(60), 60, 60.1)
    now = 61.0
    for _ in range(1000):
        now += gate.wait(now)
        gate.answered(gate.start(now), now, now + 0.1)
    assert gate.paced is None or gate.paced > 20.0
    assert now < 150.0


@pytest.mark.parametrize(("chance", "longer"), [(0.03, 1.3), (0.1, 1.6), (0.3, 2.5)])
@pytest.mark.parametrize("window", [None, DOCUMENTED])
@pytest.mark.parametrize("count", [400, 2000])
def test_429s_that_come_by_chance_cost_little(
    chance: float, longer: float, window: tuple[int, float] | None, count: int
) -> None:
    without = simulate(works(count), Server(window=window)).seconds
    for seed in range(5):
        server = Server(window=window, chance=chance, rng=random.Random(seed))
        run = simulate(works(count), server, seed=seed)
        assert len(run.done_at) == count
        assert run.seconds <= longer * without
        assert run.rejected <= 1.2 * count * chance / (1 - chance) + 30


@pytest.mark.parametrize("ceiling", [1, 4])
@pytest.mark.parametrize(("chance", "longer"), [(0.03, 1.1), (0.1, 1.3), (0.3, 2.0)])
def test_429s_by_chance_are_told_with_few_requests_under_way(
    chance: float, longer: float, ceiling: int
) -> None:
    without = simulate(works(400), Server(), ceiling=ceiling).seconds
    for seed in range(5):
        run = simulate(works(400), Server(chance=chance, rng=random.Random(seed)), ceiling=ceiling, seed=seed)
        assert run.seconds <= longer * without


def test_a_true_window_and_429s_by_chance() -> None:
    """Five in a hundred come by chance; the rest, the window's own, stay away as they do without."""
    server = Server(window=DOCUMENTED, chance=0.05, up=between(0.01, 0.03), rng=random.Random(3))
    run = simulate(works(3075), server)
    assert run.seconds <= 1.15 * bound(3075)
    assert run.wasted <= 53 + 15


@pytest.mark.parametrize("window", [(25, 5.0), (5, 1.0)])
def test_a_hidden_rate_is_found_among_429s_by_chance(window: tuple[int, float]) -> None:
    for seed in range(4):
        server = Server(window=window, work=fixed(0.1), chance=0.05, rng=random.Random(seed))
        run = simulate(works(1000), server, seed=seed)
        assert 1000 / run.seconds >= 0.7 * 5
        assert run.rejected <= 1000


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
    run = simulate(works(6000), SharedServer(window=DOCUMENTED))
    assert per_second(run, 20, 40) >= 5
    assert per_second(run, 160, 200) >= 0.9 * 30
    assert run.wasted <= 40


def test_a_run_of_429s_is_the_rates_whatever_came_before() -> None:
    chance = Chance()
    for number in range(40):
        chance.saw(number % 10 == 0)
    chance.learn()
    assert chance.share == pytest.approx(0.1, abs=0.01)
    assert not (chance.excess or chance.in_a_row)
    for _ in range(5):
        chance.saw(True)
    assert chance.in_a_row


def test_a_share_that_is_over_is_forgotten() -> None:
    chance = Chance()
    chance.saw(True)
    chance.learn()
    for _ in range(700):
        chance.saw(False)
    assert chance.share == 0.0
