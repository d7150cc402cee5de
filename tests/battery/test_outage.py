"""A server that fails for ever: 7 however many numbers were given, and no more traffic than an outage can bear."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections import Counter
from collections.abc import Callable
from typing import NoReturn

import pytest

from proxyctl.sandbox.server.faults import Scripted
from proxyctl.sandbox.world.seed import seed_numbers
from tests.battery.scene import DONE, Scene

VERBS = ("add", "reserve", "remove")
IN_A_ROW = 20  # failures without one good answer between them


def outage(stage: Scene, *, first: int = 1, fault: str = "503") -> None:
    """Every write fails from the ``first`` on."""
    stage.script(*(Scripted(fault, method, first=first, times=None) for method in ("POST", "DELETE")))


def command(stage: Scene, verb: str, count: int, *options: str) -> tuple[str, ...]:
    stage.numbers += seed_numbers(stage.store, max(0, count - len(stage.numbers)), seed=2)
    stage.numbers = stage.numbers[:count]
    return stage.command(verb, "--rate", "0", *options)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("count", "retries"), [(1, ()), (1, ("--retries", "0")), (3, ("--retries", "0")), (40, ())]
)
def test_nothing_could_be_done(stage: Scene, verb: str, count: int, retries: tuple[str, ...]) -> None:
    line = command(stage, verb, count, *retries)
    outage(stage)
    ran = stage.run(*line)
    assert ran.code == 7, ran.err
    assert "the same command again" in ran.err
    assert set(ran.counts) <= {"failed", "unknown", "skipped"}


@pytest.mark.parametrize("verb", VERBS)
def test_something_was_done_before(stage: Scene, verb: str) -> None:
    line = command(stage, verb, 6, "--concurrency", "1")
    outage(stage, first=3)
    ran = stage.run(*line)
    assert ran.code == 6, ran.err
    assert ran.counts[DONE[verb]] == 2


@pytest.mark.parametrize(
    ("verb", "options", "most"),
    [
        *((verb, ("--retries", "0", "--concurrency", "1"), IN_A_ROW) for verb in VERBS),
        ("reserve", ("--retries", "0"), 2 * IN_A_ROW),
        ("reserve", (), 2 * IN_A_ROW),
    ],
)
def test_it_stops_after_20_in_a_row(stage: Scene, verb: str, options: tuple[str, ...], most: int) -> None:
    """100 numbers do not make 100 requests: what is under way at the 20th is all that follows, and the budget of
    repeats, 10 % and 10, is for all of it.
    """
    line = command(stage, verb, 100, *options)
    outage(stage)
    ran = stage.run(*line)
    assert ran.code == 7, ran.err
    assert len(stage.writes) <= most
    assert ran.counts["skipped"] >= 100 - most


# What becomes of the reads that verify


def by_sid(stage: Scene, *options: str) -> tuple[str, ...]:
    path = stage.directory / "sids.txt"
    path.write_text("\n".join(row["sid"] for row in stage.numbers))
    return ("number", "add", stage.service, "-f", str(path), "--reserved", *options)


@pytest.mark.parametrize("named", [Scene.add, by_sid], ids=["by number", "by SID"])
def test_everything_hangs(stage: Scene, named: Callable[..., tuple[str, ...]]) -> None:
    """Each is verified once a round, and no round tries again within itself."""
    stage.numbers = stage.numbers[:4]
    stage.script(
        Scripted("timeout", "POST", times=None),
        Scripted("timeout", "GET", "/PhoneNumbers", first=2, times=None),
    )
    ran = stage.run(*named(stage, "--timeout", "0.1"))
    assert ran.code == 7, ran.err
    assert ran.counts == {"unknown": 4}
    assert len(stage.writes) == 4
    asked = Counter(entry.path for entry in stage.reads)
    assert max(asked.values()) <= 6


@pytest.mark.parametrize("named", [Scene.add, by_sid], ids=["by number", "by SID"])
def test_credentials_refused_while_lost_answers_are_verified(
    stage: Scene, named: Callable[..., tuple[str, ...]]
) -> None:
    stage.script(
        Scripted("reset-after", "POST", times=None),
        Scripted("401", "GET", "/PhoneNumbers", first=2, times=None),
    )
    ran = stage.run(*named(stage))
    assert ran.code == 3, ran.err
    assert set(ran.counts) == {"unknown", "skipped"}
    assert 1 <= [entry.sent for entry in stage.reads].count(401) <= 4


@pytest.mark.parametrize(("verb", "ends"), [("reserve", "failed"), ("remove", "unchanged")])
def test_numbers_that_somebody_else_removes(stage: Scene, verb: str, ends: str) -> None:
    """The Service is asked for once for a burst of them, and again after five."""
    line = command(stage, verb, 40)

    def others() -> None:
        with stage.store.writing() as db:
            db.execute("DELETE FROM pool")

    stage.act_before_the_first_write(others)
    ran = stage.run(*line)
    assert ran.counts == {ends: 40}, ran.err
    services = [entry for entry in stage.reads if entry.path == f"/v1/Services/{stage.service}"]
    assert 1 <= len(services) <= 1 + 40 / 5
    assert stage.throttled == 0


def test_a_deadline_leaves_what_is_under_way_8_seconds(stage: Scene) -> None:
    line = command(stage, "reserve", 10, "--deadline", "2s", "--timeout", "60")
    stage.clock.factor = 10.0
    stage.script(Scripted("timeout", "POST", first=3, times=None))
    began = time.monotonic()
    ran = stage.run(*line)
    assert (ran.code, ran.counts) == (6, {"reserved": 2, "unknown": 4, "skipped": 4}), ran.err
    assert 0.9 <= time.monotonic() - began < 3.0


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
@pytest.mark.parametrize(
    "line", [("service", "list"), ("service", "create", "new"), ("pool", "status", "--all")]
)
def test_files_that_have_run_out(
    stage: Scene, monkeypatch: pytest.MonkeyPatch, number: int, line: tuple[str, ...]
) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(socket, "create_connection", refuse)
    ran = stage.run(*line, "--retries", "1")
    assert ran.code == 7
    assert "too many files are open" in ran.error["message"]
    assert "ulimit -n" in ran.error["hint"]
    assert stage.ledger.entries == []
