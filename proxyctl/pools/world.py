"""Looking at the account for a pool file: its Services, the pools that the file speaks of, and who else holds what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from proxyctl.api.client import ProxyClient
from proxyctl.api.models import Service
from proxyctl.bulk.items import Item
from proxyctl.bulk.side_by_side import side_by_side
from proxyctl.pools.finding import find_numbers
from proxyctl.pools.plan import Holder, World
from proxyctl.pools.pool import Pool, look_at_pool
from proxyctl.pools.poolfile import WantedService


def list_services(client: ProxyClient) -> dict[str, Service]:
    """Return the account's Services by unique name."""
    services = (Service(raw) for page in client.services.list() for raw in page.items)
    return {service.unique_name or service.sid: service for service in services}


def look_at_world(
    client: ProxyClient, wanted: Sequence[WantedService], services: Mapping[str, Service]
) -> World:
    """Read the pools that the file speaks of, and find out who holds the numbers that are missing there.

    Where nothing is missing, no other pool is read.
    """
    sids = {
        services[one.name].sid: one.name for one in wanted if one.numbers is not None and one.name in services
    }
    pools = {sids[sid]: pool for sid, pool in read_pools(client, sids)}
    held = {key for pool in pools.values() for key in (*pool.by_sid, *pool.by_number)}
    missing = [
        item for one in wanted for item in one.numbers or () if (item.sid or item.phone_number) not in held
    ]
    others = {service.sid: name for name, service in services.items() if name not in pools}
    return World(services, pools, find_holders(client, missing, others))


def read_pools(client: ProxyClient, sids: Iterable[str]) -> Iterable[tuple[str, Pool]]:
    """Read pools side by side."""
    return side_by_side(lambda sid: look_at_pool(client, sid), sids)


def find_holders(client: ProxyClient, items: Sequence[Item], others: Mapping[str, str]) -> dict[str, Holder]:
    """Return those of ``items`` that one of the Services ``others`` (name by SID) holds, by SID and by number."""
    found: dict[str, Holder] = {}
    if not items or not others:
        return found
    for one in find_numbers(client, items, list(others)):
        if one.service_sid in others:
            holder = Holder(others[one.service_sid], one.service_sid, one.number)
            found.update(dict.fromkeys(filter(None, (one.number.sid, one.number.phone_number)), holder))
    return found
