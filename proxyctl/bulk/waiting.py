"""The tasks that wait: to be sent, one queue a lane, so that a lane whose window is used up never holds up the others;
after a fault, to be verified or sent again. And when faults are too many to go on.

Pure. The limits are there so that an outage never gets five times the traffic.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from proxyctl.bulk.gates import Gates, Place, Ticket
from proxyctl.bulk.outcomes import Task
from proxyctl.bulk.rate import NEVER
from proxyctl.clock import backoff
from proxyctl.errors import Interrupted, PartialError, ProxyctlError, TemporaryError, ThrottledError

MOST_UNKNOWN = 20  # tasks whose outcome is unknown: with so many, no new write starts
MOST_IN_A_ROW = 20  # faults without one good answer between them
REPEATED_SHARE, REPEATED_FLOOR = 0.10, 10  # of all tasks, and besides: what may be sent again after faults
LONGEST_RETRY_AFTER = 300.0
LONGEST_LAST_WAIT = 1.0  # seconds: before anything is tried again once the run is stopped
PATIENCE = 5.0  # seconds that a refusal which is not urgent waits for others, while there is more to send


@dataclass(slots=True, eq=False)
class Pending:
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

    item: Pending


class Verify(NamedTuple):
    """Find out what became of these items, by at most ``reads`` requests at a time."""

    items: list[Pending]
    reads: int


@dataclass(slots=True, eq=False)
class Lane:
    """The tasks of one endpoint of one Service, in the order in which they are sent.

    Those that keep their place in flight go before all but rescues, or places could be held by what waits behind
    others.
    """

    name: str
    rescues: deque[Pending] = field(default_factory=deque)
    again: deque[Pending] = field(default_factory=deque)
    waiting: deque[Pending] = field(default_factory=deque)
    blocked_until: float = -NEVER

    def waits(self, fresh_too: bool) -> bool:
        """Whether there is anything to send; ``fresh_too``: also what was never sent."""
        return bool(self.rescues or self.again or (self.waiting and (fresh_too or self.waiting[0].sent)))

    def queue(self, fresh_too: bool, room: Callable[[], bool]) -> deque[Pending] | None:
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
        self.closed: dict[Hashable, ProxyctlError] = {}
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
        (lane.rescues if task.rescue else lane.waiting).append(Pending(task))

    def put_back(self, item: Pending) -> None:
        """Let ``item`` wait that was taken out before: ahead of its lane."""
        lane = self._lanes[item.task.lane]
        queue = lane.again if item.place else lane.rescues if item.task.rescue else lane.waiting
        queue.appendleft(item)

    def shut(self, item: Pending) -> ProxyctlError | None:
        """Why ``item`` can't succeed any more, if its room is full."""
        return None if item.lost or item.task.rescue else self.closed.get(item.task.room)

    def next(self, now: float, fresh_too: bool, room: Callable[[], bool]) -> Pending | None:
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

    def drain(self) -> Iterator[Pending]:
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


class Doubts:
    """Tasks whose outcome is to be verified, and those that are sent again later.

    Reads are due at ``delays`` seconds after a loss. All that are due go into one verification, and there is one at a
    time: what comes meanwhile is together in the next.
    """

    def __init__(self, delays: Sequence[float]) -> None:
        self.unverified: dict[int, Pending] = {}  # by index
        self.delayed: list[Pending] = []
        self.verifying = False
        self._delays = delays

    @property
    def many(self) -> bool:
        """Whether so many tasks are in trouble that no other should begin."""
        lost = sum(item.lost for item in self.unverified.values())
        return lost + len(self.delayed) >= MOST_UNKNOWN

    def verify(self, item: Pending, now: float, *, last: bool, urgent: bool = True) -> None:
        """A new doubt: the reads begin from the start. ``last``: there will be one, now."""
        item.reads = item.failed_reads = 0
        item.doubted_at = now
        item.due = -NEVER if last else now + (self._delays[0] if urgent else PATIENCE)
        self.unverified[item.task.index] = item

    def absent(self, item: Pending) -> bool:
        """It was not there; True when that was the last read, and it may be sent again."""
        item.reads += 1
        if item.reads < len(self._delays):
            item.due = item.doubted_at + self._delays[item.reads]
            return False
        self.resolved(item)
        return True

    def resolved(self, item: Pending) -> None:
        """What became of the item is known, or will never be."""
        self.unverified.pop(item.task.index, None)

    def delay(self, item: Pending, until: float) -> None:
        """Send the item again, but not before ``until``."""
        item.due = until
        self.delayed.append(item)

    def due(self, now: float) -> list[Pending]:
        """What is to be verified now, with all that may join it; empty while a verification is under way."""
        items = () if self.verifying else self.unverified.values()
        if all(item.due > now for item in items):
            return []
        # One that waits for others, or since its read failed, joins them; one that was absent may not be seen yet.
        return [one for one in items if one.due <= now or one.doubted_at + self._delays[one.reads] <= now]

    def hurry(self) -> None:
        """There is nothing else to do: no refusal waits for others."""
        for item in self.unverified.values():
            if not (item.lost or item.reads or item.failed_reads):
                item.due = -NEVER

    def again(self, now: float) -> list[Pending]:
        """What is to be sent again now."""
        due = [item for item in self.delayed if item.due <= now]
        if due:
            self.delayed = [item for item in self.delayed if item.due > now]
        return due

    def wake_at(self, now: float, room_at: float) -> float:
        """When the next of them is due; ``room_at`` is when the account has room for a read."""
        reads = () if self.verifying else self.unverified.values()
        due = (item.due if item.due > now or item.place is not None else room_at for item in reads)
        return min((*due, *(item.due for item in self.delayed)), default=NEVER)


def wait_after(count: int, jitter: float, asked: float = 0.0, *, stopped: bool) -> float:
    """Return the seconds until the next try, after ``count`` others: as ``asked`` for, or by full jitter.

    ``jitter`` is from 0 to 1. Nothing waits for long once the run is ``stopped``.
    """
    wait = asked or backoff(count, jitter)
    return min(wait, LONGEST_LAST_WAIT) if stopped else wait


def temporary(words: str, last: ProxyctlError | None) -> TemporaryError:
    """Return an error that stops the run; it names the ``last`` one seen."""
    cause = f" (last error: {last.message})" if last is not None else ""
    hint = "Run the same command again later to continue."
    return TemporaryError(words + cause, hint=hint, problem=last.problem if last is not None else None)


def too_long(asked: float, last: ProxyctlError) -> ThrottledError:
    """Return the error for a Retry-After that is too long to wait for."""
    text = f"the API asks to wait {asked:.0f} s before the next request (429)"
    hint = "Run the same command again after that to continue."
    return ThrottledError(text, hint=hint, problem=last.problem)


def outranks(error: ProxyctlError, before: ProxyctlError | None) -> bool:
    """Whether ``error`` is what a run that was stopped by ``before`` ends with: a signal, after all but a failure."""
    return before is None or (
        isinstance(error, Interrupted) and isinstance(before, (TemporaryError, PartialError))
    )
