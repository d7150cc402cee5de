"""What the reading commands of `service` do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import partial

from proxyctl.api import resources
from proxyctl.commands.listing import Rows, show_list
from proxyctl.completion.names import remember_service, watch_services
from proxyctl.render.shapes import COUNTED_SERVICE, SERVICE
from proxyctl.runtime import Runtime
from proxyctl.writes.reading import Page


def show_all(runtime: Runtime, name: str | None, *, counts: bool) -> None:
    """Print the account's Services as the pages come in; only those whose name is like ``name``, if it is given."""
    shape = COUNTED_SERVICE if counts else SERVICE
    found = watch_services(runtime, runtime.access.reader.pages(resources.SERVICES.list()))
    pages: Iterator[Rows] = (page.items for page in found)
    if name is not None:
        wanted = name
        pages = ([s for s in page if fnmatchcase(str(s.get("unique_name")), wanted)] for page in pages)
    fill = partial(with_counts, runtime) if counts else iter
    show_list(runtime, shape, pages, fill)


def with_counts(runtime: Runtime, pages: Iterable[Rows]) -> Iterator[Rows]:
    """Yield each Service with how many numbers it has. One that was deleted meanwhile is left out."""
    from proxyctl.pools.status import status_of  # no other list counts

    def count(sid: str, pages: Iterator[Page]) -> dict[str, int]:
        status = status_of(sid, None, (page.items for page in pages))
        return {"reserved": status.reserved, "unreserved": status.unreserved}

    for page in pages:
        services = {str(row["sid"]): row for row in page}
        for sid, counts in runtime.account.each_pool(services, count, skip_gone=True):
            yield [{**services[sid], **counts}]


def show_one(runtime: Runtime, service_name: str) -> None:
    """Print one Service."""
    found = runtime.account.service(service_name)
    runtime.out.one(SERVICE, found.raw)
    remember_service(runtime, found.raw)
