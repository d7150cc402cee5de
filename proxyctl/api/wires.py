"""The open connections, host by host. A connection pool of httpx is scanned for each request, so that 100
connections in one are slower than 16: here are several pools of a few, and the least busy one is lent.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import httpx

from proxyctl.api.endpoint import Endpoint
from proxyctl.api.transport import DeadlineTransport, proxy_for


class Wires:
    """Up to ``clients`` transports a host, of ``connections`` each; all share one TLS context."""

    def __init__(self, endpoint: Endpoint, clients: int, connections: int) -> None:
        self._endpoint = endpoint
        self._clients, self._connections = clients, connections
        self._context = None
        if any(origin[0] == "https" for origin in endpoint.origins):
            from proxyctl.api.tls import tls_context

            self._context = tls_context()
        self._spreads: dict[str, Spread] = {}
        self._closed = False
        self._lock = threading.Lock()
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.CRITICAL)

    @contextmanager
    def lease(self, url: httpx.URL) -> Iterator[httpx.BaseTransport]:
        """Lend a transport for one request."""
        with self._lock:
            if self._closed:
                raise httpx.ConnectError("the client was closed")
            if url.host not in self._spreads:
                self._spreads[url.host] = self._spread(url.host)
            spread = self._spreads[url.host]
        with spread.lease() as transport:
            yield transport

    def _spread(self, host: str) -> Spread:
        # A loopback server is this machine's alone: a proxy would be given the credentials.
        proxy = None if self._endpoint.is_loopback else proxy_for(host)
        make = partial(DeadlineTransport, connections=self._connections, context=self._context, proxy=proxy)
        return Spread(make, self._clients)

    def close(self) -> None:
        """Close all connections; none is opened again."""
        with self._lock:
            self._closed = True
            spreads, self._spreads = list(self._spreads.values()), {}
        for spread in spreads:
            spread.close()


@dataclass(eq=False, slots=True)
class _Slot:
    transport: httpx.BaseTransport
    busy: int = 0


class Spread:
    """Up to ``count`` transports, each made when the others are busy. Safe to use from many threads."""

    def __init__(self, make: Callable[[], httpx.BaseTransport], count: int) -> None:
        self._make = make
        self._count = max(1, count)
        self._slots: list[_Slot] = []
        self._closed = False
        self._lock = threading.Lock()

    @contextmanager
    def lease(self) -> Iterator[httpx.BaseTransport]:
        """Lend the least busy transport for one request."""
        with self._lock:
            slot = self._pick()
            slot.busy += 1
        try:
            yield slot.transport
        finally:
            with self._lock:
                slot.busy -= 1

    def _pick(self) -> _Slot:
        if self._closed:
            raise httpx.ConnectError("the client was closed")
        # Among equals the first: one request after another keeps to one warm connection.
        slot = min(self._slots, key=lambda slot: slot.busy, default=None)
        if slot is None or (slot.busy and len(self._slots) < self._count):
            slot = _Slot(self._make())
            self._slots.append(slot)
        return slot

    def close(self) -> None:
        """Close all connections; none is lent again."""
        with self._lock:
            self._closed = True
            slots, self._slots = self._slots, []
        for slot in slots:
            slot.transport.close()
