"""The sandbox as an httpx transport: the client's whole code runs, and no socket is opened."""

from __future__ import annotations

import threading

import httpx

from proxyctl.sandbox.behaviour import Sandbox
from proxyctl.sandbox.context import Request

# The URL that in-process requests are addressed to: loopback, and what `sandbox serve` listens on by default,
# so that the URLs in printed answers work against it.
IN_PROCESS_URL = "http://127.0.0.1:8181"


class SandboxTransport(httpx.BaseTransport):
    """Answers requests from ``sandbox``, from any thread."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._under_way = 0
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        with self._lock:
            self._under_way += 1
            concurrent = self._under_way
        try:
            answer = self.sandbox.respond(
                Request.from_wire(
                    request.method,
                    url.raw_path.decode("ascii"),
                    {name.lower(): value for name, value in request.headers.items()},
                    request.read(),
                    f"{url.scheme}://{url.netloc.decode('ascii')}",
                    concurrent=concurrent,
                )
            )
        finally:
            with self._lock:
                self._under_way -= 1
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body or b"")
