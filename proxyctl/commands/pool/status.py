"""What `pool status` does: rows for programs, bars for people, exit code 8 for monitoring."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from proxyctl.api.resources import Service
from proxyctl.commands.in_transit import say_unfinished
from proxyctl.commands.listing import services_by_name
from proxyctl.errors import CheckError, UsageError
from proxyctl.pools.status import PoolStatus, status_of
from proxyctl.render.shape import Shape
from proxyctl.render.shapes import POOL_STATUS, POOL_STATUS_BARS
from proxyctl.runtime import Runtime
from proxyctl.writes.reading import Page

BAR = 10  # cells
MORE = "Add numbers, or release some: 'proxyctl number release SERVICE -f FILE'."
SPREAD = "Spread the numbers over more Services: 'proxyctl number move --from SERVICE --to SERVICE'."


def show(
    runtime: Runtime,
    services: Sequence[str],
    *,
    all_services: bool,
    fail_above: float | None,
    fail_below: int | None,
) -> None:
    """Print how full and how busy pools are; CheckError where one is fuller than ``fail_above`` per cent, or has fewer
    than ``fail_below`` unreserved numbers.
    """
    if fail_above is not None and not math.isfinite(fail_above):
        raise UsageError("--fail-above: it is not a number from 0 to 100.", hint="Write --fail-above 85.")
    shape = with_open_maps(POOL_STATUS, runtime.out.fields or ())
    runtime.out.check(shape)
    chosen = services_by_name(runtime, services, all_services=all_services)
    say_unfinished(runtime, [service.sid for service in chosen])
    seen: list[PoolStatus] = []
    statuses = counted(runtime, chosen, seen, all_services=all_services)
    checks = fail_above is not None or fail_below is not None
    if checks and runtime.options.silent:
        seen = list(statuses)
    elif runtime.format != "table" or runtime.options.fields is not None:
        runtime.out.rows(shape, ([status.row()] for status in statuses))
    elif len(services) == 1:
        for status in statuses:
            runtime.out.one(POOL_STATUS, sheet(runtime, status))
    else:
        show_bars(runtime, statuses)
    check(seen, fail_above, fail_below)


def with_open_maps(shape: Shape, fields: Sequence[str]) -> Shape:
    """Return ``shape`` with the keys of its maps that are asked for: a country that no pool has is no mistake."""
    asked = [name.partition(".") for name in fields]
    keys = {
        name: (*shape.maps.get(name, ()), *(key for head, dot, key in asked if dot and head == name))
        for name in ("by_country", "by_capability")
    }
    return replace(shape, maps=keys)


def counted(
    runtime: Runtime, services: Sequence[Service], seen: list[PoolStatus], *, all_services: bool
) -> Iterator[PoolStatus]:
    """Yield the status of each Service in order, as early as the order allows; keep it in ``seen`` too."""
    names = {service.sid: service.unique_name for service in services}

    def count(sid: str, pages: Iterator[Page]) -> PoolStatus:
        return status_of(sid, names[sid], (page.items for page in pages))

    for _, status in runtime.account.each_pool(names, count, skip_gone=all_services):
        seen.append(status)
        yield status


def check(statuses: Sequence[PoolStatus], fail_above: float | None, fail_below: int | None) -> None:
    """Raise CheckError that names each pool beyond a limit that was given."""
    named = [(status.service or status.sid, status) for status in statuses]
    low = [f"{name} has {one.unreserved}" for name, one in named if one.unreserved < (fail_below or 0)]
    high = [
        f"{name}: {' and '.join(above)}"
        for name, status in named
        if fail_above is not None and (above := status.above(fail_above))
    ]
    found = [
        (f"Fewer unreserved numbers than {fail_below}", low, MORE),
        (f"Above {fail_above or 0:g} %", high, SPREAD),
    ]
    texts = [f"{limit}: {'; '.join(those)}." for limit, those, _ in found if those]
    if texts:
        hints = [hint for _, those, hint in found if those]
        raise CheckError(" ".join(texts), hint=" ".join(hints))


# For people


def show_bars(runtime: Runtime, statuses: Iterator[PoolStatus]) -> None:
    """Print a table with bars."""
    shape = replace(POOL_STATUS, columns=POOL_STATUS_BARS)
    warnings: list[str] = []

    def rows() -> Iterator[Sequence[Mapping[str, Any]]]:
        for status in statuses:
            warnings.extend(f"{status.service or status.sid}: {text}." for text in status.warnings)
            yield [{**status.row(), **bars(runtime, status)}]

    runtime.out.rows(shape, rows())
    for text in warnings:
        runtime.note(text)


def bars(runtime: Runtime, status: PoolStatus) -> dict[str, str]:
    """Return the cells that only a table has."""
    return {
        "reserved_bar": gauge(runtime, status, "reserved"),
        "unreserved_bar": gauge(runtime, status, "unreserved"),
        "countries": in_words(status.by_country),
        "media": in_words(media(status)),
    }


def sheet(runtime: Runtime, status: PoolStatus) -> dict[str, Any]:
    """Return the row of one Service as a sheet shows it: with bars, and the busiest numbers in words."""
    shown = bars(runtime, status)
    row = status.row()
    return {
        **row,
        "reserved": f"{shown['reserved_bar']} of {row['reserved_limit']}",
        "unreserved": f"{shown['unreserved_bar']} of {row['unreserved_limit']}",
        "share": f"{row['share']} %",
        "busiest": ", ".join(f"{each['phone_number']} ({each['in_use']})" for each in row["busiest"]),
        "warnings": "; ".join(row["warnings"]),
    }


def gauge(runtime: Runtime, status: PoolStatus, kind: str) -> str:
    """Return a bar with its count and per cent: empty only at nothing, full only at the limit."""
    count, share = status.count(kind), status.shares[kind]
    full, empty = ("#", ".") if runtime.console.ascii_only else ("█", "░")
    filled = 0 if count == 0 else BAR if share >= 100 else min(BAR - 1, max(1, round(share / 100 * BAR)))
    return f"{full * filled}{empty * (BAR - filled)} {count:>4} {share:5.1f} %"


def media(status: PoolStatus) -> Mapping[str, int]:
    """Return how many numbers can do each of voice, sms … in either direction, restrictions left aside."""
    found: dict[str, int] = {}
    for name, count in status.by_capability.items():
        medium, _, way = name.rpartition("_")
        if way in ("inbound", "outbound"):
            found[medium] = max(found.get(medium, 0), count)
    return found


def in_words(counts: Mapping[str, int]) -> str:
    """Return ``US 430, CA 12``."""
    return ", ".join(
        f"{name} {count}" for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
