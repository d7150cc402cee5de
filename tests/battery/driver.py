"""Runs the program with one thing changed, as a process of its own: ``python driver.py CHANGE COMMAND…``.

CHANGE is ``grace=SECONDS`` (what is under way gets after a signal), ``kill=POINT:N`` (the process dies by SIGKILL
when it is at POINT for the N-th time), ``full=N`` (the disk is full once N lines of history are written),
``homeless=`` (the system does not know the user), ``term=`` (SIGTERM comes as the request to stop is made),
``defect=N`` (the N-th write raises what nobody expects) or ``threads=N`` (no more than N can be started).
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

from proxyctl.api.client import ProxyClient
from proxyctl.bulk.stop import StopRequest
from proxyctl.cli import main
from proxyctl.runtime import Runtime
from proxyctl.signals import install
from proxyctl.state.history import RunRecorder

POINTS = ("intent", "intended", "half-intended", "send", "answered", "half-told", "told", "end", "ended")


def die(at: int) -> Callable[[], None]:
    """Return what kills this process when it is called for the ``at``-th time."""
    count = 0

    def called() -> None:
        nonlocal count
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)

    return called


def kill_at(point: str, at: int) -> None:
    """Have the process die at ``point``."""
    hit = die(at)
    before: dict[str, str] = {"intent": "intent", "end": "end"}
    after = {"intended": "intent", "told": "outcome", "ended": "end"}
    halves = {"half-intended": "intent", "half-told": "outcome"}
    if point in before:
        wrap(RunRecorder, before[point], before=hit)
    elif point in after:
        wrap(RunRecorder, after[point], after=hit)
    elif point in halves:
        tear(halves[point], at)
    else:
        wrap_writes(point, hit)


def wrap(owner: type, name: str, before: Callable[[], None] | None = None, after: Any = None) -> None:
    """Call ``before`` and ``after`` a method."""
    own = getattr(owner, name)

    def method(self: Any, *arguments: Any, **named: Any) -> Any:
        if before:
            before()
        result = own(self, *arguments, **named)
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


def tear(name: str, at: int) -> None:
    """Let the ``at``-th line of this kind reach the file in part only, as the process dies."""
    hit, own = die(at), getattr(RunRecorder, name)
    count = 0

    def method(self: Any, *arguments: Any) -> None:
        nonlocal count
        count += 1
        if count == at:
            os.write(self._descriptor, b'{"type": "' + name.encode() + b'", "ind')
        hit()
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


def terminate() -> None:
    """Send this process SIGTERM, and say so, that a test may know."""
    os.write(2, b"terminated\n")
    os.kill(os.getpid(), signal.SIGTERM)


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


def prepare(change: str) -> Callable[[Runtime], None]:
    """Make the change; return what `main` calls before the command."""
    name, _, value = change.partition("=")
    if name == "kill":
        point, _, at = value.partition(":")
        kill_at(point, int(at))
    elif name == "full":
        fill_disk(int(value))
    elif name == "homeless":
        forget_user()
    elif name == "defect":
        break_write(int(value))
    elif name == "threads":
        limit_threads(int(value))

    def ready(runtime: Runtime) -> None:
        if name == "grace":
            runtime.stop = StopRequest(float(value))
        install(runtime)
        if name == "term":
            wrap(StopRequest, "__init__", after=terminate)

    return ready


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:], prepare=prepare(sys.argv[1])))
