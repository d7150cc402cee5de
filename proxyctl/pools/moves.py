"""What is left to do to move numbers from one pool to another. Pure: what was read goes in, chains come out.

A number goes out of its Messaging Service (where that was asked for), out of its pool, into the other, and into the
Messaging Service again. The pools show how far an interrupted move came. Its record, or else the user, says whether
a number between them was reserved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from proxyctl.api.models import IncomingNumber, PhoneNumber
from proxyctl.errors import RefusedError
from proxyctl.input.items import Item
from proxyctl.pools import decide
from proxyctl.pools.facts import minding_senders
from proxyctl.pools.pool import Pool, points_at
from proxyctl.state.record import ItemRecord, Trail
from proxyctl.text import command_line
from proxyctl.writes.plan import Chain, Entry, NoOp, decide_each
from proxyctl.writes.requests import ADD, ATTACH, REMOVE, Request


class UnknownFlagError(RefusedError):
    """A number is between two pools, and nothing says whether it was reserved."""


class Unfinished(NamedTuple):
    """A number that a move which was cut off left in transit; its ``trail`` says how its first pool had it, and which
    Messaging Service it goes back to.
    """

    sid: str
    phone_number: str | None
    trail: Trail


@dataclass(frozen=True, slots=True)
class Route:
    """From which Service to which, and what is known of the numbers.

    ``unfinished`` and ``owned`` (the account's numbers, of those in neither pool) are by SID and by number.
    ``is_reserved`` is the user's word on numbers whose state no record has.
    """

    source: decide.Home
    target: decide.Home
    pools: tuple[Pool, Pool]
    unfinished: Mapping[str, Unfinished] = field(default_factory=dict)
    owned: Mapping[str, IncomingNumber] = field(default_factory=dict)
    is_reserved: bool | None = None

    def in_transit(self, item: Item) -> PhoneNumber | None:
        """Return a number in neither pool that a move had taken out of the first, as it was; None: no move had."""
        recorded, own = self.unfinished.get(item.name), self.owned.get(item.name)
        known = recorded or (own if own is not None and points_at(own, self.source.sid) else None)
        if known is None:
            return None
        flag = recorded.trail.is_reserved if recorded is not None else None
        names = {"sid": known.sid, "phone_number": known.phone_number or item.phone_number}
        return PhoneNumber({**names, "is_reserved": self.is_reserved if flag is None else flag})


def decide_moves(items: Sequence[Item], route: Route) -> list[Entry]:
    """Decide for each item, in order. Two items that turn out to be one number count once."""
    here, there = route.pools

    def find(item: Item) -> PhoneNumber | None:
        return there.find(item) or here.find(item) or route.in_transit(item)

    return decide_each(items, find, decide.disagrees, lambda item, number: decide_one(item, number, route))


def decide_one(item: Item, number: PhoneNumber | None, route: Route) -> Entry:
    """Decide what is left to do for one item; ``number`` is as a pool holds it, or as it had left the first."""
    here, there = (pool.find(item) for pool in route.pools)
    if number is None:
        hint = f"'{command_line('number', 'find', item.name)}' shows where it is."
        return NoOp(item, error=decide.not_in_pool(item, hint))
    if there is not None:
        return NoOp(item, there.raw, note=decide.PRESENT)
    if here is None and number.is_reserved is None:
        error = UnknownFlagError(
            f"{item.shown} is in no pool: an interrupted move took it out of that of Service "
            f"{route.source.name}. No record says whether it was reserved.",
            hint="Run the command again with --reserved or --unreserved to add it.",
        )
        return NoOp(item, number.raw, error)
    flag, has_left = number.is_reserved, here is None
    chain = decide.move_chain(route.source, route.target, item, number.raw, flag, has_left=has_left)
    return chain if here is None else decide.if_idle(chain, here, route.source)


def by_way_of_messaging(
    entries: Iterable[Entry], senders: Mapping[str, str], left: Mapping[str, Unfinished], *, through: bool
) -> list[Entry]:
    """Mind the Messaging Services of numbers that join a pool or move: see `minding_senders`. What a move that was cut
    off took out of one goes back in (``left``: by SID and by number).
    """

    def judged(entry: Entry) -> Entry:
        sid = entry.request.sid if isinstance(entry, Chain) else (entry.seen or {}).get("sid")
        one = left.get(sid or entry.item.name)
        messaging_service = one and one.trail.messaging_service
        if one is None or messaging_service is None or one.sid in senders:
            return entry
        item = replace(entry.item, sid=one.sid, phone_number=one.phone_number or entry.item.phone_number)
        attach = decide.sender_step(ATTACH, messaging_service, item)
        if isinstance(entry, NoOp):
            there = entry.error is None and entry.seen is not None
            back = (decide.kept(attach, {"move": one.trail}),)
            return Chain(entry.item, back, "move", "moved", entry.service) if there else entry
        if entry.change == "remove":
            return entry
        trail = replace(entry.request.kept.get("move", one.trail), messaging_service=messaging_service)
        steps = (decide.kept(step, {"move": trail}) for step in (*entry.steps, attach))
        return replace(entry, steps=tuple(steps))

    return list(map(judged, minding_senders(entries, senders, "add", "move", through=through)))


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
        return Unfinished(record.sid, record.phone_number, trail)
