"""The sandbox as an httpx transport: the client's whole code runs, and no socket is opened."""

from __future__ import annotations

import os
import threading

import httpx

from proxyctl.clock import Clock
from proxyctl.sandbox.behaviour import Sandbox
from proxyctl.sandbox.server.wire import Request
from proxyctl.sandbox.world.store import Store

# The URL that in-process requests are addressed to: loopback, and what `sandbox serve` listens on by default,
# so that the URLs in printed answers work against it.
IN_PROCESS_URL = "http://127.0.0.1:8181"


class SandboxTransport(httpx.BaseTransport):
    """Answers requests from ``sandbox``, from any thread. ``close`` closes the store if it owns it."""

    def __init__(self, sandbox: Sandbox, *, owns_store: bool = False) -> None:
        self.sandbox = sandbox
        self._owns_store = owns_store
        self._under_way = 0
        self._lock = threading.Lock()

    @classmethod
    def at(
        cls, path: str | os.PathLike[str], *, clock: Clock | None = None, not_found_status: int = 404
    ) -> SandboxTransport:
        """Open the database at ``path`` (or ``:memory:``); OutputError if it can't be used."""
        return cls(Sandbox(Store(path), clock=clock, not_found_status=not_found_status), owns_store=True)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        url = request.url
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._lock:
            self._under_way += 1
            concurrent = self._under_way
        try:
            answer = self.sandbox.respond(
                Request.from_wire(
                    request.method,
                    url.raw_path.decode("ascii"),
                    headers,
                    body,
                    f"{url.scheme}://{url.netloc.decode('ascii')}",
                    concurrent=concurrent,
                )
            )
        finally:
            with self._lock:
                self._under_way -= 1
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body or b"")

    def close(self) -> None:
        if self._owns_store:
            self.sandbox.store.close()
