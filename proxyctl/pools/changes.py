"""What a number verb has to do: items and a pool in, changes and settled items out. Pure: no requests here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from proxyctl.api.models import PhoneNumber
from proxyctl.errors import NotFoundError, ProxyctlError, RefusedError
from proxyctl.input.items import Item
from proxyctl.pools.pool import Pool


class Kind(StrEnum):
    """The four things that can be done to a number in a pool."""

    ADD = "add"
    RESERVE = "reserve"
    RELEASE = "release"
    REMOVE = "remove"

    @property
    def done(self) -> str:
        """The word for it when it is done."""
        return DONE[self]


NOT_THERE = "not in the pool"
DONE = {Kind.ADD: "added", Kind.RESERVE: "reserved", Kind.RELEASE: "released", Kind.REMOVE: "removed"}


@dataclass(frozen=True, slots=True)
class Change:
    """One request to send. ``number`` is what the pool held before; ``is_reserved`` the state that is wanted."""

    item: Item
    kind: Kind
    number: PhoneNumber | None = None
    is_reserved: bool | None = None

    @property
    def sid(self) -> str | None:
        """The PN SID, where it is known."""
        return self.number.sid if self.number is not None else self.item.sid


@dataclass(frozen=True, slots=True)
class Settled:
    """An item that needs no request: it is as wanted, or can't be done."""

    item: Item
    number: PhoneNumber | None = None
    error: ProxyctlError | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a verb wants of each item, beyond its kind."""

    kind: Kind
    is_reserved: bool | None = None  # add: --reserved, --unreserved
    add_missing: bool = False  # reserve: --add
    force: bool = False  # remove: --force
    must_exist: bool = False  # remove: --must-exist


Decision = Change | Settled


def decide_drain(items: Sequence[Item], pool: Pool, *, removing: bool) -> list[Decision]:
    """Decide what has to be reserved; one that is not in the pool is as wanted where it is to leave it anyway."""
    return [
        absent(decision.item, removing=removing)
        if isinstance(decision, Settled) and decision.number is None
        else decision
        for decision in decide_all(Wish(Kind.RESERVE), items, pool)
    ]


def absent(item: Item, *, removing: bool) -> Settled:
    """The end of an item that can't drain, because the pool does not have it."""
    if removing:
        return Settled(item, note=NOT_THERE)
    return Settled(item, error=NotFoundError(f"{item.input} is not in the pool."))


def decide_all(wish: Wish, items: Sequence[Item], pool: Pool) -> list[Decision]:
    """Decide for each item what is missing, in order. Two items that turn out to be one number count once."""
    seen: dict[str, Item] = {}
    decisions: list[Decision] = []
    for item in items:
        number = pool.find(item)
        named = number is not None and disagrees(item, number) is None
        if number is None or not named or seen.setdefault(number.sid, item) is item:
            decisions.append(decide(wish, item, number))
        else:
            decisions.append(Settled(item, number, note="the same number as another of the items"))
    return decisions


def decide(wish: Wish, item: Item, number: PhoneNumber | None) -> Decision:
    """Decide what is missing for one item; ``number`` is what the pool holds of it."""
    disagreement = disagrees(item, number)
    if disagreement is not None:
        return Settled(item, number, error=disagreement)
    match wish.kind:
        case Kind.ADD:
            wanted = wish.is_reserved if wish.is_reserved is not None else item.is_reserved
            return decide_add(item, number, wanted)
        case Kind.REMOVE:
            return decide_remove(wish, item, number)
        case kind:
            return decide_flag(wish, item, number, wanted=kind is Kind.RESERVE)


def disagrees(item: Item, number: PhoneNumber | None) -> ProxyctlError | None:
    """Tell where a row's SID and number mean two different numbers of the pool."""
    if number is None or item.sid is None or item.phone_number is None:
        return None
    if number.phone_number in (None, item.phone_number):
        return None
    return RefusedError(
        f"{item.sid} is {number.phone_number} in the pool, not {item.phone_number}.",
        hint="Correct the row, or leave one of the two out.",
    )


def decide_add(item: Item, number: PhoneNumber | None, wanted: bool | None) -> Decision:
    """An item that is in the pool already keeps its flag, unless another one was asked for."""
    if number is None:
        return Change(item, Kind.ADD, None, wanted)
    if wanted is None or wanted == number.is_reserved:
        return Settled(item, number, note="in the pool already")
    return Change(item, Kind.RESERVE if wanted else Kind.RELEASE, number, wanted)


def decide_flag(wish: Wish, item: Item, number: PhoneNumber | None, *, wanted: bool) -> Decision:
    """Reserve or release; only a number in the pool can be, unless --add allows for more."""
    if number is not None:
        if number.is_reserved == wanted:
            return Settled(item, number)
        return Change(item, wish.kind, number, wanted)
    if wish.add_missing:
        return Change(item, Kind.ADD, None, wanted)
    hint = (
        "Add --add to put it there as reserved."
        if wanted
        else "Only a number of the pool can be released; 'proxyctl number add --unreserved' puts it there."
    )
    return Settled(item, error=NotFoundError(f"{item.input} is not in the pool.", hint=hint))


def decide_remove(wish: Wish, item: Item, number: PhoneNumber | None) -> Decision:
    """Remove; a number that has left already is as wanted, and one in use stays unless --force."""
    if number is None:
        if wish.must_exist:
            return Settled(item, error=NotFoundError(f"{item.input} is not in the pool."))
        return Settled(item, note=NOT_THERE)
    if number.in_use and not wish.force:
        sessions = "1 open Session" if number.in_use == 1 else f"{number.in_use} open Sessions"
        return Settled(
            item,
            number,
            error=RefusedError(
                f"{number.phone_number or number.sid} is in use by {sessions}.",
                hint="'proxyctl number drain' waits until it is idle; --force lets the API decide.",
            ),
        )
    return Change(item, Kind.REMOVE, number)
