"""What a number verb has to do: items and a pool in, chains and items that need none out. Pure: no requests here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from proxyctl.api.resources import IncomingNumber, PhoneNumber
from proxyctl.errors import NotFoundError, ProxyctlError, RefusedError
from proxyctl.input.items import Item
from proxyctl.pools.chains import Home, chain_to, remove_chain
from proxyctl.pools.pool import Pool
from proxyctl.text import counted
from proxyctl.writes.plan import Chain, Entry, Settled, chains_of, refusing
from proxyctl.writes.requests import ADD, RELEASE, REMOVE, RESERVE, Verb

NOT_THERE = "not in the pool"
ADD_HINTS = {
    RESERVE.name: "Add --add to put it there as reserved.",
    RELEASE.name: "Only a number of the pool can be released; 'proxyctl number add --unreserved' puts it there.",
}
Number = TypeVar("Number", PhoneNumber, IncomingNumber)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a command wants of each item, beyond its verb."""

    verb: Verb
    is_reserved: bool | None = None  # add: --reserved, --unreserved
    add_missing: bool = False  # reserve: --add
    force: bool = False  # remove: --force
    must_exist: bool = False  # remove: --must-exist


def decide_all(wish: Wish, items: Sequence[Item], pool: Pool, home: Home) -> list[Entry]:
    """Decide for each item what is missing, in order."""
    return each_once(items, pool.find, lambda item, number: decide(wish, item, number, home))


def each_once(
    items: Sequence[Item],
    find: Callable[[Item], Number | None],
    decide_one: Callable[[Item, Number | None], Entry],
) -> list[Entry]:
    """Decide for each item by what was found of it. Two items that turn out to be one number count once."""
    seen: dict[str, Item] = {}
    entries: list[Entry] = []
    for item in items:
        number = find(item)
        error = disagrees(item, number)
        if number is not None and error is not None:
            entries.append(Settled(item, number.raw, error))
        elif number is not None and seen.setdefault(number.sid, item) is not item:
            entries.append(Settled(item, number.raw, note="the same number as another of the items"))
        else:
            entries.append(decide_one(item, number))
    return entries


def raw(number: PhoneNumber | None) -> dict[str, object] | None:
    """Return a number as the API has it."""
    return None if number is None else number.raw


def decide(wish: Wish, item: Item, number: PhoneNumber | None, home: Home) -> Entry:
    """Decide what is missing for one item; ``number`` is what the pool holds of it.

    An add keeps the flag of what is in the pool already, unless another one was asked for.
    """
    if wish.verb is REMOVE:
        return decide_remove(wish, item, number, home)
    wanted: bool | None = wish.verb is RESERVE
    note = None
    if wish.verb is ADD:
        wanted, note = (
            item.is_reserved if wish.is_reserved is None else wish.is_reserved,
            "in the pool already",
        )
    elif number is None and not wish.add_missing:
        return Settled(item, error=not_in_pool(item, ADD_HINTS[wish.verb.name]))
    return chain_to(home, item, number, wanted) or Settled(item, raw(number), note=note)


def disagrees(item: Item, number: PhoneNumber | IncomingNumber | None) -> ProxyctlError | None:
    """Return the error of a row whose SID and number mean two different numbers."""
    if number is None or item.sid is None or item.phone_number is None:
        return None
    if number.phone_number in (None, item.phone_number):
        return None
    where = "pool" if isinstance(number, PhoneNumber) else "account"
    return RefusedError(
        f"{item.sid} is {number.phone_number} in the {where}, not {item.phone_number}.",
        hint="Correct the row, or leave one of the two out.",
    )


def decide_remove(wish: Wish, item: Item, number: PhoneNumber | None, home: Home) -> Entry:
    """Remove; a number that has left already is as wanted, and one in use stays unless --force."""
    if number is None:
        return absent(item, removing=not wish.must_exist)
    if number.in_use and not wish.force:
        hint = (
            "'proxyctl number drain --wait --remove' removes it once it is idle; --force lets the API decide."
        )
        return Settled(item, number.raw, in_use(number, "", hint))
    return remove_chain(home, item, number.raw)


def absent(item: Item, *, removing: bool) -> Settled:
    """The end of an item that the pool does not have: it is as wanted where it is to leave it."""
    return Settled(item, note=NOT_THERE) if removing else Settled(item, error=not_in_pool(item))


def not_in_pool(item: Item, hint: str | None = None) -> NotFoundError:
    """The error of an item that the pool does not have."""
    return NotFoundError(f"{item.input} is not in the pool.", hint=hint)


def in_use(
    number: PhoneNumber, so: str, hint: str = "'proxyctl number drain --wait' waits until it is idle."
) -> RefusedError:
    """The refusal of a number that has open Sessions; ``so`` ends the sentence."""
    name = number.phone_number or number.sid
    return RefusedError(f"{name} is in use by {counted(number.in_use or 0, 'open Session')}{so}.", hint=hint)


def decide_drain(items: Sequence[Item], pool: Pool, home: Home, *, removing: bool) -> list[Entry]:
    """Decide what has to be reserved; one that is not in the pool is as wanted where it is to leave it anyway."""
    return [
        absent(entry.item, removing=removing) if isinstance(entry, Settled) and entry.seen is None else entry
        for entry in decide_all(Wish(RESERVE), items, pool, home)
    ]


def in_messaging(item: Item, messaging_service: str, hint: str, *, leaves: bool) -> RefusedError:
    """The refusal of a number that a Messaging Service has: no pool takes it. ``leaves``: it would leave one first."""
    why = "once out of its pool, it could be added to none" if leaves else "it can be added to no pool"
    return RefusedError(f"{item.input} is in Messaging Service {messaging_service}: {why}.", hint=hint)


def with_senders(entries: Sequence[Entry], senders: Mapping[str, str], *changes: str) -> list[Entry]:
    """Refuse ``changes`` of numbers that are in a Messaging Service (``senders``: its SID by theirs)."""

    def why(chain: Chain) -> RefusedError | None:
        holder = senders.get(chain.request.sid or "")
        hint = "Take it out of the Messaging Service first, or see 'proxyctl number move -h'."
        if holder is None:
            return None
        return in_messaging(chain.item, holder, hint, leaves=chain.change != "add")

    return refusing(entries, why, *changes)


def leaving(entries: Sequence[Entry]) -> list[Chain]:
    """Return the chains that take a number out of a pool for good."""
    return chains_of(entries, "remove")
