"""What is to be done, as values: the requests of each item in a chain, the capacity that they need, and what takes
them back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

from proxyctl.api.models import Resource
from proxyctl.errors import ProxyctlError
from proxyctl.input.items import Item
from proxyctl.roles import Line
from proxyctl.writes.requests import Request

Room = tuple[str, str]  # what is scarce: ("KS…", "reserved"), ("MG…", "senders"), IN_TRANSIT
IN_TRANSIT: Room = ("", "in transit")
NAMED_TWICE = "the same as another of the items"
MOST_IN_TRANSIT = 10  # items between two pools: one at first, one more for each that arrives


class Capacity(NamedTuple):
    """How full a room is: its holder's name for people, how many are in it, and how many may be.

    It is not ``open`` while its holder is yet to be created. Where the room was not read as a ``whole``, at least
    ``held`` are in it, and the API judges how many more may come. ``areas`` counts them by country, or area code. It
    ``may_empty`` where that only restores what a run had found. ``before`` is what it held when the run that this one
    continues began, if it does.
    """

    name: str
    held: int
    limit: int
    open: bool = True
    whole: bool = True
    areas: Mapping[str, int] = {}
    may_empty: bool = False
    before: int | None = None

    @property
    def free(self) -> int:
        """How many more may come now; where Twilio raised the limit, it is for the API to judge."""
        return max(0, self.limit - self.held) if self.open else 0


@dataclass(frozen=True, slots=True)
class Step:
    """A request of a chain, the places that it takes, and those that it gives back.

    ``rollback`` brings the item back to where it was before this step. After a step that is not ``final`` the item
    is nowhere safe until a later one is done. ``then`` makes the steps that follow from the resource in the answer.
    """

    request: Request
    takes: tuple[Room, ...] = ()
    frees: Mapping[Room, int] = field(default_factory=dict)
    rollback: Step | None = None
    final: bool = True
    then: Callable[[Mapping[str, Any]], tuple[Step, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Risk:
    """What a rule of the guard refuses an entry for; ``error`` has the words, without the rule and what permits it."""

    rule: str
    error: ProxyctlError


@dataclass(frozen=True, slots=True)
class Chain:
    """The steps of one item, one after another.

    ``change`` names what they come to, in the words of a plan; ``done`` is the word for the item when they are done,
    where that is not the last request's own. ``service`` and ``source`` are names of Services, for people. Each of the
    ``risks`` has to be permitted, or the guard refuses the chain.
    """

    item: Item
    steps: tuple[Step, ...]
    change: str = ""
    done: str | None = None
    service: str = ""
    source: str | None = None
    risks: tuple[Risk, ...] = ()

    @property
    def request(self) -> Request:
        """The first request."""
        return self.steps[0].request

    @property
    def foreseen(self) -> tuple[Step, ...]:
        """The steps, with those that follow where a read finds all as it was."""
        found = (
            (step, *step.then(self.before or {})) if step.request.verb.reads and step.then else (step,)
            for step in self.steps
        )
        return tuple(step for steps in found for step in steps)

    @property
    def before(self) -> Mapping[str, Any] | None:
        """What the item was before its first request; None where it was not there."""
        return self.request.before


@dataclass(frozen=True, slots=True)
class NoOp:
    """An item that needs no request: it is as wanted, or (``error``) can't be changed.

    ``seen`` is the resource as it was read, ``risks`` are those of what a later round of the run does to it.
    """

    item: Item
    seen: Mapping[str, Any] | None = None
    error: ProxyctlError | None = None
    note: str | None = None
    change: str = ""
    service: str = ""
    risks: tuple[Risk, ...] = ()


Entry = Chain | NoOp
AnyEntry = TypeVar("AnyEntry", bound=Entry)
Thing = TypeVar("Thing", bound=Resource)


def at_risk(entry: AnyEntry, rule: str, error: ProxyctlError) -> AnyEntry:
    """Return the entry with one more risk."""
    return replace(entry, risks=(*entry.risks, Risk(rule, error)))


def chains_of(entries: Iterable[Entry], *changes: str) -> list[Chain]:
    """Return the chains that come to one of ``changes``, in order."""
    return [entry for entry in entries if isinstance(entry, Chain) and entry.change in changes]


def sids_of(entries: Iterable[Entry], *changes: str) -> set[str]:
    """Return the SIDs of what comes to one of ``changes``, as far as they are known."""
    return {sid for chain in chains_of(entries, *changes) if (sid := chain.request.sid)}


def decide_each(
    items: Sequence[Item],
    find: Callable[[Item], Thing | None],
    differs: Callable[[Item, Thing], ProxyctlError | None],
    decide: Callable[[Item, Thing | None], Entry],
) -> list[Entry]:
    """Decide for each item by what was found of it. Two items that turn out to be one thing count once.

    ``differs`` is the error of a row whose SID and name mean two things.
    """
    seen: dict[str, Item] = {}
    entries: list[Entry] = []
    for item in items:
        thing = find(item)
        error = None if thing is None else differs(item, thing)
        if thing is None:
            entries.append(decide(item, None))
        elif error is not None:
            entries.append(NoOp(item, thing.raw, error))
        elif seen.setdefault(thing.sid, item) is not item:
            entries.append(NoOp(item, thing.raw, note=NAMED_TWICE))
        else:
            entries.append(decide(item, thing))
    return entries


def refused(chain: Chain, error: ProxyctlError) -> NoOp:
    """Return the end of a chain that is not begun."""
    return NoOp(chain.item, chain.before, error, change=chain.change, service=chain.service)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run does. Rooms that are in neither ``capacities`` nor ``spares`` have no limit.

    ``spares``: how many may leave before others have come, where numbers are replaced; ``absent``: how many of those
    others were refused already. ``question`` makes `asked` of the plan that is to be carried out.
    """

    entries: tuple[Entry, ...] = ()
    capacities: Mapping[Room, Capacity] = field(default_factory=dict)
    spares: Mapping[Room, int] = field(default_factory=dict)
    absent: Mapping[Room, int] = field(default_factory=dict)
    question: Callable[[Plan], list[Line]] | None = None

    @property
    def free(self) -> dict[Room, int]:
        """The places there are at the start."""
        whole = {room: one.free for room, one in self.capacities.items() if one.whole}
        return {**whole, **self.spares}

    def asking(self, question: Callable[[Plan], list[Line]]) -> Plan:
        """Return the plan with what a person has to agree to, as long as there is anything to carry out."""
        return replace(self, question=lambda plan: question(plan) if plan.chains else [])

    @property
    def asked(self) -> list[Line]:
        """What a person has to agree to now; nothing where nothing is destroyed."""
        return [] if self.question is None else self.question(self)

    @property
    def chains(self) -> list[Chain]:
        """The entries that need requests, in order."""
        return [entry for entry in self.entries if isinstance(entry, Chain)]

    @property
    def refused(self) -> list[NoOp]:
        """The entries that can't be changed as asked."""
        return [entry for entry in self.entries if isinstance(entry, NoOp) and entry.error is not None]

    def fingerprint(self) -> tuple[object, ...]:
        """Return what distinguishes two plans: items, requests, and what was there before each."""
        return tuple(
            (entry.item, *(one(step.request) for step in entry.steps), *map(str, entry.risks))
            if isinstance(entry, Chain)
            else (entry.item, str(entry.error), None if entry.seen is None else entry.seen.get("sid"))
            for entry in self.entries
        )


def one(request: Request) -> tuple[object, ...]:
    """Return a request as a value that compares: what is sent, and what it replaces."""
    before, names = request.before, (*request.wanted, "is_reserved")
    replaced = None if before is None else {name: before.get(name) for name in names}
    return (request.verb.name, request.parent, request.sid, dict(request.wanted), replaced)
