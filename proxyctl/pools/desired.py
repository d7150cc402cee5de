"""The difference between a pool file and the account, as a pure function: it takes both, and returns the chains that
make the account match the file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from proxyctl.api.models import IncomingNumber, PhoneNumber, Service
from proxyctl.errors import InputError, RefusedError
from proxyctl.input.items import Item
from proxyctl.pools import decide
from proxyctl.pools.pool import POOL_LIMITS, Holder, Pool, flag_word
from proxyctl.pools.poolfile import LONGEST_NAME, WantedService
from proxyctl.text import command_line, folded, show
from proxyctl.writes.guard import NEW_SERVICE
from proxyctl.writes.plan import NAMED_TWICE, Capacity, Chain, Entry, NoOp, Plan, Room, Step, at_risk
from proxyctl.writes.requests import CREATE_SERVICE, DELETE_SERVICE, UPDATE_SERVICE, Request, same

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
CHANGES = ("create", "update", "add", "reserve", "release", "move", "remove")


@dataclass(frozen=True, slots=True)
class World:
    """What was read of the account: its Services by unique name, whole pools by the same, and who else holds what.

    ``elsewhere`` has those of the wanted numbers that a Service without a pool in ``pools`` holds, by SID and E.164,
    ``owned`` those of the account's numbers that matter on their own, ``senders`` the numbers of Messaging Services
    that matter, by the SIDs of both.
    """

    services: Mapping[str, Service] = field(default_factory=dict)
    pools: Mapping[str, Pool] = field(default_factory=dict)
    elsewhere: Mapping[str, Holder] = field(default_factory=dict)
    owned: Mapping[str, IncomingNumber] = field(default_factory=dict)
    senders: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)

    def holder_of(self, item: Item) -> Holder | None:
        """Return which Service holds a number, if one does that was read."""
        for name, pool in self.pools.items():
            number = pool.find(item)
            if number is not None:
                return Holder(name, pool.service_sid, number)
        return self.elsewhere.get(item.name)

    def home(self, name: str) -> decide.Home:
        """Return a Service by its name; one that is yet to be created is named by it."""
        service = self.services.get(name)
        return decide.Home(service.sid if service is not None else name, name)


def decide_file(wanted: Sequence[WantedService], world: World, *, prune: bool = False) -> list[Entry]:
    """Decide what leads from ``world`` to what is ``wanted``, in the order of the file.

    With ``prune``, idle numbers that are not named leave the pools of which the file names numbers. InputError: two
    entries of the file turn out to be one number.
    """
    planning = _Planning(wanted, world)
    entries: list[Entry] = []
    for service in wanted:
        numbers = (planning.number(service, item) for item in service.numbers or ())
        decided = [*planning.settings(service), *numbers]
        error = doubtful_service(service, world)
        if error is not None:
            decided = [at_risk(one, NEW_SERVICE, error) if isinstance(one, Chain) else one for one in decided]
        entries += decided
    if prune:
        for service in wanted:
            entries += planning.rest(service)
    return entries


def other_services(wanted: Iterable[WantedService], services: Sequence[Service]) -> Iterator[tuple[str, str]]:
    """Yield of which tables the ``sid`` is that of a Service that is gone or renamed, and what to write."""
    names = {service.sid: service.name for service in services}
    sids = {name: sid for sid, name in names.items()}
    for one in wanted:
        if one.sid is None or names.get(one.sid) == one.name:
            continue
        now, taken = names.get(one.sid), sids.get(one.name)
        fact = f"Service {one.sid} ({one.name}) is gone."
        advice = f"Write create = true in place of sid in {table_of(one.name)} to create another."
        if now is not None:
            fact = f"Service {one.sid} is called {now} now, not {one.name}."
            advice = f"Write {table_of(now)} for {one.sid}."
        elif taken is not None:
            advice = f'Write sid = "{taken}" in {table_of(one.name)} to change that Service.'
        yield f"{fact} {one.name} is Service {taken} now." if taken else fact, advice


def doubtful_service(wanted: WantedService, world: World) -> RefusedError | None:
    """Return why a Service that is yet to be created may be a mistake; None where it is not, or is wanted."""
    if wanted.create or wanted.name in world.services:
        return None
    alike = next((name for name in world.services if folded(name) == folded(wanted.name)), None)
    if alike is not None:
        differs = f"{alike} does, and differs only in case, blanks, '-' or '_'"
        hint = f"Write {table_of(alike)}, or create = true."
        return RefusedError(f"Service {wanted.name} does not exist. {differs}.", hint=hint)
    holder = next((found for item in wanted.numbers or () if (found := world.holder_of(item))), None)
    if holder is not None:
        text = (
            f"Service {wanted.name} does not exist, and its table takes numbers from Service {holder.name}."
        )
        hint = f"Check the name, or write create = true in {table_of(wanted.name)}."
        return RefusedError(text, hint=hint)
    return None


def table_of(name: str) -> str:
    """Return the header of a Service's table in a pool file."""
    return f"[services.{name if BARE_KEY.fullmatch(name) else show(name, LONGEST_NAME)}]"


