"""A move that was killed goes on without its record: the server is the truth, and says which numbers are in transit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.battery.live import record
from tests.battery.transit import MOST, UNPACED, Crossing, crossing, kill_at


@pytest.fixture
def some(tmp_path: Path) -> Iterator[Crossing]:
    """40 moves."""
    with crossing(tmp_path, 40) as ready:
        yield ready


def lose_header(some: Crossing) -> None:
    path = record(some.stage)
    path.write_bytes(b'{"type": "ru' + path.read_bytes()[12:])


def other_state(some: Crossing) -> None:
    """Another machine: nothing of the run is known."""
    directory = some.stage.directory / "run" / "elsewhere"
    directory.mkdir(mode=0o700)
    some.stage.cli.environ["PROXYCTL_STATE_DIR"] = str(directory)


LOSSES: dict[str, tuple[tuple[str, ...], Callable[[Crossing], object]]] = {
    "another state directory": ((), other_state),
}


def cut_short(some: Crossing, *options: str) -> tuple[str, ...]:
    """Kill a move as its eleventh number is to be added; return the command."""
    command = some.command("move", "--concurrency", "4")
    arrived = some.stage.pool
    kill_at(
        some, (*command, *options), lambda request: some.is_add(request) and len(arrived(some.other)) >= 10
    )
    assert 1 <= len(some.outside) <= MOST
    return command


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("reserved", [True, False])
def test_a_killed_move_goes_on_without_its_record(some: Crossing, loss: str, reserved: bool) -> None:
    """The server is the truth: what is in no pool and still points at the source is on its way."""
    options, lose = LOSSES[loss]
    command = cut_short(some, *options)
    out = some.outside
    lose(some)
    asked = some.stage.run(*command)
    assert asked.code == 6, asked.err
    assert some.outside == out
    told = {some.sid_of(row["phone_number"]): row for row in asked.rows}
    assert {sid for sid, row in told.items() if row["action"] == "failed"} == out
    assert all(told[sid]["error"]["exit_code"] == 5 for sid in out)
    assert "--reserved" in asked.err and "--unreserved" in asked.err
    assert "is not in the pool" not in asked.err
    assert some.stage.pool(some.other).items() <= some.flags.items()
    flag = "--reserved" if reserved else "--unreserved"
    ran = some.stage.ok(*command, flag)
    assert {row["phone_number"] for row in ran.rows if row["action"] == "moved"} >= some.named(out)
    wanted = some.flags | dict.fromkeys(out, reserved)
    assert (some.stage.pool(), some.stage.pool(some.other)) == ({}, wanted)
    some.stage.ledger.clear()
    some.stage.ok(*command, flag)
    assert some.stage.writes == []


def test_a_record_whose_head_is_damaged_still_says_how_the_numbers_were(some: Crossing) -> None:
    """The file of what is in transit names the record."""
    command = cut_short(some)
    lose_header(some)
    some.stage.ok(*command)
    assert (some.stage.pool(), some.stage.pool(some.other)) == ({}, some.flags)


def test_at_a_terminal_a_person_is_asked_how_the_numbers_were(some: Crossing) -> None:
    command = cut_short(some)
    out = some.outside
    other_state(some)
    asking = [word for word in command if word != "--yes"]
    ran = some.stage.cli(*asking, stdin="reserved\ny\n", tty=True)
    assert ran.code == 0, ran.err
    assert f"left {len(out)} numbers in no pool" in " ".join(ran.err.split())
    assert some.stage.pool(some.other) == some.flags | dict.fromkeys(out, True)


def test_without_a_record_the_flag_is_for_those_in_transit_alone(some: Crossing) -> None:
    """--reserved says how to add what is in no pool; who is still in the source keeps its flag."""
    command = cut_short(some)
    out = some.outside
    other_state(some)
    some.stage.ok(*command, "--reserved")
    assert some.stage.pool(some.other) == some.flags | dict.fromkeys(out, True)


def test_a_number_that_points_elsewhere_is_not_taken_for_one_in_transit(some: Crossing) -> None:
    """Somebody removed it from the source, and it serves something else now."""
    command = some.command("move")
    sid = some.stage.numbers[1]["sid"]
    some.stage.other("DELETE", f"{some.stage.path}/{sid}")
    account = "/2010-04-01/Accounts/AC" + "5a4db0c5" * 4
    some.stage.other("POST", f"{account}/IncomingPhoneNumbers/{sid}.json", VoiceUrl="https://example.com/")
    ran = some.stage.run(*command, "--reserved")
    assert ran.code == 6
    assert [row["phone_number"] for row in ran.rows if row["action"] == "failed"] == list(some.named({sid}))
    assert some.outside == {sid}


def test_undo_of_the_run_that_went_on_leads_back_to_where_the_move_began(some: Crossing) -> None:
    """It found some numbers between the pools: they don't go back there."""
    command = cut_short(some)
    out = some.outside
    some.stage.ok(*command)
    assert some.stage.pool(some.other) == some.flags
    moved = set(some.stage.pool(some.other))
    run = some.stage.cli.ok("history", "list", "-o", "ids", "--limit", "1").lines[0]
    some.stage.ok("history", "undo", run, "--yes", *UNPACED)
    assert some.outside == set()
    assert out <= set(some.stage.pool()) < moved
    assert some.stage.pool().items() <= some.flags.items()
