"""The platform's limits: the documented window, the hidden ceiling, and every Retry-After that a server may send."""

from __future__ import annotations

import itertools
import re
import sys
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from proxyctl.clock import SystemClock
from proxyctl.sandbox.context import ApiError, problem
from proxyctl.sandbox.server.faults import Scripted
from proxyctl.sandbox.server.rate_limit import SlidingWindow
from tests.battery.scene import Scene, scene

SLOWER = 10.0  # the factor of time: more, and what a busy machine adds would pass for seconds
WINDOW = 5 / SLOWER - 0.06  # the server forgives 60 ms of that noise


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Scene]:
    """100 numbers, and time ten times as fast."""
    with scene(tmp_path, 100, factor=SLOWER) as ready:
        yield ready


def turn_away(stage: Scene, code: int, times: int | None = None) -> None:
    """Answer ``times`` writes with 429 (None: all), the tenth first."""
    count = itertools.count(1)
    turned = range(10, 10 + times if times else sys.maxsize)
    stage.front.answer = lambda request: (
        problem(ApiError(code)) if request.method == "POST" and next(count) in turned else None
    )


def test_the_documented_window(crowd: Scene) -> None:
    """Scaled to 8 a second, 40 in any 5 s: bursts that fill the window, and hardly a 429."""
    crowd.policies.window = SlidingWindow(seconds=WINDOW, burst=40)
    crowd.ok(*crowd.add("--rate", "8"))
    assert crowd.throttled <= 4
    crowd.keeps_its_promises(crowd.add("--rate", "8"), crowd.everything())


@pytest.mark.parametrize("ceiling", [1, 5])
def test_a_hidden_ceiling(crowd: Scene, ceiling: int) -> None:
    crowd.policies.concurrency.ceiling = ceiling
    crowd.policies.latency = 0.01 * ceiling  # long enough to be met
    ran = crowd.ok(*crowd.add("--rate", "0"))
    assert set(ran.counts) == {"added"}
    assert 0 < crowd.throttled <= 40
    assert crowd.policies.concurrency.most >= min(ceiling, 4)
    crowd.keeps_its_promises(crowd.add(), crowd.everything())


def test_one_at_a_time_also_where_answers_are_lost(crowd: Scene) -> None:
    """What is looked up for a write takes no second place, and waits for none."""
    some = crowd.numbers[:10]
    crowd.policies.concurrency.ceiling = 1
    crowd.script(Scripted("reset-after", "POST", first=3, times=3))
    command = crowd.add("--concurrency", "1", numbers=some)
    crowd.ok(*command)
    assert (crowd.throttled, crowd.policies.concurrency.most) == (0, 1)
    crowd.keeps_its_promises(command, {row["sid"]: True for row in some})


@pytest.mark.parametrize(("code", "asked"), [(20429, "3"), (80621, "date")])
def test_retry_after_is_honoured(crowd: Scene, code: int, asked: str) -> None:
    number = crowd.numbers[:20]
    crowd.policies.retry_after = formatdate(time.time() + 4.5, usegmt=True) if asked == "date" else asked
    turn_away(crowd, code, times=1)
    ran = crowd.ok(*crowd.add(numbers=number))
    assert "1 retry" in ran.err
    arrivals = crowd.front.arrivals
    pauses = [later - sooner for sooner, later in itertools.pairwise(arrivals)]
    assert max(pauses) * SLOWER >= 2.5
    crowd.keeps_its_promises(crowd.add(numbers=number), {row["sid"]: True for row in number})


@pytest.mark.parametrize("code", [20429, 80621])
def test_retry_after_that_is_too_long(stage: Scene, code: int) -> None:
    stage.policies.retry_after = "2099"
    turn_away(stage, code)
    ran = stage.run(*stage.add())
    assert ran.code == 7
    assert "2099 s" in ran.err
    assert ran.counts == {"added": 9, "skipped": len(stage.numbers) - 9}
    assert stage.throttled <= 20
    stage.keeps_its_promises(stage.add(), stage.everything())


@pytest.mark.parametrize("code", [20429, 80621])
def test_429_for_ever(stage: Scene, code: int) -> None:
    turn_away(stage, code)
    ran = stage.run(*stage.add("--deadline", "60s"))
    assert ran.code == 7
    assert ran.error["kind"] == "deadline"
    assert ran.counts == {"added": 9, "skipped": len(stage.numbers) - 9}
    assert stage.throttled <= 60
    stage.keeps_its_promises(stage.add(), stage.everything())


@pytest.mark.parametrize(
    ("ours", "by", "options"),
    [
        (True, "phone_number", ()),
        (True, "sid", ("--concurrency", "1")),
        (False, "phone_number", ("--concurrency", "1")),
        (False, "sid", ()),
    ],
)
def test_one_list_says_what_80104_means_for_many(
    tmp_path: Path, by: str, ours: bool, options: tuple[str, ...]
) -> None:
    """60 numbers that somebody else adds to a pool of 2,600 meanwhile: the pool is read twice, not 60 times."""
    with scene(tmp_path, 2660, factor=1.0) as stage:
        some = stage.numbers[:60]
        stage.fill(stage.numbers[60:], reserved=False)
        if ours:
            stage.act_before_the_first_write(lambda: stage.fill(some, reserved=True))
        else:
            stage.front.answer = lambda sent: problem(ApiError(80104)) if sent.method == "POST" else None
        path = tmp_path / "some.csv"
        path.write_text("\n".join([by, *(row[by] for row in some)]))
        ran = stage.run("number", "add", stage.service, "-f", str(path), "--reserved", *options)
        assert ran.code == (0 if ours else 6), ran.err
        assert {row["action"] for row in ran.rows} == {"unchanged" if ours else "failed"}
        assert (len(stage.writes), stage.throttled) == (60, 0)
        assert len(stage.reads) <= 90


@pytest.mark.long
@pytest.mark.parametrize(("count", "seconds"), [(1, 0.2), (3, 1.0)])
def test_a_hidden_rate_in_real_time(tmp_path: Path, count: int, seconds: float) -> None:
    """A limit that nobody documents. The exact figures are held in simulated time; a busy machine comes near them."""
    with scene(tmp_path, 150) as stage:
        stage.cli.clock = SystemClock()
        stage.policies.window = SlidingWindow(seconds=seconds, burst=count)
        stage.policies.latency = 0.08
        stage.ok(*stage.add())
        assert stage.throttled <= 30
        arrivals = stage.front.arrivals
        assert 150 / (arrivals[-1] - arrivals[0]) >= 0.7 * count / seconds


@pytest.mark.long
def test_the_documented_window_in_real_time(tmp_path: Path) -> None:
    """615 adds at 80 ms: four windows, 20 s, and at most 0.5 % answered 429."""
    with scene(tmp_path, 615) as stage:
        stage.cli.clock = SystemClock()
        stage.policies.window = SlidingWindow()
        stage.policies.latency = 0.08
        ran = stage.ok(*stage.add())
        assert stage.throttled <= 3
        arrivals = stage.front.arrivals
        assert arrivals[-1] - arrivals[0] <= 1.03 * 20.0
        assert re.search(r"added 615, failed 0 in 2[01]s", ran.err)
        stage.keeps_its_promises(stage.add(), stage.everything())
