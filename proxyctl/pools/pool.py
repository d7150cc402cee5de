"""A pool as it was seen: the Phone Numbers of one Service, found by SID or by number."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from proxyctl.api import resources
from proxyctl.api.models import PhoneNumber
from proxyctl.errors import AuthenticationError, NotFoundError, RefusedError
from proxyctl.input.items import Item
from proxyctl.writes.reading import Reader

MOST_RESERVED = 5000  # of each Service
MOST_UNRESERVED = 500
POOL_LIMITS = {True: MOST_RESERVED, False: MOST_UNRESERVED}  # by is_reserved
MOST_SENDERS = 400  # of one Messaging Service, unless Twilio raised it


# Looking numbers up one by one costs a request each; the list costs one for each hundred in the pool.
FEW = 10


def flag_word(is_reserved: bool | None) -> str:
    """Return ``reserved`` or ``unreserved``, which is the API's default."""
    return "reserved" if is_reserved else "unreserved"


@dataclass
class Pool:
    """The Phone Numbers of a Service, or of it those that were asked for (``complete`` is false then)."""

    service_sid: str
    complete: bool = True
    by_sid: dict[str, PhoneNumber] = field(default_factory=dict)
    by_number: dict[str, PhoneNumber] = field(default_factory=dict)

    def add(self, number: PhoneNumber) -> None:
        """Take ``number`` in, or replace what was known of it."""
        self.by_sid[number.sid] = number
        if number.phone_number is not None:
            self.by_number[number.phone_number] = number

    def find(self, item: Item) -> PhoneNumber | None:
        """Return the number that ``item`` means: by its SID where it has one, else by its E.164 form."""
        if item.sid is not None:
            return self.by_sid.get(item.sid)
        return self.by_number.get(item.phone_number or "")

    @property
    def reserved(self) -> int:
        """How many of its numbers are reserved."""
        return sum(1 for number in self.by_sid.values() if number.is_reserved)

    @property
    def unreserved(self) -> int:
        """How many of its numbers pool logic may choose."""
        return len(self.by_sid) - self.reserved


def read_pool(reader: Reader, service_sid: str) -> Pool:
    """Read the whole pool, a request for each hundred numbers."""
    pool = Pool(service_sid)
    for page in reader.numbers(service_sid):
        for raw in page.items:
            pool.add(PhoneNumber(raw))
    return pool


def read_for(reader: Reader, service_sid: str, phone_number: str) -> Pool:
    """Read the pool as far as it takes to tell whether it holds this E.164 number.

    Where the first page does not have it and more follow, the account knows the number's SID, and the pool is asked
    for that; where the account does not own it, or its numbers can't be read, all pages are.
    """
    pool = Pool(service_sid)
    for page in reader.numbers(service_sid):
        for raw in page.items:
            pool.add(PhoneNumber(raw))
        if not page.more:
            break
        first = page.number == 0 and phone_number not in pool.by_number
        sid = owned_sid(reader, phone_number) if first else None
        if sid is not None:
            with suppress(NotFoundError):  # the Service is there: its first page was read
                pool.add(reader.number(service_sid, sid))
        if sid is not None or phone_number in pool.by_number:
            pool.complete = False
            break
    return pool


def owned_sid(reader: Reader, phone_number: str) -> str | None:
    """Return the SID of an E.164 number; None where the account does not own it, or its numbers can't be read."""
    try:
        owned = reader.owned(phone_number)
    except (AuthenticationError, NotFoundError, RefusedError):
        return None
    return None if owned is None else owned.sid


def read_few(reader: Reader, service_sid: str, sids: Iterable[str]) -> Pool:
    """Read only the numbers with these SIDs, a request each; those that are not in the pool are left out.

    Raises NotFoundError where it is the Service that does not exist.
    """
    pool = Pool(service_sid, complete=False)
    absent = False
    for sid in sids:
        try:
            pool.add(reader.number(service_sid, sid))
        except NotFoundError:
            absent = True
    if absent:  # The answer is the same where the Service is gone: ask.
        reader.request(resources.fetch_service(service_sid))
    return pool
