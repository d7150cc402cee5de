"""What `pool status` does: rows for programs, a screen for people, exit code 8 for monitoring."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from proxyctl.api.models import Service
from proxyctl.commands.in_transit import say_unfinished
from proxyctl.commands.listing import services_by_name
from proxyctl.commands.pool.sessions import session_lines, with_sessions
from proxyctl.errors import CheckError, UsageError
from proxyctl.pools.status import PoolStatus, status_of
from proxyctl.render.shape import Shape
from proxyctl.render.shapes import POOL_PARTS, POOL_SESSIONS, POOL_STATUS
from proxyctl.runtime import Runtime
from proxyctl.writes.reading import Page

MORE = "Add numbers, or release some: 'proxyctl number release SERVICE -f FILE'."
SPREAD = (
    "Spread the numbers over more Services: 'proxyctl number move --from SERVICE --to OTHER_SERVICE -f FILE'."
)


def show(
    runtime: Runtime,
    services: Sequence[str],
    *,
    all_services: bool,
    by: str | None,
    fail_above: float | None,
    fail_below: int | None,
    sessions: bool,
) -> None:
    """Print how full and how busy pools are, or their parts ``by`` something.

    CheckError where a pool is fuller than ``fail_above`` per cent, or has fewer than ``fail_below`` unreserved numbers.
    """
    if fail_above is not None and not math.isfinite(fail_above):
        raise UsageError("--fail-above: it is not a number from 0 to 100.", hint="Write --fail-above 85.")
    if sessions and by:
        raise UsageError("--sessions is about whole Services. It does not go with --by.")
    whole = POOL_SESSIONS if sessions else POOL_STATUS
    shape = with_open_maps(POOL_PARTS[by] if by else whole, runtime.out.fields or ())
    runtime.out.check(shape)
    chosen = services_by_name(runtime, services, all_services=all_services)
    say_unfinished(runtime, [service.sid for service in chosen])
    seen: list[PoolStatus] = []
    statuses: Iterable[PoolStatus] = counted(runtime, chosen, seen, by, all_services=all_services)
    if sessions:
        statuses = with_sessions(runtime, list(statuses))
    checks = fail_above is not None or fail_below is not None
    if checks and runtime.options.silent:
        seen = list(statuses)
    elif by is not None or runtime.format != "table" or runtime.options.fields is not None:
        runtime.out.rows(shape, (status.rows() for status in statuses))
    else:
        from proxyctl.commands.pool.status_screen import screen

        shown = list(statuses)
        width = runtime.console.width if runtime.console.terminal.stdout else None
        header = not runtime.options.no_header
        lines = screen(shown, width, header=header, single=not all_services)
        runtime.out.lines([*lines, *(session_lines(shown) if sessions else ())])
    runtime.counts = totals(seen)
    check(seen, fail_above, fail_below)


def totals(statuses: Sequence[PoolStatus]) -> dict[str, int]:
    """Return how many there are of all Services together."""
    names = ("reserved", "unreserved", "in_use", "sessions")
    sums = {name: sum(getattr(status, name) for status in statuses) for name in names}
    return {"services": len(statuses), **sums, "warnings": sum(len(one.warnings) for one in statuses)}


def with_open_maps(shape: Shape, fields: Sequence[str]) -> Shape:
    """Return ``shape`` with the keys of its maps that are asked for: a country that no pool has is no mistake."""
    asked = [name.partition(".") for name in fields]
    keys = {
        name: (*shape.maps.get(name, ()), *(key for head, dot, key in asked if dot and head == name))
        for name in ("by_country", "by_capability")
    }
    return replace(shape, maps=keys)


def counted(
    runtime: Runtime,
    services: Sequence[Service],
    seen: list[PoolStatus],
    by: str | None,
    *,
    all_services: bool,
) -> Iterator[PoolStatus]:
    """Yield the status of each Service in order, as early as the order allows; keep it in ``seen`` too."""
    names = {service.sid: service.unique_name for service in services}

    def count(sid: str, pages: Iterator[Page]) -> PoolStatus:
        return status_of(sid, names[sid], (page.items for page in pages), by)

    for _, status in runtime.account.each_pool(names, count, skip_gone=all_services):
        seen.append(status)
        yield status


def check(statuses: Sequence[PoolStatus], fail_above: float | None, fail_below: int | None) -> None:
    """Raise CheckError that names each pool beyond a limit that was given."""
    named = [(status.service or status.sid, status) for status in statuses]
    low = [f"{name} has {one.unreserved}" for name, one in named if one.unreserved < (fail_below or 0)]
    high = [
        f"{name} has {' and '.join(above)}"
        for name, status in named
        if fail_above is not None and (above := status.above(fail_above))
    ]
    found = [
        (f"Fewer unreserved numbers than {fail_below}", low, MORE),
        (f"Above {fail_above or 0:g} %", high, SPREAD),
    ]
    texts = [f"{limit}: {', '.join(those)}." for limit, those, _ in found if those]
    if texts:
        hints = [hint for _, those, hint in found if those]
        raise CheckError(" ".join(texts), hint=" ".join(hints))
