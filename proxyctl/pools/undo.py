"""The inverse of a run, from its record and what is there now: what the run found, what it left, what is there.

What is as the run found it needs nothing; what is no longer as the run left it, or was changed since, is refused; the
rest goes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from proxyctl.api.models import IncomingNumber, Service
from proxyctl.errors import NotFoundError, RefusedError
from proxyctl.input.items import Item
from proxyctl.pools import decide, versions
from proxyctl.pools.desired import World, update_chain
from proxyctl.pools.pool import flag_word
from proxyctl.pools.poolfile import SETTINGS
from proxyctl.pools.webhooks import not_kept, point_chain
from proxyctl.state.record import ItemRecord, Outcome, RunDetail, withheld
from proxyctl.text import command_line
from proxyctl.writes import requests
from proxyctl.writes.plan import Chain, Entry, NoOp, Plan, chains_of, refused, sids_of

Number = tuple[str, str]  # the SID of the Service, and what names the number

INVERTED = {*versions.STATES, requests.UPDATE_SERVICE.name, requests.SET_WEBHOOKS.name}
MOVING = ("add", "remove", "move")  # changes that no pool takes of a number in a Messaging Service
SENDING = (requests.ATTACH.name, requests.DETACH.name)
AS_IT_WAS = "as it was already"
BY_HAND = "Change it by hand if necessary."


def services_of(records: Iterable[ItemRecord], only: str | None) -> list[str]:
    """Return the SIDs of the Services that a run changed, each once; ``only`` for records that name none."""
    found: list[str | None] = []
    for record in records:
        intent = record.intent
        if intent.action in INVERTED:
            found.append(intent.service_sid or (None if intent.move else only))
            found += (intent.move.source, intent.move.target) if intent.move else ()
    return list(dict.fromkeys(filter(None, found)))


def messaging_services_of(records: Iterable[ItemRecord]) -> list[str]:
    """Return the SIDs of the Messaging Services that a run changed, each once."""
    intents = (record.intent for record in records if record.intent.action in SENDING)
    return list(dict.fromkeys(sid for one in intents if (sid := one.messaging_service_sid)))


def inverse(run: RunDetail, since: versions.Since, world: World) -> list[Entry]:
    """Decide what takes each item back to where the run found it; what the run did not change is left out.

    ``world`` has all Services that the records name and that still exist, and their pools.
    """
    homes = {service.sid: decide.Home(service.sid, name) for name, service in world.services.items()}
    entries: list[Entry] = []
    numbers, senders = grouped(run)
    for record in run.items:
        sid = record.intent.service_sid or run.run.service_sid or ""
        if record.happened == "no" or not sid:
            continue
        if record.intent.action == requests.UPDATE_SERVICE.name:
            service = world.services.get(homes[sid].name or "") if sid in homes else None
            entries += [gone([record], sid)] if service is None else undo_settings(record, service, since)
        elif record.intent.action == requests.SET_WEBHOOKS.name:
            entries.append(undo_webhooks(record, homes.get(sid, decide.Home(sid)), world.owned, since))
    found = [
        undo_number(group, homes[sid], world, since) if sid in homes else gone(group, sid)
        for (sid, _), group in numbers.items()
    ]
    sent = [undo_sender(group, sid, world, since) for (sid, _), group in senders.items()]
    return [*entries, *joined(list(paired(found, homes, world)), sent)]


def grouped(run: RunDetail) -> tuple[dict[Number, list[ItemRecord]], dict[Number, list[ItemRecord]]]:
    """Return what a run did to each number: in each pool, and in each Messaging Service.

    A run that went on with a move has the first half of it in an earlier run: it goes back to where that began.
    """
    numbers: dict[Number, list[ItemRecord]] = {}
    senders: dict[Number, list[ItemRecord]] = {}
    begun: dict[Number, list[ItemRecord]] = {}
    for record in run.items:
        intent, trail, name = record.intent, record.intent.move, item_of(record).name
        if record.happened == "no" or intent.action not in versions.STATES:
            continue
        if intent.action in SENDING:
            senders.setdefault((intent.messaging_service_sid or "", name), []).append(record)
        elif sid := intent.service_sid or run.run.service_sid:
            numbers.setdefault((sid, name), []).append(record)
            if trail and trail.source and trail.target == sid and intent.action == requests.ADD.name:
                before = {"is_reserved": trail.is_reserved}
                left = replace(intent, action=requests.REMOVE.name, service_sid=trail.source, before=before)
                begun[trail.source, name] = [replace(record, intent=left, outcome=Outcome("done", "removed"))]
    return numbers | {key: group for key, group in begun.items() if key not in numbers}, senders


def restoring(plan: Plan, run: RunDetail) -> Plan:
    """Let pools be left without an unreserved number where the run had found them so, or had created the Service."""
    created = (one.outcome for one in run.items if one.intent.action == requests.CREATE_SERVICE.name)
    found = dict(run.run.unreserved or {}) | {one.service_sid: 0 for one in created if one is not None}
    capacities = plan.capacities.items()
    rooms = {room: one._replace(may_empty=found.get(room[0]) == 0) for room, one in capacities}
    return replace(plan, capacities=rooms)


def gone(records: Sequence[ItemRecord], sid: str) -> NoOp:
    """Refuse what was done in a Service that has been deleted since; what the run added there is out of it."""
    item, first = item_of(records[0]), records[0]
    made = versions.STATES.get(first.done or "")
    if made is not None and made(first)[0] == decide.ABSENT:
        return NoOp(item, note=AS_IT_WAS)
    text = f"{item.input} can't be undone: Service {sid}, which that run changed, does not exist any more."
    error = NotFoundError(text, hint="'proxyctl service list' shows those that are left.")
    return NoOp(item, error=error)


def undo_number(
    records: Sequence[ItemRecord], home: decide.Home, world: World, since: versions.Since
) -> Entry:
    """Decide for one number of one Service: it may have left, and have come back with another flag."""
    item, name = item_of(records[0]), home.name or ""
    if item.sid is None and item.phone_number is None:
        return NoOp(item, error=RefusedError("the record does not say which number this was."))
    number = world.pools[name].find(item)
    now = decide.ABSENT if number is None else number.is_reserved
    row = None if number is None else number.raw
    how = "it has left the pool" if number is None else f"it is {flag_word(number.is_reserved)} in the pool"
    before, note, error = judged(records, now, row, since, how)
    if note or error:
        return NoOp(item, row, error, note, service=name)
    chain = decide.chain_to(home, item, number, before)
    if chain is not None and number is not None and before == decide.ABSENT:
        return decide.if_idle(chain, number, home)
    return chain or NoOp(item, row, service=name)


def judged(
    records: Sequence[ItemRecord], now: Any, row: Mapping[str, Any] | None, since: versions.Since, how: str
) -> tuple[Any, str | None, RefusedError | None]:
    """Return the state that a run found, with why it needs nothing, or can't be set back.

    The inverse of an action is to set the state that it found. Where what is there ``now`` (as the API has it, ``row``)
    is neither that nor what it left, somebody else has changed it since, and it is refused; ``how`` says so.
    """
    first, last = records[0], records[-1]
    before, _ = versions.STATES[first.done or ""](first)
    halfway, after = versions.STATES[last.done or ""](last)
    if now == before or (before is None and now != decide.ABSENT):
        return before, AS_IT_WAS, None
    agrees = now == after or (last.happened == "maybe" and now == halfway)
    what = item_of(first).input
    return before, None, changed_since(what, records, since, row, None if agrees else how)


def changed_since(
    what: str, records: Sequence[ItemRecord], since: versions.Since, now: decide.Row | None, how: str | None
) -> RefusedError | None:
    """Return the refusal of what has changed since the run; ``now``: as the API has it, ``how``: what that shows."""
    by = since.changed_by(records, versions.version_of(now))
    if by == versions.OURS:
        return None
    if by == versions.SOMETHING_ELSE and how is None:
        when = (now or {}).get("date_updated")
        how = f"something else changed it at {when}" if when else "it was added and removed again"
    hint = BY_HAND
    if by:
        how, hint = f"run {by} changed it", f"See '{command_line('history', 'show', by)}'. {hint}"
    return None if how is None else RefusedError(f"{what} has changed since that run: {how}.", hint=hint)


def paired(found: Sequence[Entry], homes: Mapping[str, decide.Home], world: World) -> Iterator[Entry]:
    """Let a number that is to leave one pool and to come to another go as a move."""
    leaving = {chain.request.sid or "": chain for chain in chains_of(found, "remove")}
    coming = sids_of(found, "add")
    refused_names = {name for one in found if isinstance(one, NoOp) and one.error for name in one.item.names}
    for entry in found:
        if not isinstance(entry, Chain) or entry.change not in ("add", "remove"):
            yield entry
        elif entry.change == "add":
            yield back(entry, leaving.get(entry.request.sid or ""), homes, world)
        elif not refused_names.isdisjoint(entry.item.names):
            yield refused(entry, changed(entry.item, "the pool that it came from can't have it back"))
        elif entry.request.sid not in coming:
            yield entry


def back(coming: Chain, leaving: Chain | None, homes: Mapping[str, decide.Home], world: World) -> Entry:
    """Return what puts a number back: from the pool that it went to, if it is still there."""
    request = coming.request
    if leaving is not None:
        source, target = homes[leaving.request.parent], homes[request.parent]
        row, was_reserved = leaving.before or {}, versions.flag(request.wanted)
        return decide.move_chain(source, target, coming.item, row, was_reserved)
    holder = world.holder_of(coming.item)
    if holder is None:
        return coming
    error = changed(coming.item, f"it is in the pool of Service {holder.name}")
    return NoOp(coming.item, error=error, service=coming.service)


def undo_sender(records: Sequence[ItemRecord], messaging: str, world: World, since: versions.Since) -> Entry:
    """Decide for one number of one Messaging Service."""
    item = item_of(records[0])
    row, holder = world.senders.get(messaging, {}).get(item.sid or ""), world.holder_of(item)
    where = f"it {'has left' if row is None else 'is in'} Messaging Service {messaging}"
    now, name = decide.ABSENT if row is None else versions.PRESENT, holder.name if holder else ""
    before, note, error = judged(records, now, row, since, where)
    if note or error:
        return NoOp(item, None, error, note, service=name)
    verb, done = (requests.ATTACH, "added") if before == versions.PRESENT else (requests.DETACH, "removed")
    step = decide.sender_step(verb, messaging, item, holder.number.raw if holder else None)
    return Chain(item, (step,), verb.name, done, name)


def joined(numbers: Iterable[Entry], senders: Iterable[Entry]) -> list[Entry]:
    """Let what happens to a number in its Messaging Service go together with what happens in its pools."""
    entries = list(numbers)
    named = {name for entry in entries for name in entry.item.names}
    chains = ((place, entry) for place, entry in enumerate(entries) if isinstance(entry, Chain))
    places = {name: place for place, entry in chains for name in entry.item.names}
    for sender in senders:
        place = next((places[name] for name in sender.item.names if name in places), None)
        if place is not None:
            entries[place] = together(entries[place], sender)
        elif isinstance(sender, Chain) and sender.request.verb is requests.ATTACH and sender.before is None:
            entries.append(refused(sender, changed(sender.item, "it is in no pool, and none could take it")))
        elif isinstance(sender, Chain) or sender.error is not None or named.isdisjoint(sender.item.names):
            entries.append(sender)
    return entries


def together(entry: Entry, sender: Entry) -> Entry:
    """A number joins its Messaging Service after its pool, which would not take it otherwise, and leaves it first."""
    if not isinstance(entry, Chain):
        return entry
    if isinstance(sender, NoOp):
        return entry if sender.error is None else refused(entry, sender.error)
    leaves, messaging = sender.request.verb is requests.DETACH, sender.request.parent
    return decide.through(entry, messaging if leaves else None, None if leaves else messaging)


def undo_settings(record: ItemRecord, service: Service, since: versions.Since) -> Iterator[Entry]:
    """Set the settings back that the run changed, unless somebody has changed them since."""
    name = service.name
    item = Item(name, service.sid, None)
    to_do, others, lost = fields_back(record, service.raw, ("unique_name", *SETTINGS))
    for key in lost:
        field = Item(f"{key} of Service {name}", service.sid, None)
        yield NoOp(field, error=not_kept(field.input, "be undone"), service=name)
    if not to_do:
        return
    how = "something else changed it" if others else None
    what = f"{', '.join(others or to_do)} of Service {name}"
    error = changed_since(what, [record], since, service.raw, how)
    if error is not None:
        yield NoOp(item, None, error, service=name)
    else:
        yield update_chain(service, item, to_do)


def undo_webhooks(
    record: ItemRecord, home: decide.Home, owned: Mapping[str, IncomingNumber], since: versions.Since
) -> Entry:
    """Set the webhooks of a number back that the run changed."""
    item, name = item_of(record), home.name or ""
    number = owned.get(item.name)
    if number is None:
        return NoOp(item, error=changed(item, "it has left the account"), service=name)
    row = number.raw
    to_do, others, lost = fields_back(record, row, record.intent.before or ())
    if lost:
        return NoOp(item, row, not_kept(f"{', '.join(lost)} of {item.input}", "be undone"), service=name)
    if not to_do:
        return NoOp(item, row, note=AS_IT_WAS)
    error = changed_since(item.input, [record], since, row, f"its {', '.join(others)}" if others else None)
    return point_chain(item, row, to_do, home) if error is None else NoOp(item, row, error, service=name)


def fields_back(
    record: ItemRecord, now: Mapping[str, Any], known: Iterable[str]
) -> tuple[dict[str, Any], list[str], list[str]]:
    """Return the fields to set back, as a form sets them; those of them that somebody has changed since; and those that
    can't be set back, because the run did not record them.
    """
    before, after = record.intent.before or {}, record.after or {}
    keys = [key for key in known if key in before and key in after]
    lost = [key for key in keys if withheld(before[key], after[key])]
    keys = [key for key in keys if key not in lost and not requests.same(before[key], after[key])]
    keys = [key for key in keys if not requests.same(before[key], now.get(key))]
    to_do = {key: "" if before[key] is None else before[key] for key in keys}
    others = [key for key in keys if not requests.same(after[key], now.get(key))]
    return to_do, others, [key for key in lost if not requests.same(before[key], now.get(key))]


def changed(item: Item, how: str) -> RefusedError:
    """The refusal of an item that is no longer as the run left it."""
    return RefusedError(f"{item.input} has changed since that run: {how}.", hint=BY_HAND)


def item_of(record: ItemRecord) -> Item:
    """Return the item that a record is about."""
    name = record.intent.input or record.sid or record.phone_number or f"item {record.index}"
    return Item(name, record.sid, record.phone_number)
