"""What the reading commands of `service` do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from proxyctl.api import resources
from proxyctl.commands.listing import show_list
from proxyctl.completion.names import remember_service, watch_services
from proxyctl.render.shapes import SERVICE
from proxyctl.runtime import Runtime


def show_all(runtime: Runtime, name: str | None, limit: int | None) -> None:
    """Print the account's Services as the pages come in; only those whose name is like ``name``, if it is given."""
    found = watch_services(runtime, runtime.access.reader.pages(resources.list_services()))
    pages: Iterator[Sequence[Any]] = (page.items for page in found)
    if name is not None:
        wanted = name
        pages = ([s for s in page if fnmatchcase(str(s.get("unique_name")), wanted)] for page in pages)
    show_list(runtime, SERVICE, pages, limit=limit)


def show_one(runtime: Runtime, name: str) -> None:
    """Print one Service."""
    found = runtime.account.service(name)
    runtime.out.one(SERVICE, found.raw)
    remember_service(runtime, found.raw)
