"""`--failed-to FILE`: what is not as wanted, in a form that -f takes; and a run that is told although it can't be."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support import Cli


@pytest.fixture
def sids(cli: Cli) -> list[str]:
    """Three numbers, the first two of them in the pool of "masking", where another one stays."""
    rows = [row["sid"] for row in cli.seed(4)]
    cli.ok("service", "create", "masking")
    cli.ok("number", "add", "masking", *rows[:2], rows[3])
    return rows[:3]


def test_what_cannot_be_written_is_refused_before_anything_is_sent(
    cli: Cli, sids: list[str], tmp_path: Path
) -> None:
    for name in (tmp_path, tmp_path / "missing" / "failed", "/proc/self/nothing"):
        ran = cli("number", "reserve", "masking", *sids[:2], "--failed-to", str(name))
        assert ran.code == 2
        assert "--failed-to" in ran.err
    assert cli.ok("number", "list", "masking", "--reserved", "--count").out == "0\n"


def ended(process: subprocess.Popen[bytes]) -> int:
    with process:
        process.communicate(timeout=30)
    return process.returncode


@pytest.mark.parametrize("verb", ["reserve", "drain", "remove", "move", "attach"])
def test_the_input_is_never_overwritten(cli: Cli, sids: list[str], tmp_path: Path, verb: str) -> None:
    numbers = tmp_path / "numbers.txt"
    numbers.write_text("".join(f"{sid}\n" for sid in sids))
    (tmp_path / "hard.txt").hardlink_to(numbers)
    line = {
        "move": ("number", "move", "--from", "masking", "--to", "other", "--yes"),
        "attach": ("messaging", "attach", "masking", "--messaging-service", "MG" + "0" * 32, "--yes"),
        "remove": ("number", "remove", "masking", "--yes"),
    }.get(verb, ("number", verb, "masking"))
    for name in ("numbers.txt", "hard.txt", "../" + tmp_path.name + "/numbers.txt"):
        ran = cli(*line, "-f", str(numbers), "--failed-to", str(tmp_path / name))
        assert (ran.code, "reads" in ran.err) == (2, True), ran.err
    assert numbers.read_text().split() == sids
    assert cli.ok("number", "list", "masking", "--count").out == "3\n"
    assert cli.ok("number", "list", "masking", "--reserved", "--count").out == "0\n"


def test_nor_is_what_stdin_is_or_a_pool_file_names(cli: Cli, sids: list[str], tmp_path: Path) -> None:
    numbers = tmp_path / "numbers.txt"
    numbers.write_text("".join(f"{sid}\n" for sid in sids))
    with numbers.open() as stdin:
        line = ("number", "reserve", "masking", "-f", "-", "--failed-to", str(numbers))
        assert ended(cli.process(*line, stdin=stdin)) == 2
    file = tmp_path / "pool.toml"
    file.write_text('version = 1\n[services.masking.numbers]\nreserved_from = "numbers.txt"\n')
    for name in (file, numbers):
        assert cli("pool", "apply", str(file), "--failed-to", str(name)).code == 2
    assert numbers.read_text().split() == sids
    assert cli.ok("number", "list", "masking", "--reserved", "--count").out == "0\n"


def test_a_link_is_refused(cli: Cli, sids: list[str], tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    for _ in range(2):  # one that leads nowhere, and one that leads to a file
        ran = cli("number", "reserve", "masking", *sids, "--failed-to", str(link))
        assert (ran.code, "is a link" in ran.err) == (2, True)
        target.write_text("precious")
    link.unlink()
    link.symlink_to("/dev/stdout")
    assert cli("number", "reserve", "masking", *sids, "--failed-to", str(link)).code == 2
    assert target.read_text() == "precious"
    assert cli.ok("number", "list", "masking", "--reserved", "--count").out == "0\n"


def test_stdout_may_be_named(cli: Cli, sids: list[str], tmp_path: Path) -> None:
    """As a pipe, and as a file that has rows already: none of them is cut off."""
    line = ("number", "reserve", "masking", *sids, "--failed-to", "/dev/stdout", "-o", "ids")
    *rows_out, last = cli.run_process(*line).lines
    assert rows_out == sids and last.startswith(f"{sids[2]}  # ")
    rows = tmp_path / "rows"
    with rows.open("wb") as file:
        file.write(b"before\n")
        file.flush()
        assert ended(cli.process(*line, stdout=file)) == 6
    assert {"before", *sids} <= set(rows.read_text().split())
    assert os.path.islink("/dev/stdout")


def test_a_full_disk_costs_the_file_alone(cli: Cli, sids: list[str]) -> None:
    ran = cli("number", "reserve", "masking", *sids, "--failed-to", "/dev/full", "-o", "jsonl")
    assert (ran.code, [row["action"] for row in ran.rows]) == (6, ["reserved", "reserved", "failed"])
    assert "warning: --failed-to /dev/full could not be written: No space left" in ran.err
    assert ran.error["kind"] == "partial"


def test_a_pipe_is_written_as_it_is(cli: Cli, sids: list[str], tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert cli("number", "reserve", "masking", *sids, "--failed-to", str(pipe)).code == 6
        assert os.read(reader, 1000).decode().startswith(f"{sids[2]}  # ")
    finally:
        os.close(reader)


FORMS = {
    "csv": ("owner,phone_number,desk\n{rows}", '"Ann ""A""",{},7\n', '"Ann ""A""",{},7,{why},{code}\n'),
    "text": ("# all of them\n{rows}", "{} # desk 7\n", "{}  # {why} (exit code {code})\n"),
    "json": (
        "[{rows}]",
        '{{"owner": "Ann", "sid": "{}"}},',
        '{{"owner": "Ann", "sid": "{}", "error": "{why}", "exit_code": {code}}}\n',
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_rows_are_written_as_they_came_in(cli: Cli, sids: list[str], tmp_path: Path, form: str) -> None:
    """Failed with the reason, untried without; both read back, and the second run writes no less."""
    head, row, failed_row = FORMS[form]
    file, failed = tmp_path / "numbers", tmp_path / "failed"
    rows = "".join(row.format(sid) for sid in sids)
    file.write_text(head.format(rows=rows.rstrip(",")))
    for given in (file, failed):
        again = tmp_path / f"again-{given.name}"
        ran = cli("number", "reserve", "masking", "-f", str(given), "--failed-to", str(again))
        assert ran.code == 6
        why = f"{sids[2]} is not in the pool."
        assert again.read_text().endswith(failed_row.format(sids[2], why=why, code=4))
        again.replace(failed)


def test_bad_rows_fail_and_rows_that_were_not_tried_have_a_file_of_their_own(
    cli: Cli, sids: list[str], tmp_path: Path
) -> None:
    file, failed, untried = (tmp_path / name for name in ("numbers", "failed", "untried"))
    file.write_text(f"sid,desk\n{sids[2]},1\nPN12,2\n{sids[0]},3\n{sids[1]},4\n")
    line = ("number", "reserve", "masking", "-f", str(file), "--skip-bad-rows", "--failed-to", str(failed))
    ran = cli(
        *line,
        "--untried-to",
        str(untried),
        "--max-errors",
        "1",
        "--concurrency",
        "1",
        "--add",
        "--deadline",
        "0s",
    )
    assert ran.code in (6, 7), ran.err
    assert [row.split(",")[0] for row in failed.read_text().splitlines()] == ["sid", "PN12"]
    assert untried.read_text() == f"sid,desk\n{sids[2]},1\n{sids[0]},3\n{sids[1]},4\n"
    assert cli.ok("number", "reserve", "masking", "-f", str(untried), "--add", "-o", "json").json


def test_two_files_are_named(cli: Cli, sids: list[str], tmp_path: Path) -> None:
    one = str(tmp_path / "one")
    ran = cli("number", "reserve", "masking", *sids, "--failed-to", one, "--untried-to", one)
    assert ran.code == 2 and "two files" in ran.err
