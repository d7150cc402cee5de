"""What would take live service away, or would not fit: found on paper before anything is sent. Pure.

One table of rules holds for every plan. A rule refuses the run, or the chains that carry its name as a risk.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from proxyctl.bulk.outcomes import Result
from proxyctl.errors import ProxyctlError, RefusedError, reworded
from proxyctl.text import counted
from proxyctl.writes.flow import Flow, NoRoomError
from proxyctl.writes.plan import Capacity, Chain, Entry, Plan, Room, refused
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
        ("add", "reserve", "drain", "remove", "move", "webhooks", "apply", "undo"),
    ),
    LOSE_HALF: Rule(
        "A pool would lose more than half of its numbers, or of its unreserved ones.", ("apply",)
    ),
    LEAVE_FIRST: Rule(
        "A pool is full. Numbers would have to leave before their replacements are there.", ("apply",)
    ),
    LEAVE_MESSAGING: Rule(
        "A number in a Messaging Service would leave its pool. No pool takes it back while it is in there.",
        ("remove", "drain", "move", "apply", "undo", "service delete"),
    ),
    TAKE_OVER: Rule(
        "A number that another application uses would join a pool.", ("add", "reserve", "apply", "undo")
    ),
    IN_USE: Rule(
        "A number with open Sessions would be removed, or a Service with open Sessions deleted.",
        ("remove", "move", "apply", "undo", "service delete"),
    ),
    NEW_SERVICE: Rule(
        "A Service would be created that resembles an existing one, or that takes numbers from another.",
        ("apply",),
    ),
    EMPTY_INPUT: Rule("A file holds no number.", (*BULK, "session close", "session delete", "plan", "apply")),
}


class Need(NamedTuple):
    """A rule that has to be permitted for a plan to be carried out whole, and why."""

    rule: str
    why: str
    hint: str = ""


def guard(plan: Plan, command: str = "", allowed: Collection[str] = ()) -> Plan:
    """Return the plan as it may be carried out. RefusedError: it takes too much away, or does not fit, in no order.

    ``command`` is one of those that `RULES` name: a rule that does not concern it can't be permitted. ``allowed`` are
    names of `RULES` that the user permits. Entries at any other risk become refusals.
    """
    plan = refusing_risks(plan, command, allowed)
    over = list(too_many(plan))
    if over:
        senders = any(room[1] == "senders" for room in plan.capacities)
        hint = "Spread the numbers over several Messaging Services." if senders else SPREAD
        raise RefusedError(f"{'. '.join(over)}. Nothing was sent.", hint=hint)
    ordered, found = needs_of_run(plan, command)
    lost = [need for need in found if need.rule not in allowed]
    if lost:
        rules = list(dict.fromkeys(need.rule for need in lost))
        text = ". ".join(need.why for need in lost)
        named = f"{'rule' if len(rules) == 1 else 'rules'} {', '.join(rules)}"
        permits = " ".join(f"--allow {rule}" for rule in rules)
        raise RefusedError(f"{text}. Nothing was sent ({named}).", hint=f"{permits} permits it.")
    return ordered


def needs(plan: Plan, command: str, allowed: Collection[str]) -> list[Need]:
    """Return the rules that have to be permitted for the whole plan, besides ``allowed``."""
    risks: dict[str, list[ProxyctlError]] = {}
    for entry in plan.entries:
        for risk in entry.risks:
            if command in RULES[risk.rule].commands:
                risks.setdefault(risk.rule, []).append(risk.error)
    found = []
    for rule, (first, *others) in risks.items():
        more = f". And {len(others)} more" if others else ""
        found.append(Need(rule, f"{first.message.rstrip('.')}{more}", first.hint or ""))
    found += needs_of_run(refusing_risks(plan, command, RULES), command)[1]
    return [need for need in found if need.rule not in allowed]


def needs_of_run(plan: Plan, command: str) -> tuple[Plan, list[Need]]:
    """Return the plan in an order that fits, and the rules that refuse the run. RefusedError: there is no order."""
    ordered = in_order(plan)
    found = list(losses(ordered, command))
    if plan.spares and not ordered.spares:
        found.append(Need(LEAVE_FIRST, no_room(plan)))
    return ordered, found


# Entries at risk


def refusing_risks(plan: Plan, command: str, allowed: Collection[str]) -> Plan:
    """Return the plan without the entries whose risks are not all permitted: they are refused."""
    permittable = {rule for rule, one in RULES.items() if command in one.commands}
    permitted = permittable & set(allowed)
    dropped: list[Chain] = []

    def judged(entry: Entry) -> Entry:
        risk = next((one for one in entry.risks if one.rule not in permitted), None)
        if risk is None:
            return entry
        error = by_rule(risk.error, risk.rule) if risk.rule in permittable else risk.error
        if not isinstance(entry, Chain):
            return replace(entry, error=error, risks=())
        dropped.append(entry)
        return refused(entry, error)

    changed = replace(plan, entries=tuple(judged(entry) for entry in plan.entries))
    return without_replacements(changed, dropped) if dropped else changed


def without_replacements(plan: Plan, dropped: Iterable[Chain]) -> Plan:
    """Return the plan with its spares as they are now that ``dropped`` do not come or leave."""
    absent = Counter(plan.absent)
    for chain in dropped:
        absent.update({room: n for room, n in freed(chain).items() if room in plan.spares})
    leave = Counter(room for chain in plan.chains for step in chain.steps for room in step.takes)
    come = absent + sum((freed(chain) for chain in plan.chains), Counter())
    spares = {room: max(0, leave[room] - come[room]) for room in plan.spares}
    return replace(plan, spares=spares, absent=absent)


def freed(chain: Chain) -> Counter[Room]:
    """Return what a chain gives back in all."""
    total: Counter[Room] = Counter()
    for step in chain.steps:
        total.update(step.frees)
    return total


def by_rule(error: ProxyctlError, rule: str, *, option: bool = True) -> ProxyctlError:
    """Return the error of what a rule refuses: it names the rule, and ends with the ``option`` that permits it."""
    text = f"{error.message.rstrip('.')} (rule {rule})."
    advice = [*([error.hint] if error.hint else []), *([f"--allow {rule} permits it."] if option else [])]
    return reworded(error, text, hint=" ".join(advice))


# What a run may not take away


def losses(plan: Plan, command: str) -> Iterator[Need]:
    """Yield the rules that refuse the run for what its pools would hold afterwards."""
    held = after(without_staying(plan))
    rooms = {room: one for room, one in plan.capacities.items() if one.open}
    concerned = {rule for rule, one in RULES.items() if command in one.commands}
    if NO_UNRESERVED in concerned:
        for room, one in rooms.items():
            if room[1] == "unreserved" and one.held and not one.may_empty and held[room] <= 0:
                why = f"{one.name} would have no unreserved number left (now {one.held})"
                yield Need(NO_UNRESERVED, f"{why}, and Proxy could give no participant a number")
    if LOSE_HALF in concerned:
        yield from halves(rooms, held)


def halves(rooms: Mapping[Room, Capacity], held: Counter[Room]) -> Iterator[Need]:
    """Yield which pools would hold less than half of their numbers, or of their unreserved ones."""
    for sid in dict.fromkeys(sid for sid, kind in rooms if kind != "senders"):
        for kind, word in (("", ""), ("unreserved", "unreserved ")):
            counted_in = [room for room in rooms if room[0] == sid and kind in (room[1], "")]
            were = [rooms[room] for room in counted_in]
            now = sum(one.held if one.before is None else min(one.held, one.before) for one in were)
            then = sum(held[room] for room in counted_in)
            if then * 2 < now:
                yield Need(LOSE_HALF, f"{were[0].name} would hold {then} of its {now} {word}numbers")
                break


def without_staying(plan: Plan) -> Plan:
    """Return the plan without what stays where it is, since its replacement was refused."""
    if not any(plan.absent.values()):
        return plan
    staying = {id(chain) for chain in stuck(replace(plan, capacities={}))}
    return replace(plan, entries=tuple(entry for entry in plan.entries if id(entry) not in staying))


def after(plan: Plan) -> Counter[Room]:
    """Return how many each room would hold once all is done."""
    held: Counter[Room] = Counter({room: one.held for room, one in plan.capacities.items()})
    for chain in plan.chains:
        for step in chain.steps:
            if step.request.verb is not CREATE_SERVICE:
                held.update(step.takes)
                held.subtract(step.frees)
    return held


# What has no room


def in_order(plan: Plan) -> Plan:
    """Return the plan in an order that fits, without spares where numbers have to leave first. RefusedError: there is
    none.
    """
    # On paper, a replacement that was refused is there: that it does not come is no want of room.
    paper = replace(plan, spares={room: n + plan.absent.get(room, 0) for room, n in plan.spares.items()})
    if not stuck(paper):
        return plan
    if stuck(replace(paper, capacities={})):
        # Numbers that change places between pools: in each, one may leave before another has come.
        exchanging = replace(plan, spares={room: max(1, count) for room, count in plan.spares.items()})
        if not stuck(exchanging):
            return exchanging
    without = replace(plan, spares={})
    if stuck(without):
        hint = "Make room for them first: remove numbers, or move some to another Service."
        raise RefusedError(f"{no_room(plan)}. Nothing was sent.", hint=hint)
    return without


def no_room(plan: Plan) -> str:
    """Say which changes of a plan fit in no order, which rooms are full, and how many places are missing there."""
    full = []
    for room, one in plan.capacities.items():
        wanted = sum(room in step.takes for chain in plan.chains for step in chain.steps)
        missing = wanted - one.free
        if one.open and one.whole and wanted and missing > 0:
            holds = f"{one.name} holds {one.held} of {one.limit} {things(room)}"
            full.append(f"{holds}, {counted(missing, 'place')} missing")
    changes = counted(len(stuck(plan)), "change")
    return f"there is no room for {changes} in any order: {', '.join(full) or 'the pools'}"


def stuck(plan: Plan) -> list[Chain]:
    """Return the chains that no order could carry out: walked on paper, as if every answer were good."""
    plain = [replace(one, steps=tuple(replace(step, then=None) for step in one.steps)) for one in plan.chains]
    flow = Flow(replace(plan, entries=tuple(plain)))
    works = deque(flow.start())
    while works:
        work = works.popleft()
        request: Request = work.payload.request
        seen = Seen({"sid": request.sid or request.name}, None)
        works.extend(flow.follow(Result(work.index, "done", request.verb.done, seen)))
    ends = zip(plan.chains, flow.ends(), strict=True)
    return [chain for chain, end in ends if isinstance(end.error, NoRoomError)]


def too_many(plan: Plan) -> Iterator[str]:
    """Say what rooms would hold where that is more than they may, and more than they do."""
    held = after(plan)
    for room, one in plan.capacities.items():
        if one.whole and (then := held[room]) > max(one.limit, one.held):
            yield f"{one.name} would hold {then} {things(room)} (now {one.held}, the limit is {one.limit})"


def things(room: Room) -> str:
    """Return what is counted in a room."""
    return "numbers" if room[1] == "senders" else f"{room[1]} numbers"
