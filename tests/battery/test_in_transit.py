"""Moves that are refused, throttled, stopped or cut short: no number stays without a pool, whatever happens."""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxyctl.sandbox.context import ApiError, Request, Response, problem
from tests.battery.live import changed, end, start
from tests.battery.transit import MOST, VERBS, Crossing, crossing, forbidden, full, throttled

REFUSALS = {"80601": lambda: problem(ApiError(80601)), "403": forbidden}


@pytest.fixture
def many(tmp_path: Path) -> Iterator[Crossing]:
    """40 moves: four times as many as may be in transit."""
    with crossing(tmp_path, 40) as ready:
        yield ready


@pytest.fixture
def some(tmp_path: Path) -> Iterator[Crossing]:
    """30 moves."""
    with crossing(tmp_path) as ready:
        yield ready


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kinds", [1, 2])
def test_a_target_that_is_full_from_the_start(many: Crossing, verb: str, kinds: int) -> None:
    """One number of each kind leaves and comes back; the others stay where they are."""
    many.mixed = kinds == 2
    command = many.command(verb)
    many.refuse = lambda request: full() if many.is_add(request, many.other) else None
    ran = many.stage.run(*command)
    assert ran.code in (5, 6)
    assert (len(many.removals()), many.most) == (kinds, 1)
    assert (many.stage.pool(), many.outside) == (many.flags, set())
    assert ran.counts == {"failed": kinds, "skipped": len(many.flags) - kinds}
    for failed in (row for row in ran.rows if row["action"] == "failed"):
        assert failed["error"]["code"] == 80622
        assert "put back" in failed["error"]["message"]
    many.arrives(command)


@pytest.mark.parametrize(("for_ever", "verb"), [(True, "move"), *((False, verb) for verb in VERBS)])
def test_throttled_until_the_deadline(tmp_path: Path, verb: str, for_ever: bool) -> None:
    """Nine adds in ten are answered 429, or from some moment on all, ways back too, while removals work."""
    with crossing(tmp_path, 40, standing=True) as many:
        command = many.command(verb, "--deadline", "6s")
        chance, turn = random.Random(1), iter(range(10_000))

        def turned_away() -> bool:
            return next(turn) >= 15 if for_ever else chance.random() < 0.9

        many.refuse = lambda request: throttled() if many.is_add(request) and turned_away() else None
        ran = many.stage.run(*command)
        assert ran.code in (6, 7), ran.err
        assert len(many.outside) <= MOST and many.most <= MOST
        assert for_ever or ran.counts["skipped"] >= 1
        many.names_what_is_outside(ran)
        many.arrives(command[:-2])


@pytest.mark.parametrize("verb", VERBS)
def test_stopped_at_the_first_error(many: Crossing, verb: str) -> None:
    """One number is refused, and comes back; what was in transit by then arrives or comes back."""
    command = many.command(verb, "--max-errors", "1")
    refused = many.stage.numbers[20]["sid"]
    many.refuse = lambda request: (
        problem(ApiError(80601))
        if many.is_add(request, many.other) and many.names(request, refused)
        else None
    )
    ran = many.stage.run(*command)
    assert ran.code == 6, ran.err
    assert many.outside == set()
    assert many.most <= MOST
    assert refused in many.stage.pool()
    told = ran.counts
    assert told["failed"] == 1
    assert told["moved"] == len(many.stage.pool(many.other))
    many.arrives(command[:-2])


@pytest.mark.parametrize("code", REFUSALS)
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("arrived", [0, 15])
def test_adds_are_refused_from_some_moment_on(many: Crossing, verb: str, code: str, arrived: int) -> None:
    """Ways back included, which ends the departures: 1 number is out when it was so from the start."""
    command = many.command(verb)
    turn = iter(range(1000))
    many.refuse = lambda request: REFUSALS[code]() if many.is_add(request) and next(turn) >= arrived else None
    ran = many.stage.run(*command)
    assert ran.code not in (0, 1, 7), ran.err
    assert len(many.outside) <= (MOST if arrived else 1)
    assert ran.counts["moved"] == len(many.stage.pool(many.other)) == arrived
    many.names_what_is_outside(ran)
    many.arrives(command)


@pytest.mark.parametrize("verb", VERBS)
def test_adds_fail_from_midway_on_and_then_work_again(some: Crossing, verb: str) -> None:
    """Each add answers 503 a few times, before its effect."""
    command = some.command(verb)
    tries: Counter[str] = Counter()

    def refuse(request: Request) -> Response | None:
        if not some.is_add(request, some.other):
            return None
        name = str(request.form)
        tries[name] += 1
        return problem(ApiError(20503)) if tries[name] == 1 and len(tries) % 5 == 0 else None

    some.refuse = refuse
    ran = some.stage.run(*command)
    assert ran.code == 0, ran.err
    assert some.most <= MOST
    assert (some.stage.pool(), some.stage.pool(some.other)) == ({}, some.flags)
    some.added_once()


