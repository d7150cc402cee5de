"""What --dry-run prints of a plan: a row for each item, the requests with --requests, or a diff at a terminal. What the
API would refuse is read beforehand, as far as reading shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from proxyctl.commands.listing import drawn
from proxyctl.commands.pool.plan_text import diff, is_diff, plain
from proxyctl.commands.report import End, no_op_end
from proxyctl.errors import InputError, RefusedError
from proxyctl.pools.desired import adds, problems_of_adds, with_problems
from proxyctl.pools.facts import own_records, senders_of
from proxyctl.render.shape import Shape
from proxyctl.runtime import Runtime
from proxyctl.text import CHANGED, command_line, first_of
from proxyctl.writes.plan import Entry, NoOp, Plan

REQUEST = Shape.generic("request", ("method", "path", "form"), id_field="path")
WOULD = {word: f"would_{word.removesuffix('d')}" for word in CHANGED}
WOULD |= {"added": "would_add", "sent": "would_send"}


def foreseen(runtime: Runtime, plan: Plan) -> Plan:
    """Return the plan with what the API would refuse: numbers that the account lacks, or that can't join a pool."""
    joining, account, note = adds(plan.entries), runtime.account, runtime.note_once
    owned = own_records(account, joining, note) if joining else None
    if owned is None:
        return plan
    senders = senders_of(account, {number.sid for number in owned.values()}, note)
    problems = problems_of_adds(joining, owned, senders)
    targets = {chain.request.parent for chain in plan.chains}
    others = {
        sid: name for name, one in account.services_by_name().items() if (sid := one.sid) not in targets
    }
    for item, holder in account.holders([one for one in joining if one.name not in problems], others):
        text = f"{item.shown} is in the pool of Service {holder.name} ({holder.service_sid})."
        move = command_line("number", "move", item.name, "--from", holder.service_sid, "--to", "SERVICE")
        problems[item.name] = RefusedError(text, hint=f"'{move}' moves it.")
    return replace(plan, entries=tuple(with_problems(plan.entries, problems)))


def show_plan(runtime: Runtime, plan: Plan, shape: Shape, place: str, *, requests: bool) -> None:
    """Print what a plan would do; nothing is sent."""
    if not runtime.options.silent:
        if requests:
            calls = [step.request.call() for chain in plan.chains for step in chain.foreseen]
            rows = [{"method": call.method, "path": call.path, "form": dict(call.data)} for call in calls]
            runtime.out.rows(REQUEST, [rows])
        elif drawn(runtime):
            runtime.out.lines(diff(plan, runtime.console.width, place) if is_diff(plan) else [])
        else:
            fields = set(shape.fields)
            ends = [end_of(entry).row() for entry in plan.entries]
            runtime.out.rows(shape, [[{key: row[key] for key in row if key in fields} for row in ends]])
    say_refused(runtime, plan)
    runtime.note(f"dry run: {plain(plan)}. Nothing was sent.")


def end_of(entry: Entry) -> End:
    """Return how an item would end."""
    if isinstance(entry, NoOp):
        end = no_op_end(entry)
        return end if entry.error is None else replace(end, action="would_fail")
    request, verbs = entry.request, [step.request.verb for step in entry.foreseen]
    deciding = [verb for verb in verbs if not verb.beside] or verbs
    done = entry.done or deciding[-1].done
    wanted: Mapping[str, object] = {"is_reserved": False} if entry.change == "add" else {}
    for step in entry.foreseen:
        wanted = {
            key: step.request.wanted[key] for key in step.request.wanted if key in ("is_reserved", "status")
        } or wanted
    known = {"sid": request.sid, "phone_number": request.phone_number}
    seen = {**{key: value for key, value in known.items() if value}, **(entry.before or {}), **wanted}
    return End(entry.item, WOULD.get(done, done), seen, service=entry.service)


def say_refused(runtime: Runtime, plan: Plan) -> None:
    """Say what of a plan would fail, if no diff shows it: the first 20, and the count of the rest."""
    if drawn(runtime):
        return
    lines = []
    for entry in plan.refused:
        if not isinstance(entry.error, InputError):  # named already
            hint = getattr(entry.error, "hint", None)
            lines.append(f"{entry.item.shown}: would fail: {entry.error}{f' {hint}' if hint else ''}")
    runtime.say(*first_of(lines, "more would fail."))


def advice(plan: Plan) -> list[str]:
    """Return what to do about each kind of refusal, once."""
    hints = [hint for entry in plan.refused if (hint := getattr(entry.error, "hint", None))]
    return list(dict.fromkeys(hints))
