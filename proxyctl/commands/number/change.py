"""What add, reserve, release, remove and webhooks do: read, decide, and carry it out.

A number's own webhooks are read before it joins a pool, found again in the history when it leaves, and set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from proxyctl.api.models import IncomingNumber, Service
from proxyctl.commands.in_transit import read_back
from proxyctl.commands.number.given import Numbers, begin
from proxyctl.commands.run import heading, run_numbers
from proxyctl.errors import NotFoundError, RefusedError, UsageError
from proxyctl.identifiers import argument, is_sid
from proxyctl.input.items import Item
from proxyctl.pools import webhooks
from proxyctl.pools.account import FEW, Account
from proxyctl.pools.decide import NOT_THERE, Home, Wish, capacities, decide_all, disagrees
from proxyctl.pools.facts import asked, serving
from proxyctl.pools.pool import Holder, hinted_service
from proxyctl.pools.webhooks import KeptWebhooks, Settings
from proxyctl.roles import Line, Role
from proxyctl.runtime import Runtime
from proxyctl.state.record import withheld
from proxyctl.text import command_line, counted, first_of
from proxyctl.writes.plan import Capacity, Chain, Entry, NoOp, Plan, Room, chains_of, decide_each
from proxyctl.writes.requests import ADD, REMOVE, VERBS


def run_verb(
    runtime: Runtime,
    verb: str,
    service_name: str,
    numbers: Numbers,
    *,
    restore_webhooks: bool = False,
    **wishes: bool | None,
) -> None:
    """Carry out one verb on the numbers given; raises the error that the run ends with."""
    wish = Wish(VERBS[verb], **wishes)  # type: ignore[arg-type]
    given = begin(runtime, numbers, use_is_reserved=wish.verb is ADD and wish.is_reserved is None)
    account = runtime.account
    # Reading the pool shows if there is no such Service: a run needs no request besides that and its changes.
    unread = bool(given.items) and is_sid("KS", service_name)
    service = Service({"sid": service_name}) if unread else account.service(service_name)
    if wish.verb is not ADD:  # its rows may say where the numbers were
        given.require(service)
    items = given.items

    def decide() -> Plan:
        # The limits can only be checked against the whole pool; for one number the API itself is as exact.
        pool = account.pool(service.sid, items, few=FEW if wish.verb is REMOVE else 1)
        entries = decide_all(wish, items, pool, Home(service.sid))
        if wish.verb is REMOVE:
            entries = refuse_elsewhere(runtime, entries, service, "remove")
        if restore_webhooks:
            entries = restored(runtime, entries)
        plan = Plan(tuple(entries), capacities(pool, service))
        if wish.verb is not REMOVE:
            return plan
        return plan.asking(lambda plan: removal(runtime, service, len(plan.chains)))

    run_numbers(runtime, verb, service, given, decide if items else Plan, wish.verb.done)


def refuse_elsewhere(
    runtime: Runtime, entries: Sequence[Entry], service: Service, verb: str, *options: str
) -> list[Entry]:
    """Let numbers that are to leave a pool which does not have them fail where another Service's has: they stay there.

    ``verb`` and its ``options`` would remove them there. Where the other pools may not be read, a note says so.
    """
    others = [one for one in entries if isinstance(one, NoOp)]
    absent = [one.item for one in others if one.note == NOT_THERE or isinstance(one.error, NotFoundError)]
    account = Account(runtime.access.reader.apart())

    def holders() -> dict[Item, Holder]:
        others = {one.sid: one.name for one in account.services() if one.sid != service.sid}
        return dict(account.holders(absent, others))

    what = f"whether another pool has {counted(len(absent), 'number')} not in this one"
    found = (asked(holders, what, runtime.note) if absent else None) or {}

    def judged(entry: Entry) -> Entry:
        if entry.item not in found:
            return entry
        holder, shown = found[entry.item], entry.item.shown
        where = argument(holder.name, holder.service_sid)
        hint = f"'{command_line('number', verb, where, entry.item.name, *options)}' removes it there."
        text = f"{shown} is in the pool of Service {holder.name} ({holder.service_sid})."
        return NoOp(entry.item, error=RefusedError(text, hint=hint))

    return list(map(judged, entries))


def removal(runtime: Runtime, service: Service, count: int) -> list[Line]:
    """Say how much will be removed, from which Service, and as whom."""
    if service.unique_name is None and not runtime.options.yes:  # who is asked should read a name
        service = runtime.account.service(service.sid)
    name = Role.NAME(service.name)
    return [heading(runtime, "Remove", f"{counted(count, 'number')} from ", name, sids=[service.sid])]


# Webhooks


def restored(runtime: Runtime, entries: Sequence[Entry]) -> list[Entry]:
    """Let numbers that leave get the webhooks back that the history keeps; also those that have left already, where
    nobody has set them since.
    """
    going = chains_of(entries, "remove")
    absent = [one.item for one in entries if isinstance(one, NoOp) and one.note == NOT_THERE]
    wanted = {name for item in absent for name in item.names}
    for chain in going:
        request = chain.request
        wanted |= {name for name in (request.sid, request.phone_number) if name}
    found = read_back(runtime, KeptWebhooks(wanted)).found
    unknown = [chain.item.shown for chain in going if webhooks.webhooks_of(chain, found) is None]
    if unknown:
        named = ", ".join(first_of(unknown))
        say = runtime.note if runtime.options.dry_run else runtime.warn
        say(f"no webhooks were kept for {counted(len(unknown), 'number')}, which stay as they are: {named}.")
    late = left_before(runtime, absent, found)
    changed = webhooks.restoring_webhooks(entries, found, runtime.profile.account_sid)
    return [late.get(entry.item, entry) if isinstance(entry, NoOp) else entry for entry in changed]


def left_before(runtime: Runtime, absent: Sequence[Item], found: dict[str, Settings]) -> dict[Item, Entry]:
    """Return what restores the webhooks of numbers that had left their pool before, by item."""
    known = [item for item in absent if item.name in found]
    numbers = runtime.account.own_numbers(known)
    late: dict[Item, Entry] = {}
    for item in known:
        number, settings = numbers.get(item.name), found[item.name]
        if number is None or not webhooks.is_left(number):
            continue
        if withheld(*settings.values()):
            error = webhooks.not_kept(f"the webhooks of {item.shown}", "be restored")
            late[item] = NoOp(item, error=error)
            continue
        named = replace(item, sid=number.sid, phone_number=number.phone_number)
        step = webhooks.webhooks_step(runtime.profile.account_sid, item, named, settings)
        late[item] = Chain(item, (step,), "restore", "unchanged")
    return late


def set_webhooks(runtime: Runtime, service_name: str, numbers: Numbers, **to: str) -> None:
    """Point numbers of the account ``to`` Proxy, what was kept, or URLs; raises the error that the run ends with."""
    if len(to) != 1 and set(to) != set(webhooks.OVERRIDING):
        raise UsageError("give exactly one of --proxy, --restore, or URLs (--voice-url, --sms-url).")
    given = begin(runtime, numbers)
    service = runtime.account.service(service_name)
    home, done = Home(service.sid, service.unique_name), "restored" if "restore" in to else "updated"

    def decide() -> Plan:
        owned = runtime.account.own_numbers(given.items)
        sids = {number.sid for number in owned.values()}
        wanted: dict[str, Settings] = dict.fromkeys(sids, to)
        if "restore" in to:
            wanted = read_back(runtime, KeptWebhooks(sids, newest=True)).found
        elif "proxy" in to:
            held = runtime.account.pool(service.sid, given.items, few=FEW).by_sid
            wanted = dict.fromkeys(held, webhooks.set_by_proxy(runtime.profile.account_sid, service.sid))
        decide_one = partial(webhooks.point, wanted, home, done)
        entries = decide_each(given.items, lambda item: owned.get(item.name), disagrees, decide_one)
        plan = guarded_pools(runtime, service, Plan(tuple(entries)), owned)
        return replace(plan, question=away)

    def away(plan: Plan) -> list[Line]:
        going = sum(map(webhooks.leaves_proxy, plan.chains))
        return [heading(runtime, "Point", f"{counted(going, 'number')} away from Proxy")] if going else []

    run_numbers(runtime, "webhooks", service, given, decide, done)


def guarded_pools(
    runtime: Runtime, service: Service, plan: Plan, owned: Mapping[str, IncomingNumber]
) -> Plan:
    """Return the plan with what the pools lose whose numbers are pointed away from Proxy."""
    going = [chain for chain in plan.chains if webhooks.leaves_proxy(chain)]
    named = {hinted_service(owned[chain.item.name]) for chain in going} - {None, service.sid}
    services = [one for one in (runtime.account.services() if named else ()) if one.sid in named]
    items = [replace(chain.item, sid=chain.request.sid) for chain in going]
    pools = {one.sid: runtime.account.pool(one.sid, items, few=FEW) for one in (service, *services) if going}
    entries = [webhooks.away_from(one, pools) if isinstance(one, Chain) else one for one in plan.entries]
    sids = {item.sid for item in items if item.sid}
    rooms: dict[Room, Capacity] = {}
    for one in (service, *services) if going else ():
        rooms |= serving(runtime.account, pools[one.sid], one, sids)
    return replace(plan, entries=tuple(entries), capacities=rooms)
