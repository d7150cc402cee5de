"""The difference between a pool file and the account, decided as a pure function: what is there and what is wanted go
in, the steps that lead from one to the other come out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from proxyctl.api.models import PhoneNumber, Service
from proxyctl.errors import InputError, ProxyctlError, RefusedError
from proxyctl.input.items import Item
from proxyctl.pools.changes import Change, Kind, disagrees
from proxyctl.pools.limits import MOST_RESERVED, MOST_UNRESERVED, after
from proxyctl.pools.pool import Pool
from proxyctl.pools.poolfile import WantedService, flag_word
from proxyctl.pools.refusals import SPREAD

LIMITS = {True: MOST_RESERVED, False: MOST_UNRESERVED}


class Action(StrEnum):
    """What a step does: to a Service, or to a number."""

    CREATE = "create"
    UPDATE = "update"
    ADD = "add"
    RESERVE = "reserve"
    RELEASE = "release"
    REMOVE = "remove"
    MOVE = "move"

    @property
    def done(self) -> str:
        """The word for it when it is done."""
        return f"{self}d" if self.endswith("e") else f"{self}ed"


@dataclass(frozen=True, slots=True)
class Holder:
    """The Service that holds a number, and the number as it is there."""

    name: str
    service_sid: str
    number: PhoneNumber


@dataclass(frozen=True, slots=True)
class World:
    """What was seen of the account: its Services by unique name, whole pools by the same, and who else holds what.

    ``elsewhere`` has those of the wanted numbers that a Service without a pool in ``pools`` holds, by SID and E.164.
    """

    services: Mapping[str, Service] = field(default_factory=dict)
    pools: Mapping[str, Pool] = field(default_factory=dict)
    elsewhere: Mapping[str, Holder] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do for the Service ``service`` (its unique name).

    CREATE and UPDATE have ``settings`` and what they were ``before``; all others have the ``change`` of a number. A
    MOVE first takes it out of ``source`` (``leaving``).
    """

    service: str
    action: Action
    item: Item
    settings: Mapping[str, str | int] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)
    change: Change | None = None
    source: str | None = None
    leaving: Change | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """A number that is left as it is: because it is as wanted, or (``error``) because it can't be changed."""

    service: str
    action: Action | None
    item: Item
    number: PhoneNumber | None = None
    error: ProxyctlError | None = None
    note: str | None = None


Entry = Step | Left


@dataclass(frozen=True, slots=True)
class Plan:
    """The entries in the order of the file, and the world that they were made for.

    ``returning`` are the SIDs of numbers of which it is known that they could come back to a pool after leaving it.
    """

    entries: tuple[Entry, ...]
    world: World
    returning: frozenset[str] = frozenset()

    @property
    def steps(self) -> list[Step]:
        """What there is to do."""
        return [entry for entry in self.entries if isinstance(entry, Step)]

    @property
    def refused(self) -> list[Left]:
        """What is not as wanted, and can't be changed."""
        return [entry for entry in self.entries if isinstance(entry, Left) and entry.error is not None]

    def changes(self, service: str) -> list[Change]:
        """The changes of one pool, in no order: those that come, those that go, those that stay."""
        own = [step.change for step in self.steps if step.service == service]
        leaving = [step.leaving for step in self.steps if step.source == service]
        return [change for change in (*own, *leaving) if change is not None]

    def touched(self) -> list[str]:
        """The unique names of the Services that change, in order."""
        names = [name for step in self.steps for name in (step.service, step.source) if name is not None]
        return list(dict.fromkeys(names))


def make_plan(wanted: Sequence[WantedService], world: World, *, prune: bool = False) -> Plan:
    """Decide what leads from ``world`` to what is ``wanted``.

    With ``prune``, idle numbers that are not named leave the pools of which the file names numbers. InputError: two
    entries of the file turn out to be one number.
    """
    planning = _Planning(wanted, world)
    entries: list[Entry] = []
    for service in wanted:
        entries += planning.settings(service)
        entries += [planning.number(service.name, item) for item in service.numbers or ()]
    planning.raise_conflicts()
    if prune:
        for service in wanted:
            entries += planning.rest(service)
    return Plan(tuple(entries), world)