def create_chain(name: str, item: Item, settings: Mapping[str, Any]) -> Chain:
    """A Service is created; its pool has room from then on."""
    request = Request(CREATE_SERVICE, "", None, name, wanted=dict(settings), kept={"service": name})
    frees = {decide.place(name, flag): most for flag, most in POOL_LIMITS.items()}
    return Chain(item, (Step(request, frees=frees),), "create", service=name)


def update_chain(service: Service, item: Item, settings: Mapping[str, Any]) -> Chain:
    """Settings of a Service are changed."""
    name = service.name
    before = {key: service.raw.get(key) for key in settings}
    kept = {"service": name, "service_sid": service.sid, "version": service.raw.get("date_updated")}
    about = UPDATE_SERVICE, "", service.sid, name
    request = Request(*about, wanted=dict(settings), before=before, kept=kept)
    return Chain(item, (Step(request),), "update", service=name)


def changes_of(chain: Chain) -> list[str]:
    """Say how the settings that a chain changes were, and how they will be."""
    before = chain.before or {}
    return [f"{key} {shown(before.get(key))} → {shown(value)}" for key, value in chain.request.wanted.items()]


def shown(value: Any) -> str:
    """Return the value of a setting in words."""
    return "(not set)" if value in (None, "") else str(value)


def delete_chain(service: Service, item: Item) -> Chain:
    """A Service is deleted, with all that is in it."""
    name = service.name
    kept = {"service": name, "service_sid": service.sid}
    request = Request(DELETE_SERVICE, "", service.sid, name, before=service.raw, kept=kept)
    return Chain(item, (Step(request),), "delete", service=name)


