"""Time as a thing that is handed in, so that what waits can be tested without waiting; and what ends a run before its
time. SIGINT, SIGTERM and SIGHUP: once, the command ends in order; twice, at once. A handler takes no lock.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Protocol

from proxyctl.errors import Interrupted, ProxyctlError

if TYPE_CHECKING:
    from proxyctl.console import Console

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SHOW_CURSOR = "\x1b[?25h"  # a progress bar hides it
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
CLEAR_LINE = "\r\x1b[K"  # where one is drawn: it comes back below


def seconds_of(text: str) -> float | None:
    """Read ``90s``, ``15m``, ``2h``, ``7d`` or ``1h30m``; a bare number is seconds. None for what is no duration."""
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return float(text)
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)([smhd])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


class Clock(Protocol):
    """Monotonic time, wall time and sleeping, in seconds."""

    def monotonic(self) -> float: ...

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


def backoff(tries: int, jitter: float) -> float:
    """Return the seconds to wait after so many tries: full jitter, of a time that doubles from 0.5 s up to 20 s."""
    return jitter * min(20.0, 0.5 * 2.0 ** min(tries, 16))


class SystemClock:
    """The machine's own clocks."""

    monotonic = staticmethod(time.monotonic)
    now = staticmethod(time.time)

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))


class Signalled(BaseException):
    """A signal came while nothing was under way that has to end in order.

    Not an Exception: nothing that handles its own errors on the way out may take it for one.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class StopRequest:
    """``error`` says why to stop (usually ``Interrupted``); what is under way then has ``grace`` seconds to answer.

    ``running``: a signal asks to stop, instead of ending the command at once. It does so after the last request
    too: what was done has yet to be reported. ``ending``: all that is left is to
    report.
    """

    def __init__(self, grace: float = 8.0) -> None:
        self.grace = grace
        self.error: ProxyctlError | None = None
        self.running = False
        self.ending = False

    def request(self, error: ProxyctlError) -> None:
        """Ask to stop because of ``error``; the first reason stays. Safe inside a signal handler."""
        self.error = self.error or error

    def check(self) -> None:
        """Raise the reason, if there is one."""
        if self.error is not None:
            raise self.error

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """While this holds, a signal raises Signalled at once, although something was written before.

        For waiting and reading between writes; whoever uses it catches that, and reports what was done.
        """
        self.running = False
        try:
            self.check()
            yield
        finally:
            self.running = True


def install(stop: StopRequest, console: Console) -> None:
    """Handle the signals for the command that ``stop`` belongs to; one inherited as ignored stays ignored."""
    seen: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if seen:
            if console.terminal.stderr:
                write(cleared(console) + SHOW_CURSOR)
            os._exit(128 + number)  # the history is on file line by line, and the kernel drops the lock
        seen.append(number)
        if stop.ending:
            write("proxyctl: the run has ended, and its report follows. A second signal exits at once.\n")
            return
        if not stop.running:
            raise Signalled(number)
        write(
            f"{cleared(console)}proxyctl: stopping. Requests in flight get 8 s. A second signal exits at once.\n"
        )
        stop.request(Interrupted(number))

    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handle)


def ignore() -> None:
    """Let no signal disturb the interpreter's own end, when all is said."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def cleared(console: Console) -> str:
    """Return what makes room for a line where a progress bar is on the screen."""
    return CLEAR_LINE if console.bar is not None and console.bar.shown else ""


def write(text: str) -> None:
    """Write to stderr past its buffer, which may be in use below a signal handler."""
    with contextlib.suppress(OSError):
        os.write(2, text.encode())
