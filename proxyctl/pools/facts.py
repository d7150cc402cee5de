"""What the guard has to know of a plan beyond its pools: which numbers a Messaging Service has, since no pool takes
them back, which another application uses, and whether an unreserved number stays in a pool that was not read whole.
The last is asked once more after a run, and gives one of its numbers back where none stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from proxyctl.api.models import IncomingNumber, PhoneNumber, Service
from proxyctl.api.resources import NUMBERS
from proxyctl.errors import AuthenticationError, ProxyctlError, RefusedError, TemporaryError, reworded
from proxyctl.input.items import Item
from proxyctl.pools import decide
from proxyctl.pools.account import BESIDE, COURTESY, Account, is_forbidden
from proxyctl.pools.decide import through as by_way_of
from proxyctl.pools.pool import MOST_UNRESERVED, Pool, areas_of, flag_word, points_at
from proxyctl.pools.webhooks import joining_webhooks, users_of
from proxyctl.writes.guard import LEAVE_MESSAGING, NO_UNRESERVED, RULES, by_rule
from proxyctl.writes.plan import Capacity, Chain, Entry, Plan, Room, Step, at_risk, refused, sids_of
from proxyctl.writes.requests import ADD, DETACH, RESERVE, RESTORE_WEBHOOKS, SET_WEBHOOKS, Request

Note = Callable[[str], None]
Answer = TypeVar("Answer")


def with_facts(plan: Plan, command: str, account: Account, note: Note, *, through: bool = False) -> Plan:
    """Return the plan with what the guard has to know, and what the history is to keep; errors are those of reading it.

    ``note`` says what a key may not read, and so is not known. ``through``: what leaves its pool leaves its Messaging
    Service first.
    """
    entries: Sequence[Entry] = plan.entries
    owned = own_records(account, entries, note)
    if owned is not None:  # the history keeps what they were; what another application uses is at risk
        entries = joining_webhooks(entries, owned)
    senders = asked_senders(account, sids_of(entries, "remove", "move"), note)
    if senders is None:
        entries = [unknown_move(entry) for entry in entries]
    else:
        entries = minding_senders(entries, senders, "remove", through=through)
    capacities = dict(plan.capacities)
    if command in RULES[NO_UNRESERVED].commands:
        capacities.update(unread(plan, account))
    return replace(plan, entries=tuple(entries), capacities=capacities)


def joining(entries: Iterable[Entry]) -> list[Item]:
    """Return the items that are to join a pool from outside."""
    return [one.item for one in entries if isinstance(one, Chain) and one.change == "add"]


def own_records(
    account: Account, entries: Iterable[Entry], note: Note
) -> Mapping[str, IncomingNumber] | None:
    """Return the account's records of numbers that join a pool, by SID and by number; None: a key may not read them."""
    what = "whether another application uses the numbers that join"
    return asked(lambda: account.own_numbers(joining(entries), few=BESIDE, within=COURTESY), what, note)


def senders_of(account: Account, sids: Collection[str], note: Note) -> Mapping[str, str]:
    """Return which of the numbers are in a Messaging Service, with its SID; none where a key may not read that."""
    return asked_senders(account, sids, note) or {}


def asked_senders(account: Account, sids: Collection[str], note: Note) -> Mapping[str, str] | None:
    """Return the same; None where a key may not read that."""
    what = "whether numbers are in a Messaging Service"
    return asked(lambda: account.senders(sids, within=COURTESY), what, note)


def problems_of_adds(entries: Sequence[Entry], account: Account, note: Note) -> dict[str, ProxyctlError]:
    """Return what the API would refuse of numbers that are to join a pool, by what names each, as far as a key may read
    it.
    """
    problems: dict[str, ProxyctlError] = {}
    owned = own_records(account, entries, note)
    if owned is None:
        return problems
    senders = senders_of(account, {number.sid for number in owned.values()}, note)
    for item in joining(entries):
        number = owned.get(item.name)
        if number is None:
            problems[item.name] = decide.not_owned(item, RefusedError)
        elif number.sid in senders:
            hint = "Take it out of the Messaging Service first."
            problems[item.name] = in_messaging(item, senders[number.sid], hint, leaves=False)
    return problems


