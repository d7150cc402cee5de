"""Reading many pools in parallel, and all that a pool file speaks of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from proxyctl.api.models import PhoneNumber, Service
from proxyctl.api.pages import Page
from proxyctl.bulk.threads import side_by_side
from proxyctl.errors import NotFoundError
from proxyctl.input.items import Item
from proxyctl.pools.account import find_numbers
from proxyctl.pools.desired import Holder, World
from proxyctl.pools.pool import FEW, Pool
from proxyctl.pools.poolfile import WantedService
from proxyctl.writes.reading import Reader

NEEDED = ("phone_number", "is_reserved", "in_use")  # of a number, to decide what happens to it


def look_at_world(reader: Reader, wanted: Sequence[WantedService], services: Mapping[str, Service]) -> World:
    """Read the pools that the file speaks of, and find out who holds the numbers that are missing there.

    Where nothing is missing, no other pool is read.
    """
    sids = {
        services[one.name].sid: one.name for one in wanted if one.numbers is not None and one.name in services
    }
    pools = {sids[sid]: pool for sid, pool in read_pools(reader, sids, fields=NEEDED)}
    held = {key for pool in pools.values() for key in (*pool.by_sid, *pool.by_number)}
    missing = [
        item for one in wanted for item in one.numbers or () if (item.sid or item.phone_number) not in held
    ]
    others = {service.sid: name for name, service in services.items() if name not in pools}
    return World(services, pools, find_holders(reader, missing, others))


def find_holders(reader: Reader, items: Sequence[Item], others: Mapping[str, str]) -> dict[str, Holder]:
    """Return those of ``items`` that one of the Services ``others`` (name by SID) holds, by SID and by number."""
    found: dict[str, Holder] = {}
    if not items or not others:
        return found
    for number, sid in held_elsewhere(reader, items, others):
        holder = Holder(others[sid], sid, number)
        found.update(dict.fromkeys(filter(None, (number.sid, number.phone_number)), holder))
    return found


def held_elsewhere(
    reader: Reader, items: Sequence[Item], others: Mapping[str, str]
) -> Iterator[tuple[PhoneNumber, str]]:
    """Yield the numbers that others hold, with the SID of the Service; a few are found by their hints."""
    if len(items) <= FEW:
        for one in find_numbers(reader, items, list(others)):
            if one.service_sid in others:
                yield one.number, one.service_sid
        return
    wanted = {item.sid or item.phone_number for item in items}

    def those_wanted(_: str, pages: Iterator[Page]) -> list[PhoneNumber]:
        try:
            numbers = (PhoneNumber(raw) for page in pages for raw in page.items)
            return [one for one in numbers if one.sid in wanted or one.phone_number in wanted]
        except NotFoundError:  # the Service was deleted meanwhile
            return []

    for sid, numbers in tell_pools(reader, others, those_wanted):
        for number in numbers:
            yield number, sid


read_world = look_at_world


WORKERS = 32  # lists read at once; the gates decide how many requests that makes
Told = TypeVar("Told")


def tell_pools(
    reader: Reader, service_sids: Iterable[str], tell: Callable[[str, Iterator[Page]], Told]
) -> Iterator[tuple[str, Told]]:
    """Read pools side by side; yield each Service's SID with what ``tell`` made of its pages, as they are read."""
    return side_by_side(lambda sid: tell(sid, reader.numbers(sid)), service_sids, workers=WORKERS)


def read_pools(
    reader: Reader, service_sids: Iterable[str], *, fields: Iterable[str] | None = None
) -> Iterator[tuple[str, Pool]]:
    """Read whole pools side by side. With ``fields`` only these (and sid) of each number are kept: 50,000 numbers
    take 25 MB then, not 150.
    """
    kept = None if fields is None else frozenset({"sid", *fields})

    def pool_of(sid: str, read: Iterator[Page]) -> Pool:
        pool = Pool(sid)
        for page in read:
            for raw in page.items:
                pool.add(PhoneNumber(raw if kept is None else slim(raw, kept)))
        return pool

    return tell_pools(reader, service_sids, pool_of)


def slim(raw: Mapping[str, Any], fields: frozenset[str]) -> dict[str, Any]:
    """Return only ``fields`` of ``raw``."""
    return {name: value for name, value in raw.items() if name in fields}
