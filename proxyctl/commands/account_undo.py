"""What `history undo` does with a run on several Services, such as `pool apply`: its inverse is a plan of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from proxyctl.errors import NotFoundError, PartialError, ProxyctlError

if TYPE_CHECKING:
    from proxyctl.api.models import Service
    from proxyctl.commands.pool_apply import AccountRun
    from proxyctl.pools.plan import Plan
    from proxyctl.runtime import Runtime
    from proxyctl.state.record import RunDetail


def undo(runtime: Runtime, detail: RunDetail, what: str, failed_to: Path | None) -> None:
    """Take back what a run did to its Services; ``what`` says which run that is."""
    from proxyctl.commands.pool_apply import AccountRun, confirmation
    from proxyctl.pools.account_undo import services_of

    sids = services_of(detail.items)
    with runtime.lock(*sids):
        plan = inverse(runtime, detail, found(runtime, sids))
        say_created(runtime, detail)
        run = AccountRun(runtime, plan)
        if runtime.options.dry_run:
            run.show_requests()
            return
        run.carry_out(f"{what}\n{confirmation(runtime, plan)}")
        unrestored = restore_webhooks(runtime, detail, run)
    run.report(failed_to)
    if unrestored is not None:
        raise unrestored


def restore_webhooks(runtime: Runtime, detail: RunDetail, run: AccountRun) -> ProxyctlError | None:
    """Put the webhooks back that the run kept of numbers that have left their pool now; return what went wrong."""
    from proxyctl.commands.bulk_engine import run_works
    from proxyctl.commands.webhooks import WebhookJournal
    from proxyctl.commands.writing import bulk_journal
    from proxyctl.pools.webhooks import Restoring, RestoringWriter, kept_by, work_for

    kept = kept_by(detail.items)
    left = [end for end in run.ends() if end.action == "removed" and end.item.sid in kept]
    works = [
        work_for(index, Restoring(end.item, end.item.sid or "", kept[end.item.sid or ""]))
        for index, end in enumerate(left)
    ]
    if not works:
        return None
    writer = RestoringWriter(runtime.client, left[0].service_sid or "")
    with runtime.stoppable(), bulk_journal(runtime, None, WebhookJournal) as journal:
        report = run_works(runtime, writer, works, journal, len(works))
        failed = [result for result in report.results if result.state != "done"]
        journal.end({"restored": len(works) - len(failed), "failed": len(failed)}, 6 if failed else 0)
    runtime.note(f"webhooks put back: {len(works) - len(failed)} of {len(works)}.")
    if not failed:
        return None
    why = failed[0].error.message if failed[0].error else "not done"
    return PartialError(
        f"the webhooks of {left[failed[0].index].item.input} could not be put back: {why}",
        hint="The history has them: see 'proxyctl history show' of the run that was undone.",
    )


def found(runtime: Runtime, sids: Sequence[str]) -> dict[str, Service]:
    """Return the Services by unique name. Raises NotFoundError where one is gone."""
    from proxyctl.pools.world import list_services

    services = {name: one for name, one in list_services(runtime.client).items() if one.sid in sids}
    gone = set(sids) - {service.sid for service in services.values()}
    if gone:
        raise NotFoundError(
            f"Service {min(gone)}, which that run changed, does not exist any more.",
            hint="'proxyctl service list' shows those that are left.",
        )
    return services


def inverse(runtime: Runtime, detail: RunDetail, services: dict[str, Service]) -> Plan:
    """Look at the pools, and return what takes the run back."""
    from proxyctl.commands.pool_files import settled
    from proxyctl.pools.account_undo import undo_plan
    from proxyctl.pools.plan import World
    from proxyctl.pools.reading import read_pools

    names = {service.sid: name for name, service in services.items()}
    pools = {names[sid]: pool for sid, pool in read_pools(runtime.reader, names)}
    return without_captives(runtime, settled(runtime, undo_plan(detail.items, World(services, pools))))


def without_captives(runtime: Runtime, plan: Plan) -> Plan:
    """Refuse to take numbers in or out that a Messaging Service has as well: those out could not come back."""
    from proxyctl.pools.captives import find_captives
    from proxyctl.pools.plan import Action, Left, Step
    from proxyctl.pools.undo import captive

    def sid_of(step: Step) -> str:
        asked = step.action in (Action.ADD, Action.REMOVE) and step.change is not None
        return (step.change.sid if asked and step.change else None) or ""

    captives = find_captives(runtime.client, {sid for step in plan.steps if (sid := sid_of(step))})
    entries = [
        Left(entry.service, entry.action, entry.item, None, captive(entry.item, captives[sid_of(entry)]))
        if isinstance(entry, Step) and sid_of(entry) in captives
        else entry
        for entry in plan.entries
    ]
    return replace(plan, entries=tuple(entries))


def say_created(runtime: Runtime, detail: RunDetail) -> None:
    """Note the Services that the run made: they stay."""
    for item in detail.items:
        if item.intent.action == "create_service":
            name = item.intent.service
            runtime.note(f"Service {name} stays; 'proxyctl service delete {name}' removes it.")
