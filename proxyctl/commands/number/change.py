"""What add, reserve, release and remove do: read one pool, decide, and carry it out."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from proxyctl.api.resources import Service
from proxyctl.commands.run import Numbers, begin, of_account, run_numbers, titled
from proxyctl.identifiers import is_sid
from proxyctl.input.items import Item
from proxyctl.pools.account import FEW
from proxyctl.pools.decide import Home, Wish, capacities, decide_all, leaving
from proxyctl.pools.pool import Pool
from proxyctl.runtime import Runtime
from proxyctl.text import counted
from proxyctl.writes.plan import Chain, Entry, Plan
from proxyctl.writes.requests import ADD, REMOVE, VERBS


def run_verb(
    runtime: Runtime,
    verb: str,
    service_name: str,
    numbers: Numbers,
    file: str | None,
    *,
    webhooks: bool = False,
    **wishes: bool | None,
) -> None:
    """Carry out one verb on the numbers given; raises the error that the run ends with.

    ``webhooks``: keep those of numbers that are added, restore those of numbers that are removed.
    """
    wish = Wish(VERBS[verb], **wishes)  # type: ignore[arg-type]
    given = begin(runtime, numbers, file, use_is_reserved=wish.verb is ADD)
    items = given.items
    service = find_service(runtime, service_name, unread=bool(items))

    def decide() -> Plan:
        if not items:
            return Plan()
        pool = read_for_verb(runtime, service, items, wish)
        entries = decide_all(wish, items, pool, Home(service.sid))
        if webhooks:
            entries = with_webhooks(runtime, entries)
        plan = Plan(tuple(entries), capacities(pool, "the pool"))
        going = [chain.steps[0].request.sid or "" for chain in leaving(entries)]
        return plan.asking(removal_text(runtime, service, going)) if going else plan

    run_numbers(runtime, service, given, decide, wish.verb.done)


def with_webhooks(runtime: Runtime, entries: list[Entry]) -> list[Entry]:
    """Let the webhooks of numbers that join be kept, and those of numbers that leave be restored."""
    from proxyctl.commands.number import webhooks as own_webhooks

    joining = [one.item for one in entries if isinstance(one, Chain) and one.steps[0].request.verb is ADD]
    if any(isinstance(one, Chain) and one.steps[0].request.verb is not ADD for one in entries) or not joining:
        return own_webhooks.restored(runtime, entries)
    return own_webhooks.kept(runtime, entries, joining)


def find_service(runtime: Runtime, name_or_sid: str, *, unread: bool) -> Service:
    """Find a Service. Where ``unread`` will do, a SID is taken as it is: reading the pool shows if there is none, so
    that a run needs no request besides that and its changes.
    """
    if unread and is_sid("KS", name_or_sid):
        return Service({"sid": name_or_sid})
    return runtime.account.service(name_or_sid)


def read_for_verb(runtime: Runtime, service: Service, items: Sequence[Item], wish: Wish) -> Pool:
    """Read the pool: number by number where only a few are named and no limit is at stake, else whole."""
    # The limits can only be checked against the whole pool; for one number the API itself is as exact.
    return runtime.account.pool(service.sid, items, few=FEW if wish.verb is REMOVE else 1)


def removal_text(runtime: Runtime, service: Service, sids: Collection[str]) -> str:
    """Say what will be removed, from which Service, and as whom; and which of ``sids`` could not come back."""
    from proxyctl.commands.saved_file import senders_text

    if service.unique_name is None and not runtime.options.yes:  # who is asked should read a name
        service = runtime.account.service(service.sid)
    return (
        f"This removes {counted(len(sids), 'number')} from Service {titled(service)} {of_account(runtime)}."
        f"{senders_text(runtime, sids)}"
    )
