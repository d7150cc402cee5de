"""What `messaging check` and `messaging attach` do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from proxyctl.api.resources import MessagingService, Service
from proxyctl.commands.pool import audit
from proxyctl.commands.run import Numbers, begin, of_account, run_numbers, titled
from proxyctl.identifiers import require_sid
from proxyctl.input.items import Item
from proxyctl.pools.a2p import Pair, all_items, decide_all, findings, plan_of
from proxyctl.render.shapes import FINDING
from proxyctl.runtime import Runtime
from proxyctl.text import counted
from proxyctl.writes.plan import Plan


def check(runtime: Runtime, service_name: str, messaging_service: str) -> None:
    """Print what is wrong; CheckError where something is."""
    runtime.out.check(FINDING)
    require_sid("MG", messaging_service)
    pair = read(runtime, *named(runtime, service_name, messaging_service))
    audit.show(runtime, list(findings(pair)))


def named(runtime: Runtime, service_name: str, messaging_service: str) -> tuple[Service, MessagingService]:
    """Find both; NotFoundError where one does not exist."""
    account = runtime.account
    return account.service(service_name), account.messaging_service(messaging_service)


def read(runtime: Runtime, service: Service, messaging: MessagingService, items: Sequence[Item] = ()) -> Pair:
    """Read the pool, the Messaging Service, and which other one has numbers of the pool that are not in it.

    Only ``items`` are looked for in the others, where there are any.
    """
    account = runtime.account
    members = {number.sid: number.phone_number for number in account.members(messaging.sid)}
    pair = Pair(service, account.pool(service.sid), messaging, members)
    asked = [number for item in items if (number := pair.pool.find(item)) is not None]
    missing = {number.sid for number in (asked if items else pair.missing)} - set(members)
    return replace(pair, elsewhere=account.senders(missing))


def attach(
    runtime: Runtime,
    service_name: str,
    messaging_service: str,
    numbers: Numbers,
    file: str | None,
) -> None:
    """Put the numbers given, or all that should be, into a Messaging Service; raises the error of the run."""
    require_sid("MG", messaging_service)
    every = not numbers and file is None
    given = begin(runtime, numbers, file, required=False)
    items = given.items
    service, messaging = named(runtime, service_name, messaging_service)

    def decide() -> Plan:
        pair = read(runtime, service, messaging, items)
        plan = plan_of(decide_all(items or all_items(pair), pair), pair)
        count = len(plan.chains)
        return plan.asking(question(runtime, service, messaging, count)) if count else plan

    run_numbers(runtime, service, given, decide if items or every else Plan, "added")


def question(runtime: Runtime, service: Service, messaging: MessagingService, count: int) -> str:
    """Say what will be done, to whom."""
    return (
        f"This puts {counted(count, 'number')} of Service {titled(service)} into Messaging Service "
        f"{messaging.friendly_name} ({messaging.sid}) {of_account(runtime)}."
    )
