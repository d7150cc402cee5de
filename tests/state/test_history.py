"""The record of runs: private, one line at a time, readable after any cut, rotated by age and size.

What `history` and `undo` make of it is in tests/commands.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxyctl.errors import OutputError
from proxyctl.state.history import DAY, History
from proxyctl.state.record import Intent, Outcome, RunInfo
from tests.state.records import INFO, record
from tests.support import StandingClock


def the_file(tmp_path: Path) -> Path:
    (path,) = (tmp_path / "state" / "history").iterdir()
    return path


def test_a_run_reads_back_as_it_was_written(history: History) -> None:
    run_id = record(history)
    (run,) = history.runs()
    assert (run.id, run.status, run.exit_code, run.summary) == (run_id, "ended", 0, {"added": 2})
    assert (run.command, run.profile, run.service_name) == (INFO.command, "prod", "masking")
    assert (run.account_sid, run.service_sid) == (INFO.account_sid, INFO.service_sid)
    assert (run.user, run.host) == ("ops", "bastion")
    assert run.begun_at == "2025-06-15T15:06:40.000Z"
    detail = history.show(run_id)
    assert detail.run == run
    assert detail.warnings == ()
    assert [item.index for item in detail.items] == [0, 1]
    assert detail.items[1].intent.input == "+14155550001"
    assert detail.items[1].outcome is not None
    assert detail.items[1].outcome.request_id == "RQ1"


def test_there_is_no_history_before_the_first_run(history: History, tmp_path: Path) -> None:
    assert list(history.runs()) == []
    assert history.prune(2e9) == 0
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("there", [None, 0o755])
def test_nobody_else_can_read_it(history: History, tmp_path: Path, there: int | None) -> None:
    """Nor the directories above it, if we made them; its own is closed if it was left open."""
    before = os.umask(0)
    try:
        if there is not None:
            (tmp_path / "state" / "history").mkdir(parents=True, mode=there)
        record(history)
    finally:
        os.umask(before)
    path = the_file(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == (0o777 if there else 0o700)


def test_processes_at_one_moment_have_ids_of_their_own(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from proxyctl.state.history import *\n"
        "history = History(Path(sys.argv[1]))\n"
        "for _ in range(20): history.begin(RunInfo('x')).end({}, 0)"
    )
    directory = tmp_path / "history"
    runs = [subprocess.Popen([sys.executable, "-c", program, str(directory)]) for _ in range(3)]
    assert [run.wait(30) for run in runs] == [0, 0, 0]
    assert len({run.id for run in History(directory).runs()}) == 60


def test_age_counts_by_the_servers_clock_where_that_is_earlier(
    history: History, clock: StandingClock
) -> None:
    first = record(history)
    clock.time += 91 * DAY
    history.begin(INFO, server_now=clock.now() - 2 * DAY).end({}, 0)
    assert first in [run.id for run in history.runs()]
    history.begin(INFO, server_now=clock.now() + 365 * DAY).end({}, 0)
    assert first not in [run.id for run in history.runs()]
    assert len(list(history.runs())) == 2


def test_a_clock_that_jumped_deletes_nothing_without_the_server_to_confirm_it(
    history: History, clock: StandingClock
) -> None:
    before = [record(history) for _ in range(3)]
    clock.time += 91 * DAY
    ahead = [record(history) for _ in range(3)]
    clock.time += 2 * DAY
    ahead.append(record(history))
    assert [run.id for run in history.runs()] == [*before, *ahead][::-1]
    clock.time -= 93 * DAY
    back = record(history)
    assert {run.id for run in history.runs()} == {*before, *ahead, back}


def test_rotation_by_size_takes_the_oldest_and_never_a_run_under_way(
    tmp_path: Path, clock: StandingClock
) -> None:
    history = History(tmp_path, clock=clock, max_bytes=10_000)
    under_way = history.begin(INFO)
    for _ in range(20):
        clock.time += 60
        record(history, 10)
    left = [run.id for run in history.runs()]
    assert under_way.id in left
    assert left == sorted(left, reverse=True)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 16_000
    under_way.end({}, 0)


def test_foreign_files_and_links_are_left_alone(history: History, tmp_path: Path) -> None:
    run_id = record(history)
    directory = tmp_path / "state" / "history"
    (directory / "notes.txt").write_text("mine")
    secret = tmp_path / "secret"
    secret.write_text('{"type":"run","command":"leak"}\n')
    link = directory / "20200101-000000-000.jsonl"
    link.symlink_to(secret)
    os.mkfifo(directory / "20200101-000000-001.jsonl")
    runs = list(history.runs())
    assert [run.command for run in runs] == [INFO.command, None, None]
    assert all(run.warning for run in runs[1:])
    assert history.prune(2e9) == 3
    assert secret.exists()
    assert sorted(path.name for path in directory.iterdir()) == ["notes.txt"]
    assert run_id not in [run.id for run in history.runs()]


@pytest.mark.parametrize(
    "damage",
    [
        b"\x00" * 100,
        b"{}",
        b'"text"',
        b"[1]",
        b'{"type":"intent"}',
        b'{"type":"intent","index":"1"}',
        b'{"type":"outcome","index":true}',
        b'{"type":"strange","index":1}',
        b'{"type":["run"]}',
        b"[" * 100_000,
        b'{"type":"intent","index":' + b"9" * 5000 + b"}",
        b"\xff\xfe",
        b"x" * 2_500_000,
    ],
)
def test_a_damaged_line_is_skipped_with_a_warning(history: History, tmp_path: Path, damage: bytes) -> None:
    run_id = record(history)
    path = the_file(tmp_path)
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*lines[:3], damage, *lines[3:], b""]))
    detail = history.show(run_id)
    assert [item.outcome is not None for item in detail.items] == [True, True]
    assert detail.warnings
    assert detail.warnings[0] == f"line 4 of run {run_id} is damaged and was left out"
    assert next(history.runs()).status == "ended"


def test_a_damaged_first_line_costs_only_itself(history: History, tmp_path: Path) -> None:
    run_id = record(history)
    path = the_file(tmp_path)
    path.write_bytes(b"\x00garbage\n" + path.read_bytes().split(b"\n", 1)[1])
    (run,) = history.runs()
    assert (run.id, run.status, run.command) == (run_id, "ended", None)
    assert run.warning == "its first line is damaged"
    assert len(history.show(run_id).items) == 2


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    directory = tmp_path_factory.mktemp("whole")
    run_id = record(History(directory, clock=StandingClock()), 3)
    return run_id, (directory / f"{run_id}.jsonl").read_bytes()


def test_cut_at_any_byte_it_tells_what_is_left(whole: tuple[str, bytes], tmp_path: Path) -> None:
    run_id, content = whole
    path = tmp_path / f"{run_id}.jsonl"
    history = History(tmp_path)
    for length in range(len(content)):
        path.write_bytes(content[:length])
        (run,) = history.runs()
        detail = history.show(run_id)
        complete = content[:length].count(b"\n")
        assert len(detail.items) >= (complete - 1 + 1) // 2 if complete else not detail.items
        assert (run.status == "ended") == (length == len(content) - 1)
        assert len(detail.warnings) <= 1


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=20))
def test_any_bytes_may_be_flipped(whole: tuple[str, bytes], flips: list[tuple[int, int]]) -> None:
    run_id, content = whole
    damaged = bytearray(content)
    for position, value in flips:
        damaged[position % len(damaged)] = value

    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"{run_id}.jsonl"
        path.write_bytes(damaged)
        history = History(Path(name))
        assert [run.id for run in history.runs()] == [run_id]
        assert history.show(run_id).run.id == run_id


def test_hostile_text_reads_back_exactly_and_lies_there_in_ascii(history: History, tmp_path: Path) -> None:
    hostile = "\x1b[2J\u202e\ud800\u2028\n[/oops] +141"
    recorder = history.begin(RunInfo(command=hostile))
    recorder.intent(0, Intent(input=hostile))
    recorder.end({}, 0)
    assert the_file(tmp_path).read_bytes().isascii()
    assert history.show(recorder.id).run.command == hostile
    assert history.show(recorder.id).items[0].intent.input == hostile


def test_each_line_is_on_file_when_its_method_returns(history: History, tmp_path: Path) -> None:
    recorder = history.begin(INFO)
    for index in range(3):
        recorder.intent(index, Intent(input="x"))
        last = the_file(tmp_path).read_bytes().splitlines()[-1]
        assert json.loads(last)["index"] == index
    recorder.end({}, 6)
    recorder.close()
    with pytest.raises(OutputError):
        recorder.intent(0, Intent())


def test_a_long_list_reads_only_the_ends_of_each_file(tmp_path: Path, clock: StandingClock) -> None:
    history = History(tmp_path, clock=clock)
    run_id = record(history, 2000)
    path = tmp_path / f"{run_id}.jsonl"
    content = path.read_bytes()
    path.write_bytes(content[:20_000] + b"\xff" * (len(content) - 40_000) + content[-20_000:])
    (run,) = history.runs()
    assert (run.command, run.status, run.summary) == (INFO.command, "ended", {"added": 2000})


def test_a_moment_divides_the_runs_before_it_from_those_at_it(history: History, clock: StandingClock) -> None:
    record(history)
    clock.time += 1
    second = record(history)
    assert [run.id for run in history.runs(clock.now())] == [second]
    assert history.prune(clock.now()) == 1
    under_way = history.begin(INFO)
    assert [run.status for run in history.runs()] == ["running", "ended"]
    assert history.prune(2e9) == 1
    assert [run.id for run in history.runs()] == [under_way.id]
    under_way.close()
    assert next(history.runs()).status == "broken off"
    history.forget(under_way.id)
    assert list(history.runs()) == []


def test_items_that_were_refused_before_they_were_sent(history: History) -> None:
    recorder = history.begin(INFO)
    recorder.refused(3, {"input": "x", "code": 20404, "message": "no"})
    recorder.close()
    (item,) = history.show(recorder.id).items
    assert (item.index, item.intent.input, item.attempts, item.end) == (3, "x", 0, "failed")
    assert item.outcome is not None
    assert (item.outcome.state, item.outcome.code, item.outcome.message) == ("refused", 20404, "no")
    assert item.outcome.at == item.intent.at == "2025-06-15T15:06:40.000Z"


def test_a_run_has_changed_something_unless_nothing_happened(history: History) -> None:
    assert history.show(record(history)).changed
    recorder = history.begin(INFO)
    recorder.intent(0, Intent(input="x", action="add"))
    recorder.outcome(0, Outcome(state="refused", code=80104))
    recorder.end({}, 5)
    assert not history.show(recorder.id).changed
