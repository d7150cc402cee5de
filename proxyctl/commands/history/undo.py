"""What `history undo` does: compute the inverse of a run from its record and what is there now, and carry it out."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from proxyctl.api.models import Service
from proxyctl.commands import saved_file
from proxyctl.commands.history.sessions import of_sessions, undo_sessions
from proxyctl.commands.history.show import load
from proxyctl.commands.number.given import rest_of
from proxyctl.commands.pool.plan import account_job
from proxyctl.commands.run import carry_out, finish, heading
from proxyctl.errors import NotFoundError, RefusedError, UsageError
from proxyctl.identifiers import SERVICE, argument, is_sid
from proxyctl.pools.desired import World, plan_of
from proxyctl.pools.facts import minding_senders, senders_of
from proxyctl.pools.undo import MOVING, inverse, item_of, messaging_services_of, restoring, services_of
from proxyctl.pools.versions import Since
from proxyctl.pools.webhooks import kept_by, restoring_webhooks
from proxyctl.render.shapes import SERVICE_RESULT, SESSION_RESULT
from proxyctl.roles import Role, line
from proxyctl.runtime import Runtime
from proxyctl.state.record import RunDetail
from proxyctl.text import command_line, cut
from proxyctl.writes.plan import Plan, sids_of
from proxyctl.writes.requests import CREATE_SERVICE, DELETE_SERVICE, SET_WEBHOOKS

SHOWN_COMMAND = 120  # characters of a command in a question
LAST = "last"


def undo(runtime: Runtime, run_id: str) -> None:
    """Take back what a run did; raises the error that the run ends with."""
    detail = load(runtime, last_run(runtime) if run_id == LAST else run_id)
    runtime.out.check(SESSION_RESULT if of_sessions(detail.items) else SERVICE_RESULT)
    rest = rest_of(runtime)
    check(runtime, detail)
    only = detail.run.service_sid
    if records := of_sessions(detail.items):
        undo_sessions(runtime, detail, records, since(runtime, detail), rest)
        return
    # A move may name a Service that the run has made; its numbers name that by its SID.
    sids = [sid for sid in services_of(detail.items, only) if is_sid(SERVICE, sid)]
    if not sids:
        raise not_undone(runtime, detail)
    runtime.guard_writes()
    say_created(runtime, detail)

    def decide() -> Plan:
        services = existing(runtime, sids)
        names = {service.sid: name for name, service in services.items()}
        pools = {names[sid]: pool for sid, pool in runtime.account.pools(names)}
        pointed = [item_of(one) for one in detail.items if one.intent.action == SET_WEBHOOKS.name]
        owned = runtime.account.own_numbers(pointed)
        world = World(services, pools, owned=owned, senders=senders_there(runtime, detail))
        entries = inverse(detail, since(runtime, detail), world)
        senders = senders_of(runtime.account, sids_of(entries, *MOVING), runtime.note_once)
        through = runtime.options.through_messaging
        entries = minding_senders(entries, senders, "add", "move", through=through)
        entries = restoring_webhooks(entries, kept_by(detail.items), runtime.profile.account_sid)
        ran = line("  ", Role.FAINT(cut(detail.run.command or "?", SHOWN_COMMAND)), hang=4)
        plan = restoring(plan_of(entries, world, replacing=False), detail)
        return plan.asking(lambda _: [heading(runtime, "Undo", Role.NAME(f"run {detail.run.id}")), ran])

    services = existing(runtime, sids)
    job = account_job("undo", sids, services, decide, list(services))
    job = replace(job, undoes=detail.run.id, single=None)
    finish(runtime, SERVICE_RESULT, carry_out(runtime, job), rest)


def last_run(runtime: Runtime) -> str:
    """Return the ID of the account's last run that changed something, or may have."""
    account = runtime.profile.account_sid
    for run in runtime.history.runs():
        if run.account_sid == account and not run.idle:
            with suppress(NotFoundError):  # another process has rotated it away meanwhile
                if run.status == "running" or runtime.history.show(run.id).changed:
                    return run.id
    raise NotFoundError(
        f"no run on account {account} has changed anything.",
        hint="'proxyctl history list --all' lists all runs.",
    )


def not_undone(runtime: Runtime, detail: RunDetail) -> RefusedError:
    """Say that undo takes nothing back, and what creates a deleted Service again."""
    run = detail.run.id
    text = f"run {run} changed nothing that undo takes back."
    hint = f"'{command_line('history', 'show', run)}' shows its changes, with the values before."
    for item in detail.items:
        if item.intent.action == DELETE_SERVICE.name and item.happened != "no":
            text = f"run {run} is the deletion of Service {item.intent.service}, which undo can't take back."
            path = saved_file.recreating(runtime, item.intent.service_sid or "")
            if path is not None:
                hint = f"'{saved_file.restoring(path)}' creates a Service of this name, with its settings and numbers."
    return RefusedError(text, hint=hint)


def senders_there(runtime: Runtime, detail: RunDetail) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Read the Messaging Services that a run changed; one that is gone has no numbers."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for messaging in messaging_services_of(detail.items):
        found[messaging] = {}
        with suppress(NotFoundError):
            found[messaging] = {number.sid: number.raw for number in runtime.account.members(messaging)}
    return found


def since(runtime: Runtime, detail: RunDetail) -> Since:
    """Read what later runs changed of what a run changed."""
    found = Since(detail)
    for run in runtime.history.runs():
        if run.id <= detail.run.id:
            break
        if run.account_sid in (None, detail.run.account_sid):
            with suppress(NotFoundError):  # another process has rotated it away meanwhile
                found.take(runtime.history.show(run.id))
    return found


def check(runtime: Runtime, detail: RunDetail) -> None:
    """Refuse a run that can't be undone from here."""
    run = detail.run
    if run.account_sid is None:
        raise RefusedError(
            f"run {run.id} can't be undone: its record does not say on which account it was made."
        )
    if run.account_sid != runtime.profile.account_sid:
        raise UsageError(
            f"run {run.id} was made on account {run.account_sid}, not on {runtime.profile.account_sid}.",
            hint=f"Choose the profile that it used ({run.profile or 'none'}) with --profile.",
        )
    if run.status == "running":
        raise RefusedError(f"run {run.id} is still running.", hint="Wait until it ends, or stop it.")


def existing(runtime: Runtime, sids: list[str]) -> Mapping[str, Service]:
    """Return those Services that are left, by unique name. Raises NotFoundError where none is."""
    services = {name: one for name, one in runtime.account.services_by_name().items() if one.sid in sids}
    if not services:
        raise NotFoundError(
            f"Service {min(sids)}, which that run changed, does not exist any more.",
            hint="'proxyctl service list' shows those that are left.",
        )
    return services


def say_created(runtime: Runtime, detail: RunDetail) -> None:
    """Note the Services that the run made: they stay."""
    for item in detail.items:
        if item.intent.action == CREATE_SERVICE.name:
            name = item.intent.service or item.intent.input
            sid = item.intent.service_sid or (item.outcome and item.outcome.service_sid) or "SERVICE"
            delete = command_line("service", "delete", argument(name, sid))
            runtime.note(f"Service {name} is kept. '{delete}' deletes it.")
