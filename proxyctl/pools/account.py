"""What the account says, each question asked once: its Services, what their pools hold, its own numbers, and which
Service or Messaging Service has a number.

No field of the API says the last: a number's webhooks hint at its Service, and the proof is the Service's own answer.
Where the hint fails, the pools are read in parallel.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from proxyctl.api import resources
from proxyctl.api.models import IncomingNumber, MessagingPhoneNumber, MessagingService, PhoneNumber, Service
from proxyctl.bulk.threads import in_order, side_by_side
from proxyctl.errors import AuthenticationError, NotFoundError, ProxyctlError, UsageError, reworded
from proxyctl.identifiers import PHONE_NUMBER, SERVICE, is_sid
from proxyctl.pools.pool import Holder, Pool, by_name, hinted_service
from proxyctl.text import nearest
from proxyctl.writes.reading import Page, Reader

if TYPE_CHECKING:
    from proxyctl.input.items import Item

FEW = 10  # numbers: asked for one by one, they cost a request each, a list one for each hundred that it holds
WORKERS = 32  # lists read at once; the gates decide how many requests that makes
BESIDE = 50  # numbers that join: as FEW, but their records are asked for in parallel
COURTESY = 5.0  # seconds without an answer in a reading of what is not Proxy's

Answer = TypeVar("Answer")


class Account:
    """Answers questions about the account, by reads of ``reader``, whose errors these are.

    Its Services, the members of its Messaging Services and its records of single numbers are asked for once, until
    `forget`.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.forget()

    def forget(self) -> None:
        """Ask again from now on."""
        self._services: list[Service] | None = None
        self._numbers: dict[str, IncomingNumber | None] = {}
        self._senders: dict[str, str] | None = None

    def _within(self, seconds: float | None) -> Account:
        """Return an account whose reads raise TemporaryError after so many seconds without an answer."""
        return self if seconds is None else Account(self.reader.within(seconds))

    # Services

    def services(self) -> list[Service]:
        """Return the account's Services."""
        if self._services is None:
            self._services = list(map(Service, self.reader.rows(resources.SERVICES.list())))
        return self._services

    def services_by_name(self) -> dict[str, Service]:
        """Return the account's Services by unique name."""
        return {service.name: service for service in self.services()}

    def service(self, name_or_sid: str) -> Service:
        """Return a Service by SID or unique name. NotFoundError with a suggestion where a name is near.

        UsageError for an empty name.
        """
        if not name_or_sid.strip():
            raise UsageError("SERVICE is empty. Give a KS SID or a unique name")
        if is_sid(SERVICE, name_or_sid):
            return self._fetched(name_or_sid)
        found = self.service_named(name_or_sid)
        if found is None:
            names = [service.unique_name or "" for service in self.services()]
            hint = suggestion(name_or_sid, names)
            raise NotFoundError(f"there is no Service named {name_or_sid}", hint=hint)
        return found

    def service_named(self, name: str) -> Service | None:
        """Return the Service with exactly this unique name, if there is one."""
        return next((service for service in self.services() if service.unique_name == name), None)

    def _fetched(self, sid: str) -> Service:
        try:
            return Service(self.reader.request(resources.SERVICES.fetch(sid)).body)
        except NotFoundError as error:
            hint = "'proxyctl service list' lists the Services."
            raise reworded(error, f"there is no Service {sid} in this account", hint=hint) from None

    # Pools

    def pool(self, service_sid: str, items: Sequence[Item] = (), *, few: int = 1) -> Pool:
        """Read a pool: whole, or of it what ``items`` need. NotFoundError names the Service where that is gone.

        Up to ``few`` SIDs are asked for one by one; for one E.164 number it is read as far as it takes.
        """
        sids = [item.sid for item in items if item.sid is not None]
        if 0 < len(sids) == len(items) <= few:
            return self._pool_of_few(service_sid, sids)
        number = items[0].phone_number if len(items) == 1 else None
        try:
            return self._pool_up_to(service_sid, number)
        except NotFoundError:
            self._fetched(service_sid)  # says so where it is the Service that is missing
            raise

    def number(self, service_sid: str, sid: str) -> PhoneNumber:
        """Return one number of a pool. NotFoundError: the pool does not have it, or there is no such Service."""
        return PhoneNumber(self.reader.request(resources.NUMBERS.fetch(service_sid, sid)).body)

    def _pool_of_few(self, service_sid: str, sids: Iterable[str]) -> Pool:
        """Read only the numbers with these SIDs, a request each; those that are not in the pool are left out."""
        pool = Pool(service_sid, complete=False)
        absent = False
        for sid in sids:
            try:
                pool.add(self.number(service_sid, sid))
            except NotFoundError:
                absent = True
        if absent:  # The answer is the same where the Service is gone: ask.
            self._fetched(service_sid)
        return pool

    def _pool_up_to(self, service_sid: str, phone_number: str | None) -> Pool:
        """Read the pool as far as it takes to know whether it holds this E.164 number; whole for None.

        Where the first page does not have it and more follow, the account knows the number's SID, and the pool is
        asked for that; where the account does not own it, or its numbers can't be read, all pages are.
        """
        pool = Pool(service_sid)
        for page in self.reader.pages(resources.NUMBERS.list(service_sid)):
            for row in page.items:
                pool.add(PhoneNumber(row))
            if phone_number is None or not page.more:
                continue
            first = page.number == 0 and phone_number not in pool.by_number
            owned = self._hint(phone_number) if first else None
            if owned is not None:
                with suppress(NotFoundError):  # the Service is there: its first page was read
                    pool.add(self.number(service_sid, owned.sid))
            if owned is not None or phone_number in pool.by_number:
                pool.complete = False
                break
        return pool

    def each_pool(
        self, sids: Iterable[str], take: Callable[[str, Iterator[Page]], Answer], *, skip_gone: bool = False
    ) -> Iterator[tuple[str, Answer]]:
        """Read pools in parallel; yield each Service's SID with what ``take`` made of its pages, in order.

        A Service that was deleted meanwhile is left out with ``skip_gone``. Where reading one fails, those that were
        read already come first.
        """

        def ask(sid: str) -> Answer | None:
            try:
                return take(sid, self.reader.pages(resources.NUMBERS.list(sid)))
            except NotFoundError:
                if not skip_gone:
                    raise
                return None

        sids = list(sids)
        answers = in_order(sids, side_by_side(ask, sids, workers=WORKERS))
        return ((sid, answer) for sid, answer in answers if answer is not None)

    def pools(
        self, service_sids: Iterable[str], *, fields: Iterable[str] | None = None, skip_gone: bool = False
    ) -> Iterator[tuple[str, Pool]]:
        """Read whole pools in parallel. With ``fields`` only these (and sid) of each number are kept: 50,000 numbers
        take 25 MB then, not 150.
        """
        kept = None if fields is None else {"sid", *fields}

        def pool_of(sid: str, pages: Iterator[Page]) -> Pool:
            pool = Pool(sid)
            for page in pages:
                for row in page.items:
                    slim = row if kept is None else {name: row[name] for name in kept if name in row}
                    pool.add(PhoneNumber(slim))
            return pool

        return self.each_pool(service_sids, pool_of, skip_gone=skip_gone)

    def unreserved(self, service_sid: str, besides: Collection[str]) -> int:
        """Return how many unreserved numbers a pool has at least, read up to the first that is not in ``besides``."""
        count = 0
        for page in self.reader.pages(resources.NUMBERS.list(service_sid)):
            free = [row.get("sid") for row in page.items if not row.get("is_reserved")]
            count += len(free)
            if not set(free) <= set(besides):
                break
        return count

    # Who has a number

    def holders(
        self, items: Sequence[Item], services: Mapping[str, str] | None = None
    ) -> Iterator[tuple[Item, Holder]]:
        """Yield which of ``services`` (name by SID; of all) have which of ``items`` in their pools."""
        if services is None:
            services = {service.sid: service.name for service in self.services()} if items else {}
        left = list(items) if services else []
        if len(left) <= FEW:
            for item, holder in side_by_side(lambda item: self._hinted_holder(item, services), tuple(left)):
                if holder is not None:
                    left.remove(item)
                    yield item, holder
        wanted = {name for item in left for name in item.names}

        def those_wanted(sid: str, pages: Iterator[Page]) -> Pool:
            pool = Pool(sid, complete=False)
            for number in (PhoneNumber(raw) for page in pages for raw in page.items):
                if number.sid in wanted or number.phone_number in wanted:
                    pool.add(number)
            return pool

        for sid, pool in self.each_pool(services if left else (), those_wanted, skip_gone=True):
            here = {item: number for item in left if (number := pool.find(item)) is not None}
            yield from ((item, Holder(services[sid], sid, number)) for item, number in here.items())
            left = [item for item in left if item not in here]
            if not left:
                return

    def _hinted_holder(self, item: Item, services: Mapping[str, str]) -> Holder | None:
        """Follow the hint of the account's own record of a number, and prove it; None where that leads nowhere."""
        number = self._hint(item.name)
        sid = None if number is None else hinted_service(number)
        if number is None or sid is None or sid not in services:
            return None
        try:
            return Holder(services[sid], sid, self.number(sid, number.sid))
        except NotFoundError:  # it has left that Service, or the Service is gone
            return None

    def holder_of(self, item: Item) -> str | None:
        """Return the name of the Service whose pool has a number now; None where none has, or it can't be read."""
        try:
            services = {service.sid: name for name, service in self.services_by_name().items()}
            found = next(self.holders([item], services), None)
        except ProxyctlError:
            return None
        return None if found is None else f"{found[1].name} ({found[1].service_sid})"

    def senders(self, sids: Collection[str], *, within: float | None = None) -> dict[str, str]:
        """Return those of the numbers ``sids`` that are in a Messaging Service, with its SID."""
        if not sids:
            return {}
        if self._senders is None:
            found = self.messaging_services(within=within)
            self._senders = {sid: service.sid for service, members in found for sid in members}
        return {sid: self._senders[sid] for sid in sids if sid in self._senders}

    def messaging_services(
        self, *, within: float | None = None
    ) -> Iterator[tuple[MessagingService, list[str]]]:
        """Read the account's Messaging Services in parallel; yield each with its numbers' SIDs.

        There is no way to ask for that of a number, so all of them are read.
        """
        account = self._within(within)

        def members(service: MessagingService) -> list[str]:
            return [number.sid for number in account.members(service.sid)]

        services = map(MessagingService, account.reader.rows(resources.MESSAGING_SERVICES.list()))
        return side_by_side(members, services)

    def messaging_service(self, sid: str) -> MessagingService:
        """Return one Messaging Service."""
        return MessagingService(self.reader.request(resources.MESSAGING_SERVICES.fetch(sid)).body)

    def members(self, messaging_service: str) -> Iterator[MessagingPhoneNumber]:
        """Yield the numbers of a Messaging Service."""
        return map(MessagingPhoneNumber, self.reader.rows(resources.SENDERS.list(messaging_service)))

    # The account's own numbers

    def own_pages(self) -> Iterator[Page]:
        """Yield the account's numbers, page by page."""
        return self.reader.pages(resources.INCOMING_NUMBERS.list(self.reader.account_sid))

    def own_numbers(
        self, items: Sequence[Item], *, few: int = FEW, within: float | None = None
    ) -> dict[str, IncomingNumber]:
        """Return the account's records of ``items``, by SID and by number: a request each for a few, else the list."""
        account = self._within(within)
        unread = [item.name for item in items if item.name not in self._numbers]
        if len(unread) > few:
            wanted = {name for item in items for name in item.names}
            numbers = (IncomingNumber(raw) for page in account.own_pages() for raw in page.items)
            listed = by_name(one for one in numbers if one.sid in wanted or one.phone_number in wanted)
            self._numbers |= {**dict.fromkeys(unread), **listed}
        else:
            self._numbers |= dict(side_by_side(account._own_number, unread))
        return by_name(one for item in items if (one := self._numbers[item.name]) is not None)

    def _own_number(self, name: str) -> IncomingNumber | None:
        """Return the account's record of a SID or E.164 number; None where the account does not own it."""
        if name in self._numbers:
            return self._numbers[name]
        account, found = self.reader.account_sid, list[dict[str, Any]]()
        if not is_sid(PHONE_NUMBER, name):
            # The API's filter finds parts of numbers as well: only the whole one counts.
            call = resources.INCOMING_NUMBERS.list(account, phone_number=name, page_size=50)
            found = [row for row in self.reader.rows(call) if row.get("phone_number") == name]
        else:
            with suppress(NotFoundError):
                found = [self.reader.request(resources.INCOMING_NUMBERS.fetch(account, name)).body]
        self._numbers[name] = IncomingNumber(found[0]) if found else None
        return self._numbers[name]

    def _hint(self, name: str) -> IncomingNumber | None:
        """Return the account's record of a number where that is a hint only; None also where it can't be had: an API
        key may be kept from it, and it is another host, with outages of its own.
        """
        try:
            return self._own_number(name)
        except ProxyctlError:
            return None


def is_forbidden(error: ProxyctlError) -> bool:
    """Whether a key may not read this, which says nothing on what it may write."""
    problem = error.problem
    return isinstance(error, AuthenticationError) and problem is not None and problem.status == 403


def suggestion(name: str, names: list[str]) -> str:
    """Return the hint about a name that no Service has: the one that is near, or where the names are."""
    same = (other for other in names if other.casefold() == name.casefold())
    near = nearest(name, names) or next(same, None)
    return f"Did you mean {near}?" if near else "'proxyctl service list' lists the Services."
