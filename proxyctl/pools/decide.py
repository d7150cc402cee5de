"""What a number verb has to do: items and a pool in, chains and items that need none out. Pure: no requests here.

A chain takes a number from the state that it has to the one that is wanted. Each takes a place in a pool, and gives one
back. A pool has places by kind (reserved, unreserved). Where numbers are replaced, what may leave is a place too
("spare"): a number that comes frees one, and a number that leaves takes one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from proxyctl.api.models import IncomingNumber, PhoneNumber, Service
from proxyctl.errors import NotFoundError, ProxyctlError, RefusedError
from proxyctl.identifiers import agree, argument
from proxyctl.input.items import Item
from proxyctl.pools.pool import POOL_LIMITS, Pool, areas_in, drain_command, flag_word, in_use
from proxyctl.state.record import Trail
from proxyctl.text import command_line
from proxyctl.writes import requests
from proxyctl.writes.guard import IN_USE
from proxyctl.writes.plan import Capacity, Chain, Entry, NoOp, Room, Step, at_risk, decide_each

ABSENT = "absent"  # the state of a number that is not in the pool; in it, the state is its is_reserved
SPARE = "spare "
NOT_THERE = "not in the pool"
THE_POOL = "the pool"  # one whose Service is known by its SID alone
PRESENT = "in the pool already"
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


def capacities(pool: Pool, service: Service) -> dict[Room, Capacity]:
    """Return what a Service's pool holds and may hold, by kind; of one that was read in part, what is known of it."""
    name, level = service.unique_name or THE_POOL, service.raw.get("geo_match_level")
    areas, whole = areas_in(pool, level) if pool.complete else {}, pool.complete
    unreserved = Capacity(name, pool.unreserved, POOL_LIMITS[False], whole=whole, areas=areas)
    reserved = {place(pool.service_sid, True): Capacity(name, pool.reserved, POOL_LIMITS[True])}
    return (reserved if whole else {}) | {place(pool.service_sid, False): unreserved}


def request_of(verb: requests.Verb, home: Home, item: Item, row: Row | None, **more: Any) -> requests.Request:
    """Return a request about a number; ``row`` is the number as the pool has it."""
    known = row or {}
    sid, number = known.get("sid") or item.sid, known.get("phone_number") or item.phone_number
    kept_facts = {"service": home.name} if home.name else {}
    return requests.Request(verb, home.sid, sid, item.input, number, before=row, kept=kept_facts, **more)


def wants(is_reserved: bool | None) -> dict[str, Any]:
    """Return the fields of a number that is to be of this kind."""
    return {} if is_reserved is None else {"is_reserved": is_reserved}


def add_step(home: Home, item: Item, is_reserved: bool | None, *, keeping: bool = False) -> Step:
    """Add a number to a pool. One that is there already gets the flag that was asked for, unless it is ``keeping``."""

    def flagged(seen: Row) -> tuple[Step, ...]:
        if keeping or is_reserved is None or seen.get("is_reserved") == is_reserved:
            return ()
        return (replace(flag_step(home, item, seen, is_reserved), takes=()),)

    request = request_of(requests.ADD, home, item, None, wanted=wants(is_reserved))
    frees = {spare(home.sid, is_reserved): 1}
    return Step(request, (place(home.sid, is_reserved),), frees, then=flagged)


def flag_step(home: Home, item: Item, row: Row, is_reserved: bool) -> Step:
    """Reserve or release a number. A release waits for no replacement."""
    verb = requests.RESERVE if is_reserved else requests.RELEASE
    request = request_of(verb, home, item, row, wanted=wants(is_reserved))
    takes = (place(home.sid, is_reserved), *((spare(home.sid, False),) if is_reserved else ()))
    frees = {place(home.sid, not is_reserved): 1, **({} if is_reserved else {spare(home.sid, False): 1})}
    return Step(request, takes, frees)