def with_problems(entries: Iterable[Entry], problems: Mapping[str, ProxyctlError]) -> list[Entry]:
    """Refuse numbers that are to join a pool; ``problems``: by what names the item."""
    return [
        refused(entry, problems[entry.item.name])
        if isinstance(entry, Chain) and entry.change == "add" and entry.item.name in problems
        else entry
        for entry in entries
    ]


def unknown_move(entry: Entry) -> Entry:
    """Put a number at risk that moves, though nobody knows whether its new pool, or its old one, would take it."""
    if not isinstance(entry, Chain) or entry.change != "move":
        return entry
    text = f"whether {entry.item.shown} is in a Messaging Service is unknown: it could end in no pool"
    hint = "Use a key that may read Messaging Services."
    return at_risk(entry, LEAVE_MESSAGING, RefusedError(text, hint=hint))


def asked(read: Callable[[], Answer], what: str, note: Note) -> Answer | None:
    """Read what is not Proxy's. None where a key may not: a note says ``what`` is unknown then."""
    try:
        return read()
    except AuthenticationError as error:
        if not is_forbidden(error):
            raise
        note(f"{what} is unknown: {error.message}")
        return None
    except TemporaryError as error:
        text = f"{what} can't be read: {error.message}"
        raise reworded(error, text, hint="Run the command again later.") from None


def unread(plan: Plan, account: Account) -> Iterator[tuple[Room, Capacity]]:
    """Read on in the pools from which more unreserved numbers leave than are known to be there."""
    gone: dict[Room, set[str]] = {}
    for chain in plan.chains:
        for step in chain.steps:
            for room in step.frees:
                if room[1] == flag_word(False) and step.request.before is not None:
                    gone.setdefault(room, set()).add(step.request.sid or "")
    for room, numbers in gone.items():
        known = plan.capacities.get(room, Capacity(decide.THE_POOL, 0, MOST_UNRESERVED, whole=False))
        if not known.whole and known.held <= len(numbers):
            yield room, known._replace(held=account.unreserved(room[0], numbers))


def serving(account: Account, pool: Pool, service: Service, going: Collection[str]) -> dict[Room, Capacity]:
    """Return how many unreserved numbers Proxy could give where ``going`` (SIDs) are to be pointed away from it: what
    an earlier run pointed away is none.
    """
    gone = {sid for sid, number in pool.by_sid.items() if sid in going and not number.is_reserved}
    if not gone:
        return {}
    room = decide.place(pool.service_sid, False)
    stays = one_serves(account, pool, gone)
    # Where none stays, all were asked for.
    whole = pool.complete or not stays
    known = decide.capacities(pool, service)[room]._replace(held=len(gone) + stays, whole=whole)
    return {room: known}


def one_serves(account: Account, pool: Pool, besides: Collection[str]) -> bool:
    """Whether an unreserved number of a pool, ``besides`` these, points at Proxy, as the account has it.

    The last of a page is asked for first: who points away one after another begins with the first.
    """
    sid = pool.service_sid
    read = (map(PhoneNumber, page.items) for page in account.reader.pages(NUMBERS.list(sid)))

    def serves(items: Sequence[Item]) -> bool:
        owned = account.own_numbers(items, few=BESIDE).values()
        return any(points_at(number, sid) and not users_of(number) for number in owned)

    others: list[Item] = []
    for numbers in [pool.by_sid.values()] if pool.complete else read:
        free = [one for one in numbers if not one.is_reserved and one.sid not in besides]
        others += [Item(one.sid, one.sid, one.phone_number) for one in free]
        if free and serves(others[-1:]):
            return True
    return serves(others)


def in_messaging(item: Item, messaging_service: str, hint: str | None, *, leaves: bool) -> RefusedError:
    """The refusal of a number that a Messaging Service has: no pool takes it. ``leaves``: it would leave one first."""
    why = "once out of its pool, it could be added to none" if leaves else "it can be added to no pool"
    return RefusedError(f"{item.shown} is in Messaging Service {messaging_service}: {why}.", hint=hint)


