"""What add, reserve, release and remove do: look at one pool, decide, and carry it out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from proxyctl.api.models import Service
from proxyctl.commands import way_back
from proxyctl.commands.number import kept_webhooks
from proxyctl.commands.run import Job, carry_out, check_failed_to, read_input, tell
from proxyctl.identifiers import is_sid
from proxyctl.pools.account import FEW
from proxyctl.pools.chains import Home, capacities, keeping_webhooks
from proxyctl.pools.decide import Wish, decide_all, leaving
from proxyctl.pools.pool import Pool
from proxyctl.render.shapes import RESULT
from proxyctl.words import counted
from proxyctl.writes.plan import Chain, Entry, Plan
from proxyctl.writes.requests import ADD, REMOVE, VERBS

if TYPE_CHECKING:
    from proxyctl.input.items import Item
    from proxyctl.runtime import Runtime


def run_verb(
    runtime: Runtime,
    verb: str,
    service_name: str,
    numbers: Sequence[str] | None,
    file: str | None,
    *,
    webhooks: bool = False,
    **wishes: bool | None,
) -> None:
    """Carry out one verb on the numbers given; raises the error that the run ends with.

    ``webhooks``: keep those of numbers that are added, restore those of numbers that are removed.
    """
    wish = Wish(VERBS[verb], **wishes)  # type: ignore[arg-type]
    runtime.out.check(RESULT)
    items = read_input(runtime, numbers, file, use_is_reserved=wish.verb is ADD).items
    failed_to = check_failed_to(runtime, file)
    runtime.guard_writes()
    service = find_service(runtime, service_name, unread=bool(items))

    def decide() -> Plan:
        if not items:
            return Plan()
        pool = read_for_verb(runtime, service, items, wish)
        entries = decide_all(wish, items, pool, Home(service.sid))
        if webhooks:
            entries = with_webhooks(runtime, entries)
        going = leaving(entries)
        question = (
            removal_text(runtime, service, [one.steps[0].request.sid or "" for one in going])
            if going
            else None
        )
        return Plan(tuple(entries), capacities(pool, "the pool"), question=question)

    def save(plan: Plan) -> None:
        going = leaving(plan.entries)
        if len(going) > 1:
            way_back.save_leaving(runtime, going)

    job = Job(
        [service.sid],
        decide,
        wish.verb.done,
        single=file is None and len(numbers or ()) == 1,
        service=service,
        save=save,
    )
    tell(runtime, RESULT, carry_out(runtime, job), failed_to)


def with_webhooks(runtime: Runtime, entries: list[Entry]) -> list[Entry]:
    """Let the webhooks of numbers that join be kept, and those of numbers that leave be restored."""
    joining = [one.item for one in entries if isinstance(one, Chain) and one.steps[0].request.verb is ADD]
    if any(isinstance(one, Chain) and one.steps[0].request.verb is not ADD for one in entries) or not joining:
        return kept_webhooks.restored(runtime, entries)
    return keeping_webhooks(entries, kept_webhooks.read(runtime, joining))


def find_service(runtime: Runtime, name_or_sid: str, *, unread: bool) -> Service:
    """Find a Service. Where ``unread`` will do, a SID is taken as it is: reading the pool tells if there is none, so
    that a run needs no request besides that and its changes.
    """
    if unread and is_sid("KS", name_or_sid):
        return Service({"sid": name_or_sid})
    return runtime.account.service(name_or_sid)


def named(runtime: Runtime, service: Service) -> Service:
    """Return the Service with its name, which is asked for where only its SID is known."""
    return service if service.unique_name is not None else runtime.account.service(service.sid)


def read_for_verb(runtime: Runtime, service: Service, items: Sequence[Item], wish: Wish) -> Pool:
    """Read the pool: number by number where only a few are named and no limit is at stake, else whole."""
    # The limits can only be checked against the whole pool; for one number the API itself is as exact.
    return runtime.account.pool(service.sid, items, few=FEW if wish.verb is REMOVE else 1)


def removal_text(runtime: Runtime, service: Service, sids: Collection[str]) -> str:
    """Say what will be removed, from which Service, and as whom; and which of ``sids`` could not come back."""
    profile = runtime.profile
    if not runtime.options.yes:  # who is asked should read a name
        service = named(runtime, service)
    name = f"{service.unique_name} ({service.sid})" if service.unique_name else service.sid
    return (
        f"This removes {counted(len(sids), 'number')} from Service {name} "
        f"of account {profile.account_sid} (profile {profile.name}).{way_back.senders_text(runtime, sids)}"
    )
