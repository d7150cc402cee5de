"""The pool of one Service: /v1/Services/{KS}/PhoneNumbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxyctl.api import resources
from proxyctl.api.calls import Answer, Call
from proxyctl.api.codes import NUMBER_IN_SERVICE
from proxyctl.api.creates import create
from proxyctl.api.models import PhoneNumber
from proxyctl.api.pages import Page, pages
from proxyctl.errors import NotFoundError

if TYPE_CHECKING:
    from proxyctl.api.client import ProxyClient


class PhoneNumbers:
    """``sid`` is the number's own (PN…), the same in the account and in the pool."""

    def __init__(self, client: ProxyClient, service_sid: str) -> None:
        self._client = client
        self._ks = service_sid

    def list(self) -> Iterator[Page]:
        """The whole pool, page by page."""
        return pages(self._client, resources.list_numbers(self._ks))

    def create(
        self, *, sid: str | None = None, phone_number: str | None = None, is_reserved: bool | None = None
    ) -> PhoneNumber:
        """Add a number of the account to the pool. A lost answer is settled by looking for it there."""
        return create(
            self._client,
            self.create_call(sid=sid, phone_number=phone_number, is_reserved=is_reserved),
            _number,
            lambda: self._agreeing(sid, phone_number, is_reserved),
            frozenset({NUMBER_IN_SERVICE}),
        )

    def create_call(
        self, *, sid: str | None = None, phone_number: str | None = None, is_reserved: bool | None = None
    ) -> Call:
        """UsageError unless exactly one of ``sid`` and ``phone_number`` (E.164) is given."""
        return resources.add_number(self._ks, sid=sid, phone_number=phone_number, is_reserved=is_reserved)

    def _agreeing(
        self, sid: str | None, phone_number: str | None, is_reserved: bool | None
    ) -> PhoneNumber | None:
        number = self.by_sid(sid) if sid else self.by_number(phone_number or "")
        return number if number and is_reserved in (None, number.is_reserved) else None

    def by_sid(self, sid: str) -> PhoneNumber | None:
        """Return the number with this SID, or None where the pool has none (or there is no such Service)."""
        try:
            return self.fetch(sid)
        except NotFoundError:
            return None

    def by_number(self, phone_number: str) -> PhoneNumber | None:
        """Return the number with this E.164 form, if the pool has it. Reads it all: no list has a filter."""
        for page in self.list():
            for item in page.items:
                if item.get("phone_number") == phone_number:
                    return PhoneNumber(item)
        return None

    def fetch(self, sid: str) -> PhoneNumber:
        return _number(self._client.request(resources.fetch_number(self._ks, sid)))

    def update(self, sid: str, is_reserved: bool) -> PhoneNumber:
        """Reserve or release a number."""
        return _number(self._client.request(self.update_call(sid, is_reserved)))

    def update_call(self, sid: str, is_reserved: bool) -> Call:
        return resources.update_number(self._ks, sid, is_reserved=is_reserved)

    def delete(self, sid: str) -> None:
        """Take a number out of the pool."""
        self._client.request(self.delete_call(sid))

    def delete_call(self, sid: str) -> Call:
        return resources.remove_number(self._ks, sid)


def _number(answer: Answer) -> PhoneNumber:
    return PhoneNumber(answer.body)
