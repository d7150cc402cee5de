"""`proxyctl sandbox serve`: from the options to a server that runs until a signal comes."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from proxyctl.errors import UsageError
from proxyctl.runtime import Runtime
from proxyctl.sandbox.context import ACCOUNT_SID, AUTH_TOKEN
from proxyctl.sandbox.guesses import Rules
from proxyctl.sandbox.server.faults import FaultPlan
from proxyctl.sandbox.server.guards import is_loopback
from proxyctl.sandbox.server.policies import Policies
from proxyctl.sandbox.server.rate_limit import ConcurrencyLimit, SlidingWindow

if TYPE_CHECKING:
    from proxyctl.sandbox.server.server import Server


@dataclass(frozen=True, slots=True)
class Serving:
    """What the command line asked for, by the names of its options; ``latency`` is in milliseconds."""

    port: int
    host: str = "127.0.0.1"
    also: str | None = None
    latency: float = 0.0
    rate_limit: bool = True
    max_concurrent: int | None = None
    faults: Sequence[str] = ()
    callbacks_to: Sequence[str] = ()
    seed: int | None = None
    not_found: str = "404"
    max_page_size: int = 100

    def policies(self) -> Policies:
        """The limits, faults and latency of the server."""
        return Policies(
            window=SlidingWindow() if self.rate_limit else None,
            concurrency=ConcurrencyLimit(self.max_concurrent),
            faults=FaultPlan.parse(self.faults, self.seed) if self.faults else None,
            latency=self.latency / 1000,
        )


def run_server(runtime: Runtime, **asked: Any) -> None:
    """Serve until SIGINT or SIGTERM, which are its orderly end."""
    log = None if runtime.options.quiet else runtime.stderr
    serving = Serving(**asked)
    with (
        opened(serving, runtime.paths.sandbox_file(runtime.options.database), log) as server,
        stopping_on_signals(server),
    ):
        runtime.out.text(server.url)
        runtime.out.flush()
        server.run()
    runtime.note("the sandbox server has stopped.")


@contextlib.contextmanager
def opened(serving: Serving, path: Path, log: TextIO | None) -> Iterator[Server]:
    """Listen, over the database at ``path`` and that of the subaccount beside it."""
    from proxyctl.sandbox.api.control import Control
    from proxyctl.sandbox.behaviour import Sandbox
    from proxyctl.sandbox.callbacks.courier import Courier
    from proxyctl.sandbox.server.server import Server
    from proxyctl.sandbox.world.store import Store, beside

    policies = serving.policies()
    rules = Rules(not_found_status=int(serving.not_found), max_page_size=serving.max_page_size)
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(Store(path))
        also = {serving.also: stack.enter_context(Store(beside(path, serving.also)))} if serving.also else {}
        courier = stack.enter_context(Courier(serving.callbacks_to))
        sandbox = Sandbox(store, rules=rules, also=also, caller=courier)
        policies.now = sandbox.now
        control = Control(sandbox, policies)
        yield stack.enter_context(
            Server(sandbox, serving.host, serving.port, policies=policies, log=log, control=control)
        )


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
def stopping_on_signals(server: Server) -> Iterator[None]:
    """Let SIGINT and SIGTERM stop the server, where this is the main thread."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    try:
        before: dict[int, Any] = {
            number: signal.signal(number, lambda *_: server.stop()) for number in numbers
        }
    except ValueError:  # not the main thread: whoever runs it there stops it there
        yield
        return
    # A handler waits for the main thread, which may be in select() by then: this wakes it at once.
    wakeup = signal.set_wakeup_fd(server.wakeup_fd(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
