"""The numbers that the account owns, and their webhooks: /2010-04-01/Accounts/{AC}/IncomingPhoneNumbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxyctl.api import resources
from proxyctl.api.calls import Answer, Call
from proxyctl.api.models import IncomingNumber
from proxyctl.api.pages import Page, pages

if TYPE_CHECKING:
    from proxyctl.api.client import ProxyClient


class IncomingNumbers:
    """The numbers of the account that the credentials name."""

    def __init__(self, client: ProxyClient) -> None:
        self._client = client
        self._ac = client.credentials.account_sid

    def list(self, *, phone_number: str | None = None, page_size: int = 1000) -> Iterator[Page]:
        """The account's numbers, page by page. The number filter also finds parts: compare yourself."""
        call = resources.list_incoming_numbers(self._ac, phone_number=phone_number, page_size=page_size)
        return pages(self._client, call)

    def by_number(self, phone_number: str) -> IncomingNumber | None:
        """Return the account's number with exactly this E.164 form, if it owns it."""
        for page in self.list(phone_number=phone_number, page_size=50):
            for item in page.items:
                if item.get("phone_number") == phone_number:
                    return IncomingNumber(item)
        return None

    def fetch(self, sid: str) -> IncomingNumber:
        return _number(self._client.request(resources.fetch_incoming_number(self._ac, sid)))

    def update(self, sid: str, **fields: str | int | bool | None) -> IncomingNumber:
        """Change a number's webhooks or name: ``voice_url``, ``sms_url`` … An empty text clears."""
        return _number(self._client.request(self.update_call(sid, **fields)))

    def update_call(self, sid: str, **fields: str | int | bool | None) -> Call:
        return resources.update_incoming_number(self._ac, sid, **fields)


def _number(answer: Answer) -> IncomingNumber:
    return IncomingNumber(answer.body)
