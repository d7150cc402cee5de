"""Works whose answers were lost, until it is known what became of them: when to look, and how often."""

from __future__ import annotations

from collections.abc import Sequence

from proxyctl.bulk.lanes import Item
from proxyctl.bulk.pauses import NEVER

MOST = 20


class Settling:
    """Looks are due at ``delays`` seconds after the loss; all that are due go into one look."""

    def __init__(self, delays: Sequence[float]) -> None:
        self._delays = tuple(delays)
        self._due: dict[int, tuple[float, float, Item]] = {}  # index: due at, lost at, item
        self._looking: dict[int, tuple[float, float, Item]] = {}

    def __len__(self) -> int:
        return len(self._due) + len(self._looking)

    def add(self, item: Item, now: float) -> None:
        """A new loss: the looks begin from the start."""
        item.looks = item.failed_looks = 0
        self._due[item.work.index] = (now + self._delays[0], now, item)

    def take(self, now: float) -> list[Item]:
        """What is to be looked at now; empty while a look is under way."""
        if self._looking:
            return []
        due = {index: entry for index, entry in self._due.items() if entry[0] <= now}
        for index in due:
            del self._due[index]
        self._looking = due
        return [entry[2] for entry in due.values()]

    def settled(self, item: Item) -> None:
        """What became of the item is known."""
        self._looking.pop(item.work.index, None)
        self._due.pop(item.work.index, None)

    def absent(self, item: Item) -> bool:
        """It was not there; True when that was the last look, and it may be sent again."""
        _, lost_at, _ = self._looking.pop(item.work.index)
        item.looks += 1
        if item.looks >= len(self._delays):
            return True
        self._due[item.work.index] = (lost_at + self._delays[item.looks], lost_at, item)
        return False

    def postpone(self, item: Item, until: float) -> None:
        """The look itself failed: it does not count."""
        _, lost_at, _ = self._looking.pop(item.work.index)
        self._due[item.work.index] = (until, lost_at, item)

    def hurry(self) -> None:
        """The run ends: one look now, whenever the next was due; a rescue may still be repeated, so it has them all."""
        self._due = {
            index: (due if item.work.rescue else -NEVER, lost, item)
            for index, (due, lost, item) in self._due.items()
        }

    def wake_at(self) -> float:
        """When the next look is due, unless one is under way."""
        if self._looking:
            return NEVER
        return min((entry[0] for entry in self._due.values()), default=NEVER)

    def drain(self) -> list[Item]:
        """Give up: all that are unsettled."""
        items = [entry[2] for entry in (*self._due.values(), *self._looking.values())]
        self._due.clear()
        self._looking.clear()
        return items
