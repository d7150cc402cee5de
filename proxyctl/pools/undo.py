"""The inverse of a run, from its record and what is there now: what the run found, what it left, what is there.

What is as the run found it needs nothing; what is no longer as the run left it, or was changed since, is refused; the
rest goes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from proxyctl.api.resources import IncomingNumber, Service
from proxyctl.errors import RefusedError
from proxyctl.input.items import Item
from proxyctl.pools.decide import ABSENT, Home, chain_to, in_use, move_chain
from proxyctl.pools.desired import World, update_chain
from proxyctl.pools.poolfile import SETTINGS
from proxyctl.pools.versions import SOMETHING_ELSE, STATES, Since, flag, version_of
from proxyctl.pools.webhooks import point_chain
from proxyctl.state.record import ItemRecord, RunDetail
from proxyctl.writes.guard import IN_USE
from proxyctl.writes.plan import Chain, Entry, NoOp, at_risk, chains_of, sids_of
from proxyctl.writes.requests import REMOVE, SET_WEBHOOKS, UPDATE_SERVICE, same

Number = tuple[str, str]  # the SID of the Service, and what names the number

INVERTED = {*STATES, UPDATE_SERVICE.name, SET_WEBHOOKS.name}


def services_of(records: Iterable[ItemRecord], only: str | None) -> list[str]:
    """Return the SIDs of the Services that a run changed, each once; ``only`` for records that name none."""
    inverted = (record.intent for record in records if record.intent.action in INVERTED)
    return list(dict.fromkeys(sid for intent in inverted if (sid := intent.service_sid or only)))


def inverse(run: RunDetail, since: Since, world: World) -> list[Entry]:
    """Decide what takes each item back to where the run found it; what the run did not change is left out.

    ``world`` has all Services that the records name, and their pools.
    """
    homes = {service.sid: Home(service.sid, name) for name, service in world.services.items()}
    entries: list[Entry] = []
    numbers: dict[Number, list[ItemRecord]] = {}
    for record in run.items:
        sid = record.intent.service_sid or run.run.service_sid or ""
        if record.happened == "no" or record.intent.action not in INVERTED or sid not in homes:
            continue
        if record.intent.action == UPDATE_SERVICE.name:
            entries += undo_settings(record, world.services[homes[sid].name or ""], since)
        elif record.intent.action == SET_WEBHOOKS.name:
            entries.append(undo_webhooks(record, homes[sid], world.owned, since))
        else:
            numbers.setdefault((sid, item_of(record).name), []).append(record)
    found = [undo_number(group, homes[sid], world, since) for (sid, _), group in numbers.items()]
    return [*entries, *paired(found, homes, world)]


def undo_number(records: Sequence[ItemRecord], home: Home, world: World, since: Since) -> Entry:
    """Decide for one number of one Service: it may have left, and have come back with another flag.

    The inverse of an action is to set the state that it found. Where what is there now is neither that nor what it
    left, somebody else has changed it since, and it is refused.
    """
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
    how = None
    if now != after and not (last.happened == "maybe" and now == halfway):
        how = how_changed(now, before)
    error = changed_since(item.input, records, since, row, how)
    if error is not None:
        return NoOp(item, row, error, service=name)
    chain = chain_to(home, item, number, before)
    if chain is not None and number is not None and number.in_use and before == ABSENT:
        return at_risk(chain, IN_USE, in_use(number, ""))
    return chain or NoOp(item, row, service=name)


def changed_since(
    what: str, records: Sequence[ItemRecord], since: Since, now: Mapping[str, Any] | None, how: str | None
) -> RefusedError | None:
    """Return the refusal of what has changed since the run; ``now``: as the API has it, ``how``: what that shows."""
    by = since.changed_by(records, version_of(now))
    if by == SOMETHING_ELSE and how is None:
        when = (now or {}).get("date_updated")
        how = f"something else changed it at {when}" if when else "it was added and removed again"
    hint = "Change it by hand if it still should be."
    if by:
        how, hint = f"run {by} changed it", f"See 'proxyctl history show {by}'. {hint}"
    return None if how is None else RefusedError(f"{what} has changed since that run: {how}.", hint=hint)


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


def undo_settings(record: ItemRecord, service: Service, since: Since) -> Iterator[Entry]:
    """Set the settings back that the run changed, unless somebody has changed them since."""
    name = service.unique_name or service.sid
    item = Item(name, service.sid, None)
    to_do, others = fields_back(record, service.raw, ("unique_name", *SETTINGS))
    if not to_do:
        return
    how = "something else changed it" if others else None
    what = f"{', '.join(others or to_do)} of Service {name}"
    error = changed_since(what, [record], since, service.raw, how)
    if error is not None:
        yield NoOp(item, None, error, service=name)
    else:
        yield update_chain(service, item, to_do)


def undo_webhooks(record: ItemRecord, home: Home, owned: Mapping[str, IncomingNumber], since: Since) -> Entry:
    """Set the webhooks of a number back that the run changed."""
    item, name = item_of(record), home.name or ""
    number = owned.get(item.name)
    if number is None:
        return NoOp(item, error=changed(item, "it has left the account"), service=name)
    row = number.raw
    to_do, others = fields_back(record, row, record.intent.before or ())
    if not to_do:
        return NoOp(item, row, note="as it was already")
    error = changed_since(item.input, [record], since, row, f"its {', '.join(others)}" if others else None)
    return point_chain(item, row, to_do, home) if error is None else NoOp(item, row, error, service=name)


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
