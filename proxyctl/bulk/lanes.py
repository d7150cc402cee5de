"""The works that wait, one queue a lane, so that a lane whose window is used up never holds up the others."""

from __future__ import annotations

import heapq
import operator
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from proxyctl.bulk.concurrency import Place
from proxyctl.bulk.gates import Gates, Ticket
from proxyctl.bulk.outcomes import Work
from proxyctl.bulk.pauses import NEVER
from proxyctl.errors import ProxyctlError

LOOK_AHEAD = 100_000


@dataclass(slots=True, eq=False)
class Item:
    """A work that was sent, or is about to be."""

    work: Work
    lane: Lane
    place: Place | None = None
    ticket: Ticket | None = None  # of the last time that it was sent
    sent: int = 0  # how often it was sent
    tries: int = 0  # of these, those that a 429 did not turn away
    looks: int = 0
    failed_looks: int = 0
    lost: bool = False  # the last fault may have carried it out
    error: ProxyctlError | None = None


@dataclass(slots=True, eq=False)
class Lane:
    """The works of one endpoint of one Service.

    ``ahead`` holds rescues, then what a 429 turned away. ``again`` holds what is repeated and has kept its place in
    flight: only rescues go before it, or places could be held by those that wait behind others.
    """

    name: str
    fresh: deque[Work] = field(default_factory=deque)
    ahead: deque[Item] = field(default_factory=deque)
    again: deque[Item] = field(default_factory=deque)
    blocked_until: float = -NEVER

    def waits(self, fresh_too: bool) -> bool:
        """Whether there is anything to send."""
        return bool(self.again or self.ahead or (fresh_too and self.fresh))

    def put_back(self, item: Item) -> None:
        """Let an item wait that is to be sent again, or a rescue."""
        if item.place is not None:
            self.again.append(item)
        elif item.work.rescue:
            self.ahead.appendleft(item)
        else:
            self.ahead.append(item)


class Lanes:
    """All lanes in turn; works are read from their iterable as they are needed, not all at once."""

    def __init__(self, works: Iterable[Work], gates: Gates) -> None:
        self.expected = operator.length_hint(works, 0)
        self.read = 0
        self._source: Iterator[Work] | None = iter(works)
        self._gates = gates
        self._lanes: dict[str, Lane] = {}
        self._turn: deque[Lane] = deque()
        self._waiting = 0
        self._delayed: list[tuple[float, int, Item]] = []
        self._order = 0

    def fill(self) -> bool:
        """Read ahead; True while there are works that were never sent."""
        while self._source is not None and self._waiting < LOOK_AHEAD:
            work = next(self._source, None)
            if work is None:
                self._source = None
                break
            self.add(work)
        return self._waiting > 0

    def add(self, work: Work) -> None:
        """Let ``work`` wait in its lane; a rescue goes to the head of it."""
        self.read += 1
        lane = self._lane(work.lane)
        if work.rescue:
            lane.put_back(Item(work, lane))
        else:
            lane.fresh.append(work)
            self._waiting += 1

    def _lane(self, name: str) -> Lane:
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = Lane(name)
            self._turn.append(lane)
        return lane

    def next(self, now: float, fresh_too: bool, room: Callable[[], bool]) -> Item | None:
        """The item whose turn it is, from a lane that lets one start now.

        ``room`` (for one more in flight) is asked only when there is an item that needs a place and has none.
        """
        self._wake(now)
        for _ in range(len(self._turn)):
            lane = self._turn[0]
            self._turn.rotate(-1)
            if lane.blocked_until > now or not lane.waits(fresh_too):
                continue
            wait = self._gates.wait(lane.name, now)
            if wait > 0:
                lane.blocked_until = now + wait
                continue
            rescue = bool(lane.ahead) and lane.ahead[0].work.rescue
            if lane.again and not (rescue and room()):
                return lane.again.popleft()
            if not room():
                continue  # another lane may have an item that holds its place already
            if lane.ahead:
                return lane.ahead.popleft()
            self._waiting -= 1
            return Item(lane.fresh.popleft(), lane)
        return None

    def delay(self, item: Item, until: float) -> None:
        """Send the item again, but not before ``until``."""
        self._order += 1
        heapq.heappush(self._delayed, (until, self._order, item))

    def _wake(self, now: float) -> None:
        while self._delayed and self._delayed[0][0] <= now:
            item = heapq.heappop(self._delayed)[2]
            item.lane.put_back(item)

    def wake_at(self, now: float, fresh_too: bool, room_at: float) -> float:
        """When to ask again, if nothing else happens; ``room_at`` is when the account has room for more."""
        soonest = self._delayed[0][0] if self._delayed else NEVER
        for lane in self._turn:
            if lane.waits(fresh_too):
                soonest = min(soonest, lane.blocked_until if lane.blocked_until > now else room_at)
        return soonest

    @property
    def delayed(self) -> int:
        """How many items wait to be sent again after a fault."""
        return len(self._delayed)

    @property
    def empty(self) -> bool:
        return not (self.fill() or self._delayed or any(lane.waits(False) for lane in self._turn))

    def drain_again(self) -> list[Item]:
        """Take out all items that wait to be sent again, and the rescues."""
        items = [item for _, _, item in sorted(self._delayed, key=operator.itemgetter(0, 1))]
        self._delayed.clear()
        for lane in self._turn:
            items += (*lane.again, *lane.ahead)
            lane.again.clear()
            lane.ahead.clear()
        return items

    def drain_fresh(self) -> Iterator[Work]:
        """Take out all works that were never sent, those not yet read included."""
        while self.fill():
            for lane in self._turn:
                self._waiting -= len(lane.fresh)
                while lane.fresh:
                    yield lane.fresh.popleft()

    def drop_room(self, room: str) -> Iterator[Work]:
        """Take out what was never sent of one room."""
        for lane in self._turn:
            gone = [work for work in lane.fresh if work.room == room]
            if gone:
                lane.fresh = deque(work for work in lane.fresh if work.room != room)
                self._waiting -= len(gone)
            yield from gone

    def unblock(self) -> None:
        """Ask the gates of all lanes again: what they said no longer holds."""
        for lane in self._turn:
            lane.blocked_until = -NEVER
