"""What `messaging` does: find what is wrong between a pool and its Messaging Service, put numbers of the pool into it,
and check that they stay in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from proxyctl.api.models import MessagingService, Service
from proxyctl.api.resources import MESSAGING_SERVICES
from proxyctl.commands.number.given import Numbers, begin, titled
from proxyctl.commands.pool.audit import Audit, show
from proxyctl.commands.run import Job, carry_out, finish, heading
from proxyctl.commands.second_look import Correction
from proxyctl.errors import NotFoundError, ProxyctlError, RefusedError, UsageError
from proxyctl.identifiers import is_sid
from proxyctl.input.items import Item
from proxyctl.pools.a2p import Pair, all_items, decide_all, detach_command, findings, plan_of
from proxyctl.pools.account import FEW
from proxyctl.pools.pool import Pool
from proxyctl.render.shapes import FINDING, RESULT
from proxyctl.roles import Line, Role
from proxyctl.runtime import Runtime
from proxyctl.text import counted
from proxyctl.writes.flow import Progress
from proxyctl.writes.plan import Chain, Plan, Step
from proxyctl.writes.requests import DETACH

SHOWN_NAMES = 10


def named(runtime: Runtime, service_name: str, name: str) -> tuple[Service, MessagingService]:
    """Find both; NotFoundError where one does not exist. UsageError where no one Messaging Service has a friendly name,
    with the names.
    """
    service = runtime.account.service(service_name)
    if is_sid("MG", name):
        return service, runtime.account.messaging_service(name)
    services = list(map(MessagingService, runtime.access.reader.rows(MESSAGING_SERVICES.list())))
    found = [one for one in services if name and one.friendly_name == name]
    if len(found) == 1:
        return service, found[0]
    shown = sorted(f"{one.friendly_name} ({one.sid})" for one in found or services)[:SHOWN_NAMES]
    hint = f"Give the SID of one: {', '.join(shown)}." if shown else "The account has none."
    raise UsageError(f"{len(found) or 'no'} Messaging Services have the name {name!r}.", hint=hint)


def read(runtime: Runtime, service: Service, messaging: MessagingService, items: Sequence[Item] = ()) -> Pair:
    """Read the pool, the Messaging Service, and which other one has numbers of the pool that are not in it.

    Only ``items`` are searched for in the others, where there are any.
    """
    account = runtime.account
    members = {number.sid: number.phone_number for number in account.members(messaging.sid)}
    pair = Pair(service, account.pool(service.sid), messaging, members)
    asked = [number for item in items if (number := pair.pool.find(item)) is not None]
    missing = {number.sid for number in (asked if items else pair.missing)} - set(members)
    return replace(pair, elsewhere=account.senders(missing))


def check(runtime: Runtime, service_name: str, messaging_service: str, **filters: Any) -> None:
    """Print what is wrong; CheckError where something is."""
    runtime.out.check(FINDING)
    pair = read(runtime, *named(runtime, service_name, messaging_service))
    found = sorted(findings(pair), key=lambda finding: finding.rank)
    numbers = len({*pair.pool.by_sid, *pair.members})
    call = ("messaging", "check", service_name, "--messaging-service", messaging_service)
    show(runtime, Audit(found, call, 1, numbers), filters)


def attach(runtime: Runtime, service_name: str, messaging_service: str, numbers: Numbers) -> None:
    """Put the numbers given, or all that should be, into a Messaging Service; raises the error of the run."""
    every = not numbers and runtime.options.file is None
    given = begin(runtime, numbers, required=False)
    items = given.items
    service, messaging = named(runtime, service_name, messaging_service)

    def decide() -> Plan:
        pair = read(runtime, service, messaging, items)
        plan = plan_of(decide_all(items or all_items(pair), pair), pair)
        return plan.asking(lambda plan: question(runtime, service, messaging, len(plan.chains)))

    check = partial(left_meanwhile, service=service, messaging=messaging)
    wanted = given.deciding(decide if items or every else Plan)
    job = Job("attach", [service.sid], wanted, "added", given.single, service=service, check=check)
    finish(runtime, RESULT, carry_out(runtime, job), given.rest)


def left_meanwhile(
    runtime: Runtime, ends: Sequence[Progress], service: Service, messaging: MessagingService
) -> list[Correction]:
    """Find what is in no pool now that it was put into a Messaging Service: it could join none while it is in there."""
    attached = {end.chain.request.sid: end for end in ends if end.state == "done"}
    items = [Item(end.chain.item.input, sid, None) for sid, end in attached.items()]
    runtime.account.forget()
    try:
        pool = Pool(service.sid)
        with suppress(NotFoundError):  # the Service is gone
            pool = runtime.account.pool(service.sid, items, few=FEW) if items else pool
        absent = [item for item in items if pool.find(item) is None]
        held = {item for item, _ in runtime.account.holders(absent)}
    except ProxyctlError as error:
        runtime.warn(f"not checked whether the numbers are in their pool still: {error.message}")
        return []
    return [taken_out(attached[item.sid], item, service, messaging) for item in absent if item not in held]


def taken_out(end: Progress, item: Item, service: Service, messaging: MessagingService) -> Correction:
    """Take a number out of the Messaging Service again."""
    request = replace(end.chain.request, verb=DETACH)
    left = f"{item.shown} left the pool of Service {titled(service)} meanwhile"
    return Correction(
        end,
        Chain(item, (Step(request),), "detach"),
        RefusedError(f"{left}. It was taken out of Messaging Service {messaging.sid} again."),
        RefusedError(
            f"{left}. In Messaging Service {messaging.sid}, it can be added to no pool",
            hint=f"'{detach_command(messaging.sid, request.sid or '')}' takes it out.",
        ),
    )


def question(runtime: Runtime, service: Service, messaging: MessagingService, count: int) -> list[Line]:
    """Say what will be done, to whom."""
    pool, target = Role.NAME(service.name), Role.NAME(messaging.name)
    what = f"{counted(count, 'number')} of "
    sids = [service.sid, messaging.sid]
    return [heading(runtime, "Attach", what, pool, " to Messaging Service ", target, sids=sids)]
