"""Readers that leave, disks that are full, and descriptors that are closed: what is lost is said, work is not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.battery.live import Terminal, end, histories
from tests.battery.scene import Scene, scene
from tests.support import Ran, command

ROWS = 5000
FORMATS = ("table", "tsv", "csv", "json", "jsonl", "ids")


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A stage whose pool holds 5,000 numbers; only read."""
    with scene(tmp_path_factory.mktemp("big"), ROWS) as stage:
        stage.fill(stage.numbers, reserved=True)
        yield stage


def shell(stage: Scene, script: str, *arguments: str, stdin: bytes = b"") -> Ran:
    """Run a line of shell in which ``"$@"`` is the program."""
    return side_by_side(stage, [script], *arguments, stdin=stdin)[0]


def side_by_side(
    stage: Scene, scripts: Sequence[str], *arguments: str, each: Sequence[str] = (), stdin: bytes = b""
) -> list[Ran]:
    """Run lines of shell at the same time, or one with ``each`` last argument."""
    pipe = subprocess.PIPE
    lines = [
        (script, [*arguments, last] if each else arguments) for script in scripts for last in each or [""]
    ]
    processes = [
        subprocess.Popen(
            ["sh", "-c", script, "sh", *command(*line)],
            env=stage.cli.environ,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
        )
        for script, line in lines
    ]
    return [end(stage, process, stdin=stdin) for process in processes]


def code_of_first(script: str) -> str:
    """Let the exit code of the first part of a pipe be seen, as the last line."""
    return '{ "$@"; echo "code $?" >&2; } | ' + script


def test_a_reader_that_takes_one_line_ends_a_list_quietly(big: Scene) -> None:
    for ran in side_by_side(
        big, [code_of_first("head -1")], "number", "list", big.service, "-o", each=FORMATS
    ):
        assert len(ran.lines) == 1
        assert ran.err == "code 0\n"


def test_a_reader_that_is_gone_already(big: Scene) -> None:
    each = ("--reserved", "--count")
    for ran in side_by_side(big, [code_of_first("true")], "number", "list", big.service, each=each):
        assert ran.err == "code 0\n"


def test_a_list_on_a_full_disk_is_an_error(big: Scene) -> None:
    for ran in side_by_side(big, ['"$@" >/dev/full'], "number", "list", big.service, "-o", each=FORMATS):
        assert ran.code == 1
        assert ran.err.count("standard output") == 1
        assert "No space left on device" in ran.err


@pytest.mark.parametrize(
    "line", [("service", "list"), ("number", "list", "--count"), ("--version",), ("-h",), ("number", "-h")]
)
def test_short_answers_on_a_full_disk_or_a_closed_stdout_are_errors(
    stage: Scene, line: tuple[str, ...]
) -> None:
    arguments = [*line, stage.service] if "--count" in line else line
    for ran in side_by_side(stage, ['"$@" >/dev/full', '"$@" >&-'], *arguments):
        assert ran.code == 1
        assert "standard output" in ran.err
        assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "script", ['"$@" >/dev/full', '"$@" >&-', code_of_first("true"), code_of_first("head -c 1")]
)
def test_bulk_work_is_finished_and_recorded_though_its_rows_are_lost(stage: Scene, script: str) -> None:
    options = ("-o", "jsonl") if "full" in script else ()
    ran = shell(stage, script, *stage.add("--rate", "0", *options))
    if "head" in script and ran.err.endswith(
        "code 0\n"
    ):  # the rows fitted into the pipe before head had left
        assert ran.out
    elif "code" in script:
        assert ran.err.endswith("code 1\n")
    else:
        assert ran.code == 1
    if ran.code == 1 or "code 1" in ran.err:
        assert "history" in ran.err
        assert "written" in ran.err or "write" in ran.err
    assert stage.pool() == stage.everything()
    run = histories(stage)[0]
    assert run["changed"] == len(stage.numbers)
    assert run["exit_code"] == 0
    stage.keeps_its_promises(stage.add("--rate", "0"), stage.everything())


def test_a_closed_stderr_stops_nothing(stage: Scene) -> None:
    ran = shell(stage, '"$@" 2>&-', *stage.add("--rate", "0", "-o", "jsonl", "-vv"))
    assert ran.code == 0
    assert len(ran.rows) == len(stage.numbers)
    assert stage.pool() == stage.everything()
    failed = shell(stage, '"$@" 2>&-', "service", "show", "nobody")
    assert (failed.code, failed.out) == (4, "")
    assert not list(Path(stage.cli.environ["PROXYCTL_STATE_DIR"]).rglob("*null*"))


