"""What `pool plan` and `pool apply` do: read a pool file and the account, compare, and make the changes in one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from proxyctl.api.models import Service
from proxyctl.commands.in_transit import continued, numbers_left
from proxyctl.commands.listing import drawn, in_pages
from proxyctl.commands.number.given import rest_of
from proxyctl.commands.permission import allowed_rules
from proxyctl.commands.pool.plan_text import advice, diff, in_words, say_refused
from proxyctl.commands.report import CORRECT
from proxyctl.commands.run import Job, carry_out, finish, heading
from proxyctl.errors import AuthenticationError, CheckError, InputError, PartialError, RefusedError
from proxyctl.identifiers import is_sid
from proxyctl.input.refusal import notes_on
from proxyctl.pools.account import Account
from proxyctl.pools.desired import CHANGES, World, decide_file, other_services, plan_of
from proxyctl.pools.facts import problems_of_adds, senders_of, with_facts, with_problems
from proxyctl.pools.moves import by_way_of_messaging
from proxyctl.pools.poolfile import PoolFile, WantedService, read_pool_file
from proxyctl.render.shapes import PLANNED, SERVICE_RESULT
from proxyctl.roles import Role, lines_of
from proxyctl.runtime import Runtime
from proxyctl.text import Lines, command_line, counted, nearest
from proxyctl.writes.guard import EMPTY_INPUT, guard, refusing_risks
from proxyctl.writes.plan import Chain, Entry, NoOp, Plan, sids_of
from proxyctl.writes.requests import ADD

NEEDED = ("phone_number", "is_reserved", "in_use")  # of a number, to decide what happens to it


def plan(runtime: Runtime, file: str, *, prune: bool, exit_code: bool) -> None:
    """Print what applying ``file`` would change."""
    runtime.out.check(PLANNED)
    runtime.bound = True
    allowed, through = allowed_rules(runtime), runtime.options.through_messaging
    entries, world = compute(runtime, read(runtime, file), prune=prune)
    whole = with_facts(plan_of(entries, world), "apply", runtime.account, runtime.note_once, through=through)
    found = refusing_risks(whole, "apply", allowed)
    command = apply_command(runtime, file, prune=prune)
    changes = Counter(chain.change for chain in found.chains)
    runtime.counts = {**dict.fromkeys(CHANGES, 0), **changes, "refused": len(found.refused)}
    show(runtime, found, command)
    text = in_words(found)
    guard(found, "apply", allowed)
    if exit_code and (found.chains or found.refused):
        raise CheckError(
            f"the account differs from the file: {text}.", hint=f"'{command}' makes these changes."
        )
    if found.refused:
        say_refused(runtime, found)
        hints = advice(found) if drawn(runtime) else []
        few = f"{len(found.refused)} of {counted(len(found.chains) + len(found.refused), 'change')}"
        raise PartialError(
            f"{few} would fail{'' if drawn(runtime) else f' ({text})'}.", hint=Lines(*hints, CORRECT)
        )
    if not drawn(runtime):
        runtime.note(f"plan: {text}.")


def apply(runtime: Runtime, file: str, *, prune: bool) -> None:
    """Change the account to what ``file`` says; raises the error of the run."""
    runtime.out.check(SERVICE_RESULT)
    wanted = read(runtime, file)
    rest = rest_of(runtime, file, *wanted.files)
    runtime.guard_writes()
    services = runtime.account.services_by_name()
    sids = [services[one.name].sid if one.name in services else None for one in wanted.services]

    def decide() -> Plan:
        entries, world = compute(runtime, wanted, prune=prune)
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


def show(runtime: Runtime, found: Plan, command: str) -> None:
    """Print the plan: a diff and the ``command`` that applies it, or a row for each change."""
    rows = [row for entry in found.entries for row in rows_of(entry)]
    if not rows and runtime.options.silent:  # cron mails changes only
        return
    if drawn(runtime):
        applies = lines_of(f"  {command}") if found.chains else []
        runtime.out.lines([*diff(found, runtime.console.width), *applies])
    else:
        runtime.out.rows(PLANNED, in_pages(rows))


def apply_command(runtime: Runtime, file: str, *, prune: bool) -> str:
    """Return the command that applies the plan, with the options that it was made with."""
    allowed = [word for rule in allowed_rules(runtime) for word in ("--allow", rule)]
    through = ["--through-messaging"] if runtime.options.through_messaging else []
    return command_line("pool", "apply", file, *(["--prune"] if prune else []), *through, *allowed)


def read(runtime: Runtime, file: str) -> PoolFile:
    """Read and check the pool file. AuthenticationError: it is another account's."""
    wanted = read_pool_file(
        file,
        stdin=runtime.open_input(),
        default_country=runtime.options.default_country,
        allow_empty=EMPTY_INPUT in allowed_rules(runtime),
    )
    runtime.services = [one.name for one in wanted.services]
    if wanted.account_sid not in (None, runtime.profile.account_sid):
        raise AuthenticationError(
            f"{wanted.name} belongs to account {wanted.account_sid}, and the profile {runtime.profile.name} to "
            f"{runtime.profile.account_sid}. Nothing was sent",
            hint="Name the profile of that account with -p. 'pool export --portable' writes a file for any account.",
        )
    for note in notes_on(wanted.noted):
        runtime.note(note)
    return wanted


