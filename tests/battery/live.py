"""Real processes on the stage of faults: started, watched, hit by signals, and read to their end."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from proxyctl.sandbox.server.faults import Scripted
from tests.battery.driver import prepare
from tests.battery.scene import Scene
from tests.sandbox.serving import wait_for
from tests.support import Ran, command

DRIVER = Path(__file__).with_name("driver.py")
ARRIVED = "POST"
FAST = ("--rate", "0", "--concurrency", "4")


class Arrivals:
    """Counts the writes that reach the server, at the moment they come in."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = threading.Condition()

    def __call__(self) -> None:
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def wait(self, count: int, seconds: float = 10.0) -> bool:
        """Wait until ``count`` have come, or time is up."""
        with self._changed:
            return self._changed.wait_for(lambda: self.count >= count, seconds)

    def entry(self, fault: str | None = None, method: str = ARRIVED, **when: Any) -> Scripted:
        """The script's entry that counts, and lets these requests go wrong."""
        return Scripted(fault, method, **{"times": None, "action": self, **when})


def start(stage: Scene, *arguments: str, **settings: Any) -> subprocess.Popen[bytes]:
    """Start the program; rows come as JSON Lines."""
    return stage.cli.process(*arguments, "-o", "jsonl", **settings)


def drive(stage: Scene, change: str, *arguments: str, **settings: Any) -> subprocess.Popen[bytes]:
    """Start the program with one thing changed (see driver.py); rows come as JSON Lines."""
    settings = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings}
    line = [sys.executable, str(DRIVER), change, *arguments, "-o", "jsonl"]
    environ = settings.pop("env", stage.cli.environ)
    return subprocess.Popen(line, env=environ, **settings)


class Forked:
    """The program in a child of this process, which ``prepare`` may change: for all that needs no start of its own.

    It is read to its end as others are, by `end`.
    """

    def __init__(self, stage: Scene, *arguments: str, prepare: Callable[[], object] = lambda: None) -> None:
        self.returncode: int | None = None
        self._told = stage.directory / f"told-{time.monotonic_ns()}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads: the child uses none of ours
            self.pid = os.fork()
        if self.pid == 0:
            try:
                prepare()
                ran = stage.cli(*arguments)
                self._told.write_text(json.dumps([ran.out, ran.err]))
                os._exit(ran.code)
            finally:
                os._exit(70)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def communicate(self, stdin: bytes | None = None, timeout: float = 20.0) -> tuple[bytes, bytes]:
        wait_for(self._ended, timeout)
        out, err = json.loads(self._told.read_text()) if self._told.exists() else ("", "")
        return out.encode(), err.encode()

    def _ended(self) -> bool:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode is not None


Process = subprocess.Popen[bytes] | Forked


def changed(stage: Scene, change: str, *arguments: str) -> Ran:
    """Run the program with one thing changed (see driver.py) in a child; rows come as JSON Lines."""
    return end(stage, Forked(stage, *arguments, "-o", "jsonl", prepare=lambda: prepare(change)))


def adding(
    stage: Scene, fault: str | None = None, *, change: str = "", options: Sequence[str] = FAST
) -> subprocess.Popen[bytes]:
    """Start a run that adds all numbers, each of which goes wrong so, and return when four have reached the server."""
    arrivals = Arrivals()
    stage.script(arrivals.entry(fault))
    command = stage.add(*options)
    process = drive(stage, change, *command) if change else start(stage, *command)
    assert arrivals.wait(4)
    return process


def end(stage: Scene, process: Process, seconds: float = 20.0, *, stdin: bytes | None = None) -> Ran:
    """Wait for the end of a process; what it said is kept for the promises."""
    try:
        out, err = process.communicate(stdin, timeout=seconds)
    except (subprocess.TimeoutExpired, AssertionError):
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"it did not end: {(err or b'').decode()}") from None
    assert process.returncode is not None
    ran = Ran(process.returncode, (out or b"").decode(), (err or b"").decode())
    stage.ran.append(ran)
    return ran


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process without a word, and collect it."""
    process.kill()
    process.communicate()


def settled() -> None:
    """Wait until the server is done with all that reached it: what a killed client sent may still be under way."""
    wait_for(lambda: not any(thread.name == "sandbox" for thread in threading.enumerate()))


def timed(stage: Scene, process: subprocess.Popen[bytes], *numbers: signal.Signals) -> tuple[Ran, float]:
    """Send signals and wait for the end; returns it, and the seconds since the first."""
    began = time.monotonic()
    for number in numbers:
        process.send_signal(number)
    ran = end(stage, process)
    return ran, time.monotonic() - began


def histories(stage: Scene) -> list[Mapping[str, Any]]:
    """Read all of the history through the program: a run each, with its ``items``."""
    listed = stage.cli.ok("history", "list", "-o", "jsonl")
    runs = []
    for run in listed.rows:
        shown = stage.cli.ok("history", "show", run["id"], "-o", "jsonl")
        runs.append({**run, "items": shown.rows, "said": shown.err})
    return runs


def environment(stage: Scene, changes: Mapping[str, str]) -> dict[str, str]:
    """The program's environment with changes; an empty one removes."""
    return {name: value for name, value in {**stage.cli.environ, **changes}.items() if value}


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a record of the history."""
    found = []
    for line in path.read_bytes().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def record(stage: Scene) -> Path:
    """The newest record of the history."""
    directory = Path(stage.cli.environ["PROXYCTL_STATE_DIR"]) / "history"
    return max(directory.glob("*.jsonl"))


LAUNCH = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(2, termios.TIOCSCTTY, 0)
if sys.argv[1] == "background" and (job := os.fork()):
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(job, os.WUNTRACED)[1]))
if sys.argv[1] == "background":
    os.setpgid(0, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


class Terminal:
    """A process on a terminal of its own, as its session's leader: what is typed can be Ctrl-C.

    ``piped`` comes on stdin, which then is no terminal. ``background``: a job that the terminal does not listen to.
    """

    def __init__(
        self, stage: Scene, *arguments: str, piped: bytes | None = None, background: bool = False
    ) -> None:
        self.master, slave = pty.openpty()
        place = "background" if background else "foreground"
        line = [sys.executable, "-c", LAUNCH, place, *command(*arguments)[1:]]
        environ = {"TERM": "xterm", **stage.cli.environ}
        stdin = slave if piped is None else subprocess.PIPE
        self.process = subprocess.Popen(line, env=environ, stdin=stdin, stdout=slave, stderr=slave)
        os.close(slave)
        if self.process.stdin is not None:
            self.process.stdin.write(piped or b"")
            self.process.stdin.close()
        self.text = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    def expect(self, text: str) -> None:
        self.text += read_until(self.master, text.encode())

    def type(self, text: bytes) -> None:
        os.write(self.master, text)

    def end(self) -> int:
        """Read all that is still said, and return the exit code."""
        self.text += read_until(self.master, None)
        return self.process.wait(5)


def read_until(descriptor: int, text: bytes | None, seconds: float = 10.0) -> str:
    """Read until ``text`` was seen, or to the end."""
    seen = b""
    deadline = time.monotonic() + seconds
    while text is None or text not in seen:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"waited in vain for {text!r}: {seen!r}"
        try:
            data = os.read(descriptor, 65536)
        except OSError:  # a terminal whose last process has gone
            data = b""
        if not data:
            assert text is None, f"it ended before {text!r}: {seen!r}"
            break
        seen += data
    return seen.decode()
