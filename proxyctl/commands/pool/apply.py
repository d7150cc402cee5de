"""What `pool apply` does: carry out, in one run, what leads from the account to what a pool file says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from proxyctl.api.resources import Service
from proxyctl.commands.pool import plan as pool_plan
from proxyctl.commands.run import Job, carry_out, check_failed_to, finish, of_account
from proxyctl.commands.sending import continued
from proxyctl.pools.desired import changes_of, plan_of, shown, touched
from proxyctl.render.shapes import SERVICE_RESULT
from proxyctl.runtime import Runtime
from proxyctl.text import counted
from proxyctl.writes.plan import Chain, Entry, Plan

SENDING = {"attach": "put {} into a Messaging Service", "detach": "take {} out of a Messaging Service"}


def apply(runtime: Runtime, file: str, *, prune: bool) -> None:
    """Change the account to what ``file`` says; raises the error that the run ends with."""
    runtime.out.check(SERVICE_RESULT)
    wanted = pool_plan.read(runtime, file)
    failed_to = check_failed_to(runtime, file, *wanted.files)
    runtime.guard_writes()
    services = runtime.account.services_by_name()
    sids = [services[one.name].sid if one.name in services else None for one in wanted.services]

    def decide() -> Plan:
        entries, world = pool_plan.compute(runtime, wanted, prune=prune)
        return continued(runtime, plan_of(entries, world)).asking(
            lambda plan: confirmation(runtime, plan.entries)
        )

    names = [one.name for one in wanted.services]
    job = account_job("apply", list(dict.fromkeys(sids)), services, decide, names)
    finish(runtime, SERVICE_RESULT, carry_out(runtime, job), failed_to)


def account_job(
    command: str,
    sids: Sequence[str | None],
    services: Mapping[str, Service],
    decide: Callable[[], Plan],
    names: Sequence[str],
) -> Job:
    """Return the job of a plan for Services of the account."""
    only = next((one for one in services.values() if [one.sid] == list(sids)), None)
    return Job(command, sids, decide, service=only, names=names)


def confirmation(runtime: Runtime, entries: Sequence[Entry]) -> str:
    """Say what will be done, to which Services, and as whom."""
    names = touched(entries)
    lines = [f"This changes {counted(len(names), 'Service')} {of_account(runtime)}:"]
    chains = [entry for entry in entries if isinstance(entry, Chain)]
    for name in names:
        lines += [f"  {name}: {text}" for text in changes_text(chains, name)]
    return "\n".join(lines)


def changes_text(chains: Sequence[Chain], name: str) -> list[str]:
    """Say what changes in one Service: its settings one by one, its numbers by their count."""
    lines = []
    counts: Counter[str] = Counter()
    for chain in chains:
        if chain.service != name:
            continue
        if chain.change == "create":
            settings = ", ".join(f"{key} {shown(value)}" for key, value in chain.request.wanted.items())
            lines.append(f"create it, with {settings}" if settings else "create it")
        elif chain.change == "update":
            lines += changes_of(chain)
        else:
            words = SENDING.get(chain.change, f"{chain.change} {{}}")
            counts[f"move {{}} here from {chain.source}" if chain.source else words] += 1
    lines += [words.format(counted(count, "number")) for words, count in counts.items()]
    going = sum(1 for chain in chains if chain.source == name)
    return [*lines, *([f"{counted(going, 'number')} move to other Services"] if going else [])]
