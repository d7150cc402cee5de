"""What is left to do to move numbers from one pool to another. Pure: what was read goes in, chains come out.

A number goes out of its Messaging Service (where that was asked for), out of its pool, into the other, and into the
Messaging Service again. The pools show how far an interrupted move came. Its record, or else the user, says whether
a number between them was reserved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from proxyctl.api.resources import IncomingNumber, PhoneNumber
from proxyctl.errors import RefusedError
from proxyctl.identifiers import argument
from proxyctl.input.items import Item
from proxyctl.pools.decide import Home, each_once, kept, move_chain, not_in_pool, sender_step
from proxyctl.pools.facts import in_messaging
from proxyctl.pools.pool import Pool, in_use, points_at
from proxyctl.state.record import ItemRecord, Trail
from proxyctl.text import command_line
from proxyctl.writes.guard import IN_USE, LEAVE_MESSAGING, by_rule
from proxyctl.writes.plan import Chain, Entry, NoOp, at_risk
from proxyctl.writes.requests import ADD, ATTACH, REMOVE, Request

PRESENT = "in the pool already"


class UnknownFlagError(RefusedError):
    """A number is between two pools, and nothing says whether it was reserved."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What the record of a move that was cut off says of a number: ``is_reserved`` is how its first pool had it.

    ``messaging_service`` is the one that it was taken out of, and is to go back to.
    """

    sid: str
    is_reserved: bool | None
    messaging_service: str | None = None
    phone_number: str | None = None
    trail: Trail | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Route:
    """From which Service to which, and what is known of the numbers.

    ``senders``: the numbers that are in a Messaging Service, with its SID; ``through`` takes them out of it for the
    move. ``unfinished`` and ``owned`` (the account's numbers, of those in neither pool) are by SID and by number.
    ``is_reserved`` is the user's word on numbers whose state no record has.
    """

    source: Home
    target: Home
    pools: tuple[Pool, Pool]
    senders: Mapping[str, str] = field(default_factory=dict)
    through: bool = False
    unfinished: Mapping[str, Unfinished] = field(default_factory=dict)
    owned: Mapping[str, IncomingNumber] = field(default_factory=dict)
    is_reserved: bool | None = None

    def left_undone(self, item: Item) -> Unfinished | None:
        """Return what an earlier run left undone for ``item``."""
        return self.unfinished.get(item.name)

    def in_transit(self, item: Item) -> PhoneNumber | None:
        """Return a number in neither pool that a move had taken out of the first, as it was; None: no move had."""
        recorded, own = self.left_undone(item), self.owned.get(item.name)
        known = recorded or (own if own is not None and points_at(own, self.source.sid) else None)
        if known is None:
            return None
        flag = recorded.is_reserved if recorded is not None else None
        return PhoneNumber(
            {
                "sid": known.sid,
                "phone_number": known.phone_number or item.phone_number,
                "is_reserved": self.is_reserved if flag is None else flag,
            }
        )


def decide_moves(items: Sequence[Item], route: Route) -> list[Entry]:
    """Decide for each item, in order. Two items that turn out to be one number count once."""
    here, there = route.pools

    def find(item: Item) -> PhoneNumber | None:
        return there.find(item) or here.find(item) or route.in_transit(item)

    return each_once(items, find, lambda item, number: decide(item, number, route))


def decide(item: Item, number: PhoneNumber | None, route: Route) -> Entry:
    """Decide what is left to do for one item; ``number`` is as a pool holds it, or as it had left the first."""
    here, there = (pool.find(item) for pool in route.pools)
    if number is None:
        hint = f"'{command_line('number', 'find', item.name)}' shows where it is."
        return NoOp(item, error=not_in_pool(item, hint))
    if there is not None:
        return arrived(item, there, route)
    if here is None:
        return between_pools(item, number, route)
    if here.in_use:
        error = in_use(here, argument(route.source.name, route.source.sid))
        moved = moving(item, here, ("leave", "add"), route)
        return at_risk(moved, IN_USE, error) if isinstance(moved, Chain) else moved
    return moving(item, here, ("leave", "add"), route)


def arrived(item: Item, number: PhoneNumber, route: Route) -> Entry:
    """A number that is where it is wanted has at most to go back into its Messaging Service."""
    undone = route.left_undone(item)
    if undone is None or undone.messaging_service is None or number.sid in route.senders:
        return NoOp(item, number.raw, note=PRESENT)
    return moving(item, number, (), route)


def between_pools(item: Item, number: PhoneNumber, route: Route) -> Entry:
    """A number that a move which was cut off had taken out of its pool is added to the other, if it is known how."""
    if number.is_reserved is not None:
        return moving(item, number, ("add",), route)
    error = UnknownFlagError(
        f"{item.shown} is in no pool: an interrupted move took it out of that of Service "
        f"{route.source.name}. No record says whether it was reserved.",
        hint="Run the command again with --reserved or --unreserved to add it.",
    )
    return NoOp(item, number.raw, error)


def moving(item: Item, number: PhoneNumber, parts: tuple[str, ...], route: Route) -> Entry:
    """Let the number go through ``parts``, and through its Messaging Service if it is in one, or was."""
    holder = route.senders.get(number.sid)
    if holder is not None and not route.through:
        hint = "--through-messaging takes it out for the move, and puts it back afterwards."
        leaves = "leave" in parts
        error = in_messaging(item, holder, hint, leaves=leaves)
        return NoOp(item, number.raw if leaves else None, by_rule(error, LEAVE_MESSAGING, option=False))
    undone = route.left_undone(item)
    return move_chain(
        route.source,
        route.target,
        item,
        number.raw,
        number.is_reserved,
        messaging_service=holder or (undone.messaging_service if undone is not None else None),
        parts=(*(("detach",) if holder is not None else ()), *parts, "attach"),
    )


def going_back_in(entries: Iterable[Entry], left: Mapping[str, Unfinished]) -> list[Entry]:
    """Let numbers go back into the Messaging Service that a move took them out of; ``left``: by SID and by number."""

    def judged(entry: Entry) -> Entry:
        sid = entry.request.sid if isinstance(entry, Chain) else (entry.seen or {}).get("sid")
        one = left.get(sid or entry.item.name)
        if one is None or one.messaging_service is None or one.trail is None:
            return entry
        item = replace(entry.item, sid=one.sid, phone_number=one.phone_number or entry.item.phone_number)
        back = kept(sender_step(ATTACH, one.messaging_service, item), {"move": one.trail})
        if isinstance(entry, NoOp):
            there = entry.error is None and entry.seen is not None
            return Chain(entry.item, (back,), "move", "moved", entry.service) if there else entry
        if entry.change == "remove" or entry.steps[-1].request.verb is ATTACH:
            return entry
        return replace(entry, steps=(*(kept(step, {"move": one.trail}) for step in entry.steps), back))

    return list(map(judged, entries))


def move_command(trail: Trail, numbers: Iterable[str], *, through: bool) -> str:
    """Return the command that finishes a move, or the removal of a number that left its Messaging Service for it."""
    source = trail.source or ""
    words = ["remove", source, *numbers]
    if trail.target is not None:
        words = ["move", *numbers, "--from", source, "--to", trail.target]
    return command_line("number", *words, *(["--through-messaging"] if through else []))


def how_to_finish(request: Request) -> str:
    """Say what finishes the way of a number that waits for ``request``, also where a Messaging Service has it."""
    hint, trail = request.verb.pending_hint, request.kept.get("move")
    if request.verb is not ADD or trail is None:
        return hint
    command = move_command(trail, [request.name], through=True)
    return f"{hint} If a Messaging Service has it, '{command}' takes it out and adds it."


class Trails:
    """Finds in the records of runs, newest first, which of the numbers ``wanted`` a move had left undone.

    ``source_sid``: a move from this Service; None: from any.
    """

    def __init__(self, wanted: Iterable[str], source_sid: str | None) -> None:
        self.wanted = set(wanted)
        self.source_sid = source_sid
        self.found: dict[str, Unfinished] = {}

    def take(self, records: Sequence[ItemRecord]) -> None:
        """Take in the records of one run."""
        for record in reversed(records):
            names = record.names & self.wanted
            if not names or record.happened == "no":
                continue
            self.wanted -= names
            undone = self.left_undone(record)
            if undone is not None:
                self.found.update(dict.fromkeys(names, undone))

    def left_undone(self, record: ItemRecord) -> Unfinished | None:
        """Return what was left to do after the last thing that happened to a number; None: nothing."""
        trail = record.intent.move
        if trail is None or record.sid is None or self.source_sid not in (None, trail.source):
            return None
        there = ADD if trail.messaging_service is None else ATTACH
        last = REMOVE if trail.target is None else there
        if record.happened == "yes" and record.intent.action in (last.name, ATTACH.name):
            return None
        return Unfinished(record.sid, trail.is_reserved, trail.messaging_service, record.phone_number, trail)
