"""The Sessions of one Service, read only: /v1/Services/{KS}/Sessions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxyctl.api.calls import Call
from proxyctl.api.endpoint import segment
from proxyctl.api.pages import Page, pages

if TYPE_CHECKING:
    from proxyctl.api.client import ProxyClient


class Sessions:
    """Listed to show what deleting a Service would end."""

    def __init__(self, client: ProxyClient, service_sid: str) -> None:
        self._client = client
        self._path = f"/v1/Services/{segment(service_sid)}/Sessions"

    def list(self, page_size: int = 100) -> Iterator[Page]:
        """All Sessions, page by page."""
        return pages(self._client, self.list_call(page_size))

    def list_call(self, page_size: int = 100) -> Call:
        return Call("GET", self._path, params=(("PageSize", str(page_size)),), expect="sessions")
