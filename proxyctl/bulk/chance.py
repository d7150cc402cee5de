"""Whether 429s have to do with the pace at all: some come by chance, whatever the pace, and slowing down would not
make them fewer.

Pure counting, apart from the gate so that its rules can be read (and tested) by themselves.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

_SAMPLE = 40


class Chance:
    """The share of requests that is turned away at any pace, once there is reason to believe in it; else 0.

    ``excess`` says when more are turned away than that share explains.
    """

    most = 0.5

    def __init__(self) -> None:
        self.share = 0.0
        self._recent: deque[bool] = deque(maxlen=_SAMPLE)
        self._streak = 0
        self._before: float | None = None
        self._most = 0.0

    def saw(self, refused: bool) -> None:
        """Count one answer."""
        self._recent.append(refused)
        self._streak = self._streak + 1 if refused else 0
        if self.share:
            self.share = min(self._most, self.share + 0.01 * (refused - self.share))
            if self.share < 0.002:  # none for hundreds of requests: it is over
                self.share = 0.0

    def learn(self) -> None:
        """Believe in the share that was turned away of late."""
        self._believe(max(0.01, self.refused / (len(self._recent) + 1)))
        self._before = None

    def _believe(self, share: float) -> None:
        self.share = min(self.most, share)
        self._most = min(self.most, 1.3 * self.share)  # or it would follow a pace that grows too high

    def forget(self) -> None:
        """Believe in no such share any more."""
        self.share = 0.0
        self.cut()

    @property
    def refused(self) -> int:
        return sum(self._recent)

    @property
    def in_a_row(self) -> bool:
        """Whether so many in a row were turned away that chance can't be the cause."""
        return self._streak >= max(3, math.ceil(math.log(0.001) / math.log(self.share or 0.01)))

    @property
    def excess(self) -> bool:
        """Whether clearly more than the share were turned away of late."""
        count, share = len(self._recent), self.share
        usual = count * share + 4 * math.sqrt(count * share * (1 - share)) + 1
        return self.refused > usual

    def cut(self) -> None:
        """The pace was cut: count anew, to see whether that helps."""
        self._before = self.refused / max(1, len(self._recent))
        self._recent.clear()
        self._streak = 0

    def in_vain(self) -> bool:
        """Whether the last cut has not made the refusals fewer; said once, when enough have been counted."""
        before, count = self._before, len(self._recent)
        if before is None or count < _SAMPLE:
            return False
        if self.refused >= max(2.0, 0.7 * count * before):
            return True
        self._before = None
        if self.share:  # part of it was the rate's
            self._believe(self.refused / count)
        return False


@dataclass(slots=True)
class Trial:
    """A 429 whose cause is tried by single requests: where the rate is the cause, those after it fare no better.

    ``ticket`` and ``started`` are those of the request that was turned away.
    """

    ticket: int
    started: float
    score: int = 0

    def saw(self, ticket: int, refused: bool, probe: bool) -> None:
        """Count an answer, if it is of a later request."""
        if ticket > self.ticket:
            self.score += -1 if refused else 1
            if not probe:  # they overtake each other on the way: at least one probe has to agree
                self.score = min(self.score, 1)

    @property
    def by_chance(self) -> bool:
        return self.score >= 2

    @property
    def by_rate(self) -> bool:
        return self.score <= -3