class _Planning:
    """One pass over the file. ``claimed`` has the SID of each number that it names, with who claimed it."""

    def __init__(self, wanted: Sequence[WantedService], world: World) -> None:
        self.world = world
        self.named = {service.name for service in wanted}
        self.claimed: dict[str, tuple[str, Item]] = {}

    def settings(self, wanted: WantedService) -> Iterator[Entry]:
        """Create the Service, or update what differs."""
        service = self.world.services.get(wanted.name)
        if service is None:
            settings = {name: value for name, value in wanted.settings.items() if value != ""}
            yield create_chain(wanted.name, Item(wanted.name, None, None), settings)
            return
        item = Item(wanted.name, service.sid, None)
        given = wanted.settings.items()
        changed = {name: value for name, value in given if not same(value, service.raw.get(name))}
        if changed and wanted.only_missing:
            note = "there already, with other settings"
            yield NoOp(item, service.raw, note=note, service=wanted.name)
        elif changed:
            yield update_chain(service, item, changed)

    def number(self, wanted: WantedService, item: Item) -> Entry:
        """Decide for one number."""
        service = wanted.name
        pool = self.world.pools.get(service)
        number = pool.find(item) if pool is not None else None
        holder = None if number is not None else self.world.holder_of(item)
        found = number or (holder.number if holder is not None else None)
        error = decide.disagrees(item, found)
        row = number.raw if number is not None else None
        if error is not None:
            return NoOp(item, row, error, service=service)
        if found is not None and not self.claim(service, item, found):
            return NoOp(item, row, note=NAMED_TWICE, service=service)
        home = self.world.home(service)
        if holder is not None:
            return self.moved(home, item, holder, stays=wanted.only_missing)
        if number is not None and wanted.only_missing:
            return NoOp(item, row, note="in the pool already", service=service)
        return decide.chain_to(home, item, number, item.is_reserved) or NoOp(item, row, service=service)

    def claim(self, service: str, item: Item, number: PhoneNumber) -> bool:
        """Whether this is the first entry that names the number; another one must want the same."""
        name, first = self.claimed.setdefault(number.sid, (service, item))
        if first is item:
            return True
        if (name, first.is_reserved) != (service, item.is_reserved):
            raise InputError(
                f"the file contradicts itself: {item.shown} ({flag_word(item.is_reserved)} of {service}) and "
                f"{first.shown} ({flag_word(first.is_reserved)} of {name}) are one number. Nothing was sent"
            )
        return False

    def moved(self, home: decide.Home, item: Item, holder: Holder, *, stays: bool) -> Entry:
        """Let a number change its Service: only if it is idle, and the file speaks of both."""
        number = holder.number
        held = f"{item.shown} is in the pool of Service {holder.name} ({holder.service_sid})"
        if stays:
            move = ("number", "move", item.name, "--from", holder.service_sid, "--to", home.sid)
            error = RefusedError(f"{held} now.", hint=f"'{command_line(*move)}' moves it.")
        elif holder.name not in self.named:
            hint = "Name both Services in the file to move it."
            error = RefusedError(f"{held}, which the file does not name.", hint=hint)
        else:
            source = decide.Home(holder.service_sid, holder.name)
            chain = decide.move_chain(source, home, item, number.raw, item.is_reserved)
            return decide.if_idle(chain, number, source, f" in the pool of Service {holder.name}")
        return NoOp(item, number.raw, error, change="move", service=home.name or "")

    def rest(self, service: WantedService) -> Iterator[Entry]:
        """Remove what the pool holds and the file does not name; what is in use stays."""
        pool = self.world.pools.get(service.name)
        if service.numbers is None or service.only_missing or pool is None:
            return
        for number in pool.by_sid.values():
            if number.sid in self.claimed:
                continue
            item = Item(number.name, number.sid, number.phone_number)
            home = self.world.home(service.name)
            yield decide.if_idle(decide.remove_chain(home, item, number.raw), number, home)


# The plan


def plan_of(entries: Sequence[Entry], world: World, *, replacing: bool = True) -> Plan:
    """Return the plan: what the pools have room for, and what may leave before others have come (``replacing``)."""
    rooms: dict[Room, Capacity] = {}
    for name in touched(entries):
        pool = world.pools.get(name)
        if pool is not None:
            rooms |= decide.capacities(pool, world.services[name])
        elif name not in world.services:
            rooms |= {
                decide.place(name, flag): Capacity(name, 0, most, open=False)
                for flag, most in POOL_LIMITS.items()
            }
    spares, absent = spares_of(entries, world) if replacing else ({}, {})
    return Plan(tuple(entries), rooms, spares, absent=absent)


def spares_of(entries: Iterable[Entry], world: World) -> tuple[dict[Room, int], dict[Room, int]]:
    """Return how many may leave before their replacements are there, where a pool has both; and how many of these
    replacements were refused already, by room.
    """
    leaves: Counter[Room] = Counter()
    comes: Counter[Room] = Counter()
    absent: Counter[Room] = Counter()
    for entry in entries:
        if isinstance(entry, Chain):
            for step in entry.steps:
                leaves.update(room for room in step.takes if room[1].startswith(decide.SPARE))
                comes.update({room: n for room, n in step.frees.items() if room[1].startswith(decide.SPARE)})
        elif entry.error is not None and entry.change in ("add", "move") and entry.service:
            absent[decide.spare(world.home(entry.service).sid, entry.item.is_reserved)] += 1
    comes.update(absent)
    spares = {room: max(0, leaves[room] - comes[room]) for room in leaves if comes[room]}
    return spares, {room: count for room, count in absent.items() if room in spares}


def touched(entries: Iterable[Entry]) -> list[str]:
    """Return the unique names of the Services that change, in order."""
    names = [name for one in entries if isinstance(one, Chain) for name in (one.service, one.source) if name]
    return list(dict.fromkeys(names))
