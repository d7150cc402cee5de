"""What `history undo` does with a run on several Services, such as `pool apply`: its inverse is a plan of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from proxyctl.errors import NotFoundError

if TYPE_CHECKING:
    from proxyctl.api.models import Service
    from proxyctl.bulk.records import RunDetail
    from proxyctl.pools.plan import Plan
    from proxyctl.runtime import Runtime


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
    run.report(failed_to)


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
    from proxyctl.commands.pool_status import reader_for
    from proxyctl.pools.account_undo import undo_plan
    from proxyctl.pools.plan import World
    from proxyctl.pools.reading import read_pools

    names = {service.sid: name for name, service in services.items()}
    pools = {names[sid]: pool for sid, pool in read_pools(reader_for(runtime), names)}
    return settled(runtime, undo_plan(detail.items, World(services, pools)))


def say_created(runtime: Runtime, detail: RunDetail) -> None:
    """Note the Services that the run made: they stay."""
    for item in detail.items:
        if item.intent.get("action") == "create_service":
            name = item.intent.get("service")
            runtime.note(f"Service {name} stays; 'proxyctl service delete {name}' removes it.")
