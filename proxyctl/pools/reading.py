"""Reading many pools at once, side by side over the Services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from proxyctl.api.models import PhoneNumber, Service
from proxyctl.api.pages import Page
from proxyctl.bulk.side_by_side import side_by_side
from proxyctl.pools.pool import Pool
from proxyctl.writes.reading import Reader

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


def list_services_by_name(reader: Reader) -> dict[str, Service]:
    """Return the account's Services by unique name."""
    return {service.unique_name or service.sid: service for service in reader.services()}
