"""Signals at the moments between others, defects midway, and machines that have no more threads or files."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proxyctl.cli import main
from proxyctl.clock import SIGNALS, install
from proxyctl.state.history import RunRecorder
from tests.battery.live import FAST, Arrivals, changed, drive, end, histories, settled
from tests.battery.scene import Scene, scene
from tests.support import Ran, command, stream, written


@pytest.fixture
def few(stage: Scene) -> Scene:
    stage.numbers = stage.numbers[:3]
    return stage


# Signals


class TerminatedAfter:
    """Lets SIGTERM come when the main thread has made ``calls`` calls of functions from the first write on."""

    def __init__(self, calls: int) -> None:
        self.calls, self.count = calls, 0

    def __enter__(self) -> TerminatedAfter:
        own = self.own = RunRecorder.intent
        self.handlers = {number: signal.getsignal(number) for number in SIGNALS}

        def intent(*arguments: Any, **named: Any) -> None:
            own(*arguments, **named)
            sys.setprofile(self._count)

        RunRecorder.intent = intent  # type: ignore[method-assign]
        return self

    def _count(self, frame: object, event: str, argument: object) -> None:
        self.count += event == "call"
        if self.count == self.calls:
            self.calls = -1
            signal.raise_signal(signal.SIGTERM)

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        RunRecorder.intent = self.own  # type: ignore[method-assign]
        for number, handler in self.handlers.items():
            signal.signal(number, handler)


def terminated_after(few: Scene, calls: int, turn: int) -> int:
    """Carry a run out that SIGTERM hits; returns how many calls it made."""
    verb = "release" if turn % 2 else "reserve"
    command = (*few.verb(verb, "--rate", "0", "--concurrency", "1"), "-o", "jsonl")
    streams = [stream(), stream(), stream()]
    with TerminatedAfter(calls) as hit:
        code = main(
            command,
            environ=few.cli.environ,
            stdin=streams[0],
            stdout=streams[1],
            stderr=streams[2],
            prepare=lambda runtime: install(runtime.stop, runtime.console),
        )
    ran = Ran(code, written(streams[1]), written(streams[2]))
    assert ran.code in (0, 143), (calls, ran.err)
    assert "Traceback" not in ran.err
    done = {row["sid"] for row in ran.rows if row["action"] == f"{verb}d"}
    assert len(ran.rows) == len(few.numbers), (calls, ran.err)
    assert done == {sid for sid, flag in few.pool().items() if flag is (verb == "reserve")}, calls
    assert len(done) == len(few.numbers) or "un the same command again" in ran.err
    newest = few.cli.ok("history", "list", "-o", "jsonl", "--limit", "1").rows[0]
    assert newest["exit_code"] is not None, calls
    if len(done) < len(few.numbers):
        few.ok(*command)
    return hit.count


def reports_although_terminated(few: Scene, turns: int) -> None:
    """At each of so many moments: every row is told, the record has its end, and the same command continues."""
    few.fill(few.numbers, reserved=False)
    whole = terminated_after(few, -1, 0)
    for turn in range(1, turns + 1):
        terminated_after(few, turn * whole // turns, turn)


def test_terminated_at_any_moment_from_the_first_write_on(few: Scene) -> None:
    reports_although_terminated(few, 40)


@pytest.mark.long
def test_terminated_at_many_moments_from_the_first_write_on(few: Scene) -> None:
    reports_although_terminated(few, 3000)


@pytest.mark.long
def test_terminated_after_the_deadline(stage: Scene) -> None:
    """What is under way gets its time after a deadline too; a signal meanwhile decides the exit code."""
    arrivals = Arrivals()
    stage.script(arrivals.entry("timeout-after"))
    began = time.monotonic()
    process = drive(stage, "grace=2", *stage.add(*FAST, "--deadline", "5s"))
    assert arrivals.wait(1, 5.0)
    time.sleep(max(0.0, began + 5.7 - time.monotonic()))  # the deadline is the process's own
    assert process.poll() is None, "it has time for what is under way"
    process.send_signal(signal.SIGTERM)
    ran = end(stage, process)
    assert ran.code == 143, ran.err
    assert ran.counts["unknown"] == 4
    settled()


# Defects


@pytest.mark.parametrize("options", [FAST, ("--rate", "0", "--concurrency", "1")])
def test_a_defect_in_a_worker_is_1_and_all_is_reported(stage: Scene, options: tuple[str, ...]) -> None:
    ran = changed(stage, "defect=10", *stage.add(*options))
    assert ran.code == 1, ran.err
    told = ran.counts
    assert sum(told.values()) == len(stage.numbers)
    assert told["added"] == len(stage.pool()) >= 9
    assert "Traceback" not in ran.err
    assert histories(stage)[0]["exit_code"] == 1
    stage.keeps_its_promises(stage.add(*options), stage.everything())


# Machines at their limits


def test_without_any_thread_it_works_or_sends_nothing(stage: Scene) -> None:
    ran = changed(stage, "threads=0", *stage.add("--rate", "0"))
    if ran.code:
        assert stage.writes == []
        assert "thread" in ran.err and "internal error" not in ran.err
    else:
        assert ran.counts == {"added": len(stage.numbers)}


@pytest.fixture
def many(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, 300) as ready:
        yield ready


@pytest.mark.parametrize("files", [32, 64])
def test_few_files_are_enough(many: Scene, files: int) -> None:
    """All 300 are reserved, told and recorded, however few files may be open."""
    many.fill(many.numbers, reserved=False)
    many.policies.latency = 0.01
    process = subprocess.Popen(
        ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *command(*many.verb("reserve", "--rate", "0"))],
        env={**many.cli.environ, "PROXYCTL_OUTPUT": "jsonl"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    ran = end(many, process, 60.0)
    assert ran.code == 0, ran.err
    assert ran.counts == {"reserved": 300}
    assert histories(many)[0]["exit_code"] == 0
