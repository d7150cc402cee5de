"""What add, reserve, release and remove do: read one pool, decide, and carry it out."""

from __future__ import annotations

from collections.abc import Sequence

from proxyctl.api.models import Service
from proxyctl.commands.number import webhooks as own_webhooks
from proxyctl.commands.number.given import Numbers, begin
from proxyctl.commands.run import heading, run_numbers
from proxyctl.errors import AuthenticationError, NotFoundError, RefusedError
from proxyctl.identifiers import argument, is_sid
from proxyctl.input.items import Item
from proxyctl.pools.account import FEW, Account, is_forbidden
from proxyctl.pools.decide import NOT_THERE, Home, Wish, capacities, decide_all
from proxyctl.pools.pool import Holder
from proxyctl.roles import Line, Role
from proxyctl.runtime import Runtime
from proxyctl.text import command_line, counted
from proxyctl.writes.plan import Entry, NoOp, Plan
from proxyctl.writes.requests import ADD, REMOVE, VERBS


def run_verb(
    runtime: Runtime,
    verb: str,
    service_name: str,
    numbers: Numbers,
    file: str | None = None,
    *,
    restore_webhooks: bool = False,
    **wishes: bool | None,
) -> None:
    """Carry out one verb on the numbers given; raises the error that the run ends with."""
    wish = Wish(VERBS[verb], **wishes)  # type: ignore[arg-type]
    given = begin(runtime, numbers, file, use_is_reserved=wish.verb is ADD and wish.is_reserved is None)
    service = find_service(runtime, service_name, unread=bool(given.items))
    if wish.verb is not ADD:  # its rows may say where the numbers were
        given.require(service)
    items = given.items

    def decide() -> Plan:
        # The limits can only be checked against the whole pool; for one number the API itself is as exact.
        pool = runtime.account.pool(service.sid, items, few=FEW if wish.verb is REMOVE else 1)
        entries = decide_all(wish, items, pool, Home(service.sid))
        if wish.verb is REMOVE:
            entries = refuse_elsewhere(runtime, entries, service, "remove")
        if restore_webhooks:
            entries = own_webhooks.restored(runtime, entries)
        plan = Plan(tuple(entries), capacities(pool, service))
        asks = wish.verb is REMOVE
        return plan.asking(lambda plan: removal(runtime, service, len(plan.chains))) if asks else plan

    run_numbers(runtime, verb, service, given, decide if items else Plan, wish.verb.done)


def find_service(runtime: Runtime, name_or_sid: str, *, unread: bool) -> Service:
    """Find a Service. Where ``unread`` will do, a SID is taken as it is: reading the pool shows if there is none, so
    that a run needs no request besides that and its changes.
    """
    if unread and is_sid("KS", name_or_sid):
        return Service({"sid": name_or_sid})
    return runtime.account.service(name_or_sid)


def refuse_elsewhere(
    runtime: Runtime, entries: Sequence[Entry], service: Service, verb: str, *options: str
) -> list[Entry]:
    """Let numbers that are to leave a pool which does not have them fail where another Service's has: they stay there.

    ``verb`` and its ``options`` would remove them there. Where the other pools may not be read, a note says so.
    """
    absent = [entry.item for entry in entries if isinstance(entry, NoOp) and is_absent(entry)]
    found, account = {}, Account(runtime.access.reader.apart())
    try:
        if absent:
            services = account.services()
            others = {one.sid: one.name for one in services if one.sid != service.sid}
            found = dict(account.holders(absent, others))
    except AuthenticationError as error:
        if not is_forbidden(error):
            raise
        missing = counted(len(absent), "number")
        runtime.note(f"{missing} not in the pool may be in another one: {error.message}")
    return [
        NoOp(entry.item, error=held_by(found[entry.item], entry.item, verb, *options))
        if entry.item in found
        else entry
        for entry in entries
    ]


def is_absent(entry: NoOp) -> bool:
    """Whether an entry is that of an item which the pool does not have."""
    return entry.note == NOT_THERE or isinstance(entry.error, NotFoundError)


def held_by(holder: Holder, item: Item, verb: str, *options: str) -> RefusedError:
    """The refusal of a number that was to leave a pool, and is in another; ``verb`` would remove it there."""
    service = argument(holder.name, holder.service_sid)
    command = command_line("number", verb, service, item.name, *options)
    return RefusedError(
        f"{item.shown} is in the pool of Service {holder.name} ({holder.service_sid}).",
        hint=f"'{command}' removes it there.",
    )


def removal(runtime: Runtime, service: Service, count: int) -> list[Line]:
    """Say how much will be removed, from which Service, and as whom."""
    if service.unique_name is None and not runtime.options.yes:  # who is asked should read a name
        service = runtime.account.service(service.sid)
    name = Role.NAME(service.name)
    return [heading(runtime, "Remove", f"{counted(count, 'number')} from ", name, sids=[service.sid])]
