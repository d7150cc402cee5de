"""How many writes a run may repeat after faults, so that an outage never gets five times the traffic."""

from __future__ import annotations

SHARE = 0.10
FLOOR = 10


class RepeatBudget:
    """At most 10 % of the items + 10 repeats in a run; the items may still be coming in."""

    def __init__(self) -> None:
        self.items = 0
        self.used = 0

    def take(self) -> bool:
        """Use one repeat; False when there is none left."""
        if self.used + 1 > self.items * SHARE + FLOOR:
            return False
        self.used += 1
        return True
