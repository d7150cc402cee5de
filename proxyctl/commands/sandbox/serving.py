"""`proxyctl sandbox serve`, a server that runs until a signal comes, and `sandbox exec`, which runs another program
beside one of its own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from proxyctl.clock import SIGNALS
from proxyctl.errors import CommandExit, UsageError
from proxyctl.runtime import Runtime
from proxyctl.sandbox.context import ACCOUNT_SID, AUTH_TOKEN
from proxyctl.sandbox.guesses import Rules
from proxyctl.sandbox.server.faults import FaultPlan
from proxyctl.sandbox.server.guards import is_loopback
from proxyctl.sandbox.server.policies import Policies
from proxyctl.sandbox.server.rate_limit import ConcurrencyLimit, SlidingWindow

if TYPE_CHECKING:
    from proxyctl.sandbox.server.server import Server

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126  # as shells have it


def run_server(runtime: Runtime, **asked: Any) -> None:
    """Serve until SIGINT or SIGTERM, which are its orderly end."""
    log = None if runtime.options.quiet else runtime.stderr
    with (
        opened(runtime.paths.sandbox_file(runtime.options.database), log, **asked) as server,
        handling((signal.SIGINT, signal.SIGTERM), lambda *_: server.stop(), server.wakeup_fd()),
    ):
        runtime.out.text(server.url)
        runtime.out.flush()
        server.run()
    runtime.note("the sandbox server has stopped.")


@contextlib.contextmanager
def opened(
    path: Path,
    log: TextIO | None,
    *,
    host: str,
    port: int,
    latency: float,
    rate_limit: bool,
    not_found: str,
    max_page_size: int,
    also: str | None = None,
    max_concurrent: int | None = None,
    faults: Sequence[str] = (),
    callbacks_to: Sequence[str] = (),
    seed: int | None = None,
) -> Iterator[Server]:
    """Listen, over the database at ``path`` and that of the subaccount beside it; ``latency`` is in milliseconds."""
    from proxyctl.sandbox.api.control import Control
    from proxyctl.sandbox.behaviour import Sandbox
    from proxyctl.sandbox.callbacks.courier import Courier
    from proxyctl.sandbox.server.server import Server
    from proxyctl.sandbox.world.store import Store, beside

    policies = Policies(
        window=SlidingWindow() if rate_limit else None,
        concurrency=ConcurrencyLimit(max_concurrent),
        faults=FaultPlan.parse(faults, seed) if faults else None,
        latency=latency / 1000,
    )
    rules = Rules(not_found_status=int(not_found), max_page_size=max_page_size)
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(Store(path))
        subaccounts = {also: stack.enter_context(Store(beside(path, also)))} if also else {}
        courier = stack.enter_context(Courier(callbacks_to))
        sandbox = Sandbox(store, rules=rules, also=subaccounts, caller=courier)
        policies.now = sandbox.now
        control = Control(sandbox, policies)
        yield stack.enter_context(Server(sandbox, host, port, policies=policies, log=log, control=control))


def exports(url: str, database: Path | None) -> dict[str, str]:
    """The environment of a program that uses a served sandbox, and its database."""
    variables = {
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "PROXYCTL_BASE_URL": url,
    }
    return variables | ({"PROXYCTL_SANDBOX_DATABASE": str(database)} if database else {})


def require_loopback(host: str) -> str:
    """Return ``host`` as a URL has it; UsageError unless it is loopback, which also keeps a shell's words out."""
    bare = host.strip("[]")
    if bare.lower() != "localhost" and not is_loopback(bare):
        raise UsageError(
            f"--host {host!a} is no loopback address.", hint="The sandbox is served on 127.0.0.1 or ::1 only."
        )
    return f"[{bare}]" if ":" in bare else bare


@contextlib.contextmanager
def handling(
    numbers: Iterable[int], handler: Callable[[int, object], object], wakeup: int | None = None
) -> Iterator[None]:
    """Let ``handler`` have signals for the length of the block. Where this is not the main thread, nothing changes.

    A handler waits for the main thread, which may be in select() by then: a byte to ``wakeup`` wakes it at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in numbers}
    woken = None if wakeup is None else signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    try:
        yield
    finally:
        if woken is not None:
            signal.set_wakeup_fd(woken)
        for number, one in before.items():
            signal.signal(number, one)


# exec


def execute(runtime: Runtime, words: list[str], **asked: Any) -> None:
    """Run the command of ``words`` beside a server, and exit as it does."""
    log = runtime.stderr if runtime.options.verbose else None
    named = runtime.options.database
    # No other credentials may go before those of the sandbox.
    environ = {name: value for name, value in runtime.environ.items() if not name.startswith("TWILIO_")}
    environ.pop("PROXYCTL_PROFILE", None)
    with tempfile.TemporaryDirectory(prefix="proxyctl-sandbox-") as directory:
        path = runtime.paths.sandbox_file(named) if named else Path(directory, "sandbox.db")
        with opened(path, log, **asked) as server, running(server):
            status = run(words, environ | exports(server.url, path))
    if status:
        raise CommandExit(status)


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
    """Run ``command``, which gets the signals that come; return its exit code, 128 + n where signal n ended it."""
    process: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def forward(number: int, _: object) -> None:
        if process is None:
            early.append(number)
        elif number != signal.SIGINT or not typed_here():
            process.send_signal(number)

    # One that is ignored stays ignored, for the command as well.
    with handling([number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN], forward):
        try:
            process = subprocess.Popen(command, env=environ)
        except OSError as error:
            status = _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE
            raise CommandExit(status, f"{command[0]} can't be run: {error.strerror}") from None
        for number in early:
            process.send_signal(number)
        status = process.wait()
    return status if status >= 0 else 128 - status


def typed_here() -> bool:
    """Whether this runs in the foreground of a terminal: its Ctrl-C has reached the command as well."""
    with contextlib.suppress(OSError), open("/dev/tty", "rb", buffering=0) as terminal:
        return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    return False
