"""What the account says of numbers: which Service and which Messaging Service have them, what their webhooks are.

No field of the API says any of it directly: a number's webhooks hint at its Service, and the proof is the Service's own
answer. Where the hint fails, the pools are asked in parallel.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from proxyctl.api.models import IncomingNumber, MessagingService, PhoneNumber
from proxyctl.api.resources import list_incoming_numbers, list_messaging_services, list_senders
from proxyctl.bulk.threads import side_by_side
from proxyctl.errors import AuthenticationError, NotFoundError, ProxyctlError, RefusedError
from proxyctl.input.items import Item
from proxyctl.pools.pool import FEW, Pool, read_pool
from proxyctl.writes.reading import Reader

COURTESY = 5.0  # seconds that a reading may take in all which the run can do without
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


def find_senders(reader: Reader, sids: Collection[str]) -> dict[str, str]:
    """Return those of the numbers ``sids`` that are in a Messaging Service, with its SID.

    There is no reverse look-up, so all Messaging Services of the account are read.
    """
    if not sids:
        return {}

    def members(messaging_service: str) -> list[str]:
        numbers = reader.pages(list_senders(messaging_service))
        return [raw["sid"] for page in numbers for raw in page.items if raw.get("sid") in sids]

    pages = reader.pages(list_messaging_services())
    services = [MessagingService(raw).sid for page in pages for raw in page.items]
    return {sid: service for service, found in side_by_side(members, services) for sid in found}


def accounts_numbers(reader: Reader, account_sid: str, items: Sequence[Item]) -> dict[str, IncomingNumber]:
    """Return the account's records of ``items``, by SID and by number: one request each for a few, else the list."""
    names = {name for item in items for name in (item.sid, item.phone_number)}
    return {
        name: number
        for number in (records_of(reader, account_sid, items) if items else ())
        for name in (number.sid, number.phone_number)
        if name is not None and not names.isdisjoint((number.sid, number.phone_number))
    }


def records_of(reader: Reader, account_sid: str, items: Sequence[Item]) -> Iterator[IncomingNumber]:
    """Yield the account's numbers, of which those of ``items`` are wanted."""
    if len(items) > FEW:
        for page in reader.pages(list_incoming_numbers(account_sid)):
            yield from map(IncomingNumber, page.items)
        return
    for _, number in side_by_side(lambda item: record_of(reader, item), items):
        if number is not None:
            yield number


def record_of(reader: Reader, item: Item) -> IncomingNumber | None:
    """Return the account's record of one number; None where the account does not own it."""
    if item.sid is None:
        return reader.owned(item.phone_number or "")
    try:
        return reader.account_number(item.sid)
    except NotFoundError:
        return None


def problems_of_adds(reader: Reader, account_sid: str, items: Sequence[Item]) -> dict[str, ProxyctlError]:
    """Return what the API would refuse of numbers that are to join a pool, by what names each."""
    owned = accounts_numbers(reader, account_sid, items)
    senders = find_senders(reader, {number.sid for number in owned.values()})
    problems: dict[str, ProxyctlError] = {}
    for item in items:
        number = owned.get(item.name)
        if number is None:
            problems[item.name] = RefusedError(
                f"{item.input} is not a number of this account.",
                hint="'proxyctl auth status' shows which account this is.",
            )
        elif number.sid in senders:
            problems[item.name] = RefusedError(
                f"{item.input} is in Messaging Service {senders[number.sid]}: it can be added to no pool.",
                hint="Take it out of the Messaging Service first.",
            )
    return problems


def is_forbidden(error: ProxyctlError) -> bool:
    """Whether a key may not read this, which says nothing on what it may write."""
    return (
        isinstance(error, AuthenticationError) and error.problem is not None and error.problem.status == 403
    )


def holder_of(reader: Reader, item: Item) -> str | None:
    """Return the name of the Service whose pool has a number now; None where none has, or nobody can say."""
    try:
        services = {service.sid: name for name, service in reader.services_by_name().items()}
        found = next(iter(find_numbers(reader, [item], list(services))), None)
    except ProxyctlError:
        return None
    return None if found is None else f"{services[found.service_sid]} ({found.service_sid})"
