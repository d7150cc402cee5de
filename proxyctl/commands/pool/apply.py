"""What `pool apply` does: make, in one run, the changes that a pool file asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from proxyctl.api.resources import Service
from proxyctl.commands.in_transit import continued
from proxyctl.commands.number.given import rest_of
from proxyctl.commands.pool import plan as pool_plan
from proxyctl.commands.run import Job, carry_out, finish, heading
from proxyctl.pools.desired import plan_of
from proxyctl.render.shapes import SERVICE_RESULT
from proxyctl.roles import Role
from proxyctl.runtime import Runtime
from proxyctl.writes.plan import Plan


def apply(runtime: Runtime, file: str, *, prune: bool) -> None:
    """Change the account to what ``file`` says; raises the error of the run."""
    runtime.out.check(SERVICE_RESULT)
    wanted = pool_plan.read(runtime, file)
    rest = rest_of(runtime, file, *wanted.files)
    runtime.guard_writes()
    services = runtime.account.services_by_name()
    sids = [services[one.name].sid if one.name in services else None for one in wanted.services]

    def decide() -> Plan:
        entries, world = pool_plan.compute(runtime, wanted, prune=prune)
        return continued(runtime, plan_of(entries, world)).asking(
            lambda _: [heading(runtime, "Apply", Role.NAME(wanted.name))]
        )

    names = [one.name for one in wanted.services]
    job = account_job("apply", list(dict.fromkeys(sids)), services, decide, names)
    finish(runtime, SERVICE_RESULT, carry_out(runtime, job), rest)


def account_job(
    command: str,
    sids: Sequence[str | None],
    services: Mapping[str, Service],
    decide: Callable[[], Plan],
    names: Sequence[str],
) -> Job:
    """Return the job of a plan for Services of the account."""
    only = next((one for one in services.values() if [one.sid] == list(sids)), None)
    return Job(command, sids, decide, service=only, names=names, shape=SERVICE_RESULT)
