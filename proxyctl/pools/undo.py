"""The inverse of a run, computed from its record and the pool as it is now; what has changed since is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from proxyctl.api.models import PhoneNumber
from proxyctl.errors import RefusedError
from proxyctl.input.items import Item
from proxyctl.pools.changes import Change, Decision, Kind, Settled
from proxyctl.pools.pool import Pool
from proxyctl.state.record import ItemRecord

INTENDED = {str(kind): kind for kind in Kind}


def undo_all(records: Iterable[ItemRecord], pool: Pool) -> list[Decision]:
    """Decide what takes each item back to where the run found it; items on which nothing was done are left out."""
    return [undo(record, kind, pool) for record in records if (kind := what_was_done(record)) is not None]


def what_was_done(record: ItemRecord) -> Kind | None:
    """Return what the run did to the item, or may have done: then the pool tells. None: nothing, or no pool's item."""
    return INTENDED.get(record.done or "")


def meant(record: ItemRecord) -> Kind | None:
    """Return what was about to be done to the item; None where that is no change of a pool."""
    return INTENDED.get(record.intent.action or "")


def undo(record: ItemRecord, kind: Kind, pool: Pool) -> Decision:
    """Decide for one item, to which ``kind`` was done."""
    item = item_of(record)
    number = pool.find(item)
    match kind:
        case _ if item.sid is None and item.phone_number is None:
            return Settled(item, error=RefusedError("the record does not say which number this was."))
        case Kind.REMOVE:
            return undo_remove(item, number, flag(record.intent.before))
        case Kind.ADD:
            return undo_add(item, number, flag(record.intent.after))
        case _:
            return undo_flag(item, number, was_reserved=kind is Kind.RELEASE)


def undo_remove(item: Item, number: PhoneNumber | None, was_reserved: bool | None) -> Decision:
    """Put a removed number back as it was."""
    if number is None:
        return Change(item, Kind.ADD, None, was_reserved)
    if was_reserved in (None, number.is_reserved):
        return Settled(item, number, note="back in the pool already")
    return Settled(item, number, error=changed(item, "it is back in the pool, with the other flag"))


def undo_flag(item: Item, number: PhoneNumber | None, *, was_reserved: bool) -> Decision:
    """Reserve or release a number again."""
    if number is None:
        return Settled(item, error=changed(item, "it has left the pool"))
    if number.is_reserved == was_reserved:
        return Settled(item, number, note="as it was already")
    return Change(item, Kind.RESERVE if was_reserved else Kind.RELEASE, number, was_reserved)


def undo_add(item: Item, number: PhoneNumber | None, added_as: bool | None) -> Decision:
    """Take an added number out again, unless somebody has put it to use."""
    if number is None:
        return Settled(item, note="out of the pool already")
    if number.in_use:
        sessions = "1 Session" if number.in_use == 1 else f"{number.in_use} Sessions"
        return Settled(item, number, error=changed(item, f"it is in use by {sessions}"))
    if number.is_reserved != bool(added_as):
        return Settled(item, number, error=changed(item, "it was reserved or released"))
    return Change(item, Kind.REMOVE, number)


def without_captives(decisions: Iterable[Decision], captives: Mapping[str, str]) -> list[Decision]:
    """Return the decisions with those refused that take a number in or out which a Messaging Service has as well.

    ``captives``: by PN SID. Taken out, such a number could not come back; put back, the API would not have it.
    """
    return [
        Settled(decision.item, decision.number, error=captive(decision.item, captives[decision.sid or ""]))
        if isinstance(decision, Change)
        and decision.kind in (Kind.ADD, Kind.REMOVE)
        and decision.sid in captives
        else decision
        for decision in decisions
    ]


def captive(item: Item, messaging_service: str) -> RefusedError:
    """The refusal of a number that a Messaging Service has."""
    return RefusedError(
        f"{item.input} is in Messaging Service {messaging_service}: it can't be added to a pool as long as it is.",
        hint="Take it out of the Messaging Service first.",
    )


def changed(item: Item, how: str) -> RefusedError:
    """The refusal of an item that is no longer as the run left it."""
    return RefusedError(
        f"{item.input} has changed since that run: {how}.", hint="Change it by hand if it still should be."
    )


def item_of(record: ItemRecord) -> Item:
    """Return the item that a record is about."""
    sid, number = record.sid, record.phone_number
    return Item(record.intent.input or sid or number or f"item {record.index}", sid, number)


def flag(state: Mapping[str, Any] | None) -> bool | None:
    """Return ``is_reserved`` of a recorded state."""
    value = state.get("is_reserved") if state is not None else None
    return value if isinstance(value, bool) else None
