"""What the guard refuses of a run, and who permits it: an option, or a person at a prompt."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from proxyctl.errors import UsageError
from proxyctl.pools.facts import lost_areas, with_facts
from proxyctl.roles import Line, Role, line, lines_of
from proxyctl.runtime import Runtime
from proxyctl.text import counted
from proxyctl.writes.guard import RULES, TAKE_OVER, guard, needs
from proxyctl.writes.plan import Plan


def read_plan(
    runtime: Runtime, decide: Callable[[], Plan], command: str, service_sids: Sequence[str | None]
) -> Plan:
    """Decide, know whose the Services are where something is to be written, and read what the guard has to know."""
    plan = decide()
    for sid in service_sids if plan.chains else ():
        if sid is not None:
            runtime.access.reader.confirm_account(sid)
    through = runtime.options.through_messaging
    return with_facts(plan, command, runtime.account, runtime.note_once, through=through)


def guarded(runtime: Runtime, plan: Plan, command: str, permitted: Collection[str]) -> Plan:
    """Return the plan as it may be carried out. Warn of areas that lose all numbers, and note lost webhooks.

    ``permitted`` are the rules that a person permitted in this run.
    """
    plan = guard(plan, command, {*allowed_rules(runtime), *permitted})
    for text in lost_areas(plan):
        runtime.warn(f"{text}.")
    lost = sum(risk.rule == TAKE_OVER for chain in plan.chains for risk in chain.risks)
    if lost and runtime.options.no_history:
        runtime.note(f"--no-history: the webhooks of {counted(lost, 'number')} can't be kept.")
    return plan


def in_question(
    runtime: Runtime, plan: Plan, command: str, permitted: Collection[str]
) -> tuple[Plan, list[Line]]:
    """Return the plan with all permitted, and a line for each rule that it needs. RefusedError: no rule would help."""
    needed = needs(plan, command, {*allowed_rules(runtime), *permitted})
    texts = [lines_of(f"{need.why} (rule {need.rule}). {need.hint}".rstrip())[0] for need in needed]
    lines = [line("  ", Role.BAD("!"), " ", *text.pieces, hang=4) for text in texts]
    return guard(plan, command, RULES), lines


def allowed_rules(runtime: Runtime) -> Sequence[str]:
    """Return the rules that --allow names; UsageError for one that there is not."""
    allowed = runtime.options.allow or ()
    for name in allowed:
        if name not in RULES:
            hint = f"The rules are {', '.join(RULES)}."
            raise UsageError(f"--allow {name}: there is no such rule.", hint=hint)
    return allowed


def refuses(runtime: Runtime, rule: str, command: str, permitted: Collection[str]) -> bool:
    """Whether a rule concerns a command, and nobody permitted what it refuses."""
    return command in RULES[rule].commands and rule not in {*allowed_rules(runtime), *permitted}


def can_ask(runtime: Runtime) -> bool:
    """Whether a person may be asked: at a terminal, without --yes."""
    return runtime.console.interactive and not runtime.options.yes
