"""What reading commands share: which Services are meant, --limit with its note, rows that go out as pages arrive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from proxyctl.words import counted, did_you_mean

if TYPE_CHECKING:
    from proxyctl.render.shapes import Shape
    from proxyctl.runtime import Runtime


from typing import TYPE_CHECKING

from proxyctl.errors import UsageError

if TYPE_CHECKING:
    from proxyctl.api.models import Service
    from proxyctl.render.shapes import Shape
    from proxyctl.runtime import Runtime


def chosen_services(runtime: Runtime, names: Sequence[str], *, all_services: bool) -> list[Service]:
    """Return the Services that were named, each once, or all of the account; sorted by unique name."""

    if bool(names) == all_services:
        raise UsageError(
            "name the Services, or give --all."
            if not names
            else "--all and named Services exclude each other.",
            hint="'proxyctl service list' shows what there is.",
        )
    if all_services:
        found = list(runtime.reader.services_by_name().values())
    else:
        found = [runtime.reader.service(name) for name in names]
    by_sid = {service.sid: service for service in found}
    return sorted(by_sid.values(), key=lambda service: service.unique_name or service.sid)


def check_capabilities(names: Sequence[str], rows: Sequence[Mapping[str, Any]], shape: Shape) -> None:
    """Refuse a capability that is none: a typo would silently choose nothing."""
    from proxyctl.pools.filters import MEDIA, capability_key

    known = dict.fromkeys((*MEDIA, *shape.maps["capabilities"]))
    for row in rows:
        capabilities = row.get("capabilities")
        known.update(dict.fromkeys(capabilities if isinstance(capabilities, dict) else ()))
    for name in names:
        if capability_key(name) not in known:
            raise UsageError(
                f"--capability: there is no {name[:60]!a}.{did_you_mean(capability_key(name), list(known))}",
                hint=f"Known are {', '.join(known)}.",
            )


PAGE = 100

Row = Mapping[str, Any]
Rows = Sequence[Row]


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
        runtime.note(f"stopped at {counted(count, 'row')}, as --limit asked; there are more.")
    return count
