"""`proxyctl sandbox exec`: another program, with a served sandbox of its own for as long as it runs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proxyctl.clock import SIGNALS
from proxyctl.commands.sandbox.serving import Serving, exports, opened
from proxyctl.errors import CommandExit
from proxyctl.runtime import Runtime

if TYPE_CHECKING:
    from proxyctl.sandbox.server.server import Server

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126  # as shells have it


def execute(runtime: Runtime, words: list[str], **asked: Any) -> None:
    """Run the command of ``words`` beside a server, and exit as it does."""
    log = runtime.stderr if runtime.options.verbose else None
    with tempfile.TemporaryDirectory(prefix="proxyctl-sandbox-") as directory:
        path = (
            runtime.paths.sandbox_file(runtime.options.database)
            if runtime.options.database
            else Path(directory, "sandbox.db")
        )
        with opened(Serving(**asked), path, log) as server, running(server):
            status = run(words, environment(runtime.environ, server.url, path))
    if status:
        raise CommandExit(status)


def environment(environ: Mapping[str, str], url: str, database: Path) -> dict[str, str]:
    """The environment of the command: no other credentials may go before those of the sandbox."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith("TWILIO_") and name != "PROXYCTL_PROFILE"
    }
    return kept | exports(url, database)


@contextlib.contextmanager
def running(server: Server) -> Iterator[None]:
    """Run the server in threads that take no signal: the main one has to wake up for it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    thread = threading.Thread(target=server.run, name="sandbox-server", daemon=True)
    thread.start()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        yield
    finally:
        server.stop()
        thread.join()


def run(command: list[str], environ: Mapping[str, str]) -> int:
    """Run ``command`` and return its exit code, 128 + n where signal n ended it."""
    with forwarding() as forward:
        try:
            process = subprocess.Popen(command, env=environ)
        except OSError as error:
            status = _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE
            raise CommandExit(status, f"{command[0]} can't be run: {error.strerror}") from None
        forward.to(process)
        status = process.wait()
    return status if status >= 0 else 128 - status


class Forward:
    """Hands signals on to a process; one that comes before there is a process waits for it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    def handle(self, number: int, _: object) -> None:
        if self._process is None:
            self._early.append(number)
        elif number != signal.SIGINT or not typed_here():
            self._process.send_signal(number)

    def to(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        for number in self._early:
            process.send_signal(number)


@contextlib.contextmanager
def forwarding() -> Iterator[Forward]:
    """Hand signals on for the length of the block; one that is ignored stays ignored, for the command as well."""
    forward = Forward()
    numbers = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    try:
        before = {number: signal.signal(number, forward.handle) for number in numbers}
    except ValueError:  # not the main thread, which gets them
        before = {}
    try:
        yield forward
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def typed_here() -> bool:
    """Whether this runs in the foreground of a terminal: its Ctrl-C has reached the command as well."""
    with contextlib.suppress(OSError), open("/dev/tty", "rb", buffering=0) as terminal:
        return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    return False
