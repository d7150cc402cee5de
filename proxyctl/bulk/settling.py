"""Works that met a fault: when to look what became of them, or when to send them again."""

from __future__ import annotations

from collections.abc import Sequence

from proxyctl.bulk.lanes import Item
from proxyctl.bulk.pauses import NEVER

MOST = 20


class Settling:
    """Looks are due at ``delays`` seconds after the loss; all that are due go into one look."""

    def __init__(self, delays: Sequence[float]) -> None:
        self.unsettled: dict[int, Item] = {}  # by index; their answers are lost
        self.delayed: list[Item] = []
        self.looking = False
        self._delays = delays

    @property
    def many(self) -> bool:
        """Whether so many works are in trouble that no other should begin."""
        return len(self.unsettled) + len(self.delayed) >= MOST

    def verify(self, item: Item, now: float, *, last: bool) -> None:
        """A new loss: the looks begin from the start. ``last``: there will be one, now."""
        item.looks = item.failed_looks = 0
        item.lost_at = now
        item.due = -NEVER if last else now + self._delays[0]
        self.unsettled[item.work.index] = item

    def absent(self, item: Item) -> bool:
        """It was not there; True when that was the last look, and it may be sent again."""
        item.looks += 1
        if item.looks < len(self._delays):
            item.due = item.lost_at + self._delays[item.looks]
            return False
        self.settled(item)
        return True

    def settled(self, item: Item) -> None:
        """What became of the item is known, or will never be."""
        self.unsettled.pop(item.work.index, None)

    def delay(self, item: Item, until: float) -> None:
        """Send the item again, but not before ``until``."""
        item.due = until
        self.delayed.append(item)

    def looks(self, now: float) -> list[Item]:
        """What is to be looked at now; empty while a look is under way."""
        due = [] if self.looking else [item for item in self.unsettled.values() if item.due <= now]
        self.looking = self.looking or bool(due)
        return due

    def again(self, now: float) -> list[Item]:
        """What is to be sent again now."""
        due = [item for item in self.delayed if item.due <= now]
        if due:
            self.delayed = [item for item in self.delayed if item.due > now]
        return due

    def wake_at(self) -> float:
        """When the next of them is due."""
        looks = () if self.looking else self.unsettled.values()
        return min((item.due for item in (*self.delayed, *looks)), default=NEVER)
