"""The numbers that the account owns, and their webhooks: /2010-04-01/Accounts/{AC}/IncomingPhoneNumbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxyctl.api.calls import Answer, Call, form
from proxyctl.api.endpoint import segment
from proxyctl.api.models import IncomingNumber
from proxyctl.api.pages import Page, pages

if TYPE_CHECKING:
    from proxyctl.api.client import ProxyClient


class IncomingNumbers:
    """The numbers of the account that the credentials name."""

    def __init__(self, client: ProxyClient) -> None:
        self._client = client
        self._path = f"/2010-04-01/Accounts/{segment(client.credentials.account_sid)}/IncomingPhoneNumbers"

    def list(
        self, *, phone_number: str | None = None, friendly_name: str | None = None, page_size: int = 1000
    ) -> Iterator[Page]:
        """The account's numbers, page by page. The number filter also finds parts: compare yourself."""
        return pages(
            self._client,
            self.list_call(phone_number=phone_number, friendly_name=friendly_name, page_size=page_size),
        )

    def list_call(
        self, *, phone_number: str | None = None, friendly_name: str | None = None, page_size: int = 1000
    ) -> Call:
        params = form(phone_number=phone_number, friendly_name=friendly_name, page_size=page_size)
        return Call("GET", f"{self._path}.json", params=params, expect="incoming_phone_numbers")

    def by_number(self, phone_number: str) -> IncomingNumber | None:
        """Return the account's number with exactly this E.164 form, if it owns it."""
        for page in self.list(phone_number=phone_number, page_size=50):
            for item in page.items:
                if item.get("phone_number") == phone_number:
                    return IncomingNumber(item)
        return None

    def fetch(self, sid: str) -> IncomingNumber:
        return _number(self._client.request(self.fetch_call(sid)))

    def fetch_call(self, sid: str) -> Call:
        return Call("GET", f"{self._path}/{segment(sid)}.json", expect="sid")

    def update(self, sid: str, **fields: str | int | bool | None) -> IncomingNumber:
        """Change a number's webhooks or name: ``voice_url``, ``sms_url`` … An empty text clears."""
        return _number(self._client.request(self.update_call(sid, **fields)))

    def update_call(self, sid: str, **fields: str | int | bool | None) -> Call:
        path = f"{self._path}/{segment(sid)}.json"
        return Call("POST", path, data=form(**fields), repeatable=True, expect="sid")


def _number(answer: Answer) -> IncomingNumber:
    return IncomingNumber(answer.body)
