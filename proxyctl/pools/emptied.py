"""Pools that have no unreserved number left after a run, though one was to stay: what gives one of the run's back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from proxyctl.pools.account import Account
from proxyctl.pools.decide import Home, Row, add_chain, flag_chain, move_chain, place, through
from proxyctl.pools.facts import one_serves
from proxyctl.pools.pool import Pool
from proxyctl.writes.plan import Chain, Room, Step
from proxyctl.writes.requests import ADD, DETACH, RESERVE, RESTORE_WEBHOOKS, SET_WEBHOOKS, Request


def rooms_left(chain: Chain) -> Iterable[Room]:
    """Return the rooms of unreserved numbers that a chain takes its number out of."""
    for step in chain.steps:
        if step.request.before is not None:
            yield from (room for room in step.frees if room == place(room[0], False))


def has_unreserved(account: Account, service_sid: str, taken: Iterable[Request]) -> bool:
    """Whether a pool has an unreserved number still, read up to the first; where those of ``taken`` were pointed away
    from Proxy, one that is not among them, and points at it.
    """
    away = {request.sid or "" for request in taken if request.verb is SET_WEBHOOKS}
    if away:
        return one_serves(account, Pool(service_sid, complete=False), away)
    return account.unreserved(service_sid, ()) > 0


def giving_back(chain: Chain, room: Room, seen: Row | None) -> Chain:
    """Return what makes the number of a chain that is done an unreserved one of its pool again; ``seen``: as it is."""
    parents = {step.request.verb.name: step.request.parent for step in chain.steps}
    leaving = next(step.request for step in chain.steps if room in step.frees)
    item = replace(chain.item, sid=leaving.sid, phone_number=leaving.phone_number)
    row = {**(leaving.before or {}), **(seen or {})}
    if leaving.verb is SET_WEBHOOKS:
        before = {name: value or "" for name, value in (leaving.before or {}).items()}
        back = replace(leaving, verb=RESTORE_WEBHOOKS, wanted=before, before=None, kept={})
        return Chain(item, (Step(back),), "restore")
    home = Home(leaving.parent, leaving.kept.get("service"))
    if leaving.verb is RESERVE:
        return flag_chain(home, item, row, False)
    messaging = parents.get(DETACH.name)
    if ADD.name in parents:
        there = Home(row["service_sid"])
        return move_chain(there, home, item, row, False, messaging_service=messaging)
    return through(add_chain(home, item, False), None, messaging)
