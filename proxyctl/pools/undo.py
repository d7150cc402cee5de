"""The inverse of a run, from its record and what is there now: what the run found, what it left, what is there.

What is as the run found it needs nothing; what is no longer as the run left it is refused; the rest goes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from proxyctl.api.models import Service
from proxyctl.errors import RefusedError
from proxyctl.input.items import Item
from proxyctl.pools.chains import Home, add_chain, flag_chain, move_chain, remove_chain
from proxyctl.pools.desired import World, update_chain
from proxyctl.pools.poolfile import SETTINGS
from proxyctl.state.record import ItemRecord
from proxyctl.words import counted
from proxyctl.writes.plan import Chain, Entry, Settled
from proxyctl.writes.requests import ADD, RELEASE, REMOVE, RESERVE, UPDATE_SERVICE, same

ABSENT = "absent"  # the state of a number that is not in the pool; in it, the state is its is_reserved
Number = tuple[str, str]  # the SID of the Service, and what names the number

# By action: the state that it found, and the state that it left, from what its record kept.
STATES: Mapping[str, Callable[[ItemRecord], tuple[Any, Any]]] = {
    ADD.name: lambda record: (ABSENT, bool(flag(record.after))),
    REMOVE.name: lambda record: (flag(record.intent.before), ABSENT),
    RESERVE.name: lambda record: (False, True),
    RELEASE.name: lambda record: (True, False),
}


def flag(state: Mapping[str, Any] | None) -> bool | None:
    """Return ``is_reserved`` of a recorded state."""
    value = (state or {}).get("is_reserved")
    return value if isinstance(value, bool) else None


def services_of(records: Iterable[ItemRecord], only: str | None) -> list[str]:
    """Return the SIDs of the Services that a run changed, each once; ``only`` for records that name none."""
    inverted = (record for record in records if is_inverted(record))
    return list(dict.fromkeys(sid for record in inverted if (sid := record.intent.service_sid or only)))


def is_inverted(record: ItemRecord) -> bool:
    """Whether there is an inverse of what an item was about."""
    return record.intent.action in STATES or record.intent.action == UPDATE_SERVICE.name


def inverse(records: Sequence[ItemRecord], only: str | None, world: World) -> list[Entry]:
    """Decide what takes each item back to where the run found it; what the run did not change is left out.

    ``world`` has all Services that the records name, and their pools.
    """
    homes = {service.sid: Home(service.sid, name) for name, service in world.services.items()}
    entries: list[Entry] = []
    numbers: dict[Number, list[ItemRecord]] = {}
    for record in records:
        sid = record.intent.service_sid or only or ""
        if record.happened == "no" or not is_inverted(record) or sid not in homes:
            continue
        if record.intent.action == UPDATE_SERVICE.name:
            entries += undo_settings(record, world.services[homes[sid].name or ""])
        else:
            item = item_of(record)
            numbers.setdefault((sid, item.sid or item.input), []).append(record)
    found = [undo_number(group, homes[sid], world) for (sid, _), group in numbers.items()]
    return [*entries, *paired(found, homes, world)]


def undo_number(records: Sequence[ItemRecord], home: Home, world: World) -> Entry:
    """Decide for one number of one Service: it may have left, and have come back with another flag."""
    first, last = records[0], records[-1]
    item, (before, _), (half, after) = (
        item_of(first),
        STATES[first.done or ""](first),
        STATES[last.done or ""](last),
    )
    if item.sid is None and item.phone_number is None:
        return Settled(item, error=RefusedError("the record does not say which number this was."))
    number = world.pools[home.name or ""].find(item)
    now = ABSENT if number is None else number.is_reserved
    row = None if number is None else number.raw
    if now == before or (before is None and now != ABSENT):
        return Settled(item, row, note=as_it_was(before, last), service=home.name or "")
    if now != after and not (last.happened == "maybe" and now == half):
        return Settled(item, row, changed(item, how_changed(now, before)), service=home.name or "")
    if number is None:
        return add_chain(home, item, before)
    if before != ABSENT:
        return flag_chain(home, item, number.raw, bool(before))
    if number.in_use:
        error = changed(item, f"it is in use by {counted(number.in_use, 'Session')}")
        return Settled(item, row, error, service=home.name or "")
    return remove_chain(home, item, number.raw)


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
    chains = [entry for entry in found if isinstance(entry, Chain)]
    leaving = {sid_of(chain): chain for chain in chains if chain.change == "remove"}
    coming = {sid_of(chain) for chain in chains if chain.change == "add"}
    for entry in found:
        if not isinstance(entry, Chain) or entry.change not in ("add", "remove"):
            yield entry
        elif entry.change == "add":
            yield back(entry, leaving.get(sid_of(entry)), homes, world)
        elif sid_of(entry) not in coming:
            yield entry


def back(coming: Chain, leaving: Chain | None, homes: Mapping[str, Home], world: World) -> Entry:
    """Return what puts a number back: from the pool that it went to, if it is still there."""
    request = coming.steps[0].request
    if leaving is not None:
        row = leaving.steps[0].request.before or {}
        source, target = homes[leaving.steps[0].request.parent], homes[request.parent]
        return move_chain(source, target, coming.item, row, flag(request.wanted))
    holder = next((name for name, pool in world.pools.items() if sid_of(coming) in pool.by_sid), None)
    if holder is not None:
        error = changed(coming.item, f"it is in the pool of Service {holder}")
        return Settled(coming.item, error=error, service=coming.service)
    return coming


def sid_of(chain: Chain) -> str:
    """Return the number's SID, where it is known."""
    return chain.steps[0].request.sid or ""


