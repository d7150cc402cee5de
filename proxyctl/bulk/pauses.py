"""How long to hold back while 429s keep coming: shared by both gates of the pace."""

from __future__ import annotations

import math
from collections.abc import Callable

NEVER = math.inf
HURRIED = 0.1  # seconds: the longest pause once only rescues are sent


class Pause:
    """Growing pauses while 429s keep coming: 0.25 s doubling to 30 s, half of each random."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._count = 0

    def next(self) -> float:
        """The next pause, in seconds."""
        full: float = min(30.0, 0.25 * 2 ** min(self._count, 10))
        self._count += 1
        return full * (0.5 + 0.5 * self._random())

    def reset(self) -> None:
        self._count = 0
