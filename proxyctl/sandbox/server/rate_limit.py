"""The two limits of the platform, as the server applies them: a sliding window for each endpoint, and a
ceiling on what runs at a time. Pure decisions, apart from the server, with the time handed in.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable

WINDOW = 5.0
BURST = 150

_KEYS_BEFORE_SWEEP = 1024


def endpoint_of(method: str, path: str) -> Hashable | None:
    """Return what shares one window with ``method path``: its method, Service and collection; None without a
    limit.

    A resource counts with its collection, so that adding and updating PhoneNumbers of one Service share a
    window. The list of Services belongs to the account. Only the Proxy API (``/v1/...``) has this limit.
    """
    parts = path.strip("/").split("/")
    if parts[0] != "v1" or parts[1:2] == ["Accounts"]:
        return None
    if len(parts) < 3:
        return (method, None, "Services")
    return (method, parts[2], "/".join(parts[3::2]))


class SlidingWindow:
    """At most ``burst`` requests in any ``seconds`` for each key (real: 150 in 5 s, which is 30 a second).

    A refused request leaves no trace: it does not count against the window. Thread-safe.
    """

    def __init__(self, *, seconds: float = WINDOW, burst: int = BURST) -> None:
        self.seconds = seconds
        self.burst = burst
        self._lock = threading.Lock()
        self._seen: dict[Hashable, deque[float]] = {}

    def admit(self, key: Hashable, now: float) -> bool:
        """Count a request at ``now`` (monotonic seconds), or return False where the window is full."""
        with self._lock:
            seen = self._seen.get(key)
            if seen is None:
                self._sweep(now)
                seen = self._seen[key] = deque()
            while seen and seen[0] <= now - self.seconds:
                seen.popleft()
            if len(seen) >= self.burst:
                return False
            seen.append(now)
            return True

    def _sweep(self, now: float) -> None:
        """Forget the endpoints that have been quiet for a window, so that a long-lived server stays small."""
        if len(self._seen) >= _KEYS_BEFORE_SWEEP:
            quiet = now - self.seconds
            self._seen = {key: seen for key, seen in self._seen.items() if seen and seen[-1] > quiet}


class ConcurrencyLimit:
    """How many requests run at a time, and a ceiling on them (None: no ceiling) that may be changed at any
    moment.

    The real ceiling is not published: clients have to find it by the 429s. Thread-safe.
    """

    def __init__(self, ceiling: int | None = None) -> None:
        self.ceiling = ceiling
        self.running = 0
        self.most = 0
        self._lock = threading.Lock()

    def enter(self) -> int | None:
        """Take a place and return how many are taken now, or None where none is free; each place needs one
        ``leave``.
        """
        with self._lock:
            if self.ceiling is not None and self.running >= self.ceiling:
                return None
            self.running += 1
            self.most = max(self.most, self.running)
            return self.running

    def leave(self) -> None:
        """Give the place back."""
        with self._lock:
            self.running -= 1
