"""What the writing commands of `service` do: create, update and delete."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from proxyctl.api.codes import SERVICE_NAME_TAKEN
from proxyctl.api.models import ACTIVE, Service
from proxyctl.api.resources import SESSIONS
from proxyctl.commands.in_transit import forget, refuse_in_transit
from proxyctl.commands.listing import drawn
from proxyctl.commands.number.given import titled
from proxyctl.commands.report import End
from proxyctl.commands.run import Job, carry_out, finish_one, heading, of_account, show_one
from proxyctl.commands.saved_file import restoring, save
from proxyctl.completion.names import forget_service, remember_service
from proxyctl.errors import ProxyctlError, RefusedError, UsageError
from proxyctl.identifiers import argument
from proxyctl.input.items import Item
from proxyctl.pools.desired import changes_of, create_chain, delete_chain, update_chain
from proxyctl.pools.facts import senders_of
from proxyctl.pools.pool import Pool
from proxyctl.render.shapes import SERVICE, SERVICE_RESULT
from proxyctl.roles import Line, Role, cells, line
from proxyctl.runtime import Runtime
from proxyctl.text import command_line, counted, folded
from proxyctl.writes.guard import IN_USE, LEAVE_MESSAGING
from proxyctl.writes.plan import Chain, NoOp, Plan, at_risk
from proxyctl.writes.requests import same


def create(runtime: Runtime, name: str, *, if_not_exists: bool, **settings: Any) -> None:
    """Create a Service and print it; with ``if_not_exists`` print the one that has the name already."""
    runtime.out.check(SERVICE)
    runtime.guard_writes()
    existing = runtime.account.service_named(name) if if_not_exists else None
    if existing is None:
        note_alike(runtime, name)
    item = Item(name, None, None)
    entry = create_chain(name, item, settings) if existing is None else NoOp(item, existing.raw)

    def show_ended(end: End) -> None:
        if existing is not None:
            note_existing(runtime, existing, settings)
        else:
            runtime.note(f"created Service {titled(Service(dict(end.seen or {})))} {of_account(runtime)}.")
        show(runtime, end)

    plan = Plan((entry,))
    job = Job("service create", [], lambda: plan, "created", True, names=[name], shape=SERVICE_RESULT)
    try:
        finish_one(runtime, carry_out(runtime, job), show_ended)
    except RefusedError as error:
        taken = error.problem is not None and error.problem.code == SERVICE_NAME_TAKEN
        existing = runtime.account.service_named(name) if if_not_exists and taken else None
        if existing is None:
            raise
        show_ended(End(item, "unchanged", existing.raw))


def note_alike(runtime: Runtime, name: str) -> None:
    """Note each Service whose name is easily confused with ``name``."""
    for other in (one.unique_name or "" for one in runtime.account.services()):
        if other != name and folded(other) == folded(name):
            runtime.note(f"Service {other} exists. Its name differs only in case, blanks, '-' or '_'.")


def show(runtime: Runtime, end: End) -> None:
    """Print the Service that a run made, changed, or found."""
    remember_service(runtime, dict(end.seen or {}))
    show_one(runtime, SERVICE, end)


def note_existing(runtime: Runtime, existing: Service, settings: Mapping[str, Any]) -> None:
    """Note that a Service exists, and where it differs from the options."""
    runtime.note(f"Service {existing.unique_name} exists already ({existing.sid}). It was not changed.")
    for field, wanted in settings.items():
        if not same(wanted, there := existing.raw.get(field)):
            option = "--" + field.replace("_", "-")
            command = command_line("service", "update", existing.sid, option, str(wanted))
            found = "empty" if there in (None, "") else there
            runtime.note(f"  {field} is {found}, not {wanted}: '{command}' changes it.")


def update(runtime: Runtime, service_name: str, *, clear: Sequence[str] | None, **settings: Any) -> None:
    """Change what differs from the settings that were given, say how it was, and print the Service."""
    cleared = [field.replace("-", "_") for field in clear or ()]
    wanted = {**settings, **dict.fromkeys(cleared, "")}
    if not wanted:
        hint = "Give at least one setting. See 'proxyctl service update -h'."
        raise UsageError("nothing to update was given.", hint=hint)
    for field in settings.keys() & set(cleared):
        raise UsageError(f"{field} is set and cleared.", hint="Leave one of the two options out.")
    runtime.out.check(SERVICE)
    runtime.guard_writes()
    service = runtime.account.service(service_name)
    current = reread(runtime, service)

    def decide() -> Plan:
        now = current()
        item = Item(service_name, now.sid, None)
        changed = {key: value for key, value in wanted.items() if not same(value, now.raw.get(key))}
        if not changed:
            return Plan((NoOp(item, now.raw),))
        chain = update_chain(now, item, changed)
        if not (runtime.options.dry_run and drawn(runtime)):  # else the plan shows it
            runtime.note_once(*changes_of(chain))
        return Plan((chain,))

    def show_updated(end: End) -> None:
        done = "updated" if end.action == "updated" else "nothing to update in"
        runtime.note(f"{done} Service {titled(service)} {of_account(runtime)}.")
        show(runtime, end)

    job = Job("service update", [service.sid], decide, "updated", True, service, shape=SERVICE_RESULT)
    finish_one(runtime, carry_out(runtime, job), show_updated)


def reread(runtime: Runtime, service: Service) -> Callable[[], Service]:
    """Return what returns the Service as it was read, and read again after a question or a wait for the lock."""
    fresh = [] if runtime.options.lock_wait else [service]
    return lambda: fresh.pop() if fresh else runtime.account.service(service.sid)


def delete(runtime: Runtime, service_name: str) -> None:
    """Show what deleting would end, ask for the unique name, save what can be saved, and delete."""
    runtime.guard_writes()
    service = runtime.account.service(service_name)
    current = reread(runtime, service)
    losses: list[Loss] = []
    saved: list[str] = []

    def decide() -> Plan:
        refuse_in_transit(runtime, service.sid, titled(service))
        losses[:] = [read_loss(runtime, current())]
        chain = losses[0].at_risk(delete_chain(losses[0].service, Item(service_name, service.sid, None)))
        return Plan((chain,)).asking(lambda _: losses[0].lines(runtime))

    def save_service(runtime: Runtime, plan: Plan) -> None:
        path = save(runtime, [(losses[0].service, losses[0].pool)])
        if path is not None:
            stuck = counted(len(losses[0].senders), "number") if losses[0].senders else ""
            first = f" {stuck} must leave Messaging Services first." if stuck else ""
            does = f"'{restoring(path)}' creates a Service of this name, with its settings and numbers."
            saved.append(f"saved to {path}: {does}{first} It gets another SID, and has no Sessions.")
            runtime.note(*saved)
        forget(runtime, service.sid)

    def say_deleted(end: End) -> None:
        forget_service(runtime, service.sid)
        runtime.note(f"deleted Service {titled(service)} {of_account(runtime)}.")

    job = Job("service delete", [service.sid], decide, "deleted", True, service, save_service, service.name)
    job = replace(job, shape=SERVICE_RESULT)
    try:
        finish_one(runtime, carry_out(runtime, job), say_deleted)
    except ProxyctlError:
        for text in saved if runtime.options.quiet else ():  # it may be gone: the file is all that is left
            runtime.say(text)
        raise


@dataclass(frozen=True, slots=True)
class Loss:
    """What goes with a Service. ``senders``: which numbers are in a Messaging Service, with its name."""

    service: Service
    pool: Pool
    sessions: int
    senders: Mapping[str, str]

    @property
    def in_use(self) -> int:
        """How many numbers are in use."""
        return sum(1 for number in self.pool.by_sid.values() if number.in_use)

    def at_risk(self, chain: Chain) -> Chain:
        """Return the chain with what the rules of the guard refuse it for."""
        service = titled(self.service)
        if self.sessions or self.in_use:
            sessions = counted(self.sessions, "open Session")
            text = f"Service {service} has {sessions} and {counted(self.in_use, 'number')} in use."
            name = argument(self.service.unique_name, self.service.sid)
            listed = command_line("number", "list", name, "-o", "ids")
            drain = command_line("number", "drain", name, "-f", "-", "--wait")
            error = RefusedError(text, hint=f"'{listed} | {drain}' waits for them.")
            chain = at_risk(chain, IN_USE, error)
        if self.senders:
            numbers = counted(len(self.senders), "number")
            text = f"Service {service} has {numbers} in a Messaging Service, which no pool takes back."
            chain = at_risk(chain, LEAVE_MESSAGING, RefusedError(text))
        return chain

    def lines(self, runtime: Runtime) -> list[Line]:
        """Say what goes: numbers, of them in use, open Sessions, and what is lost for good."""
        service = self.service
        rows = [
            ("numbers that become free", len(self.pool.by_sid), ""),
            ("in use now", self.in_use, counted(self.sessions, "Session") if self.sessions else ""),
        ]
        for name, count in sorted(Counter(self.senders.values()).items()):
            rows.append((f"stuck in {name}", count, "can't rejoin Proxy until they leave it"))
        longest = max(cells(label) for label, _, _ in rows)
        digits = max(len(str(count)) for _, count, _ in rows)
        return [
            heading(runtime, "Delete", Role.NAME(service.name), sids=[service.sid]),
            *(
                line(f"  {label}{' ' * (longest - cells(label))}    {count:>{digits}}   {note}", hang=6)
                for label, count, note in rows
            ),
            line("  Its Sessions, participants and interactions are deleted for good.", hang=2),
            line("  The Message and Call SIDs of its Interactions can't be found afterwards.", hang=2),
            line("  Its settings and numbers are saved to a file first.", hang=2),
        ]


def read_loss(runtime: Runtime, service: Service) -> Loss:
    """Read what goes with a Service."""
    pool = runtime.account.pool(service.sid)
    rows = runtime.access.reader.rows(SESSIONS.list(service.sid))
    sessions = sum(row.get("status") in ACTIVE for row in rows)
    senders = senders_of(runtime.account, pool.by_sid, runtime.note)
    names = {sid: runtime.account.messaging_service(sid).name for sid in set(senders.values())}
    return Loss(service, pool, sessions, {number: names[sid] for number, sid in senders.items()})
