"""Moving numbers from one pool to another: what has to be done for each, what may be sent when, and what a run that was
killed had left undone. Pure: values in, values out.

A number goes through a chain of requests: out of its Messaging Service (where that was asked for), out of its pool,
into the other, and into the Messaging Service again; back to where it was if the other pool does not take it. Only a
few numbers are under way at a time, so that few are in no pool if a run is killed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from proxyctl.api.models import PhoneNumber
from proxyctl.bulk.outcomes import Result, Work
from proxyctl.errors import NotFoundError, ProxyctlError, RefusedError, TemporaryError
from proxyctl.input.items import Item
from proxyctl.pools.changes import Change, Kind, Settled, disagrees
from proxyctl.pools.pool import Pool
from proxyctl.pools.undo import what_was_done
from proxyctl.state.record import ItemRecord, Trail

Part = Literal["detach", "leave", "change", "back", "attach"]

UNDER_WAY = 40  # numbers at a time, between two pools at the most
PRESENT = "in the pool already"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What a move that was cut off had left undone for a number: ``is_reserved`` is how its first pool had it.

    ``messaging_service`` is the one that it was taken out of, and is to go back to.
    """

    sid: str
    is_reserved: bool | None
    messaging_service: str | None = None
    phone_number: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """One number to move. ``number`` is as the first pool had it, or the second where only the rest is left to do."""

    item: Item
    sid: str
    is_reserved: bool | None
    number: PhoneNumber | None
    parts: tuple[Part, ...]
    messaging_service: str | None = None

    @property
    def known(self) -> Item:
        """The item with all that is known of its number, so that the records of its requests name it in both ways."""
        number = self.number.phone_number if self.number is not None else None
        return replace(self.item, sid=self.sid, phone_number=self.item.phone_number or number)

    @property
    def leaving(self) -> Change:
        """What takes it out of its pool."""
        return Change(self.known, Kind.REMOVE, self.number)

    @property
    def adding(self) -> Change:
        """What adds it to a pool, as it was."""
        return Change(self.known, Kind.ADD, None, self.is_reserved)


Decision = Move | Settled


@dataclass(frozen=True, slots=True)
class Route:
    """From which Service to which, and what is known of the numbers besides the two pools.

    ``captives``: the numbers that are in a Messaging Service, with its SID; ``through`` takes them out of it for the
    move. ``unfinished``: by SID and by number.
    """

    source: Pool
    target: Pool
    captives: Mapping[str, str] = field(default_factory=dict)
    through: bool = False
    unfinished: Mapping[str, Unfinished] = field(default_factory=dict)

    def left_undone(self, item: Item) -> Unfinished | None:
        """Return what an earlier run left undone for ``item``."""
        return self.unfinished.get(item.sid or item.phone_number or "")


def decide_all(items: Sequence[Item], route: Route) -> list[Decision]:
    """Decide for each item, in order. Two items that turn out to be one number count once."""
    seen: set[str] = set()
    decisions: list[Decision] = []
    for item in items:
        decision = decide(item, route)
        if isinstance(decision, Move):
            if decision.sid in seen:
                decision = Settled(item, decision.number, note="the same number as another of the items")
            else:
                seen.add(decision.sid)
        decisions.append(decision)
    return decisions


def decide(item: Item, route: Route) -> Decision:
    """Decide what is left to do for one item."""
    there, here = route.target.find(item), route.source.find(item)
    error = disagrees(item, there or here)
    if error is not None:
        return Settled(item, there or here, error=error)
    if there is not None:
        return arrived(item, there, route)
    if here is None:
        return astray(item, route)
    if here.in_use:
        return Settled(item, here, error=busy(here))
    return moving(item, here.sid, here.is_reserved, here, route, ("leave", "change"))


def arrived(item: Item, number: PhoneNumber, route: Route) -> Decision:
    """A number that is where it is wanted has at most to go back into its Messaging Service."""
    undone = route.left_undone(item)
    if undone is None or undone.messaging_service is None or number.sid in route.captives:
        return Settled(item, number, note=PRESENT)
    parts: tuple[Part, ...] = ("attach",)
    return Move(item, number.sid, number.is_reserved, number, parts, undone.messaging_service)


def astray(item: Item, route: Route) -> Decision:
    """A number in neither pool is one that a move which was cut off had taken out, or none of ours."""
    undone = route.left_undone(item)
    if undone is not None:
        item = replace(item, phone_number=item.phone_number or undone.phone_number)
        return moving(item, undone.sid, undone.is_reserved, None, route, ("change",))
    hint = f"'proxyctl number find {item.input}' says where it is."
    return Settled(item, error=NotFoundError(f"{item.input} is not in the pool.", hint=hint))