class _Planning:
    """One pass over the file. ``claimed`` has the SID of each number that it names, with who claimed it."""

    def __init__(self, wanted: Sequence[WantedService], world: World) -> None:
        self.world = world
        self.named = {service.name for service in wanted}
        self.claimed: dict[str, tuple[str, Item]] = {}
        self.conflicts: list[str] = []
        self.holders: dict[str, tuple[str, Pool]] = {}
        for name, pool in world.pools.items():
            for key in (*pool.by_sid, *pool.by_number):
                self.holders[key] = (name, pool)

    def settings(self, wanted: WantedService) -> Iterator[Step]:
        """Create the Service, or update what differs."""
        service = self.world.services.get(wanted.name)
        if service is None:
            yield Step(wanted.name, Action.CREATE, Item(wanted.name, None, None), wanted.settings)
            return
        changed = {
            name: value
            for name, value in wanted.settings.items()
            if not same_setting(value, service.raw.get(name))
        }
        if changed:
            before = {name: service.raw.get(name) for name in changed}
            yield Step(wanted.name, Action.UPDATE, Item(wanted.name, service.sid, None), changed, before)

    def number(self, service: str, item: Item) -> Entry:
        """Decide for one number."""
        pool = self.world.pools.get(service)
        number = pool.find(item) if pool is not None else None
        holder = None if number is not None else self.holder_of(item)
        found = number or (holder.number if holder is not None else None)
        error = disagrees(item, found)
        if error is not None:
            return Left(service, None, item, number, error)
        if found is not None and not self.claim(service, item, found):
            return Left(service, None, item, number, note="named twice")
        if number is not None:
            return flagged(service, item, number)
        if holder is None:
            return Step(service, Action.ADD, item, change=Change(item, Kind.ADD, None, item.is_reserved))
        return self.moved(service, item, holder)

    def holder_of(self, item: Item) -> Holder | None:
        """Return which other Service holds a number, if any does."""
        key = item.sid or item.phone_number or ""
        name, pool = self.holders.get(key, ("", None))
        number = pool.find(item) if pool is not None else None
        if pool is not None and number is not None:
            return Holder(name, pool.service_sid, number)
        return self.world.elsewhere.get(key)

    def claim(self, service: str, item: Item, number: PhoneNumber) -> bool:
        """Whether this is the first entry that names the number; another one must want the same."""
        name, first = self.claimed.setdefault(number.sid, (service, item))
        if first is item:
            return True
        if (name, first.is_reserved) != (service, item.is_reserved):
            self.conflicts.append(
                f"{item.input} ({flag_word(bool(item.is_reserved))} of {service}) and {first.input} "
                f"({flag_word(bool(first.is_reserved))} of {name}) are one number"
            )
        return False

    def moved(self, service: str, item: Item, holder: Holder) -> Entry:
        """Let a number change its Service: only if it is idle, and the file speaks of both."""
        number = holder.number
        error = None
        if holder.name not in self.named:
            error = RefusedError(
                f"{item.input} is in the pool of Service {holder.name} ({holder.service_sid}), "
                "which the file does not name.",
                hint="Name both Services in the file to move it, or see 'proxyctl number move -h'.",
            )
        elif number.in_use:
            error = busy(number, f"in the pool of Service {holder.name}, so it can't be moved")
        if error is not None:
            return Left(service, Action.MOVE, item, number, error)
        known = replace(item, sid=number.sid)
        return Step(
            service,
            Action.MOVE,
            item,
            change=Change(known, Kind.ADD, None, item.is_reserved),
            source=holder.name,
            leaving=Change(known, Kind.REMOVE, number),
        )

    def raise_conflicts(self) -> None:
        """Raise InputError where one number has two names in the file that want different things."""
        if self.conflicts:
            rest = len(self.conflicts) - 20
            lines = [*self.conflicts[:20], *([f"… and {rest} more"] if rest > 0 else [])]
            raise InputError("\n".join(["the file contradicts itself; nothing was sent", *lines]))

    def rest(self, service: WantedService) -> Iterator[Entry]:
        """Remove what the pool holds and the file does not name; what is in use stays."""
        pool = self.world.pools.get(service.name)
        if service.numbers is None or pool is None:
            return
        for number in pool.by_sid.values():
            if number.sid in self.claimed:
                continue
            item = Item(number.phone_number or number.sid, number.sid, number.phone_number)
            if number.in_use:
                error = busy(number, "so it is not removed")
                yield Left(service.name, Action.REMOVE, item, number, error)
            else:
                yield Step(service.name, Action.REMOVE, item, change=Change(item, Kind.REMOVE, number))


def same_setting(wanted: str | int, there: Any) -> bool:
    """Whether a setting is as wanted; an empty text wants it cleared."""
    return there in (None, "") if wanted == "" else bool(there == wanted)


def flagged(service: str, item: Item, number: PhoneNumber) -> Entry:
    """Decide for a number that is in the pool already."""
    if number.is_reserved == item.is_reserved:
        return Left(service, None, item, number)
    kind = Kind.RESERVE if item.is_reserved else Kind.RELEASE
    return Step(service, Action(kind), item, change=Change(item, kind, number, item.is_reserved))


def busy(number: PhoneNumber, so: str) -> RefusedError:
    """The refusal of a number that has open Sessions."""
    sessions = "1 open Session" if number.in_use == 1 else f"{number.in_use} open Sessions"
    return RefusedError(
        f"{number.phone_number or number.sid} is in use by {sessions} {so}.".replace(" so it", ", so it"),
        hint="'proxyctl number drain' waits until it is idle.",
    )


def check_limits(plan: Plan, limits: Mapping[bool, int] = LIMITS) -> None:
    """Raise RefusedError where a pool would hold more than Twilio allows; nothing was sent then."""
    over = []
    for name in plan.touched():
        pool = plan.world.pools.get(name, Pool(""))
        now = {True: pool.reserved, False: pool.unreserved}
        then = dict(zip((True, False), after(pool, plan.changes(name)), strict=True))
        over += [
            f"{name} would hold {then[flag]} {flag_word(flag)} numbers (now {now[flag]}, the limit is {most})"
            for flag, most in limits.items()
            if then[flag] > max(most, now[flag])
        ]
    if over:
        raise RefusedError(f"{'; '.join(over)}: nothing was sent.", hint=SPREAD)