def compute(runtime: Runtime, wanted: PoolFile, *, prune: bool) -> tuple[list[Entry], World]:
    """Read the account, and decide the changes. Refuse those that can't be made."""
    account = runtime.account
    check_sids(wanted, account.services())
    known = account.services_by_name()
    for name in [one.name for one in wanted.services if one.name not in known]:
        if near := nearest(name, known):
            runtime.note(f"Service {name} does not exist yet. Did you mean {near}?")
    world = read_world(account, wanted.services)
    entries = decide_file(wanted.services, world, prune=prune)
    entries = with_problems(entries, problems_of_adds(entries, account, runtime.note_once))
    senders = senders_of(account, sids_of(entries, "move"), runtime.note_once)
    left = numbers_left(runtime, [service.sid for service in world.services.values()])
    through = runtime.options.through_messaging
    return by_way_of_messaging(entries, senders, left, through=through), world


def read_world(account: Account, wanted: Sequence[WantedService]) -> World:
    """Read the pools that the file names, and find the Services that hold the numbers missing there.

    Where nothing is missing, no other pool is read.
    """
    services = account.services_by_name()
    names = {
        services[one.name].sid: one.name for one in wanted if one.numbers is not None and one.name in services
    }
    pools = {names[sid]: pool for sid, pool in account.pools(names, fields=NEEDED)}
    held = {key for pool in pools.values() for key in (*pool.by_sid, *pool.by_number)}
    missing = [item for one in wanted for item in one.numbers or () if item.name not in held]
    others = {service.sid: name for name, service in services.items() if name not in pools}
    elsewhere = {
        key: holder
        for _, holder in account.holders(missing, others)
        for key in (holder.number.sid, holder.number.phone_number)
        if key is not None
    }
    return World(services, pools, elsewhere)


def check_sids(wanted: PoolFile, services: Sequence[Service]) -> None:
    """Raise an error where a table is named by a SID, or its ``sid`` is that of a Service that is gone or renamed."""
    for name in [one.name for one in wanted.services if is_sid("KS", one.name)]:
        own = next((service.name for service in services if service.sid == name), "NAME")
        raise InputError(
            f"{wanted.name} names the Service {name} by its SID. Nothing was sent",
            hint=f"Write [services.{own}], with its unique name.",
        )
    strangers = list(other_services(wanted.services, services))
    if strangers:
        facts, advice = zip(*strangers, strict=True)
        raise RefusedError(
            Lines(f"{wanted.name} names other Services. Nothing was sent", *facts),
            hint=" ".join(advice),
        )


def rows_of(entry: Entry) -> list[dict[str, Any]]:
    """Return the rows of one entry of the plan: one a field that changes; none for what is as wanted."""
    error = entry.error if isinstance(entry, NoOp) else None
    of_service = entry.change in ("create", "update")
    created = {"unique_name": entry.service} if entry.change == "create" else {}
    if isinstance(entry, NoOp):
        if error is None:
            return []
        before = seen = entry.seen or {}
        after: Mapping[str, Any] = created or {"is_reserved": entry.item.is_reserved}
    else:
        before = entry.before or {}
        seen = {} if entry.request.verb is ADD or of_service else before
        wanted = next((one.request.wanted for one in reversed(entry.steps) if one.request.wanted), {})
        after = {"is_reserved": wanted.get("is_reserved")}
        if of_service:
            after = {**created, **entry.request.wanted}
    number = seen.get("phone_number") or entry.item.phone_number
    return [
        {
            "service": entry.service,
            "change": entry.change if error is None else "refused",
            "sid": seen.get("sid") or entry.item.sid,
            "phone_number": None if of_service else number,
            "field": field,
            "before": before.get(field),
            "after": value,
            "from_service": entry.source if isinstance(entry, Chain) else None,
            "problem": None if error is None else error.message,
        }
        for field, value in after.items()
    ]
