"""A sandbox over HTTP for tests: served on a free port by a thread, with its ledger; used by the tests of
other parts too.
"""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from proxyctl.sandbox.behaviour import Sandbox
from proxyctl.sandbox.connection import Limits
from proxyctl.sandbox.policies import Ledger, Policies
from proxyctl.sandbox.server import Respondent, Server
from proxyctl.sandbox.store import Store


@dataclass(frozen=True)
class Served:
    """A running server: ``policies`` may be changed meanwhile, ``ledger`` has all that was carried out."""

    url: str
    port: int
    server: Server
    policies: Policies
    ledger: Ledger
    log: io.StringIO


@contextlib.contextmanager
def served(
    sandbox: Respondent | None = None,
    *,
    policies: Policies | None = None,
    limits: Limits | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    connections: int = 512,
) -> Iterator[Served]:
    """Serve ``sandbox`` (default: an empty one in memory) for the length of the block; without limits by
    default.
    """
    with contextlib.ExitStack() as stack:
        if sandbox is None:
            store = Store(":memory:")
            stack.callback(store.close)
            sandbox = Sandbox(store)
        policies = policies or Policies()
        ledger = policies.ledger = policies.ledger or Ledger()
        log = io.StringIO()
        server = Server(
            sandbox, host, port, policies=policies, log=log, limits=limits, connections=connections
        )
        stack.enter_context(server)
        thread = threading.Thread(target=server.run, name="sandbox-server")
        thread.start()
        try:
            yield Served(server.url, server.port, server, policies, ledger, log)
        finally:
            server.stop()
            thread.join(5.0)
            assert not thread.is_alive(), "the server did not stop"
