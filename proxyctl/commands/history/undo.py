"""What `history undo` does: compute the inverse of a run from its record and what is there now, and carry it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from proxyctl.api.models import ACTIVE, Service, Session
from proxyctl.commands import saved_file
from proxyctl.commands.history.show import load
from proxyctl.commands.number.given import Rest, rest_of
from proxyctl.commands.pool.plan import account_job
from proxyctl.commands.run import Job, carry_out, finish, heading
from proxyctl.commands.session.holders import in_words
from proxyctl.errors import NotFoundError, RefusedError, UsageError
from proxyctl.identifiers import SERVICE, argument, is_sid
from proxyctl.pools import undo as undoing
from proxyctl.pools.desired import World, plan_of
from proxyctl.pools.facts import minding_senders, senders_of
from proxyctl.pools.versions import Since
from proxyctl.pools.webhooks import kept_by, restoring_webhooks
from proxyctl.render.shapes import SERVICE_RESULT, SESSION_RESULT
from proxyctl.roles import Role, line
from proxyctl.runtime import Runtime
from proxyctl.sessions.decide import request_of
from proxyctl.sessions.reading import sessions_named
from proxyctl.state.record import ItemRecord, RunDetail
from proxyctl.text import command_line, cut
from proxyctl.writes import requests
from proxyctl.writes.plan import Chain, Entry, NoOp, Plan, Step, sids_of

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
    sids = [sid for sid in undoing.services_of(detail.items, only) if is_sid(SERVICE, sid)]
    if not sids:
        raise not_undone(runtime, detail)
    runtime.guard_writes()
    say_created(runtime, detail)

    def decide() -> Plan:
        services = existing(runtime, sids)
        names = {service.sid: name for name, service in services.items()}
        pools = {names[sid]: pool for sid, pool in runtime.account.pools(names)}
        pointed = [
            undoing.item_of(one) for one in detail.items if one.intent.action == requests.SET_WEBHOOKS.name
        ]
        owned = runtime.account.own_numbers(pointed)
        world = World(services, pools, owned=owned, senders=senders_there(runtime, detail))
        entries = undoing.inverse(detail, since(runtime, detail), world)
        senders = senders_of(runtime.account, sids_of(entries, *undoing.MOVING), runtime.note_once)
        through = runtime.options.through_messaging
        entries = minding_senders(entries, senders, "add", "move", through=through)
        entries = restoring_webhooks(entries, kept_by(detail.items), runtime.profile.account_sid)
        ran = line("  ", Role.FAINT(cut(detail.run.command or "?", SHOWN_COMMAND)), hang=4)
        plan = undoing.restoring(plan_of(entries, world, replacing=False), detail)
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
        if item.intent.action == requests.DELETE_SERVICE.name and item.happened != "no":
            text = f"run {run} is the deletion of Service {item.intent.service}, which undo can't take back."
            path = saved_file.recreating(runtime, item.intent.service_sid or "")
            if path is not None:
                hint = f"'{saved_file.restoring(path)}' creates a Service of this name, with its settings and numbers."
    return RefusedError(text, hint=hint)


def senders_there(runtime: Runtime, detail: RunDetail) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Read the Messaging Services that a run changed; one that is gone has no numbers."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for messaging in undoing.messaging_services_of(detail.items):
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
        if item.intent.action == requests.CREATE_SERVICE.name:
            name = item.intent.service or item.intent.input
            sid = item.intent.service_sid or (item.outcome and item.outcome.service_sid) or "SERVICE"
            delete = command_line("service", "delete", argument(name, sid))
            runtime.note(f"Service {name} is kept. '{delete}' deletes it.")


# Sessions


def of_sessions(records: Sequence[ItemRecord]) -> list[ItemRecord]:
    """Return the records of what can be taken back of Sessions; what a failed create closed again stays closed."""
    actions = {one.intent.action for one in records}
    if requests.CREATE_SESSION.name in actions:
        return []
    taken = (requests.CLOSE_SESSION.name, requests.UPDATE_SESSION.name)
    return [one for one in records if one.intent.action in taken and one.happened != "no"]


def undo_sessions(
    runtime: Runtime, detail: RunDetail, records: Sequence[ItemRecord], since: Since, rest: Rest
) -> None:
    """Take back what a run did to Sessions; raises the error that the run ends with."""
    runtime.guard_writes()
    service = runtime.account.service(detail.run.service_sid or records[0].intent.service_sid or "")
    found: dict[str, Session] = {}

    def decide() -> Plan:
        found.update(sessions_named(runtime.access.reader, service.sid, [one.sid or "" for one in records]))
        entries = [undone(one, found.get(one.sid or ""), service.sid, since) for one in records]
        title = [heading(runtime, "Undo", Role.NAME(f"run {detail.run.id}"), sids=[service.sid])]
        return Plan(tuple(entries)).asking(lambda _: title)

    job = Job(
        "undo", [service.sid], decide, "restored", None, service, undoes=detail.run.id, shape=SESSION_RESULT
    )
    report = carry_out(runtime, job)
    try:
        finish(runtime, SESSION_RESULT, report, rest)
    except RefusedError as error:  # of the only one
        raise in_words(runtime, service, error, next(iter(found), "")) from None


def undone(record: ItemRecord, session: Session | None, service_sid: str, since: Since) -> Entry:
    """Decide for one Session. What was open becomes in-progress: the API opens a closed one no other way."""
    item = undoing.item_of(record)
    if session is None:
        text = f"{item.input} can't be undone: the Session does not exist any more."
        return NoOp(item, error=NotFoundError(text, hint="A deleted Session can't be restored."))
    to_do, others, _ = undoing.fields_back(record, session.raw, record.intent.before or ())
    if to_do.get("status") in ACTIVE and session.is_active:
        to_do = {key: to_do[key] for key in to_do if key != "status"}
        others = [key for key in others if key != "status"]
    if not to_do:
        return NoOp(item, session.raw, note="as it was already")
    how = f"its {', '.join(others)}" if others else None
    error = undoing.changed_since(item.input, [record], since, session.raw, how)
    if error is not None:
        return NoOp(item, session.raw, error)
    if to_do.get("status") in ACTIVE:
        to_do["status"] = "in-progress"
    verb = requests.CLOSE_SESSION if to_do == {"status": "closed"} else requests.UPDATE_SESSION
    request = request_of(verb, service_sid, session, to_do)
    return Chain(item, (Step(request),), "update", "restored", service=request.name)