def with_senders(entry: Entry, senders: Mapping[str, str]) -> Entry:
    """Refuse what a Messaging Service forbids: out of its pool, such a number could not come back to any."""
    if not isinstance(entry, Chain) or sid_of(entry) not in senders:
        return entry
    if entry.change not in ("add", "remove", "move"):
        return entry
    error = RefusedError(
        f"{entry.item.input} is in Messaging Service {senders[sid_of(entry)]}: it can't be added to a pool as long as "
        "it is.",
        hint="Take it out of the Messaging Service first.",
    )
    return Settled(entry.item, entry.before, error, change=entry.change, service=entry.service)


def moving_sids(entries: Iterable[Entry]) -> set[str]:
    """Return the SIDs of the numbers that join or leave a pool."""
    chains = (entry for entry in entries if isinstance(entry, Chain))
    return {sid for one in chains if one.change in ("add", "remove", "move") and (sid := sid_of(one))}


def undo_settings(record: ItemRecord, service: Service) -> Iterator[Entry]:
    """Set the settings back that the run changed, unless somebody has changed them since."""
    before, after = record.intent.before, record.after
    if before is None or after is None:
        return
    name = service.unique_name or service.sid
    item = Item(name, service.sid, None)
    keys = [key for key in ("unique_name", *SETTINGS) if key in before and key in after]
    now = {key: service.raw.get(key) for key in keys}
    changed_by_run = [key for key in keys if not same(before[key], after[key])]
    to_do = {key: cleared(before[key]) for key in changed_by_run if not same(before[key], now[key])}
    others = [key for key in to_do if not same(after[key], now[key])]
    if others:
        text = f"{', '.join(others)} of Service {name} has changed since that run."
        yield Settled(item, None, RefusedError(text, hint="See 'proxyctl service show'."), service=name)
    elif to_do:
        yield update_chain(service, item, to_do)


def cleared(value: Any) -> Any:
    """Return the value that a form sets; no value is an empty text."""
    return "" if value is None else value


def changed(item: Item, how: str) -> RefusedError:
    """The refusal of an item that is no longer as the run left it."""
    return RefusedError(
        f"{item.input} has changed since that run: {how}.", hint="Change it by hand if it still should be."
    )


def item_of(record: ItemRecord) -> Item:
    """Return the item that a record is about."""
    name = record.intent.input or record.sid or record.phone_number or f"item {record.index}"
    return Item(name, record.sid, record.phone_number)
