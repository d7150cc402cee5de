"""Numbers that can't come back to a pool once they have left it: those that a Messaging Service has as well."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from proxyctl.api.client import ProxyClient
from proxyctl.api.models import MessagingService
from proxyctl.bulk.side_by_side import side_by_side
from proxyctl.errors import RefusedError
from proxyctl.pools.plan import LIMITS, Action, Entry, Left, Plan, Step
from proxyctl.pools.pool import Pool


def find_captives(client: ProxyClient, sids: Collection[str]) -> dict[str, str]:
    """Return those of the numbers ``sids`` that are in a Messaging Service, with its SID.

    There is no reverse look-up, so all Messaging Services of the account are read.
    """
    if not sids:
        return {}

    def held(messaging_service: str) -> list[str]:
        numbers = client.messaging.phone_numbers(messaging_service)
        return [raw["sid"] for page in numbers.list() for raw in page.items if raw.get("sid") in sids]

    services = [MessagingService(raw).sid for page in client.messaging.list() for raw in page.items]
    return {sid: service for service, found in side_by_side(held, services) for sid in found}


def travellers(plan: Plan, limits: Mapping[bool, int] = LIMITS) -> set[str]:
    """Return the SIDs of numbers that leave a pool and have to be added again: to another Service's pool, or (where
    a pool is full both ways, and numbers change places) to the same.
    """
    found = {step.leaving.sid for step in plan.steps if step.leaving is not None}
    for name in plan.touched():
        swaps = [step for step in plan.steps if step.service == name and step.action in SWAPS]
        if len({step.action for step in swaps}) == 2 and is_full(plan, name, limits):
            found |= {step.change.sid for step in swaps if step.change is not None}
    return {sid for sid in found if sid is not None}


SWAPS = (Action.RESERVE, Action.RELEASE)


def is_full(plan: Plan, name: str, limits: Mapping[bool, int]) -> bool:
    """Whether a pool has no room at all, once what is to be removed from it has left; a move may yet be refused."""
    pool = plan.world.pools.get(name, Pool(""))
    removes = (step.change for step in plan.steps if step.service == name and step.action is Action.REMOVE)
    leaving = [change for change in removes if change is not None]
    gone = sum(1 for change in leaving if change.number is not None and change.number.is_reserved)
    reserved, unreserved = pool.reserved - gone, pool.unreserved - (len(leaving) - gone)
    return reserved >= limits[True] and unreserved >= limits[False]


def without_captives(plan: Plan, asked: Collection[str], captives: Mapping[str, str]) -> Plan:
    """Return the plan with the moves of captive numbers refused: they could not even be put back.

    ``captives`` are those among the ``asked``.
    """
    entries = tuple(refused(entry, captives) for entry in plan.entries)
    return replace(plan, entries=entries, returning=frozenset(asked).difference(captives))


def refused(entry: Entry, captives: Mapping[str, str]) -> Entry:
    """Return the refusal of a move that can't be made, or the entry as it is."""
    if not isinstance(entry, Step) or entry.leaving is None:
        return entry
    number = entry.leaving.number
    messaging_service = captives.get(entry.leaving.sid or "")
    if messaging_service is None:
        return entry
    error = RefusedError(
        f"{entry.item.input} is in Messaging Service {messaging_service} too: once out of the pool of Service "
        f"{entry.source}, it could be added to none.",
        hint="Take it out of the Messaging Service first, or see 'proxyctl number move -h'.",
    )
    return Left(entry.service, entry.action, entry.item, number, error)
