"""The Sessions of one Service, read only: /v1/Services/{KS}/Sessions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxyctl.api import resources
from proxyctl.api.pages import Page, pages

if TYPE_CHECKING:
    from proxyctl.api.client import ProxyClient


class Sessions:
    """Listed to show what deleting a Service would end."""

    def __init__(self, client: ProxyClient, service_sid: str) -> None:
        self._client = client
        self._ks = service_sid

    def list(self) -> Iterator[Page]:
        """All Sessions, page by page."""
        return pages(self._client, resources.list_sessions(self._ks))