# A disk that is full


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("lines", [(12, 3), (41, 4)])
def test_the_disk_fills_up_midway(some: Crossing, verb: str, lines: tuple[int, int]) -> None:
    """Ways back are sent although they can't be recorded; the advised second run leaves no number out either."""
    command = some.command(verb)
    for count in lines:
        ran = changed(some.stage, f"full={count}", *command)
        assert ran.code == 1, ran.err
        assert some.outside == set(), ran.err
    some.arrives(command)


# Signals


@pytest.mark.parametrize("verb", VERBS)
def test_interrupted_while_numbers_are_in_transit(some: Crossing, verb: str) -> None:
    """Once stopped, requests that put a number back are the only ones that start."""
    command = some.command(verb)
    processes = []

    def refuse(request: Request) -> Response | None:
        if some.is_add(request, some.other) and len(some.stage.pool(some.other)) >= 10 and processes:
            processes.pop().send_signal(signal.SIGTERM)
        return None

    some.stage.policies.latency = 0.05
    process = start(some.stage, *command)
    processes.append(process)
    some.refuse = refuse
    ran = end(some.stage, process)
    assert ran.code == 143, ran.err
    assert some.outside == set()
    assert some.most <= MOST
    assert ran.counts["moved"] == len(some.stage.pool(some.other)) < len(some.flags)
    some.stage.policies.latency = 0.0
    some.arrives(command)


# Two machines


def test_another_machine_takes_the_number_elsewhere(some: Crossing) -> None:
    """The loser says where the number is."""
    third = some.stage.new_service("third")
    taken = some.stage.numbers[5]["sid"]
    command = some.command("move")

    def refuse(request: Request) -> Response | None:
        if some.is_add(request, some.other) and some.names(request, taken) and not some.stage.pool(third):
            some.stage.other("POST", f"/v1/Services/{third}/PhoneNumbers", Sid=taken, IsReserved="true")
        return None

    some.refuse = refuse
    ran = some.stage.run(*command)
    assert ran.code == 6, ran.err
    (failed,) = (row for row in ran.rows if row["action"] == "failed")
    assert failed["sid"] == taken
    assert failed["error"]["exit_code"] == 5
    assert "third" in failed["error"]["message"]
    assert "none now" not in ran.err
    assert some.outside == {taken}
    assert set(some.stage.pool(third)) == {taken}


def test_another_machine_does_the_same(some: Crossing) -> None:
    """What the other one moved is unchanged, whether it was there before the removal or before the add."""
    whole, half = (some.stage.numbers[index]["sid"] for index in (4, 5))
    command = some.command("move")
    target = f"/v1/Services/{some.other}/PhoneNumbers"

    def refuse(request: Request) -> Response | None:
        if request.method == "DELETE" and some.names(request, whole) and whole in some.stage.pool():
            some.stage.other("DELETE", f"{some.stage.path}/{whole}")
            some.stage.other("POST", target, Sid=whole, IsReserved="true")
        if some.is_add(request) and some.names(request, half) and half in some.outside:
            some.stage.other("POST", target, Sid=half, IsReserved="true")
        return None

    some.refuse = refuse
    ran = some.stage.ok(*command)
    assert (some.stage.pool(), some.stage.pool(some.other)) == ({}, some.flags)
    assert {row["sid"] for row in ran.rows if row["action"] == "unchanged"} == {whole, half}
    assert ran.counts == {"moved": len(some.flags) - 2, "unchanged": 2}


# Messaging Services


def test_a_number_that_comes_back_is_in_its_messaging_service_again(some: Crossing) -> None:
    mg = some.stage.other("POST", "/messaging/v1/Services", FriendlyName="mg")["sid"]
    command = some.command("move", "--through-messaging")
    senders = f"/messaging/v1/Services/{mg}/PhoneNumbers"
    for sid in some.flags:
        some.stage.other("POST", senders, PhoneNumberSid=sid)
    some.refuse = lambda request: full() if some.is_add(request, some.other) else None
    ran = some.stage.run(*command)
    assert ran.code in (5, 6), ran.err
    assert (some.stage.pool(), some.outside) == (some.flags, set())
    rows = some.stage.other("GET", senders)["phone_numbers"]
    assert {row["sid"] for row in rows} == set(some.flags)
    kinds = len(set(some.flags.values()))
    assert ran.counts == {"failed": kinds, "skipped": len(some.flags) - kinds}
    some.arrives(command)
