"""Runs the program with one thing changed, as a process of its own: ``python driver.py CHANGE COMMAND…``.

CHANGE is ``grace=SECONDS`` (what is under way gets after a signal), ``kill=POINT:N`` (the process dies by SIGKILL
when it is at POINT for the N-th time), ``term=POINT:N`` (it sends SIGTERM to itself there), ``full=N`` (the disk is
full once N lines of history are written), ``homeless=`` (the system does not know the user), ``defect=N`` (the N-th
write raises what nobody expects) or ``threads=N`` (no more than N can be started).
"""

from __future__ import annotations

import errno
import os
import pwd
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from proxyctl import cli, clock
from proxyctl.__main__ import run
from proxyctl.api.client import ProxyClient
from proxyctl.clock import StopRequest, install
from proxyctl.console import Console
from proxyctl.render.output import Output
from proxyctl.runtime import Runtime
from proxyctl.state.history import RunRecorder

POINTS = ("intent", "intended", "half-intended", "send", "answered", "half-told", "told", "end", "ended")
LATE_POINTS = ("rows", "printed", "flush", "close", "closed")


def die(at: int, number: signal.Signals = signal.SIGKILL) -> Callable[[], None]:
    """Return what sends a signal to this process when it is called for the ``at``-th time."""
    count = 0

    def called() -> None:
        nonlocal count
        count += 1
        if count == at:
            os.kill(os.getpid(), number)

    return called


def hit_at(point: str, hit: Callable[[], None]) -> None:
    """Call ``hit`` at ``point``."""
    before: dict[str, tuple[Any, str]] = {
        "intent": (RunRecorder, "intent"),
        "end": (RunRecorder, "end"),
        "rows": (Output, "rows"),
        "flush": (cli, "flush"),
        "close": (Runtime, "close"),
    }
    after: dict[str, tuple[Any, str]] = {
        "intended": (RunRecorder, "intent"),
        "told": (RunRecorder, "outcome"),
        "ended": (RunRecorder, "end"),
        "printed": (Output, "rows"),
        "closed": (Runtime, "close"),
    }
    halves = {"half-intended": "intent", "half-told": "outcome"}
    if point in before:
        wrap(*before[point], before=hit)
    elif point in after:
        wrap(*after[point], after=hit)
    elif point in halves:
        tear(halves[point], hit)
    else:
        wrap_writes(point, hit)


def wrap(owner: Any, name: str, before: Callable[[], None] | None = None, after: Any = None) -> None:
    """Call ``before`` and ``after`` a method."""
    own = getattr(owner, name)

    def method(*arguments: Any, **settings: Any) -> Any:
        if before:
            before()
        result = own(*arguments, **settings)
        if after:
            after()
        return result

    setattr(owner, name, method)


def wrap_writes(point: str, hit: Callable[[], None]) -> None:
    """Call ``hit`` around the requests that write."""
    own = ProxyClient.send

    def send(self: ProxyClient, call: Any) -> Any:
        if call.writes and point == "send":
            hit()
        answer = own(self, call)
        if call.writes and point == "answered":
            hit()
        return answer

    ProxyClient.send = send  # type: ignore[method-assign]


def tear(name: str, hit: Callable[[], None]) -> None:
    """Let a line of this kind reach the file in part only, where the process dies at it."""
    own = getattr(RunRecorder, name)

    def method(self: Any, *arguments: Any) -> None:
        half, end = b'{"type": "' + name.encode() + b'", "ind', os.fstat(self._descriptor).st_size
        os.write(self._descriptor, half)
        hit()
        os.ftruncate(self._descriptor, end)
        own(self, *arguments)

    setattr(RunRecorder, name, method)


def fill_disk(lines: int) -> None:
    """Let every write to a regular file fail, once ``lines`` were written to the history."""
    own = os.write
    count = 0

    def write(descriptor: int, data: bytes) -> int:
        nonlocal count
        if data.startswith(b'{"type"'):
            count += 1
            if count > lines:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return own(descriptor, data)

    os.write = write


def forget_user() -> None:
    """Let the user be none that the system knows."""

    def nobody(uid: int) -> Any:
        raise KeyError(uid)

    pwd.getpwuid = nobody  # type: ignore[assignment]


def break_write(at: int) -> None:
    """Let the ``at``-th write fail in a way that nobody foresaw."""
    own, count = ProxyClient.send, 0

    def send(self: ProxyClient, call: Any) -> Any:
        nonlocal count
        count += call.writes
        if call.writes and count == at:
            raise ZeroDivisionError("on purpose")
        return own(self, call)

    ProxyClient.send = send  # type: ignore[method-assign]


def limit_threads(most: int) -> None:
    """Let the system refuse all threads but ``most``."""
    own, count = threading.Thread.start, 0

    def start(self: threading.Thread) -> None:
        nonlocal count
        count += 1
        if count > most:
            raise RuntimeError("can't start new thread")
        own(self)

    threading.Thread.start = start  # type: ignore[method-assign]


def prepare(change: str) -> Callable[[StopRequest, Console], None]:
    """Make the change; return what `main` calls before the command."""
    name, _, value = change.partition("=")
    if name in ("kill", "term"):
        point, _, at = value.partition(":")
        hit_at(point, die(int(at), signal.SIGKILL if name == "kill" else signal.SIGTERM))
    elif name == "full":
        fill_disk(int(value))
    elif name == "homeless":
        forget_user()
    elif name == "defect":
        break_write(int(value))
    elif name == "threads":
        limit_threads(int(value))

    def ready(request: StopRequest, console: Console) -> None:
        if name == "grace":
            request.grace = float(value)
        install(request, console)

    return ready


if __name__ == "__main__":
    clock.install = prepare(sys.argv.pop(1))
    run()
