"""Messaging Services and their numbers: /messaging/v1/Services. Needed where US numbers must be in both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxyctl.api.calls import Answer, Call, form
from proxyctl.api.creates import create
from proxyctl.api.endpoint import segment
from proxyctl.api.models import MessagingPhoneNumber, MessagingService
from proxyctl.api.pages import Page, pages
from proxyctl.errors import NotFoundError

if TYPE_CHECKING:
    from proxyctl.api.client import ProxyClient

PATH = "/messaging/v1/Services"
ALREADY_HERE = 21710


class Messaging:
    """Messaging Services, read only."""

    def __init__(self, client: ProxyClient) -> None:
        self._client = client

    def list(self, page_size: int = 100) -> Iterator[Page]:
        """All Messaging Services, page by page."""
        return pages(self._client, self.list_call(page_size))

    def list_call(self, page_size: int = 100) -> Call:
        return Call("GET", PATH, params=(("PageSize", str(page_size)),), expect="services")

    def fetch(self, sid: str) -> MessagingService:
        return MessagingService(self._client.request(self.fetch_call(sid)).body)

    def fetch_call(self, sid: str) -> Call:
        return Call("GET", f"{PATH}/{segment(sid)}", expect="sid")

    def phone_numbers(self, service_sid: str) -> MessagingPhoneNumbers:
        """The numbers of one Messaging Service."""
        return MessagingPhoneNumbers(self._client, service_sid)


class MessagingPhoneNumbers:
    """The numbers of one Messaging Service, by their own SID (PN…)."""

    def __init__(self, client: ProxyClient, service_sid: str) -> None:
        self._client = client
        self._path = f"{PATH}/{segment(service_sid)}/PhoneNumbers"

    def list(self, page_size: int = 100) -> Iterator[Page]:
        """All of its numbers, page by page."""
        return pages(self._client, self.list_call(page_size))

    def list_call(self, page_size: int = 100) -> Call:
        return Call("GET", self._path, params=(("PageSize", str(page_size)),), expect="phone_numbers")

    def fetch(self, sid: str) -> MessagingPhoneNumber:
        return _number(self._client.request(self.fetch_call(sid)))

    def fetch_call(self, sid: str) -> Call:
        return Call("GET", f"{self._path}/{segment(sid)}", expect="sid")

    def create(self, sid: str) -> MessagingPhoneNumber:
        """Add a number. A lost answer is settled by looking for it there."""
        look = lambda: self.by_sid(sid)  # noqa: E731
        return create(self._client, self.create_call(sid), _number, look, frozenset({ALREADY_HERE}))

    def create_call(self, sid: str) -> Call:
        data = form(phone_number_sid=sid)
        return Call("POST", self._path, data=data, repeatable=False, expect="sid")

    def by_sid(self, sid: str) -> MessagingPhoneNumber | None:
        """Return the number with this SID, or None where it is not in this Messaging Service."""
        try:
            return self.fetch(sid)
        except NotFoundError:
            return None

    def delete(self, sid: str) -> None:
        """Take a number out; it stays in the account."""
        self._client.request(self.delete_call(sid))

    def delete_call(self, sid: str) -> Call:
        return Call("DELETE", f"{self._path}/{segment(sid)}")


def _number(answer: Answer) -> MessagingPhoneNumber:
    return MessagingPhoneNumber(answer.body)
