"""The inverse of a run on several Services, as a plan: moves go back as moves, settings to what they were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from proxyctl.api.models import Service
from proxyctl.errors import RefusedError
from proxyctl.input.items import Item
from proxyctl.pools.changes import Change, Decision, Kind, Settled
from proxyctl.pools.plan import Action, Entry, Left, Plan, Step, World, same_setting
from proxyctl.pools.pool import Pool
from proxyctl.pools.undo import changed, flag, item_of, meant, undo, undo_flag, what_was_done
from proxyctl.state.record import ItemRecord

UPDATED = "update_service"


def services_of(records: Iterable[ItemRecord]) -> list[str]:
    """Return the SIDs of the Services that the items of a run name, each once."""
    sids = (record.intent.service_sid for record in records if is_inverted(record))
    return list(dict.fromkeys(sid for sid in sids if sid is not None))


def is_inverted(record: ItemRecord) -> bool:
    """Whether there is an inverse of what an item was about."""
    return meant(record) is not None or record.intent.action == UPDATED


def undo_plan(records: Sequence[ItemRecord], world: World) -> Plan:
    """Decide what takes each item back to where the run found it; ``world`` has all Services that it names."""
    names = {service.sid: name for name, service in world.services.items()}
    entries: list[Entry] = []
    decided: list[tuple[str, Decision]] = []
    for (sid, _), group in grouped(records).items():
        name = names[sid]
        if group[0].intent.action == UPDATED:
            entries += undo_settings(group[-1], name, world.services[name])
        else:
            decided += [(name, decision) for decision in undo_number(group, world.pools[name])]
    return Plan((*entries, *paired(decided, world)), world)


def grouped(records: Sequence[ItemRecord]) -> dict[tuple[str, str], list[ItemRecord]]:
    """Gather what was done to one number in one Service: it may have left, and have come back with another flag."""
    groups: dict[tuple[str, str], list[ItemRecord]] = {}
    for record in records:
        sid = record.intent.service_sid
        if sid is not None and is_inverted(record):
            item = item_of(record)
            groups.setdefault((sid, item.sid or item.input), []).append(record)
    return groups


def undo_number(records: Sequence[ItemRecord], pool: Pool) -> Iterator[Decision]:
    """Decide for one number of one Service."""
    done = [(record, kind) for record in records if (kind := what_was_done(record)) is not None]
    if not done:
        return
    (first, kind), (_, last) = done[0], done[-1]
    was_reserved = flag(first.intent.before)
    if len(done) == 1 or kind is not Kind.REMOVE or last is not Kind.ADD or was_reserved is None:
        yield undo(first, kind, pool)
        return
    item = item_of(first)
    number = pool.find(item)
    if number is None:
        yield Change(item, Kind.ADD, None, was_reserved)
    else:
        yield undo_flag(item, number, was_reserved=was_reserved)


def paired(decided: Sequence[tuple[str, Decision]], world: World) -> Iterator[Entry]:
    """Make entries of decisions: what leaves one pool and comes to another is moved."""
    leaving = {
        decision.sid: (name, decision)
        for name, decision in decided
        if isinstance(decision, Change) and decision.kind is Kind.REMOVE
    }
    coming = {d.sid for _, d in decided if isinstance(d, Change) and d.kind is Kind.ADD}
    holders = {sid: name for name, pool in world.pools.items() for sid in pool.by_sid}
    for name, decision in decided:
        if isinstance(decision, Settled):
            yield Left(name, None, decision.item, decision.number, decision.error, decision.note)
        elif decision.kind is Kind.ADD:
            yield back(name, decision, leaving.get(decision.sid), holders)
        elif decision.kind is not Kind.REMOVE or decision.sid not in coming:
            yield Step(name, Action(decision.kind), decision.item, change=decision)


def back(name: str, change: Change, leaving: tuple[str, Change] | None, holders: Mapping[str, str]) -> Entry:
    """Return the step that puts a number back: from the pool that it went to, if it is still there."""
    if leaving is not None:
        source, removal = leaving
        return Step(name, Action.MOVE, change.item, change=change, source=source, leaving=removal)
    holder = holders.get(change.sid or "")
    if holder is not None:
        error = changed(change.item, f"it is in the pool of Service {holder}")
        return Left(name, Action.MOVE, change.item, None, error)
    return Step(name, Action.ADD, change.item, change=change)


def undo_settings(record: ItemRecord, name: str, service: Service) -> Iterator[Entry]:
    """Set the settings back that the run changed, unless somebody has changed them since."""
    before, after = record.intent.before, record.intent.after
    if before is None or after is None or record.happened == "no":
        return
    item = Item(name, service.sid, None)
    now = {key: service.raw.get(key) for key in before}
    to_do = {
        key: cleared(value) for key, value in before.items() if not same_setting(cleared(value), now[key])
    }
    others = [key for key in to_do if not same_setting(cleared(after.get(key)), now[key])]
    if others:
        text = f"{', '.join(others)} of Service {name} has changed since that run."
        yield Left(name, Action.UPDATE, item, None, RefusedError(text, hint="See 'proxyctl service show'."))
    elif to_do:
        yield Step(name, Action.UPDATE, item, to_do, now)


def cleared(value: Any) -> Any:
    """Return the value that a form sets; no value is an empty text."""
    return "" if value is None else value