def moving(
    item: Item,
    sid: str,
    is_reserved: bool | None,
    number: PhoneNumber | None,
    route: Route,
    parts: tuple[Part, ...],
) -> Decision:
    """Let the number go through ``parts``, and through its Messaging Service if it is in one."""
    captor = route.captives.get(sid)
    if captor is not None and not route.through:
        return Settled(item, number, error=captive(item, captor, in_pool=number is not None))
    undone = route.left_undone(item)
    back_to = captor or (undone.messaging_service if undone is not None else None)
    if captor is not None:
        parts = ("detach", *parts)
    if back_to is not None:
        parts = (*parts, "attach")
    return Move(item, sid, is_reserved, number, parts, back_to)


def busy(number: PhoneNumber) -> RefusedError:
    """The refusal of a number that has open Sessions."""
    sessions = "1 open Session" if number.in_use == 1 else f"{number.in_use} open Sessions"
    return RefusedError(
        f"{number.phone_number or number.sid} is in use by {sessions}, so it can't be moved.",
        hint="'proxyctl number drain --wait' waits until it is idle.",
    )


def captive(item: Item, messaging_service: str, *, in_pool: bool) -> RefusedError:
    """The refusal of a number that a Messaging Service holds."""
    why = "once out of its pool, it could be added to none" if in_pool else "so it can be added to no pool"
    return RefusedError(
        f"{item.input} is in Messaging Service {messaging_service}: {why}.",
        hint="--through-messaging takes it out for the move, and puts it back afterwards.",
    )


# What may be sent


@dataclass(frozen=True, slots=True)
class Moving:
    """One request of a move: to which Service, or to which Messaging Service, and what it does to the number."""

    move: Move
    part: Part
    service_sid: str
    change: Change | None = None


@dataclass(slots=True)
class Progress:
    """How far a move has come."""

    left: list[Part]
    state: str | None = None
    error: ProxyctlError | None = None
    number: PhoneNumber | None = None
    detached: bool = False  # out of its Messaging Service
    astray: bool = False  # out of its pool, and in no other
    arrived: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """How a move ended: ``action`` as in a row of the report."""

    move: Move
    action: str
    number: PhoneNumber | None
    error: ProxyctlError | None


class Moves:
    """The moves of one run. `start` gives the first works, `follow` those that a result makes possible."""

    def __init__(
        self, moves: Sequence[Move], source_sid: str, target_sid: str, *, under_way: int = UNDER_WAY
    ) -> None:
        self.moves = moves
        self.source_sid = source_sid
        self.target_sid = target_sid
        self._under_way = under_way
        self._progress = [
            Progress(
                list(move.parts),
                detached="attach" in move.parts and "detach" not in move.parts,
                astray="change" in move.parts and "leave" not in move.parts,
                arrived="change" not in move.parts,
            )
            for move in moves
        ]
        self._waiting = deque(range(len(moves)))
        self._sent: list[tuple[int, Part]] = []  # by the index of a work
        self._seen: set[int] = set()

    def start(self) -> list[Work]:
        """Return what may be sent at once."""
        return [self._next() for _ in range(min(self._under_way, len(self._waiting)))]

    def follow(self, result: Result) -> list[Work]:
        """Take in a result; return what may be sent now: the number's next request, or another number's first."""
        position = self._take(result)
        if self._progress[position].left:
            return [self._send(position)]
        return [self._next()] if self._waiting else []

    def all(self, position: int = 0) -> list[Moving]:
        """Return all requests of one move, as they are if none of them fails."""
        return [self._send(position).payload for _ in self.moves[position].parts]

    def _next(self) -> Work:
        return self._send(self._waiting.popleft())

    def _take(self, result: Result) -> int:
        position, part = self._sent[result.index]
        self._seen.add(result.index)
        progress = self._progress[position]
        done = result.state == "done"
        progress.error = progress.error or result.error
        if part != "back" or result.state == "unknown":
            progress.state = result.state
        if done:
            self._done(progress, part, result.detail)
        else:
            self._failed(progress, part, unknown=result.state == "unknown")
        return position

    def _done(self, progress: Progress, part: Part, detail: Any) -> None:
        match part:
            case "detach":
                progress.detached = True
            case "leave":
                progress.astray = True
            case "attach":
                progress.detached = False
            case _:
                progress.astray, progress.arrived = False, part == "change"
                progress.number = detail.number
                if part == "back":
                    progress.left = ["attach"] if progress.detached else []
                    progress.error = put_back(progress.error)

    def _failed(self, progress: Progress, part: Part, *, unknown: bool) -> None:
        """Go back to where the number was, if it is known where it is."""
        progress.left = []
        if unknown:
            return
        if part == "leave" and progress.detached:
            progress.left = ["attach"]
        elif part == "change":
            progress.left = ["back"]

    def _send(self, position: int) -> Work:
        move, progress = self.moves[position], self._progress[position]
        part = progress.left.pop(0)
        index = len(self._sent)
        self._sent.append((position, part))
        if part in ("detach", "attach"):
            return self._through_messaging(index, move, part)
        service = self.target_sid if part == "change" else self.source_sid
        change = move.leaving if part == "leave" else move.adding
        method = "DELETE" if part == "leave" else "POST"
        # Where the pool that it is to join is full, no other number may leave its own for nothing.
        room = self.source_sid if part == "back" else self.target_sid
        return Work(
            index,
            f"{service} {method}",
            f"{room} {'reserved' if move.is_reserved else 'unreserved'}",
            part == "leave",
            payload=Moving(move, part, service, change),
        )

    def _through_messaging(self, index: int, move: Move, part: Part) -> Work:
        service = move.messaging_service or ""
        method = "DELETE" if part == "detach" else "POST"
        return Work(
            index,
            f"{service} {method}",
            f"{service} {part}",
            part == "detach",
            payload=Moving(move, part, service),
        )

    # Ends

    def ends(self, results: Iterable[Result], stopped: ProxyctlError | None) -> list[End]:
        """Return how each move ended, in order."""
        for result in results:
            if result.index not in self._seen:  # it came after the run was stopped
                self._take(result)
        return [self._end(position, stopped) for position in range(len(self.moves))]

    def _end(self, position: int, stopped: ProxyctlError | None) -> End:
        move, progress = self.moves[position], self._progress[position]
        number = progress.number or move.number
        error = progress.error
        if progress.state == "unknown":
            return End(move, "unknown", number, error)
        if progress.astray:
            return End(move, "failed", number, in_no_pool(move, error or stopped))
        if progress.detached and (progress.arrived or progress.state is not None):
            return End(move, "failed", number, detached(move, error or stopped, arrived=progress.arrived))
        if progress.arrived:
            return End(move, "moved", number, None)
        if progress.state is None or (progress.state == "done" and error is None):
            return End(move, "skipped", number, stopped)
        return End(move, "failed" if progress.state == "done" else progress.state, number, error)


