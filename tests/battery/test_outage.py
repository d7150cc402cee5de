"""A server that fails for ever: 7 however many numbers were given, and no more traffic than an outage can bear."""

from __future__ import annotations

from collections import Counter

import pytest

from proxyctl.sandbox.server.faults import Scripted
from proxyctl.sandbox.world.seed import seed_numbers
from tests.battery.scene import Scene
from tests.support import Ran

VERBS = ("add", "reserve", "remove")
IN_A_ROW = 20  # failures without one good answer between them


def outage(stage: Scene, *, first: int = 1, fault: str = "503") -> None:
    """Every write fails from the ``first`` on."""
    stage.script(*(Scripted(fault, method, first=first, times=None) for method in ("POST", "DELETE")))


def command(stage: Scene, verb: str, count: int, *options: str) -> tuple[str, ...]:
    stage.numbers = stage.numbers[:count]
    if verb == "add":
        return stage.add("--rate", "0", *options)
    stage.fill(stage.numbers, reserved=False)
    return stage.verb(verb, "--yes", "--rate", "0", *options)


def actions(ran: Ran) -> Counter[str]:
    return Counter(row["action"] for row in ran.rows)


@pytest.mark.parametrize("count", [1, 2, 3, 40])
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("retries", [(), ("--retries", "0")], ids=["retries", "no retries"])
def test_nothing_could_be_done(stage: Scene, verb: str, count: int, retries: tuple[str, ...]) -> None:
    line = command(stage, verb, count, *retries)
    outage(stage)
    ran = stage.run(*line)
    assert ran.code == 7, ran.err
    assert "the same command again" in ran.err
    assert set(actions(ran)) <= {"failed", "unknown", "skipped"}


@pytest.mark.parametrize("count", [2, 3])
def test_named_as_arguments_it_is_the_same(stage: Scene, count: int) -> None:
    outage(stage)
    sids = [row["sid"] for row in stage.numbers[:count]]
    ran = stage.run("number", "add", stage.service, *sids, "--retries", "0")
    assert ran.code == 7, ran.err


@pytest.mark.parametrize("verb", VERBS)
def test_something_was_done_before(stage: Scene, verb: str) -> None:
    line = command(stage, verb, 6, "--concurrency", "1")
    outage(stage, first=3)
    ran = stage.run(*line)
    assert ran.code == 6, ran.err
    done = {"add": "added", "reserve": "reserved", "remove": "removed"}[verb]
    assert actions(ran)[done] == 2


@pytest.mark.parametrize("verb", VERBS)
def test_it_stops_after_20_in_a_row(stage: Scene, verb: str) -> None:
    """Without retries too: 100 numbers do not make 100 requests."""
    stage.numbers = [*stage.numbers, *seed_numbers(stage.store, 60, seed=2)]
    line = command(stage, verb, 100, "--retries", "0", "--concurrency", "1")
    outage(stage)
    ran = stage.run(*line)
    assert ran.code == 7, ran.err
    assert len(stage.writes) <= IN_A_ROW
    assert actions(ran)["skipped"] >= 80


@pytest.mark.parametrize("options", [(), ("--retries", "0")], ids=["retries", "no retries"])
def test_what_is_under_way_at_the_20th_is_all_that_follows(stage: Scene, options: tuple[str, ...]) -> None:
    """In parallel, and with retries: the budget of repeats, 10 % and 10, is for all of it."""
    stage.numbers = [*stage.numbers, *seed_numbers(stage.store, 60, seed=2)]
    line = command(stage, "reserve", 100, *options)
    outage(stage)
    ran = stage.run(*line)
    assert ran.code == 7, ran.err
    assert len(stage.writes) <= 2 * IN_A_ROW


def test_one_good_answer_begins_the_count_anew(stage: Scene) -> None:
    """Every tenth write works: the run goes on to its end, and its failures are told."""
    line = command(stage, "reserve", 40, "--retries", "0", "--concurrency", "1")
    stage.script(*(Scripted("503", "POST", first=turn, times=9) for turn in range(1, 41, 10)))
    ran = stage.run(*line)
    assert ran.code == 6, ran.err
    assert actions(ran) == {"failed": 36, "reserved": 4}
