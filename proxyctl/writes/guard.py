"""What would not fit, found on paper before anything is sent. Pure: one table of rules over every plan."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterator
from dataclasses import replace

from proxyctl.bulk.outcomes import Result
from proxyctl.errors import RefusedError
from proxyctl.text import counted
from proxyctl.writes.flow import Flow, NoRoomError
from proxyctl.writes.plan import Chain, Plan, Room
from proxyctl.writes.requests import CREATE_SERVICE, SPREAD, Request, Seen

LEAVE_FIRST = "leave-first"
RULES = {
    LEAVE_FIRST: "numbers would have to leave a full pool before their replacements are there",
}


def guard(plan: Plan, allowed: Collection[str] = ()) -> Plan:
    """Return the plan as it may be carried out. RefusedError: what it wants does not fit, in no order.

    ``allowed`` are names of `RULES` that the user lifted.
    """
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
