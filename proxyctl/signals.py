"""SIGINT, SIGTERM and SIGHUP: once, the command ends in order; twice, at once."""

from __future__ import annotations

import contextlib
import os
import signal
from types import FrameType
from typing import TYPE_CHECKING

from proxyctl.errors import Interrupted

if TYPE_CHECKING:
    from proxyctl.runtime import Runtime

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SHOW_CURSOR = b"\x1b[?25h"  # a progress bar hides it
CLEAR_LINE = "\r\x1b[K"  # where one is drawn: it comes back below


class Signalled(BaseException):
    """A signal came while nothing was under way that has to end in order.

    Not an Exception: nothing that looks after its own errors on the way out may take it for one.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def install(runtime: Runtime) -> None:
    """Handle the signals for the command that ``runtime`` carries; one inherited as ignored stays ignored."""
    seen: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if seen:
            leave_at_once(runtime, number)
        seen.append(number)
        if runtime.ending:
            tell("proxyctl: the work is over, and is being reported. The same signal again ends at once.\n")
            return
        if not runtime.running:
            raise Signalled(number)
        tell(
            f"{cleared(runtime)}proxyctl: stopping; what is under way gets 8 s. The same signal again ends at once.\n"
        )
        runtime.stop.request(Interrupted(number))

    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handle)


def ignore() -> None:
    """Let no signal disturb the interpreter's own end, when all is said."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def cleared(runtime: Runtime) -> str:
    """Return what makes room for a line where a progress bar is on the screen."""
    return CLEAR_LINE if runtime.console.bar is not None and runtime.console.bar.shown else ""


def tell(text: str) -> None:
    """Write to stderr past its buffer, which may be in use below a signal handler."""
    with contextlib.suppress(OSError):
        os.write(2, text.encode())


def leave_at_once(runtime: Runtime, number: int) -> None:
    """End the process now. The history is on file line by line, and the kernel drops the lock."""
    if runtime.console.terminal.stderr:
        with contextlib.suppress(OSError):
            os.write(2, cleared(runtime).encode() + SHOW_CURSOR)
    os._exit(128 + number)
