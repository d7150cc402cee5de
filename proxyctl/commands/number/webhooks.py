"""A number's own webhooks: read before it joins a pool, found again in the history when it leaves, and set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from proxyctl.api.models import IncomingNumber, Service
from proxyctl.commands.in_transit import read_back
from proxyctl.commands.number.given import Numbers, begin
from proxyctl.commands.run import heading, run_numbers
from proxyctl.errors import UsageError
from proxyctl.input.items import Item
from proxyctl.pools.account import FEW
from proxyctl.pools.decide import NOT_THERE, Home, each_once, leaving
from proxyctl.pools.facts import serving
from proxyctl.pools.pool import hinted_service
from proxyctl.pools.webhooks import (
    OVERRIDING,
    KeptWebhooks,
    Settings,
    away_from,
    is_left,
    leaves_proxy,
    not_kept,
    point,
    restoring_webhooks,
    set_by_proxy,
    webhooks_of,
    webhooks_step,
)
from proxyctl.roles import Line
from proxyctl.runtime import Runtime
from proxyctl.state.record import withheld
from proxyctl.text import FIRST, counted
from proxyctl.writes.plan import Capacity, Chain, Entry, NoOp, Plan, Room


def restored(runtime: Runtime, entries: Sequence[Entry]) -> list[Entry]:
    """Let numbers that leave get the webhooks back that the history keeps; also those that have left already, where
    nobody has set them since.
    """
    going = leaving(entries)
    absent = [one.item for one in entries if isinstance(one, NoOp) and one.note == NOT_THERE]
    wanted = {name for item in absent for name in item.names}
    for chain in going:
        request = chain.request
        wanted |= {name for name in (request.sid, request.phone_number) if name}
    found = read_kept(runtime, KeptWebhooks(wanted))
    unknown = [chain.item.shown for chain in going if webhooks_of(chain, found) is None]
    if unknown:
        named = ", ".join(unknown[:FIRST]) + (" …" if len(unknown) > FIRST else "")
        say = runtime.note if runtime.options.dry_run else runtime.warn
        say(f"no webhooks were kept for {counted(len(unknown), 'number')}, which stay as they are: {named}.")
    late = left_before(runtime, absent, found)
    changed = restoring_webhooks(entries, found, runtime.profile.account_sid)
    return [late.get(entry.item, entry) if isinstance(entry, NoOp) else entry for entry in changed]


def read_kept(runtime: Runtime, search: KeptWebhooks) -> dict[str, Settings]:
    """Return the webhooks that the history keeps of the numbers that ``search`` wants."""
    read_back(runtime, search.wanted, search.take)
    return search.found


def left_before(runtime: Runtime, absent: Sequence[Item], found: dict[str, Settings]) -> dict[Item, Entry]:
    """Return what restores the webhooks of numbers that had left their pool before, by item."""
    known = [item for item in absent if (item.sid or item.phone_number) in found]
    numbers = runtime.account.own_numbers(known)
    late: dict[Item, Entry] = {}
    for item in known:
        number = numbers.get(item.sid or item.phone_number or "")
        if number is not None and is_left(number):
            settings = found[item.sid or item.phone_number or ""]
            named = replace(item, sid=number.sid, phone_number=number.phone_number)
            if withheld(*settings.values()):
                late[item] = NoOp(item, error=not_kept(f"the webhooks of {item.shown}", "be restored"))
                continue
            step = webhooks_step(runtime.profile.account_sid, item, named, settings)
            late[item] = Chain(item, (step,), "restore", "unchanged")
    return late


def set_webhooks(
    runtime: Runtime, service_name: str, numbers: Numbers, file: str | None = None, **to: str
) -> None:
    """Point numbers of the account ``to`` Proxy, what was kept, or URLs; raises the error that the run ends with."""
    if len(to) != 1 and set(to) != set(OVERRIDING):
        raise UsageError("give exactly one of --proxy, --restore, or URLs (--voice-url, --sms-url).")
    given = begin(runtime, numbers, file)
    service = runtime.account.service(service_name)
    home, done = Home(service.sid, service.unique_name), "restored" if "restore" in to else "updated"

    def decide() -> Plan:
        owned = runtime.account.own_numbers(given.items)
        sids = {number.sid for number in owned.values()}
        wanted: dict[str, Settings] = dict.fromkeys(sids, to)
        if "restore" in to:
            wanted = read_kept(runtime, KeptWebhooks(sids, newest=True))
        elif "proxy" in to:
            held = runtime.account.pool(service.sid, given.items, few=FEW).by_sid
            wanted = dict.fromkeys(held, set_by_proxy(runtime.profile.account_sid, service.sid))
        decide_one = partial(point, wanted, home, done)
        entries = each_once(given.items, lambda item: owned.get(item.name), decide_one)
        plan = guarded_pools(runtime, service, Plan(tuple(entries)), owned)
        return replace(plan, question=away)

    def away(plan: Plan) -> list[Line]:
        going = sum(map(leaves_proxy, plan.chains))
        return [heading(runtime, "Point", f"{counted(going, 'number')} away from Proxy")] if going else []

    run_numbers(runtime, "webhooks", service, given, decide, done)


def guarded_pools(
    runtime: Runtime, service: Service, plan: Plan, owned: Mapping[str, IncomingNumber]
) -> Plan:
    """Return the plan with what the pools lose whose numbers are pointed away from Proxy."""
    going = [chain for chain in plan.chains if leaves_proxy(chain)]
    named = {hinted_service(owned[chain.item.name]) for chain in going} - {None, service.sid}
    services = [one for one in (runtime.account.services() if named else ()) if one.sid in named]
    items = [replace(chain.item, sid=chain.request.sid) for chain in going]
    pools = {one.sid: runtime.account.pool(one.sid, items, few=FEW) for one in (service, *services) if going}
    entries = [away_from(entry, pools) if isinstance(entry, Chain) else entry for entry in plan.entries]
    sids = {item.sid for item in items if item.sid}
    rooms: dict[Room, Capacity] = {}
    for one in (service, *services) if going else ():
        rooms |= serving(runtime.account, pools[one.sid], one, sids)
    return replace(plan, entries=tuple(entries), capacities=rooms)
