"""What would take live service away, or would not fit: found on paper before anything is sent. Pure.

One table of rules holds for every plan. A rule refuses the run, or the chains that carry its name as a risk.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import NamedTuple

from proxyctl.bulk.outcomes import Result
from proxyctl.errors import ProxyctlError, RefusedError, reworded
from proxyctl.text import counted
from proxyctl.writes.flow import Flow, NoRoomError
from proxyctl.writes.plan import Chain, Entry, Plan, Room, refused
from proxyctl.writes.requests import CREATE_SERVICE, SPREAD, Request, Seen


class Rule(NamedTuple):
    """A rule that `--allow NAME` permits: what it refuses, and which commands it concerns."""

    refuses: str
    commands: tuple[str, ...]


NO_UNRESERVED = "no-unreserved"
LOSE_HALF = "lose-half"
LEAVE_FIRST = "leave-first"
LEAVE_MESSAGING = "leave-messaging"
TAKE_OVER = "take-over"
IN_USE = "in-use"
NEW_SERVICE = "new-service"
EMPTY_INPUT = "empty-input"
BULK = ("add", "reserve", "release", "remove", "drain", "move", "webhooks")
RULES = {
    NO_UNRESERVED: Rule(
        "A Service would lose its last unreserved number. Proxy could give no participant a number.",
        ("add", "reserve", "drain", "remove", "move", "webhooks", "apply"),
    ),
    LOSE_HALF: Rule(
        "A pool would lose more than half of its numbers, or of its unreserved ones.",
        ("apply",),
    ),
    LEAVE_FIRST: Rule(
        "A pool is full. Numbers would have to leave before their replacements are there.",
        ("apply",),
    ),
    LEAVE_MESSAGING: Rule(
        "A number in a Messaging Service would leave its pool. No pool takes it back while it is in there.",
        ("remove", "drain", "move", "apply", "undo", "service delete"),
    ),
    TAKE_OVER: Rule(
        "A number that another application uses would join a pool.",
        ("add", "reserve", "apply", "undo"),
    ),
    IN_USE: Rule(
        "A number with open Sessions would be removed, or a Service with open Sessions deleted.",
        ("remove", "move", "apply", "undo", "service delete"),
    ),
    NEW_SERVICE: Rule(
        "A Service would be created that resembles an existing one, or that takes numbers from another.",
        ("apply",),
    ),
    EMPTY_INPUT: Rule("A file holds no number.", (*BULK, "plan", "apply")),
}


def guard(plan: Plan, allowed: Collection[str] = ()) -> Plan:
    """Return the plan as it may be carried out. RefusedError: what it wants does not fit, in no order.

    ``allowed`` are names of `RULES` that the user lifted. Chains at any other risk become refusals.
    """
    plan = refusing_risks(plan, allowed)
    over = list(too_many(plan))
    if over:
        raise RefusedError(f"{'; '.join(over)}: nothing was sent.", hint=how_to_allow(plan))
    # On paper, a replacement that was refused is there: that it does not come is no want of room.
    paper = replace(plan, spares={room: n + plan.absent.get(room, 0) for room, n in plan.spares.items()})
    left = stuck(paper)
    if not left:
        return plan
    if stuck(replace(paper, capacities={})):
        # Numbers that change places between pools: in each, one may leave before another has come.
        exchanging = replace(plan, spares={room: max(1, count) for room, count in plan.spares.items()})
        if not stuck(exchanging):
            return exchanging
    without = replace(plan, spares={})
    lifted = not stuck(without)
    if lifted and LEAVE_FIRST in allowed:
        return without
    full = ", ".join(full_rooms(plan)) or "the pools"
    raise RefusedError(
        f"there is no room for {counted(len(left), 'change')} in any order: {full}. Nothing was sent "
        f"(rule {LEAVE_FIRST}).",
        hint=(
            f"--allow {LEAVE_FIRST} lets numbers leave before their replacements are there."
            if lifted
            else "Make room for them first: remove numbers, or move some to another Service."
        ),
    )


def refusing_risks(plan: Plan, allowed: Collection[str]) -> Plan:
    """Return the plan without the chains whose risks are not all permitted: they are refused."""

    def judged(entry: Entry) -> Entry:
        risk = next((one for one in getattr(entry, "risks", ()) if one.rule not in allowed), None)
        if not isinstance(entry, Chain) or risk is None:
            return entry
        return refused(entry, by_rule(risk.error, risk.rule))

    if not any(chain.risks for chain in plan.chains):
        return plan
    return replace(plan, entries=tuple(judged(entry) for entry in plan.entries))


def by_rule(error: ProxyctlError, rule: str) -> ProxyctlError:
    """Return the error of what a rule refuses: it names the rule, and ends with the option that permits it."""
    advice = f"{error.hint} " if error.hint else ""
    text = f"{error.message.rstrip('.')} (rule {rule})."
    return reworded(error, text, hint=f"{advice}--allow {rule} permits it.")


def stuck(plan: Plan) -> list[Chain]:
    """Return the chains that no order could carry out: walked on paper, as if every answer were good."""
    straight = [
        replace(chain, steps=tuple(replace(step, then=None) for step in chain.steps)) for chain in plan.chains
    ]
    flow = Flow(replace(plan, entries=tuple(straight)))
    works = deque(flow.start())
    while works:
        work = works.popleft()
        request: Request = work.payload.request
        seen = Seen({"sid": request.sid or request.name}, None)
        works.extend(flow.follow(Result(work.index, "done", request.verb.done, seen)))
    return [end.chain for end in flow.ends() if isinstance(end.error, NoRoomError)]


def after(plan: Plan) -> Counter[Room]:
    """Return how many each room would hold once all is done."""
    held: Counter[Room] = Counter({room: one.held for room, one in plan.capacities.items()})
    for chain in plan.chains:
        for step in chain.steps:
            if step.request.verb is not CREATE_SERVICE:
                held.update(step.takes)
                held.subtract(step.frees)
    return held


def too_many(plan: Plan) -> Iterator[str]:
    """Say what rooms would hold where that is more than they may, and more than they do."""
    held = after(plan)
    for room, one in plan.capacities.items():
        if (then := held[room]) > max(one.limit, one.held):
            yield f"{one.name} would hold {then} {things(room)} (now {one.held}, the limit is {one.limit})"


def full_rooms(plan: Plan) -> list[str]:
    """Return which rooms are full, and how many places are missing there."""
    texts = []
    for room, one in plan.capacities.items():
        wanted = sum(room in step.takes for chain in plan.chains for step in chain.steps)
        missing = wanted - one.free
        if one.open and wanted and missing > 0:
            texts.append(
                f"{one.name} holds {one.held} of {one.limit} {things(room)}, {counted(missing, 'place')} missing"
            )
    return texts


def things(room: Room) -> str:
    """Return what is counted in a room."""
    return "numbers" if room[1] == "senders" else f"{room[1]} numbers"


def how_to_allow(plan: Plan) -> str:
    """Return what to do where too many numbers are to be in one place."""
    if any(room[1] == "senders" for room in plan.capacities):
        return "Spread the numbers over several Messaging Services."
    return SPREAD
