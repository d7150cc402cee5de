"""What the account says of numbers: which Messaging Service has them, who holds them, what their webhooks are.

No field of the API says any of it directly; each is asked here, once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from proxyctl.api.models import IncomingNumber, MessagingService
from proxyctl.api.resources import list_incoming_numbers, list_messaging_services, list_senders
from proxyctl.bulk.side_by_side import side_by_side
from proxyctl.errors import AuthenticationError, NotFoundError, ProxyctlError, RefusedError
from proxyctl.input.items import Item
from proxyctl.pools.finding import find_numbers
from proxyctl.pools.pool import FEW
from proxyctl.pools.reading import list_services_by_name
from proxyctl.writes.reading import Reader


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
        services = {service.sid: name for name, service in list_services_by_name(reader).items()}
        found = next(iter(find_numbers(reader, [item], list(services))), None)
    except ProxyctlError:
        return None
    return None if found is None else f"{services[found.service_sid]} ({found.service_sid})"
