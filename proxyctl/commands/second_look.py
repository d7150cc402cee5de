"""What a run checks after its last request, since others may have been there meanwhile, and how it corrects that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from proxyctl.bulk.outcomes import RunReport
from proxyctl.commands.report import held_elsewhere, together
from proxyctl.commands.sending import Journal, run_engine
from proxyctl.errors import PartialError, ProxyctlError, RefusedError, reworded
from proxyctl.input.items import Item
from proxyctl.pools.decide import InMessagingError, through
from proxyctl.pools.facts import giving_back, has_unreserved, rooms_left
from proxyctl.pools.moves import move_command
from proxyctl.runtime import Runtime
from proxyctl.writes.flow import Flow, Progress
from proxyctl.writes.guard import NO_UNRESERVED, by_rule
from proxyctl.writes.plan import Chain, Plan, Room, Step
from proxyctl.writes.requests import ADD

PATIENCE = 60.0  # seconds for reading where numbers are that are in no pool


class Correction(NamedTuple):
    """What corrects how an item ended, and its error then: where that is done, and where it is not (None: the same)."""

    end: Progress
    chain: Chain
    done: ProxyctlError
    not_done: ProxyctlError | None


Check = Callable[[Runtime, Sequence[Progress]], Sequence[Correction]]


def send_and_check(
    runtime: Runtime, plan: Plan, journal: Journal, check: Check, *, keeping: bool
) -> tuple[list[Progress], RunReport]:
    """Send a plan, then what ``check`` finds to be corrected; return how the chains ended, and the whole run.

    ``keeping``: no pool may lose its last unreserved number.
    """
    flow = Flow(plan)
    run = run_engine(runtime, flow, journal)
    ends = flow.ends()
    if isinstance(run.stopped_by, PartialError | None):  # a run that was stopped ends as it is
        corrections = check(runtime, ends)
        run = corrected(runtime, corrections, journal, run) if corrections else run
        run = keep_unreserved(runtime, plan, ends, journal, run) if keeping else run
    journal.arrived(ends)
    return ends, run


def corrected(
    runtime: Runtime, corrections: Sequence[Correction], journal: Journal, run: RunReport
) -> RunReport:
    """Send corrections, and let their items end so; return the report of both."""
    plan = Plan(tuple(one.chain for one in corrections))
    second = Flow(plan)
    journal.begin_round(plan, ())
    later = run_engine(runtime, second, journal)
    for one, outcome in zip(corrections, second.ends(), strict=True):
        correct(one, outcome)
    return together(run, later)


def correct(one: Correction, outcome: Progress) -> None:
    """Let an item end as its correction came out."""
    one.end.state = "unknown" if outcome.state == "unknown" else "failed"
    one.end.seen = outcome.seen or one.end.seen
    if outcome.state == "done":
        one.end.pending, one.end.error = [], one.done
    elif outcome.pending and not outcome.rolled_back:  # it is where it belongs, but for the last request
        one.end.pending, one.end.error = outcome.pending, outcome.error
    elif one.not_done is not None:
        why = f" ({outcome.error.message.rstrip('.')})" if outcome.error is not None else ""
        one.end.error = reworded(one.not_done, f"{one.not_done.message}{why}")


def stranded(runtime: Runtime, ends: Sequence[Progress]) -> list[Correction]:
    """Find numbers that left their pool and came into no other, since a Messaging Service has them, or had them.

    What can't be read stays as it was reported.
    """
    left = [end for end in ends if end.state == "failed" and end.pending and end.pending[0].verb is ADD]
    runtime.account.forget()
    try:
        holders = runtime.account.senders({end.pending[0].sid or "" for end in left}, within=PATIENCE)
    except ProxyctlError:
        return []
    return [found for end in left if (found := put_back(runtime, end, holders)) is not None]


def put_back(runtime: Runtime, end: Progress, holders: Mapping[str, str]) -> Correction | None:
    """Return what puts a number back into its pool; None where nothing says that it can be, or another pool has it."""
    request = end.pending[0]
    holder, trail = holders.get(request.sid or ""), request.kept.get("move")
    item = Item(request.name, request.sid, request.phone_number)
    if holder is None and not held_elsewhere(end, end.error):
        return None
    if trail is None or runtime.account.holder_of(item) is not None:
        return None
    where = f"Messaging Service {holder}" if holder is not None else "a Messaging Service"
    hint = "--through-messaging takes it out first, and puts it back in."
    meanwhile = RefusedError(f"{request.name} was put into {where} meanwhile.", hint=hint)
    if holder is None:
        return Correction(end, Chain(item, tuple(map(Step, end.pending))), meanwhile, None)
    hint = f"'{move_command(trail, [request.name], through=True)}' takes it out and adds it."
    no_way = InMessagingError(f"it is in {where}, so no pool takes it", hint=hint)
    return Correction(end, through(Chain(item, (Step(request),)), holder, holder), meanwhile, no_way)


# Unreserved numbers


def keep_unreserved(
    runtime: Runtime, plan: Plan, ends: Sequence[Progress], journal: Journal, run: RunReport
) -> RunReport:
    """Put back what the run did last to a pool whose other unreserved numbers others took meanwhile, until it has one.

    What can't be read stays as it is. Returns the report of the whole run.
    """
    taken: dict[Room, list[Progress]] = {}
    emptied = {room for room, one in plan.capacities.items() if one.may_empty}
    for end in ends:
        for room in {*rooms_left(end.chain)} - emptied if end.state == "done" else ():
            taken.setdefault(room, []).append(end)
    for room, those in taken.items():
        name = plan.capacities[room].name if room in plan.capacities else room[0]
        try:
            while those and not run.stopped_by:
                runtime.account.forget()
                if has_unreserved(runtime.account, room[0], [end.chain.request for end in those]):
                    break
                run = corrected(runtime, [given_back(those.pop(), room, name)], journal, run)
        except ProxyctlError as error:
            runtime.warn(f"whether {name} still has an unreserved number was not checked: {error.message}")
    return run


def given_back(end: Progress, room: Room, name: str) -> Correction:
    """Return what makes a number an unreserved one of its pool again."""
    item, meanwhile = end.chain.item, f"another run took the other unreserved numbers of {name} meanwhile"
    done = by_rule(RefusedError(f"{item.shown} was put back: {meanwhile}."), NO_UNRESERVED)
    not_done = RefusedError(f"{item.shown} could not be put back: {meanwhile}", hint=done.hint)
    return Correction(end, giving_back(end.chain, room, end.seen), done, not_done)
