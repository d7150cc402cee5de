"""Messaging Services and their numbers: /messaging/v1/Services. Needed where US numbers must be in both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxyctl.api import resources
from proxyctl.api.calls import Answer, Call
from proxyctl.api.codes import SENDER_IN_SERVICE
from proxyctl.api.creates import create
from proxyctl.api.models import MessagingPhoneNumber, MessagingService
from proxyctl.api.pages import Page, pages
from proxyctl.errors import NotFoundError

if TYPE_CHECKING:
    from proxyctl.api.client import ProxyClient


class Messaging:
    """Messaging Services, read only."""

    def __init__(self, client: ProxyClient) -> None:
        self._client = client

    def list(self) -> Iterator[Page]:
        """All Messaging Services, page by page."""
        return pages(self._client, resources.list_messaging_services())

    def fetch(self, sid: str) -> MessagingService:
        return MessagingService(self._client.request(resources.fetch_messaging_service(sid)).body)

    def phone_numbers(self, service_sid: str) -> MessagingPhoneNumbers:
        """The numbers of one Messaging Service."""
        return MessagingPhoneNumbers(self._client, service_sid)


class MessagingPhoneNumbers:
    """The numbers of one Messaging Service, by their own SID (PN…)."""

    def __init__(self, client: ProxyClient, service_sid: str) -> None:
        self._client = client
        self._mg = service_sid

    def list(self) -> Iterator[Page]:
        """All of its numbers, page by page."""
        return pages(self._client, resources.list_senders(self._mg))

    def fetch(self, sid: str) -> MessagingPhoneNumber:
        return _number(self._client.request(resources.fetch_sender(self._mg, sid)))

    def create(self, sid: str) -> MessagingPhoneNumber:
        """Add a number. A lost answer is settled by looking for it there."""
        look = lambda: self.by_sid(sid)  # noqa: E731
        return create(self._client, self.create_call(sid), _number, look, frozenset({SENDER_IN_SERVICE}))

    def create_call(self, sid: str) -> Call:
        return resources.attach_sender(self._mg, sid)

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
        return resources.detach_sender(self._mg, sid)


def _number(answer: Answer) -> MessagingPhoneNumber:
    return MessagingPhoneNumber(answer.body)
