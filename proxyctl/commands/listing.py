"""What reading commands share: which Services are meant, --limit with its note, rows that go out as pages arrive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from proxyctl.api.resources import Service
from proxyctl.errors import UsageError
from proxyctl.render.shapes import Shape
from proxyctl.runtime import Runtime
from proxyctl.text import counted

PAGE = 100

Row = Mapping[str, Any]
Rows = Sequence[Row]


def services_meant(
    runtime: Runtime,
    names: Sequence[str],
    *,
    all_services: bool,
    missing: str = "name a Service, or add --all.",
) -> list[Service]:
    """Return the Services that were named, each once, or all of the account. UsageError: neither, or both."""
    if bool(names) == all_services:
        raise UsageError(
            "--all does not go with named Services." if names else missing,
            hint="'proxyctl service list' lists the Services.",
        )
    account = runtime.account
    found = account.services() if all_services else map(account.service, names)
    return list({service.sid: service for service in found}.values())


def services_by_name(runtime: Runtime, names: Sequence[str], *, all_services: bool) -> list[Service]:
    """Return the Services that are meant, sorted by unique name."""
    found = services_meant(runtime, names, all_services=all_services)
    return sorted(found, key=lambda service: service.unique_name or service.sid)


def drawn(runtime: Runtime) -> bool:
    """Whether an answer is drawn for a person: at a terminal, unless rows were asked for."""
    return runtime.console.terminal.stdout and runtime.format == "table" and runtime.out.fields is None


def in_pages(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Gather rows into pages, so that a long list streams."""
    left = iter(rows)
    while page := list(islice(left, PAGE)):
        yield page


class Limit:
    """Cuts pages off after ``limit`` rows, and knows whether it did."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.cut = False

    def apply(self, pages: Iterable[Rows]) -> Iterator[Rows]:
        """Yield ``pages`` up to the limit; nothing further is requested once more rows are known to exist."""
        if self.limit is None:
            yield from pages
            return
        left = self.limit
        for page in pages:
            if len(page) > left:
                self.cut = True
                page = page[:left]
            if page:
                yield page
            left -= len(page)
            if self.cut:
                return


def show_list(runtime: Runtime, shape: Shape, pages: Iterable[Rows], *, limit: int | None = None) -> int:
    """Print ``pages`` as they arrive; say on stderr when --limit cut the list. Returns the rows printed."""
    cutter = Limit(limit)
    count = runtime.out.rows(shape, cutter.apply(pages))
    if cutter.cut:
        runtime.note(f"stopped at {counted(count, 'row')} (--limit). There are more.")
    return count
