"""What `number move` does: read both pools, decide, and let each number go from one to the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from proxyctl.api.models import Service
from proxyctl.commands.in_transit import numbers_left, read_back
from proxyctl.commands.number.given import Numbers, begin, titled
from proxyctl.commands.permission import can_ask
from proxyctl.commands.run import Job, carry_out, finish, heading
from proxyctl.commands.session.holders import say_holders
from proxyctl.errors import UsageError
from proxyctl.input.items import Item
from proxyctl.pools import moves
from proxyctl.pools.decide import Home, capacities
from proxyctl.pools.facts import asked, senders_of
from proxyctl.pools.moves import Route, Trails, Unfinished, UnknownFlagError
from proxyctl.render.shapes import RESULT
from proxyctl.roles import Line, Role, line
from proxyctl.runtime import Runtime
from proxyctl.text import counted
from proxyctl.writes.plan import Chain, Plan, sids_of
from proxyctl.writes.requests import DETACH


class FlagWantedError(Exception):
    """A person has to be asked, with no lock held, how so many numbers were."""


def move(
    runtime: Runtime, source_name: str, target_name: str, numbers: Numbers, *, is_reserved: bool | None
) -> None:
    """Move the numbers given; raises the error that the run ends with."""
    given = begin(runtime, numbers)
    source, target = runtime.account.service(source_name), runtime.account.service(target_name)
    if source.sid == target.sid:
        raise UsageError(f"--from and --to name the same Service: {titled(source)}.")
    given.require(source)
    items = given.items
    asks = can_ask(runtime) and not runtime.options.dry_run

    def decide() -> Plan:
        route = read_route(runtime, source, target, items)
        entries = moves.decide_moves(items, replace(route, is_reserved=is_reserved))
        unknown = sum(isinstance(getattr(one, "error", None), UnknownFlagError) for one in entries)
        if unknown and asks:
            raise FlagWantedError(unknown)
        sids = sids_of(entries, "move") | {one.sid for one in route.unfinished.values()}
        senders = senders_of(runtime.account, sids, runtime.note_once)
        through = runtime.options.through_messaging
        entries = moves.by_way_of_messaging(entries, senders, route.unfinished, through=through)
        rooms = capacities(route.pools[0], source) | capacities(route.pools[1], target)
        plan = Plan(tuple(entries), rooms)
        return plan.asking(lambda plan: question(runtime, source, target, plan.chains))

    names, sids = [one.name for one in (source, target)], [source.sid, target.sid]
    job = Job("move", sids, given.deciding(decide if items else Plan), "moved", given.single, names=names)
    try:
        report = carry_out(runtime, job)
    except FlagWantedError as wanted:
        left = counted(wanted.args[0], "number")
        runtime.say(f"An interrupted move left {left} in no pool. No record has their state.")
        answer = runtime.console.ask("Add them as reserved or as unreserved? [reserved/unreserved] ")
        is_reserved, asks = {"reserved": True, "unreserved": False}.get(answer.strip().lower()), False
        report = carry_out(runtime, job)
    say_holders(runtime, source, report)
    finish(runtime, RESULT, report, given.rest)


def read_route(runtime: Runtime, source: Service, target: Service, items: Sequence[Item]) -> Route:
    """Read both pools, the records of moves that were cut off, and of numbers in neither pool what the account says."""
    pools = runtime.account.pool(source.sid), runtime.account.pool(target.sid)
    homes = [Home(one.sid, one.unique_name) for one in (source, target)]
    route = Route(homes[0], homes[1], pools)
    known = numbers_left(runtime, [source.sid, target.sid])
    from_here = {name: one for name, one in known.items() if one.trail.source == source.sid}
    route = replace(route, unfinished=from_here | left_undone(runtime, items, route))
    absent = [item for item in items if all(pool.find(item) is None for pool in pools)]
    what = "whether the account has numbers that are in neither pool"
    owned = asked(lambda: runtime.account.own_numbers(absent), what, runtime.note_once)
    return replace(route, owned=owned or {})


def left_undone(runtime: Runtime, items: Sequence[Item], route: Route) -> dict[str, Unfinished]:
    """Find in the history what a run that was cut off had left undone for numbers that are not as they were."""
    wanted: set[str] = set()
    source, target = route.pools
    for item in items:
        number = source.find(item) or target.find(item)
        if number is None:
            wanted.update(item.names)
        elif runtime.options.through_messaging:
            wanted |= {name for name in (number.sid, number.phone_number) if name}
    return read_back(runtime, Trails(wanted, route.source.sid)).found


def question(runtime: Runtime, source: Service, target: Service, chains: Sequence[Chain]) -> list[Line]:
    """Say what will be moved, from where to where, and as whom."""
    through = sum(chain.request.verb is DETACH for chain in chains)
    names = [Role.NAME(one.name) for one in (source, target)]
    what, sids = f"{counted(len(chains), 'number')} from ", [source.sid, target.sid]
    lines = [heading(runtime, "Move", what, names[0], " to ", names[1], sids=sids)]
    text = f"  {through} of them leave their Messaging Service for it, and are put back into it."
    return [*lines, line(text)] if through else lines
