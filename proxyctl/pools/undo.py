"""The inverse of a run, from its record and what is there now: what the run found, what it left, what is there.

What is as the run found it needs nothing; what is no longer as the run left it is refused; the rest goes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from proxyctl.api.resources import IncomingNumber, Service
from proxyctl.errors import RefusedError
from proxyctl.input.items import Item
from proxyctl.pools.decide import ABSENT, Home, chain_to, move_chain
from proxyctl.pools.desired import World, update_chain
from proxyctl.pools.poolfile import SETTINGS
from proxyctl.pools.webhooks import point_chain
from proxyctl.state.record import ItemRecord
from proxyctl.text import counted
from proxyctl.writes.plan import Chain, Entry, NoOp, chains_of, sids_of
from proxyctl.writes.requests import ADD, RELEASE, REMOVE, RESERVE, SET_WEBHOOKS, UPDATE_SERVICE, same

Number = tuple[str, str]  # the SID of the Service, and what names the number

# The inverse of an action is to set the state that it found; by action, that state and the one that it left. Where what
# is there now is neither, somebody else has changed it since, and it is refused.
STATES: Mapping[str, Callable[[ItemRecord], tuple[Any, Any]]] = {
    ADD.name: lambda record: (ABSENT, bool(flag(record.after))),
    REMOVE.name: lambda record: (flag(record.intent.before), ABSENT),
    RESERVE.name: lambda record: (False, True),
    RELEASE.name: lambda record: (True, False),
}
INVERTED = {*STATES, UPDATE_SERVICE.name, SET_WEBHOOKS.name}


def flag(state: Mapping[str, Any] | None) -> bool | None:
    """Return ``is_reserved`` of a recorded state."""
    value = (state or {}).get("is_reserved")
    return value if isinstance(value, bool) else None


def services_of(records: Iterable[ItemRecord], only: str | None) -> list[str]:
    """Return the SIDs of the Services that a run changed, each once; ``only`` for records that name none."""
    inverted = (record.intent for record in records if record.intent.action in INVERTED)
    return list(dict.fromkeys(sid for intent in inverted if (sid := intent.service_sid or only)))


def inverse(records: Sequence[ItemRecord], only: str | None, world: World) -> list[Entry]:
    """Decide what takes each item back to where the run found it; what the run did not change is left out.

    ``world`` has all Services that the records name, and their pools.
    """
    homes = {service.sid: Home(service.sid, name) for name, service in world.services.items()}
    entries: list[Entry] = []
    numbers: dict[Number, list[ItemRecord]] = {}
    for record in records:
        sid = record.intent.service_sid or only or ""
        if record.happened == "no" or record.intent.action not in INVERTED or sid not in homes:
            continue
        if record.intent.action == UPDATE_SERVICE.name:
            entries += undo_settings(record, world.services[homes[sid].name or ""])
        elif record.intent.action == SET_WEBHOOKS.name:
            entries.append(undo_webhooks(record, homes[sid], world.owned))
        else:
            numbers.setdefault((sid, item_of(record).name), []).append(record)
    found = [undo_number(group, homes[sid], world) for (sid, _), group in numbers.items()]
    return [*entries, *paired(found, homes, world)]


def undo_number(records: Sequence[ItemRecord], home: Home, world: World) -> Entry:
    """Decide for one number of one Service: it may have left, and have come back with another flag."""
    first, last = records[0], records[-1]
    item, name = item_of(first), home.name or ""
    before, _ = STATES[first.done or ""](first)
    halfway, after = STATES[last.done or ""](last)
    if item.sid is None and item.phone_number is None:
        return NoOp(item, error=RefusedError("the record does not say which number this was."))
    number = world.pools[name].find(item)
    now = ABSENT if number is None else number.is_reserved
    row = None if number is None else number.raw
    if now == before or (before is None and now != ABSENT):
        return NoOp(item, row, note=as_it_was(before, last), service=name)
    if now != after and not (last.happened == "maybe" and now == halfway):
        return NoOp(item, row, changed(item, how_changed(now, before)), service=name)
    if number is not None and number.in_use and before == ABSENT:
        error = changed(item, f"it is in use by {counted(number.in_use, 'Session')}")
        return NoOp(item, row, error, service=name)
    return chain_to(home, item, number, before) or NoOp(item, row, service=name)


def as_it_was(before: Any, last: ItemRecord) -> str:
    """Say of a number that it needs nothing."""
    if before == ABSENT:
        return "out of the pool already"
    return "back in the pool already" if last.done == REMOVE.name else "as it was already"


def how_changed(now: Any, before: Any) -> str:
    """Say how a number is not as the run left it."""
    if now == ABSENT:
        return "it has left the pool"
    if before == ABSENT:
        return "it was reserved or released"
    return "it is back in the pool, with the other flag"


def paired(found: Sequence[Entry], homes: Mapping[str, Home], world: World) -> Iterator[Entry]:
    """Let a number that is to leave one pool and to come to another go as a move."""
    leaving = {chain.request.sid or "": chain for chain in chains_of(found, "remove")}
    coming = sids_of(found, "add")
    for entry in found:
        if not isinstance(entry, Chain) or entry.change not in ("add", "remove"):
            yield entry
        elif entry.change == "add":
            yield back(entry, leaving.get(entry.request.sid or ""), homes, world)
        elif entry.request.sid not in coming:
            yield entry


def back(coming: Chain, leaving: Chain | None, homes: Mapping[str, Home], world: World) -> Entry:
    """Return what puts a number back: from the pool that it went to, if it is still there."""
    request = coming.request
    if leaving is not None:
        source, target = homes[leaving.request.parent], homes[request.parent]
        return move_chain(source, target, coming.item, leaving.before or {}, flag(request.wanted))
    holder = world.holder_of(coming.item)
    if holder is None:
        return coming
    error = changed(coming.item, f"it is in the pool of Service {holder.name}")
    return NoOp(coming.item, error=error, service=coming.service)


def undo_settings(record: ItemRecord, service: Service) -> Iterator[Entry]:
    """Set the settings back that the run changed, unless somebody has changed them since."""
    name = service.unique_name or service.sid
    item = Item(name, service.sid, None)
    to_do, others = fields_back(record, service.raw, ("unique_name", *SETTINGS))
    if others:
        text = f"{', '.join(others)} of Service {name} has changed since that run."
        yield NoOp(item, None, RefusedError(text, hint="See 'proxyctl service show'."), service=name)
    elif to_do:
        yield update_chain(service, item, to_do)


def undo_webhooks(record: ItemRecord, home: Home, owned: Mapping[str, IncomingNumber]) -> Entry:
    """Set the webhooks of a number back that the run changed."""
    item = item_of(record)
    number = owned.get(item.name)
    if number is None:
        return NoOp(item, error=changed(item, "it has left the account"), service=home.name or "")
    row = number.raw
    to_do, others = fields_back(record, row, record.intent.before or ())
    if others:
        return NoOp(item, row, changed(item, f"its {', '.join(others)}"), service=home.name or "")
    return point_chain(item, row, to_do, home) if to_do else NoOp(item, row, note="as it was already")


def fields_back(
    record: ItemRecord, now: Mapping[str, Any], known: Iterable[str]
) -> tuple[dict[str, Any], list[str]]:
    """Return the fields to set back, as a form sets them, and those of them that somebody has changed since."""
    before, after = record.intent.before or {}, record.after or {}
    keys = [key for key in known if key in before and key in after and not same(before[key], after[key])]
    keys = [key for key in keys if not same(before[key], now.get(key))]
    to_do = {key: "" if before[key] is None else before[key] for key in keys}
    return to_do, [key for key in keys if not same(after[key], now.get(key))]


def changed(item: Item, how: str) -> RefusedError:
    """The refusal of an item that is no longer as the run left it."""
    return RefusedError(
        f"{item.input} has changed since that run: {how}.", hint="Change it by hand if it still should be."
    )


def item_of(record: ItemRecord) -> Item:
    """Return the item that a record is about."""
    name = record.intent.input or record.sid or record.phone_number or f"item {record.index}"
    return Item(name, record.sid, record.phone_number)