@pytest.mark.parametrize(
    "script", ['"$@" 2>/dev/full', '{ { "$@" 2>&1 >&3 3>&-; echo "code $?" >&3; } | true; } 3>&1']
)
def test_a_stderr_that_nobody_takes_stops_nothing(stage: Scene, script: str) -> None:
    ran = shell(stage, script, *stage.add("--rate", "0", "-o", "jsonl", "-vv"))
    lines = ran.lines
    if "code" in script:
        assert lines.pop() == "code 0"
    assert ran.code == 0
    assert len(lines) == len(stage.numbers)
    assert stage.pool() == stage.everything()


def test_all_three_closed(stage: Scene) -> None:
    ran = shell(stage, '"$@" <&- >&- 2>&-', *stage.add("--rate", "0"))
    assert (ran.code, ran.out, ran.err) == (1, "", "")
    assert stage.pool() == stage.everything()
    # No file that was opened meanwhile took the place of stdout or stderr.
    for path in Path(stage.cli.environ["PROXYCTL_STATE_DIR"]).rglob("*.jsonl"):
        assert all(line.startswith(b'{"type":') for line in path.read_bytes().splitlines())
    quiet = shell(stage, '"$@" <&- >&- 2>&-', *stage.add("--rate", "0", "--quiet"))
    assert quiet.code == 0


def test_a_closed_stdin(stage: Scene) -> None:
    ran = shell(stage, '"$@" <&-', *stage.add("--rate", "0"))
    assert ran.code == 0, ran.err
    stage.ledger.clear()
    for verb in ("add", "remove"):
        ran = shell(stage, '"$@" <&-', "number", verb, stage.service, "-f", "-", "--yes")
        assert ran.code == 2, ran
        assert "stdin" in ran.err or "standard input" in ran.err
    unasked = shell(stage, '"$@" <&-', *stage.verb("remove"))
    assert unasked.code == 2
    assert "--yes" in unasked.err
    assert stage.writes == []


def test_stdin_as_the_file(stage: Scene) -> None:
    text = "".join(f"{row['phone_number']}\n" for row in stage.numbers).encode()
    ran = shell(stage, '"$@"', "number", "add", stage.service, "-f", "-", "--reserved", stdin=text)
    assert ran.code == 0
    unasked = shell(stage, '"$@"', "number", "remove", stage.service, "-f", "-", stdin=text)
    assert unasked.code == 2
    assert "--yes" in unasked.err
    assert stage.pool() == stage.everything()
    assert shell(stage, '"$@"', "number", "remove", stage.service, "-f", "-", "--yes", stdin=text).code == 0
    assert stage.pool() == {}


@pytest.mark.parametrize(("answer", "code", "left"), [(b"y\n", 0, 0), (b"n\n", 2, 3)])
def test_numbers_on_stdin_leave_the_terminal_to_a_question(
    stage: Scene, answer: bytes, code: int, left: int
) -> None:
    stage.fill(stage.numbers[:3], reserved=True)
    rows = "".join(f"{row['sid']}\n" for row in stage.numbers[:3]).encode()
    with Terminal(stage, "number", "remove", stage.service, "-f", "-", piped=rows) as terminal:
        terminal.expect("[y/N]")
        terminal.type(answer)
        assert terminal.end() == code, terminal.text
    assert len(stage.pool()) == left


def test_a_job_in_the_background_asks_nobody(stage: Scene) -> None:
    """It would be stopped by the kernel as it reads from the terminal."""
    stage.fill(stage.numbers[:1], reserved=True)
    sid = stage.numbers[0]["sid"].encode()
    line = ("number", "remove", stage.service, "-f", "-")
    with Terminal(stage, *line, piped=sid, background=True) as terminal:
        assert terminal.end() == 2, terminal.text
    assert "--yes" in terminal.text and stage.writes == []


def test_a_pipe_that_closes_under_a_streaming_list(big: Scene) -> None:
    process = big.cli.process("number", "list", big.service, "-o", "jsonl")
    assert process.stdout is not None
    assert os.read(process.stdout.fileno(), 10).startswith(b'{"sid":')
    process.stdout.close()
    process.stdout = None
    assert end(big, process) == Ran(0, "", "")
