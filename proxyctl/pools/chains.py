"""The requests that take a number from one state to another, as chains: each takes a place in a pool, and gives one
back.

A pool has places by kind (reserved, unreserved). Where numbers are replaced, what may leave is a place too ("spare"):
a number that comes frees one, and a number that leaves takes one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from proxyctl.api.resources import PhoneNumber
from proxyctl.input.items import Item
from proxyctl.pools.pool import POOL_LIMITS, Pool, flag_word
from proxyctl.state.record import Trail
from proxyctl.writes.plan import Capacity, Chain, Room, Step
from proxyctl.writes.requests import (
    ADD,
    ATTACH,
    DETACH,
    RELEASE,
    REMOVE,
    RESERVE,
    Request,
    Verb,
)

ABSENT = "absent"  # the state of a number that is not in the pool; in it, the state is its is_reserved
SPARE = "spare "

Row = Mapping[str, Any]


class Home(NamedTuple):
    """A Service whose pool changes: its SID (its name, where it is yet to be created), and its name for people."""

    sid: str
    name: str | None = None


def place(sid: str, is_reserved: bool | None) -> Room:
    """Return the room that a number of this kind takes in a pool."""
    return (sid, flag_word(is_reserved))


def spare(sid: str, is_reserved: bool | None) -> Room:
    """Return the room that a number takes which leaves before its replacement is there."""
    return (sid, f"{SPARE}{flag_word(is_reserved)}")


def capacities(pool: Pool, name: str) -> dict[Room, Capacity]:
    """Return what a pool holds and may hold, by kind; nothing of a pool that was read in part."""
    if not pool.complete:
        return {}
    return {
        place(pool.service_sid, flag): Capacity(name, count, POOL_LIMITS[flag])
        for flag, count in ((True, pool.reserved), (False, pool.unreserved))
    }


def request_of(verb: Verb, home: Home, item: Item, row: Row | None, **more: Any) -> Request:
    """Return a request about a number; ``row`` is the number as the pool has it."""
    known = row or {}
    return Request(
        verb,
        home.sid,
        known.get("sid") or item.sid,
        item.input,
        known.get("phone_number") or item.phone_number,
        before=row,
        kept={"service": home.name} if home.name else {},
        **more,
    )


def wants(is_reserved: bool | None) -> dict[str, Any]:
    """Return the fields of a number that is to be of this kind."""
    return {} if is_reserved is None else {"is_reserved": is_reserved}


def add_step(home: Home, item: Item, is_reserved: bool | None) -> Step:
    """Add a number to a pool. One that is there already, with the other flag, gets the flag that was asked for."""

    def flagged(seen: Row) -> tuple[Step, ...]:
        if is_reserved is None or seen.get("is_reserved") == is_reserved:
            return ()
        return (replace(flag_step(home, item, seen, is_reserved), takes=()),)

    request = request_of(ADD, home, item, None, wanted=wants(is_reserved))
    frees = {spare(home.sid, is_reserved): 1}
    return Step(request, (place(home.sid, is_reserved),), frees, then=flagged)


def flag_step(home: Home, item: Item, row: Row, is_reserved: bool) -> Step:
    """Reserve or release a number. A release waits for no replacement."""
    request = request_of(RESERVE if is_reserved else RELEASE, home, item, row, wanted=wants(is_reserved))
    takes = (place(home.sid, is_reserved), *((spare(home.sid, False),) if is_reserved else ()))
    frees = {place(home.sid, not is_reserved): 1, **({} if is_reserved else {spare(home.sid, False): 1})}
    return Step(request, takes, frees)


def remove_step(home: Home, item: Item, row: Row) -> Step:
    """Remove a number from a pool."""
    flag = row.get("is_reserved")
    request = request_of(REMOVE, home, item, row)
    return Step(request, (spare(home.sid, flag),), {place(home.sid, flag): 1})


def add_chain(home: Home, item: Item, is_reserved: bool | None) -> Chain:
    """A number joins a pool."""
    return Chain(item, (add_step(home, item, is_reserved),), "add", service=home.name or "")


def flag_chain(home: Home, item: Item, row: Row, is_reserved: bool) -> Chain:
    """A number of a pool is reserved or released."""
    change = "reserve" if is_reserved else "release"
    return Chain(item, (flag_step(home, item, row, is_reserved),), change, service=home.name or "")


def remove_chain(home: Home, item: Item, row: Row) -> Chain:
    """A number leaves a pool for good."""
    return Chain(item, (remove_step(home, item, row),), "remove", service=home.name or "")


def chain_to(home: Home, item: Item, number: PhoneNumber | None, wanted: bool | str | None) -> Chain | None:
    """Return what gives a number the state that is ``wanted``: ABSENT, or how it is reserved (None: either way).

    ``number`` is what the pool holds of it now. None where it is as wanted.
    """
    if number is None:
        return None if wanted == ABSENT else add_chain(home, item, wanted if wanted is None else bool(wanted))
    if wanted == ABSENT:
        return remove_chain(home, item, number.raw)
    if wanted is None or wanted == number.is_reserved:
        return None
    return flag_chain(home, item, number.raw, bool(wanted))


def move_chain(
    source: Home,
    target: Home,
    item: Item,
    row: Row,
    is_reserved: bool | None,
    *,
    messaging_service: str | None = None,
    parts: Iterable[str] = ("detach", "leave", "add", "attach"),
) -> Chain:
    """A number goes from one pool to another, through its Messaging Service if it is in one.

    ``is_reserved`` is how it is to be there. ``parts``: what of it is left to do, after a move that was cut off.
    """
    known = replace(
        item, sid=row.get("sid") or item.sid, phone_number=item.phone_number or row.get("phone_number")
    )
    was_reserved = row.get("is_reserved", is_reserved)
    trail = {"move": Trail(source.sid, target.sid, was_reserved, messaging_service)}
    leaving = remove_step(source, known, row)
    rollback = add_step(source, known, was_reserved)
    attach = sender_step(ATTACH, messaging_service or "", known)
    made = {
        "detach": replace(sender_step(DETACH, messaging_service or "", known), rollback=attach, final=False),
        "leave": replace(leaving, rollback=rollback, final=False),
        "add": add_step(target, known, is_reserved),
        "attach": attach,
    }
    through = ("detach", "attach") if messaging_service is None else ()
    steps = tuple(kept(made[part], trail) for part in parts if part not in through)
    return Chain(item, steps, "move", "moved", target.name or "", source.name)


def sender_step(verb: Verb, messaging_service: str, item: Item, row: Row | None = None) -> Step:
    """Put a number into a Messaging Service, or take it out; ``row`` is the number as its pool has it."""
    request = Request(verb, messaging_service, item.sid, item.input, item.phone_number, before=row)
    return Step(request, ((messaging_service, "senders"),) if verb is ATTACH else ())


def kept(step: Step, facts: Mapping[str, Any]) -> Step:
    """Return the step with ``facts`` for the history, in what takes it back too."""
    rollback = None if step.rollback is None else kept(step.rollback, facts)
    request = replace(step.request, kept={**step.request.kept, **facts})
    return replace(step, request=request, rollback=rollback)
