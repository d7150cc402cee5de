"""The order in which a plan is carried out: which steps may be sent now, given what is done and what is under way.

Pure. A change that takes room in a pool starts only when the room is there, whatever of the rest takes place: so no
pool passes through a state that breaks its limits, wherever a run is cut off. What makes room goes first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from proxyctl.api.models import PhoneNumber
from proxyctl.bulk.outcomes import Result, RunReport, Work
from proxyctl.errors import ProxyctlError, RefusedError, TemporaryError
from proxyctl.pools.changes import Change, Kind
from proxyctl.pools.plan import LIMITS, Action, Plan, Step
from proxyctl.pools.pool import Pool
from proxyctl.pools.writer import work_for

Part = Literal["service", "leave", "change", "back"]
SERVICES_LANE = "Services POST"


@dataclass(frozen=True, slots=True)
class Sending:
    """What one request does for a step. ``service_sid`` is None for a Service that is to be created."""

    step: Step
    part: Part
    service: str
    service_sid: str | None
    change: Change | None = None


@dataclass(slots=True)
class Room:
    """What one pool has room for, and the steps that wait for it. Keys are ``is_reserved``."""

    free: dict[bool, int]
    swaps: dict[bool, deque[int]] = field(default_factory=lambda: {True: deque(), False: deque()})
    adds: dict[bool, deque[int]] = field(default_factory=lambda: {True: deque(), False: deque()})


@dataclass(slots=True)
class Progress:
    """How far a step has come."""

    done: bool = False
    state: str | None = None  # how its last request ended; None: not yet, or never sent
    action: str | None = None
    number: PhoneNumber | None = None
    error: ProxyctlError | None = None
    detail: object = None
    left: bool = False  # it is out of the pool that it was in, and in no other yet
    detour: bool = False  # it leaves and comes back to the same pool, to make room
    stays: bool = False  # it was asked to, and could not
    placed: bool = False  # a place where it is wanted is held for it


@dataclass(frozen=True, slots=True)
class End:
    """How a step ended: ``action`` as in a row of the report."""

    step: Step
    action: str
    number: PhoneNumber | None
    error: ProxyctlError | None
    service_sid: str | None


class Flow:
    """The state of one run. `start` gives the first works, `follow` those that a result makes possible."""

    def __init__(self, plan: Plan, *, limits: Mapping[bool, int] = LIMITS) -> None:
        self.plan = plan
        self.steps = plan.steps
        self._progress = [Progress() for _ in self.steps]
        self._sids = {name: service.sid for name, service in plan.world.services.items()}
        self._rooms: dict[str, Room] = {}
        self._parts: list[tuple[int, Part]] = []  # by the index of a work
        self._seen: set[int] = set()
        self._flying = 0
        for name in plan.touched():
            pool = plan.world.pools.get(name, Pool(""))
            now = {True: pool.reserved, False: pool.unreserved}
            self._rooms[name] = Room(
                {flag: max(most, now[flag]) - now[flag] for flag, most in limits.items()}
            )

    @property
    def waiting(self) -> int:
        """How many steps wait for room."""
        return sum(len(q) for r in self._rooms.values() for qs in (r.swaps, r.adds) for q in qs.values())

    # What may be sent

    def start(self) -> list[Work]:
        """Return what may be sent at once."""
        works: list[Work] = []
        for position, step in enumerate(self.steps):
            match step.action:
                case Action.CREATE | Action.UPDATE:
                    works.append(self._send(position, "service"))
                case Action.REMOVE:
                    works.append(self._send(position, "change"))
                case _:
                    self._wait(position)
        for name in self._rooms:
            works += self._admit(name)
        return works or self._unstick()

    def follow(self, result: Result) -> list[Work]:
        """Take in a result; return what may be sent now."""
        position, part = self._parts[result.index]
        self._flying -= 1
        self._seen.add(result.index)
        works = list(self._took_place(position, part, result))
        if not works and not self._flying:
            works = self._unstick()
        return works

    def _took_place(self, position: int, part: Part, result: Result) -> Iterator[Work]:
        step, progress = self.steps[position], self._progress[position]
        done = result.state == "done"
        if part != "back":
            progress.state, progress.error, progress.detail = result.state, result.error, result.detail
            progress.action = result.action
        if part == "service":
            if done and step.action is Action.CREATE:
                self._sids[step.service] = result.detail.service.sid
                yield from self._admit(step.service)
            progress.done = done
        elif part == "leave":
            yield from self._has_left(position, done=done, sent=result.state != "unknown")
        elif part == "back":
            if done:
                progress.left = False
                progress.number = result.detail.number
        else:
            yield from self._changed(position, done=done, sent=result.state != "unknown")

    def _changed(self, position: int, *, done: bool, sent: bool) -> Iterator[Work]:
        """The last request of a step has ended."""
        step, progress = self.steps[position], self._progress[position]
        change = self._final(position)
        room = self._rooms[step.service]
        progress.done = done
        flag = bool(change.is_reserved)
        if done:
            progress.left = False
            if change.kind in (Kind.RESERVE, Kind.RELEASE):
                room.free[not flag] += 1
            elif change.kind is Kind.REMOVE and change.number is not None:
                room.free[bool(change.number.is_reserved)] += 1
        elif sent and change.kind is not Kind.REMOVE:
            room.free[flag] += 1
            if progress.left:
                yield from self._put_back(position)
        yield from self._admit(step.service)

    def _has_left(self, position: int, *, done: bool, sent: bool) -> Iterator[Work]:
        """A number has left its pool (or has not), to be added to the one where it is wanted."""
        step, progress = self.steps[position], self._progress[position]
        flag = bool(step.change.is_reserved) if step.change else False
        leaving = self._leaving(position)
        source = step.source or step.service
        if done:
            progress.left, progress.state = True, None
            self._rooms[source].free[bool(leaving.number and leaving.number.is_reserved)] += 1
            if progress.placed:  # its place is held
                yield self._send(position, "change")
            else:
                self._rooms[step.service].adds[flag].appendleft(position)
            yield from self._admit(source)
        elif progress.placed:
            self._rooms[step.service].free[flag] += 1
        if progress.detour and not done:
            progress.detour, progress.stays, progress.state, progress.error = False, True, None, None
            self._rooms[step.service].swaps[flag].append(position)
        yield from self._admit(step.service)

    # Room

    def _wait(self, position: int) -> None:
        step = self.steps[position]
        assert step.change is not None
        flag = bool(step.change.is_reserved)
        room = self._rooms[step.service]
        swap = step.action in (Action.RESERVE, Action.RELEASE)
        (room.swaps if swap else room.adds)[flag].append(position)

    def _admit(self, name: str) -> Iterator[Work]:
        """Start what the pool has room for. Each swap that waits keeps a place, or adds could bring all to a halt."""
        room = self._rooms[name]
        if name not in self._sids:
            return
        for flag in (True, False):
            while room.swaps[flag] and room.free[flag] > 0:
                room.free[flag] -= 1
                yield self._send(room.swaps[flag].popleft(), "change")
        for flag in (True, False):
            while room.adds[flag] and room.free[flag] > len(room.swaps[flag]):
                room.free[flag] -= 1
                position = room.adds[flag].popleft()
                self._progress[position].placed = True
                moves = self.steps[position].action is Action.MOVE
                leave = moves and not self._progress[position].left
                yield self._send(position, "leave" if leave else "change")

    def _unstick(self) -> list[Work]:
        """Nothing is under way and nothing has room: let one number leave its pool first, where all will fit."""
        for name, room in self._rooms.items():
            if name not in self._sids or not self._will_fit(name):
                continue
            for position in (*room.adds[True], *room.adds[False]):
                if self.steps[position].action is Action.MOVE and not self._progress[position].left:
                    room.adds[bool(self._final(position).is_reserved)].remove(position)
                    return [self._send(position, "leave")]
        for name, room in self._rooms.items():
            if name in self._sids and self._will_fit(name):
                for flag in (False, True):
                    for position in room.swaps[flag]:
                        if self._may_leave(position):
                            room.swaps[flag].remove(position)
                            self._progress[position].detour = True
                            return [self._send(position, "leave")]
        return self._return_strays()

    def _will_fit(self, name: str) -> bool:
        """Whether all that waits for a pool fits into it in the end."""
        room = self._rooms[name]
        free = dict(room.free)
        for flag in (True, False):
            free[flag] += len(room.swaps[not flag]) - len(room.swaps[flag]) - len(room.adds[flag])
        for other in self._rooms.values():
            for position in (*other.adds[True], *other.adds[False]):
                step = self.steps[position]
                if step.source == name and step.leaving and not self._progress[position].left:
                    number = step.leaving.number
                    free[bool(number and number.is_reserved)] += 1
        return min(free.values()) >= 0

    def _may_leave(self, position: int) -> bool:
        change = self.steps[position].change
        number = change.number if change else None
        if number is None or number.in_use or self._progress[position].stays:
            return False
        return number.sid in self.plan.returning

    # What can't be added where it is wanted

    def _return_strays(self) -> list[Work]:
        """Put back what has left its pool and finds no room where it is wanted."""
        works: list[Work] = []
        for room in self._rooms.values():
            for flag in (True, False):
                for position in [p for p in room.adds[flag] if self._progress[p].left]:
                    room.adds[flag].remove(position)
                    works += self._put_back(position)
        return works

    def _put_back(self, position: int) -> Iterator[Work]:
        """Add a number again to the pool that it was in, as it was, if there is room."""
        number = self._leaving(position).number
        flag = bool(number and number.is_reserved)
        source = self.steps[position].source or self.steps[position].service
        if self._rooms[source].free[flag] > 0:
            self._rooms[source].free[flag] -= 1
            yield self._send(position, "back")

    # Requests

    def _final(self, position: int) -> Change:
        """The change that a step is about; after a detour it is an add."""
        step = self.steps[position]
        assert step.change is not None
        if self._progress[position].detour:
            item = replace(step.item, sid=step.change.sid)
            return Change(item, Kind.ADD, None, step.change.is_reserved)
        return step.change

    def _leaving(self, position: int) -> Change:
        """The change that takes the number of a step out of its pool first."""
        step = self.steps[position]
        if step.leaving is not None:
            return step.leaving
        assert step.change is not None
        return Change(replace(step.item, sid=step.change.sid), Kind.REMOVE, step.change.number)

    def _send(self, position: int, part: Part) -> Work:
        step = self.steps[position]
        index = len(self._parts)
        self._parts.append((position, part))
        self._flying += 1
        if part == "service":
            sid = self._sids.get(step.service)
            sending = Sending(step, part, step.service, sid)
            return Work(index, SERVICES_LANE, "Services", step.action is Action.UPDATE, payload=sending)
        service = step.service if part == "change" else step.source or step.service
        leaving = self._leaving(position) if part in ("leave", "back") else None
        if leaving is None:
            change = self._final(position)
        elif part == "leave":
            change = leaving
        else:
            change = Change(leaving.item, Kind.ADD, None, bool(leaving.number and leaving.number.is_reserved))
        sid = self._sids[service]
        work = work_for(index, change, sid)
        # A pool that is full still lets numbers go.
        room = f"{sid} {change.kind}" if change.kind is Kind.REMOVE else work.room
        return replace(work, room=room, payload=Sending(step, part, service, sid, change))

    # Ends

    def ends(self, report: RunReport | None) -> list[End]:
        """Return how each step ended, in the order of the plan."""
        stopped = report.stopped_by if report is not None else None
        for result in report.results if report is not None else ():
            if result.index not in self._seen:  # it came after the run was stopped
                self.follow(result)
        return [self._end(position, stopped) for position in range(len(self.steps))]

    def _end(self, position: int, stopped: ProxyctlError | None) -> End:
        step, progress = self.steps[position], self._progress[position]
        sid = self._sids.get(step.service)
        number = getattr(progress.detail, "number", None) or progress.number
        number = number or (step.change.number if step.change else None)
        number = number or (step.leaving.number if step.leaving else None)
        if progress.done:
            return End(step, self._word(position), number, None, sid)
        error = progress.error
        if progress.left:
            error = stray(step, error or stopped)
            return End(step, "failed", number, error, sid)
        if progress.state is None:
            return End(step, "skipped", number, stopped or self._no_room(step), sid)
        return End(step, progress.state, number, error, sid)

    def _word(self, position: int) -> str:
        step, progress = self.steps[position], self._progress[position]
        return "unchanged" if progress.action == "unchanged" else step.action.done

    def _no_room(self, step: Step) -> ProxyctlError:
        if step.service not in self._sids:
            return TemporaryError(f"Service {step.service} was not created")
        return RefusedError(f"no room was made for it in the pool of Service {step.service}")


def stray(step: Step, error: ProxyctlError | None) -> ProxyctlError:
    """The error for a number that has left its pool and is in no other."""
    source = step.source or step.service
    why = f": {error.message.rstrip('.')}" if error is not None else ""
    return RefusedError(
        f"{step.item.input} has left the pool of Service {source}, and is in none now{why}",
        hint="The same command again adds it where the file wants it.",
        problem=error.problem if error is not None else None,
    )
