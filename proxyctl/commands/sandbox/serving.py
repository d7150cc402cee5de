"""`proxyctl sandbox serve`: from the options to a server that runs until a signal comes."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proxyctl.errors import UsageError
from proxyctl.identifiers import is_sid
from proxyctl.runtime import Runtime
from proxyctl.sandbox.context import ACCOUNT_SID
from proxyctl.sandbox.guesses import Rules
from proxyctl.sandbox.server.faults import FaultPlan
from proxyctl.sandbox.server.guards import is_loopback
from proxyctl.sandbox.server.policies import Policies
from proxyctl.sandbox.server.rate_limit import SlidingWindow

if TYPE_CHECKING:
    from proxyctl.sandbox.server.server import Server


@dataclass(frozen=True, slots=True)
class Serving:
    """What the command line asked for."""

    host: str
    port: int
    also: str | None
    database: str | None
    latency_ms: float
    rate_limit: bool
    faults: Sequence[str] | None
    seed: int | None
    not_found: str
    max_page_size: int


def run_server(runtime: Runtime, **asked: Any) -> None:
    """Serve until SIGINT or SIGTERM, which are its orderly end."""
    serving = Serving(**asked)
    from proxyctl.sandbox.behaviour import Sandbox
    from proxyctl.sandbox.server.server import Server
    from proxyctl.sandbox.world.store import Store

    if serving.not_found not in ("404", "400"):
        raise UsageError(f"--not-found {serving.not_found}: give 404 or 400.")
    if serving.also is not None and (not is_sid("AC", serving.also) or serving.also == ACCOUNT_SID):
        raise UsageError("--also takes the Account SID of another account: AC and 32 hexadecimal digits.")
    policies = Policies(
        window=SlidingWindow() if serving.rate_limit else None,
        faults=FaultPlan.parse(serving.faults, serving.seed) if serving.faults else None,
        latency=serving.latency_ms / 1000,
    )
    rules = Rules(not_found_status=int(serving.not_found), max_page_size=serving.max_page_size)
    log = None if runtime.options.quiet else runtime.stderr
    path = Path(serving.database or runtime.sandbox_file)
    with contextlib.ExitStack() as stores:
        store = stores.enter_context(Store(path))
        also = {}
        if serving.also is not None:  # its data lie beside those of the sandbox
            beside = path.with_name(f"{path.stem}-{serving.also}{path.suffix}")
            also[serving.also] = stores.enter_context(Store(beside))
        sandbox = Sandbox(store, rules=rules, also=also)
        server = Server(sandbox, serving.host, serving.port, policies=policies, log=log)
        with server, stopping_on_signals(server):
            runtime.out.text(server.url)
            runtime.out.flush()
            server.run()
    runtime.note("the sandbox server has stopped.")


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
