"""The end of one request, apart from the wire so that a transport without sockets keeps to it as well."""

from __future__ import annotations

import time


class Deadline:
    """``seconds`` for a whole request, from now on. Real time, not a clock that is handed in: sockets know no
    other.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left; negative when it is over."""
        return self._end - time.monotonic()

    def check(self) -> None:
        """Raise httpx.ReadTimeout when it is over."""
        if self.left() <= 0:
            import httpx

            raise httpx.ReadTimeout("deadline")