def put_back(error: ProxyctlError | None) -> ProxyctlError | None:
    """Return the error that kept a number from its new pool, and say that it is in its old one again."""
    if error is None:
        return None
    return type(error)(
        f"{error.message.rstrip('.')}; it was put back.", hint=error.hint, problem=error.problem
    )


def kind_of(error: ProxyctlError | None) -> type[ProxyctlError]:
    """Return the class for a move that stands half-way: where nothing was refused, the same again helps."""
    return RefusedError if isinstance(error, RefusedError | NotFoundError) else TemporaryError


def in_no_pool(move: Move, error: ProxyctlError | None) -> ProxyctlError:
    """The error for a number that has left its pool and is in no other."""
    why = f": {error.message.rstrip('.')}" if error is not None else ""
    return kind_of(error)(
        f"{move.item.input} has left its pool, and is in none now{why}.",
        hint="The same command again adds it where it belongs.",
        problem=error.problem if error is not None else None,
    )


def detached(move: Move, error: ProxyctlError | None, *, arrived: bool) -> ProxyctlError:
    """The error for a number that is out of the Messaging Service to which it belongs."""
    why = f": {error.message.rstrip('.')}" if error is not None else ""
    where = "has moved" if arrived else "is where it was"
    return kind_of(error)(
        f"{move.item.input} {where}, but is out of Messaging Service {move.messaging_service} now{why}.",
        hint="The same command again puts it back in.",
        problem=error.problem if error is not None else None,
    )


# What the history tells of moves that were cut off


def trail(move: Move, source_sid: str, target_sid: str) -> Trail:
    """Return what the record of each request of a move keeps, for a run that has to go on with it."""
    return Trail(source_sid, target_sid, move.is_reserved, move.messaging_service)


class Trails:
    """Finds in the records of runs, newest first, which of the numbers ``wanted`` a move had left undone."""

    def __init__(self, wanted: Iterable[str], source_sid: str) -> None:
        self.wanted = set(wanted)
        self.source_sid = source_sid
        self.found: dict[str, Unfinished] = {}

    def take(self, records: Sequence[ItemRecord]) -> None:
        """Take in the records of one run."""
        for record in reversed(records):
            names = record.names & self.wanted
            if not names or not happened(record):
                continue
            self.wanted -= names
            undone = self.left_undone(record)
            if undone is not None:
                self.found.update(dict.fromkeys(names, undone))

    def left_undone(self, record: ItemRecord) -> Unfinished | None:
        """Return what was left to do after the last thing that happened to a number; None: nothing."""
        way, action = record.intent.move, record.intent.action
        if way is None or way.source != self.source_sid or record.sid is None:
            return None
        arrived = action == "attach" or (action == "add" and way.messaging_service is None)
        if arrived and record.happened == "yes":
            return None
        return Unfinished(record.sid, way.is_reserved, way.messaging_service, record.phone_number)


def happened(record: ItemRecord) -> bool:
    """Whether something was done to a number, or may have been, that tells where it is."""
    return record.done in ("attach", "detach") or what_was_done(record) is not None
