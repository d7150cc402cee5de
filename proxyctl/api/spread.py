"""Several transports as one: a connection pool of httpx is scanned for each request, so that 100 connections
in one are slower than 16. Each of these holds a few, and a request goes to the least busy one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


class Spread:
    """Up to ``count`` transports, each made when the others are busy. Safe to use from many threads."""

    def __init__(self, make: Callable[[], httpx.BaseTransport], count: int) -> None:
        self._make = make
        self._count = max(1, count)
        self._transports: list[httpx.BaseTransport] = []
        self._busy: list[int] = []
        self._lock = threading.Lock()

    @contextmanager
    def lease(self) -> Iterator[httpx.BaseTransport]:
        """Lend the least busy transport for one request."""
        with self._lock:
            index = self._pick()
            self._busy[index] += 1
        try:
            yield self._transports[index]
        finally:
            with self._lock:
                self._busy[index] -= 1

    def _pick(self) -> int:
        # Among equals the first: one request after another keeps to one warm connection.
        index = min(range(len(self._busy)), key=self._busy.__getitem__, default=-1)
        if index >= 0 and (self._busy[index] == 0 or len(self._busy) == self._count):
            return index
        self._transports.append(self._make())
        self._busy.append(0)
        return len(self._busy) - 1

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            transports, self._transports, self._busy = self._transports, [], []
        for transport in transports:
            transport.close()