def remove_step(home: Home, item: Item, row: Row) -> Step:
    """Remove a number from a pool."""
    flag = row.get("is_reserved")
    request = request_of(requests.REMOVE, home, item, row)
    return Step(request, (spare(home.sid, flag),), {place(home.sid, flag): 1})


def add_chain(home: Home, item: Item, is_reserved: bool | None, *, keeping: bool = False) -> Chain:
    """A number joins a pool."""
    step = add_step(home, item, is_reserved, keeping=keeping)
    return Chain(item, (step,), "add", service=home.name or "")


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
    source: Home, target: Home, item: Item, row: Row, is_reserved: bool | None, *, has_left: bool = False
) -> Chain:
    """A number goes from one pool to another. ``is_reserved`` is how it is to be there.

    ``has_left``: a move that was cut off took it out of the first.
    """
    number = row.get("phone_number") or item.phone_number
    known = replace(item, sid=row.get("sid") or item.sid, phone_number=number)
    was_reserved = row.get("is_reserved", is_reserved)
    facts = {"move": Trail(source.sid, target.sid, was_reserved)}
    rollback = add_step(source, known, was_reserved)
    leave = replace(remove_step(source, known, row), rollback=rollback, final=False)
    add = add_step(target, known, is_reserved)
    steps = tuple(kept(step, facts) for step in ((add,) if has_left else (leave, add)))
    return Chain(item, steps, "move", "moved", target.name or "", source.name)


def sender_step(verb: requests.Verb, messaging_service: str, item: Item, row: Row | None = None) -> Step:
    """Put a number into a Messaging Service, or take it out; ``row`` is the number as its pool has it."""
    request = requests.Request(verb, messaging_service, item.sid, item.input, item.phone_number, before=row)
    return Step(request, ((messaging_service, "senders"),) if verb is requests.ATTACH else ())


def through(chain: Chain, out_of: str | None, into: str | None) -> Chain:
    """Let a number leave one Messaging Service before the steps of a chain, and join one after them.

    Where the chain fails, it goes back into the first. What leaves its pool for good leaves a trail as well.
    """
    request, steps = chain.request, chain.steps
    known = replace(chain.item, sid=request.sid, phone_number=request.phone_number)
    trail = request.kept.get("move")
    if chain.change == "remove":
        trail = Trail(request.parent, None, (request.before or {}).get("is_reserved"))
    if out_of is not None:
        out = sender_step(requests.DETACH, out_of, known, request.before)
        back = sender_step(requests.ATTACH, out_of, known, request.before)
        steps = (replace(out, rollback=back, final=False), *steps)
    if into is not None:
        steps = (*steps, sender_step(requests.ATTACH, into, known))
    if trail is not None:
        facts = {"move": replace(trail, messaging_service=into or out_of)}
        steps = tuple(kept(step, facts) for step in steps)
    return replace(chain, steps=steps)


def kept(step: Step, facts: Mapping[str, Any]) -> Step:
    """Return the step with ``facts`` for the history, in what takes it back too."""
    rollback = None if step.rollback is None else kept(step.rollback, facts)
    request = replace(step.request, kept={**step.request.kept, **facts})
    return replace(step, request=request, rollback=rollback)


# What each verb decides


@dataclass(frozen=True, slots=True)
class Wish:
    """What a command wants of each item, beyond its verb."""

    verb: requests.Verb
    is_reserved: bool | None = None  # add: --reserved, --unreserved
    add_missing: bool = False  # reserve: --add
    must_exist: bool = False  # remove: --must-exist


def decide_all(wish: Wish, items: Sequence[Item], pool: Pool, home: Home) -> list[Entry]:
    """Decide for each item what is missing, in order."""
    return decide_each(items, pool.find, disagrees, lambda item, number: decide(wish, item, number, home))


