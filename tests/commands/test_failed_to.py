"""`--failed-to FILE`: what is not as wanted, in a form that -f takes; and a run that is told although it can't be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import Cli


@pytest.fixture
def sids(cli: Cli) -> list[str]:
    """Three numbers, the first two of them in the pool of "masking"."""
    rows = [row["sid"] for row in cli.seed(3)]
    cli.ok("service", "create", "masking")
    cli.ok("number", "add", "masking", *rows[:2])
    return rows


def test_feeds_back(cli: Cli, sids: list[str], tmp_path: Path) -> None:
    failed = tmp_path / "failed.txt"
    assert cli("number", "reserve", "masking", *sids, "--failed-to", str(failed)).code == 6
    assert failed.read_text() == f"{sids[2]}\n"
    assert failed.stat().st_mode & 0o777 == 0o600
    ran = cli.ok("number", "reserve", "masking", "-f", str(failed), "--add", "--failed-to", str(failed))
    assert "added 1" in ran.err
    assert failed.read_text() == "", "now all are as wanted"
    assert not list(tmp_path.glob(".failed*")), "and nothing is left beside it"


def test_what_cannot_be_written_is_refused_before_anything_is_sent(
    cli: Cli, sids: list[str], tmp_path: Path
) -> None:
    for name in (tmp_path, tmp_path / "missing" / "failed", "/proc/self/nothing"):
        ran = cli("number", "reserve", "masking", *sids[:2], "--failed-to", str(name))
        assert ran.code == 2
        assert "--failed-to" in ran.err
    assert cli.ok("number", "list", "masking", "--reserved", "--count").out == "0\n"


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
        assert os.read(reader, 1000).decode() == f"{sids[2]}\n"
    finally:
        os.close(reader)
