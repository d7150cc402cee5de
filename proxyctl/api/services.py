"""The account's Services: /v1/Services."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from proxyctl.api import resources
from proxyctl.api.calls import Answer, Call, Pairs, form
from proxyctl.api.codes import SERVICE_NAME_TAKEN
from proxyctl.api.creates import create
from proxyctl.api.models import Service
from proxyctl.api.pages import Page, pages
from proxyctl.errors import NotFoundError
from proxyctl.identifiers import service_reference

if TYPE_CHECKING:
    from proxyctl.api.client import ProxyClient


class Services:
    """Form fields are named as the API's answers name them: ``unique_name``, ``default_ttl``,
    ``callback_url`` …
    """

    def __init__(self, client: ProxyClient) -> None:
        self._client = client

    def list(self) -> Iterator[Page]:
        """All Services, page by page."""
        return pages(self._client, resources.list_services())

    def create(self, **fields: str | int | bool | None) -> Service:
        """Create a Service. A lost answer is settled by its unique name: looked for first, repeated only
        then.
        """
        call = self.create_call(**fields)
        name = dict(call.data).get("UniqueName", "")
        return create(
            self._client,
            call,
            _service,
            lambda: self._agreeing(name, fields),
            frozenset({SERVICE_NAME_TAKEN}),
        )

    def create_call(self, **fields: str | int | bool | None) -> Call:
        return resources.create_service(**fields)

    def _agreeing(self, name: str, fields: dict[str, Any]) -> Service | None:
        """The Service of that name, if it is as it was asked for: another's would be no success of ours."""
        service = self.named(name)
        if service is None:
            return None
        there: Pairs = form(**{key: service.raw.get(key) for key in fields})
        return service if dict(form(**fields)).items() <= dict(there).items() else None

    def fetch(self, sid: str) -> Service:
        return _service(self._client.request(resources.fetch_service(sid)))

    def update(self, sid: str, **fields: str | int | bool | None) -> Service:
        """Change what is named; an empty text clears a URL."""
        return _service(self._client.request(self.update_call(sid, **fields)))

    def update_call(self, sid: str, **fields: str | int | bool | None) -> Call:
        return resources.update_service(sid, **fields)

    def delete(self, sid: str) -> None:
        """Delete a Service with its Sessions; its numbers become free."""
        self._client.request(self.delete_call(sid))

    def delete_call(self, sid: str) -> Call:
        return resources.delete_service(sid)

    def named(self, name: str) -> Service | None:
        """Return the Service with exactly this unique name, if there is one."""
        for page in self.list():
            for item in page.items:
                if item.get("unique_name") == name:
                    return Service(item)
        return None

    def find(self, name_or_sid: str) -> Service:
        """Return a Service by SID or unique name. NotFoundError with a suggestion where a name is near.

        UsageError for an empty name.
        """
        kind, _ = service_reference(name_or_sid)
        if kind == "sid":
            return self._existing(name_or_sid)
        names: list[str] = []
        for page in self.list():
            for item in page.items:
                if item.get("unique_name") == name_or_sid:
                    return Service(item)
                names += [name] if isinstance(name := item.get("unique_name"), str) else []
        raise NotFoundError(f"there is no Service named {name_or_sid}", hint=_suggestion(name_or_sid, names))

    def _existing(self, sid: str) -> Service:
        try:
            return self.fetch(sid)
        except NotFoundError as error:
            raise NotFoundError(
                f"there is no Service {sid} in this account",
                hint="`proxyctl service list` shows those that there are",
                problem=error.problem,
            ) from None


def _suggestion(name: str, names: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, names, n=1) or [
        other for other in names if other.casefold() == name.casefold()
    ]
    return f"did you mean {near[0]}?" if near else "`proxyctl service list` shows the names"


def _service(answer: Answer) -> Service:
    return Service(answer.body)