def decide(wish: Wish, item: Item, number: PhoneNumber | None, home: Home) -> Entry:
    """Decide what is missing for one item; ``number`` is what the pool holds of it."""
    if wish.verb is requests.REMOVE:
        return decide_remove(wish, item, number, home)
    if wish.verb is requests.ADD:
        return decide_add(wish, item, number, home)
    if number is None and not wish.add_missing:
        command = command_line("number", "add", home.sid, item.name, "--unreserved")
        hint = "--add adds it as reserved." if wish.verb is requests.RESERVE else f"'{command}' adds it."
        return NoOp(item, error=not_in_pool(item, hint))
    chain = chain_to(home, item, number, wish.verb is requests.RESERVE)
    return chain or NoOp(item, number.raw if number is not None else None)


def decide_add(wish: Wish, item: Item, number: PhoneNumber | None, home: Home) -> Entry:
    """Add; what is in the pool already keeps its flag, whatever its row says: only an option changes it."""
    asked = wish.is_reserved
    if number is None:
        return add_chain(home, item, item.is_reserved if asked is None else asked, keeping=asked is None)
    differs = asked is None and bool(item.is_reserved) is not number.is_reserved
    note = f"{PRESENT}, {flag_word(number.is_reserved)}" if differs else PRESENT
    return chain_to(home, item, number, asked) or NoOp(item, number.raw, note=note)


def disagrees(item: Item, number: PhoneNumber | IncomingNumber | None) -> ProxyctlError | None:
    """Return the error of a row whose SID and number mean two different numbers."""
    if number is None or item.sid is None or item.phone_number is None:
        return None
    if number.phone_number is None or agree(number.phone_number, item.phone_number):
        return None
    where = "pool" if isinstance(number, PhoneNumber) else "account"
    text = f"{item.sid} is {number.phone_number} in the {where}, not {item.phone_number}."
    return RefusedError(text, hint="Fix the row, or leave one of the two out.")


def decide_remove(wish: Wish, item: Item, number: PhoneNumber | None, home: Home) -> Entry:
    """Remove; a number that has left already is as wanted."""
    if number is None:
        return absent(item, removing=not wish.must_exist)
    draining = drain_command(number, argument(home.name, home.sid), "--remove")
    hint = f"'{draining}' removes it once it is idle."
    return if_idle(remove_chain(home, item, number.raw), number, home, hint=hint)


def if_idle(chain: Chain, number: PhoneNumber, home: Home, so: str = "", hint: str | None = None) -> Chain:
    """Put a number at risk that leaves its pool with open Sessions; ``so`` ends the sentence on it."""
    if not number.in_use:
        return chain
    return at_risk(chain, IN_USE, in_use(number, argument(home.name, home.sid), so, hint))


def absent(item: Item, *, removing: bool) -> NoOp:
    """The end of an item that the pool does not have: it is as wanted where it is to leave it."""
    return NoOp(item, note=NOT_THERE) if removing else NoOp(item, error=not_in_pool(item))


def not_in_pool(item: Item, hint: str | None = None) -> NotFoundError:
    """The error of an item that the pool does not have."""
    return NotFoundError(f"{item.shown} is not in the pool.", hint=hint)


def not_owned(item: Item, error: type[ProxyctlError]) -> ProxyctlError:
    """The refusal of a number that the account does not have."""
    hint = "'proxyctl auth status' shows which account this is."
    return error(f"{item.shown} is not a number of this account.", hint=hint)


def decide_drain(items: Sequence[Item], pool: Pool, home: Home, *, removing: bool) -> list[Entry]:
    """Decide what has to be reserved; one that is not in the pool is as wanted where it is to leave it anyway."""
    return [
        absent(entry.item, removing=removing) if isinstance(entry, NoOp) and entry.seen is None else entry
        for entry in decide_all(Wish(requests.RESERVE), items, pool, home)
    ]


class InMessagingError(RefusedError):
    """A Messaging Service has a number, so that no pool takes it; the hint says how it gets out of there."""
