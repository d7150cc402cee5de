"""Which Service holds a number. No field of the API says so: a number's webhooks hint at it, and the proof is the
Service's own answer; where the hint fails, the pools are asked side by side.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from proxyctl.api.models import IncomingNumber, PhoneNumber
from proxyctl.bulk.side_by_side import side_by_side
from proxyctl.errors import NotFoundError, ProxyctlError
from proxyctl.input.items import Item
from proxyctl.pools.pool import FEW, Pool, read_pool
from proxyctl.writes.reading import Reader

# The webhook that Proxy gives a number when it joins a pool; it is not put back when it leaves.
WEBHOOK = re.compile(r"/Proxy/(KS[0-9a-fA-F]{32})/Webhooks/")


@dataclass(frozen=True, slots=True)
class Found:
    """A number and the SID of the Service that holds it."""

    item: Item
    number: PhoneNumber
    service_sid: str


def hinted_service(number: IncomingNumber | None) -> str | None:
    """Return the Service that a number's webhooks name, which may be one that it has left."""
    for url in (number.voice_url, number.sms_url) if number is not None else ():
        match = WEBHOOK.search(url or "")
        if match:
            return match[1]
    return None


def points_at(number: IncomingNumber, service_sid: str) -> bool:
    """Whether all of a number's webhooks are those that this Service gave it."""
    urls = [url for url in (number.voice_url, number.sms_url) if url]
    matches = [WEBHOOK.search(url) for url in urls]
    return bool(urls) and all(match is not None and match[1] == service_sid for match in matches)


def find_numbers(reader: Reader, items: Sequence[Item], service_sids: Sequence[str]) -> Iterator[Found]:
    """Yield each of ``items`` that a Service holds. What is in no pool is left out."""
    left = list(items)
    if len(items) <= FEW:
        left = []
        for item, found in side_by_side(lambda item: by_hint(reader, item), items):
            if found is None:
                left.append(item)
            else:
                yield found
    for sid, pool in side_by_side(lambda sid: existing_pool(reader, sid), service_sids if left else ()):
        here = {item: number for item in left if (number := pool.find(item)) is not None}
        yield from (Found(item, number, sid) for item, number in here.items())
        left = [item for item in left if item not in here]
        if not left:
            return


def by_hint(reader: Reader, item: Item) -> Found | None:
    """Follow the hint of the account's own record of the number, and prove it; None where that leads nowhere."""
    number = accounts_record(reader, item)
    service_sid = hinted_service(number)
    if number is None or service_sid is None:
        return None
    try:
        return Found(item, reader.number(service_sid, number.sid), service_sid)
    except NotFoundError:  # it has left that Service, or the Service is gone
        return None


def accounts_record(reader: Reader, item: Item) -> IncomingNumber | None:
    """Return the account's record of a number; None where there is none, or where it can't be had.

    It is a hint only: an API key may be kept from it, and it is another host, with outages of its own.
    """
    try:
        if item.sid is not None:
            return reader.account_number(item.sid)
        return reader.owned(item.phone_number or "")
    except ProxyctlError:
        return None


def existing_pool(reader: Reader, service_sid: str) -> Pool:
    """Read a pool; that of a Service deleted meanwhile is empty."""
    try:
        return read_pool(reader, service_sid)
    except NotFoundError:
        return Pool(service_sid)
