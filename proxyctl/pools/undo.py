"""The inverse of a run, computed from its record and the pool as it is now; what has changed since is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from proxyctl.bulk.items import Item
from proxyctl.bulk.records import ItemRecord
from proxyctl.errors import RefusedError
from proxyctl.pools.changes import Change, Decision, Kind, Settled
from proxyctl.pools.pool import Pool

INVERSE = {
    Kind.RESERVE: Kind.RELEASE,
    Kind.RELEASE: Kind.RESERVE,
    Kind.ADD: Kind.REMOVE,
    Kind.REMOVE: Kind.ADD,
}


def undo_all(records: Iterable[ItemRecord], pool: Pool) -> list[Decision]:
    """Decide what takes each item back to where the run found it; items on which nothing was done are left out."""
    return [undo(record, pool) for record in records if was_done(record)]


def was_done(record: ItemRecord) -> bool:
    """Whether the run changed the item, or may have: then the pool tells."""
    if record.intent.get("action") not in set(Kind):
        return False
    outcome = record.outcome
    if outcome is None or outcome.get("state") in ("lost", "unknown"):
        return True
    return outcome.get("state") == "done" and outcome.get("action") != "unchanged"


def undo(record: ItemRecord, pool: Pool) -> Decision:
    """Decide for one item."""
    kind = Kind(record.intent["action"])
    item = item_of(record)
    number = pool.find(item)
    match kind:
        case Kind.REMOVE:
            was_reserved = flag(record.intent.get("before"))
            if number is None:
                return Change(item, Kind.ADD, None, was_reserved)
            if was_reserved in (None, number.is_reserved):
                return Settled(item, number, note="back in the pool already")
            return Settled(item, number, error=changed(item, "it is back in the pool, with the other flag"))
        case Kind.ADD:
            return undo_add(item, number, flag(record.intent.get("after")))
        case _:
            if number is None:
                return Settled(item, error=changed(item, "it has left the pool"))
            was_reserved = kind is Kind.RELEASE
            if number.is_reserved == was_reserved:
                return Settled(item, number, note="as it was already")
            return Change(item, INVERSE[kind], number, was_reserved)


def undo_add(item: Item, number: Any, added_as: bool | None) -> Decision:
    """Take an added number out again, unless somebody has put it to use."""
    if number is None:
        return Settled(item, note="out of the pool already")
    if number.in_use:
        return Settled(item, number, error=changed(item, f"it is in use by {number.in_use} Sessions"))
    if number.is_reserved != bool(added_as):
        return Settled(item, number, error=changed(item, "it was reserved or released"))
    return Change(item, Kind.REMOVE, number)


def changed(item: Item, how: str) -> RefusedError:
    """The refusal of an item that is no longer as the run left it."""
    return RefusedError(
        f"{item.input} has changed since that run: {how}.", hint="Change it by hand if it still should be."
    )


def item_of(record: ItemRecord) -> Item:
    """Return the item that a record is about."""
    outcome: Mapping[str, Any] = record.outcome or {}
    sid = record.intent.get("sid") or outcome.get("sid")
    number = record.intent.get("phone_number") or outcome.get("phone_number")
    return Item(str(record.intent.get("input") or sid or number), sid, number)


def flag(state: Any) -> bool | None:
    """Return ``is_reserved`` of a recorded state."""
    value = state.get("is_reserved") if isinstance(state, dict) else None
    return value if isinstance(value, bool) else None
