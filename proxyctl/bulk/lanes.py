"""The tasks that wait, one queue a lane, so that a lane whose window is used up never holds up the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from proxyctl.bulk.concurrency import NEVER, Place
from proxyctl.bulk.gates import Gates, Ticket
from proxyctl.bulk.outcomes import Task
from proxyctl.errors import ProxyctlError


@dataclass(slots=True, eq=False)
class Item:
    """A task on its way."""

    task: Task
    place: Place | None = None
    ticket: Ticket | None = None  # of the last time that it was sent
    sent: int = 0  # how often it was sent
    tries: int = 0  # of these, those that a 429 did not turn away
    reads: int = 0  # that found nothing since the last doubt
    failed_reads: int = 0
    lost: bool = False  # the last fault may have carried it out
    doubted_at: float = 0.0
    due: float = 0.0  # when it is to be verified, or sent again
    error: ProxyctlError | None = None


class Send(NamedTuple):
    """Send this item's task once."""

    item: Item


class Verify(NamedTuple):
    """Find out what became of these items, by at most ``reads`` requests at a time."""

    items: list[Item]
    reads: int


@dataclass(slots=True, eq=False)
class Lane:
    """The tasks of one endpoint of one Service, in the order in which they are sent.

    Those that keep their place in flight go before all but rescues, or places could be held by what waits behind
    others.
    """

    name: str
    rescues: deque[Item] = field(default_factory=deque)
    again: deque[Item] = field(default_factory=deque)
    waiting: deque[Item] = field(default_factory=deque)
    blocked_until: float = -NEVER

    def waits(self, fresh_too: bool) -> bool:
        """Whether there is anything to send; ``fresh_too``: also what was never sent."""
        return bool(self.rescues or self.again or (self.waiting and (fresh_too or self.waiting[0].sent)))

    def queue(self, fresh_too: bool, room: Callable[[], bool]) -> deque[Item] | None:
        """Where the next one is; ``room`` (for one more in flight) is asked only for what needs a place."""
        if self.rescues and room():
            return self.rescues
        if self.again:
            return self.again
        return self.waiting if self.waits(fresh_too) and room() else None


class Lanes:
    """All lanes in turn. ``closed``: the rooms that are full, and why: for them nothing is sent but rescues."""

    def __init__(self, gates: Gates) -> None:
        self.tasks = 0  # how many there were
        self.closed: dict[str, ProxyctlError] = {}
        self._gates = gates
        self._lanes: dict[str, Lane] = {}
        self._turn: deque[Lane] = deque()

    def add(self, task: Task) -> None:
        """Let a new task wait at the end of its lane."""
        self.tasks += 1
        lane = self._lanes.get(task.lane)
        if lane is None:
            lane = self._lanes[task.lane] = Lane(task.lane)
            self._turn.append(lane)
        (lane.rescues if task.rescue else lane.waiting).append(Item(task))

    def put_back(self, item: Item) -> None:
        """Let ``item`` wait that was taken out before: ahead of its lane."""
        lane = self._lanes[item.task.lane]
        queue = lane.again if item.place else lane.rescues if item.task.rescue else lane.waiting
        queue.appendleft(item)

    def shut(self, item: Item) -> ProxyctlError | None:
        """Why ``item`` can't succeed any more, if its room is full."""
        return None if item.lost or item.task.rescue else self.closed.get(item.task.room or "")

    def next(self, now: float, fresh_too: bool, room: Callable[[], bool]) -> Item | None:
        """The item whose turn it is, from a lane that lets one start now; or one that is shut."""
        for _ in range(len(self._turn)):
            lane = self._turn[0]
            self._turn.rotate(-1)
            if lane.waiting and self.shut(lane.waiting[0]) is not None:
                return lane.waiting.popleft()
            if lane.blocked_until > now or not lane.waits(fresh_too):
                continue
            wait = self._gates.wait(lane.name, now)
            if wait > 0:
                lane.blocked_until = now + wait
                continue
            queue = lane.queue(fresh_too, room)
            if queue is not None:  # else another lane may have an item that holds its place already
                return queue.popleft()
        return None

    def wake_at(self, now: float, fresh_too: bool, room_at: float) -> float:
        """When to ask again, if nothing else happens; ``room_at`` is when the account has room for more."""
        waiting = (lane.blocked_until for lane in self._turn if lane.waits(fresh_too))
        return min((until if until > now else room_at for until in waiting), default=NEVER)

    @property
    def empty(self) -> bool:
        return not any(lane.waits(True) for lane in self._turn)

    def drain(self) -> Iterator[Item]:
        """Take out all that wait; what is put back meanwhile stays."""
        for lane in tuple(self._turn):
            items = [*lane.rescues, *lane.again, *lane.waiting]
            for queue in (lane.rescues, lane.again, lane.waiting):
                queue.clear()
            yield from items

    def unblock(self, name: str | None = None) -> None:
        """Ask the gate of one lane again, or of all: what it said no longer holds."""
        for lane in self._turn if name is None else [self._lanes[name]]:
            lane.blocked_until = -NEVER
