"""What the history does where the disk is full."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from proxyctl.errors import OutputError
from proxyctl.state.history import History
from proxyctl.state.record import Intent
from tests.state.records import INFO, record


def test_a_full_disk_is_an_error_and_the_next_line_begins_anew(tmp_path: Path) -> None:
    program = """
import resource, sys
from pathlib import Path
from proxyctl.state.history import History
from proxyctl.state.record import Intent, Outcome, RunInfo
from proxyctl.errors import OutputError
history = History(Path(sys.argv[1]))
recorder = history.begin(RunInfo("x"))
recorder.intent(0, Intent(input="first"))
size = next(Path(sys.argv[1]).iterdir()).stat().st_size
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 30, hard))
for _ in range(2):
    try:
        recorder.outcome(0, Outcome(state="done"))
    except OutputError as error:
        assert "can't be written" in error.message
    else:
        sys.exit("no error")
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
recorder.outcome(0, Outcome(state="done"))
recorder.end({}, 1)
detail = history.show(recorder.id)
assert detail.items[0].outcome.state == "done", detail
assert len(detail.warnings) == 1, detail
assert detail.run.exit_code == 1, detail
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "h")], capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, "")


def full(*_: object, **__: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_is_an_error_and_keeps_what_was_written(
    history: History, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    recorder = history.begin(INFO)
    recorder.intent(0, Intent(input="x", action="add"))
    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        with pytest.raises(OutputError, match="No space left"):
            recorder.end({}, 0)
        if call == "write":
            with pytest.raises(OutputError, match="No space left"):
                history.begin(INFO)
    recorder.close()
    assert [item.intent.input for item in history.show(recorder.id).items] == ["x"]


def test_what_is_written_after_half_a_line_is_read(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, write = history.begin(INFO), os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda descriptor, line: write(descriptor, line[: len(line) // 2]))
        with pytest.raises(OutputError, match="the disk is full"):
            recorder.intent(0, Intent(input="lost", action="add"))
    recorder.intent(1, Intent(input="kept", action="add"))
    recorder.end({}, 0)
    assert [item.intent.input for item in history.show(recorder.id).items] == ["kept"]


def test_a_record_that_can_not_be_deleted_is_an_error(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = record(history)
    monkeypatch.setattr(Path, "unlink", full)
    with pytest.raises(OutputError, match="No space left"):
        history.forget(run_id)