def minding_senders(
    entries: Iterable[Entry], senders: Mapping[str, str], *changes: str, through: bool = False
) -> list[Entry]:
    """Mind which numbers a Messaging Service has (``senders``: its SID by theirs), in entries that come to ``changes``;
    without these, all leave their pool for good.

    ``through``: they leave it first, and go back in unless they leave their pool. Otherwise what leaves its pool for
    good is at risk, and what no pool would take is refused.
    """

    def judged(entry: Entry) -> Entry:
        chain = entry if isinstance(entry, Chain) else None
        sid = entry.request.sid if isinstance(entry, Chain) else (entry.seen or {}).get("sid")
        holder = senders.get(sid or "")
        if holder is None or (changes and entry.change not in changes):
            return entry
        for_good = not changes or entry.change == "remove"
        if (through or for_good) and chain and chain.request.verb is DETACH:
            return entry  # it leaves it first
        if through and chain:
            return by_way_of(chain, holder, None if for_good else holder)
        then = "so that it can come back" if for_good else "and puts it back in"
        hint = f"--through-messaging takes it out first, {then}."
        joins = chain is not None and chain.request.verb is ADD
        error = in_messaging(entry.item, holder, hint, leaves=not joins)
        if for_good:
            return at_risk(entry, LEAVE_MESSAGING, error)
        by = error if entry.change == "add" else by_rule(error, LEAVE_MESSAGING, option=False)
        return refused(chain, by) if chain else entry

    return [judged(entry) for entry in entries]


def lost_areas(plan: Plan) -> Iterator[str]:
    """Say which areas lose their last unreserved number, of pools that were read whole and keep others.

    The country of a number that joins is not known: one that begins alike is taken for a replacement.
    """
    for room, one in plan.capacities.items():
        if not one.areas:
            continue
        steps = [step for chain in plan.chains for step in chain.steps]
        going = [step.request.before or {} for step in steps if room in step.frees]
        coming = [step.request.phone_number or "" for step in steps if room in step.takes]
        begun = {number[:2] for number in coming}
        for area, there in one.areas.items():
            lost = [row for row in going if area in areas_of(row)]
            if there <= len(lost) < one.held and not any(row["phone_number"][:2] in begun for row in lost):
                yield f"{one.name} loses its last unreserved number of {area}"


# What gives a pool back the last unreserved number that a run took


def rooms_left(chain: Chain) -> Iterable[Room]:
    """Return the rooms of unreserved numbers that a chain takes its number out of."""
    for step in chain.steps:
        if step.request.before is not None:
            yield from (room for room in step.frees if room == decide.place(room[0], False))


def has_unreserved(account: Account, service_sid: str, taken: Iterable[Request]) -> bool:
    """Whether a pool has an unreserved number still, read up to the first; where those of ``taken`` were pointed away
    from Proxy, one that is not among them, and points at it.
    """
    away = {request.sid or "" for request in taken if request.verb is SET_WEBHOOKS}
    if away:
        return one_serves(account, Pool(service_sid, complete=False), away)
    return account.unreserved(service_sid, ()) > 0


def giving_back(chain: Chain, room: Room, seen: decide.Row | None) -> Chain:
    """Return what makes the number of a chain that is done an unreserved one of its pool again; ``seen``: as it is."""
    parents = {step.request.verb.name: step.request.parent for step in chain.steps}
    leaving = next(step.request for step in chain.steps if room in step.frees)
    item = replace(chain.item, sid=leaving.sid, phone_number=leaving.phone_number)
    row = {**(leaving.before or {}), **(seen or {})}
    if leaving.verb is SET_WEBHOOKS:
        before = {name: value or "" for name, value in (leaving.before or {}).items()}
        back = replace(leaving, verb=RESTORE_WEBHOOKS, wanted=before, before=None, kept={})
        return Chain(item, (Step(back),), "restore")
    home = decide.Home(leaving.parent, leaving.kept.get("service"))
    if leaving.verb is RESERVE:
        return decide.flag_chain(home, item, row, False)
    messaging = parents.get(DETACH.name)
    if ADD.name in parents:
        move = decide.move_chain(decide.Home(row["service_sid"]), home, item, row, False)
        return by_way_of(move, messaging, messaging)
    return by_way_of(decide.add_chain(home, item, False), None, messaging)
