"""What `pool status` does: rows for programs, a screen for people, exit code 8 for monitoring.

The screen is apart from tables, since their columns have one word a cell, and these have a bar, a count and a share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from proxyctl.api.models import Service
from proxyctl.commands.in_transit import say_unfinished
from proxyctl.commands.listing import services_by_name
from proxyctl.commands.pool.sessions import session_lines, with_sessions
from proxyctl.errors import CheckError, UsageError
from proxyctl.pools.status import LIMITS, RANGES, WARNED_AT, PoolStatus, ranked, status_of
from proxyctl.render.progress import MARK, bar
from proxyctl.render.shape import Shape
from proxyctl.render.shapes import POOL_PARTS, POOL_SESSIONS, POOL_STATUS
from proxyctl.roles import Line, Part, Role, cells, line
from proxyctl.runtime import Runtime
from proxyctl.text import MOST_SESSIONS, counted
from proxyctl.writes.reading import Page

MORE = "Add numbers, or release some: 'proxyctl number release SERVICE -f FILE'."
SPREAD = (
    "Spread the numbers over more Services: 'proxyctl number move --from SERVICE --to OTHER_SERVICE -f FILE'."
)
BAR, WIDE_BAR, SPREAD_BAR = 11, 20, 24  # columns of bars: of a row, of a sheet, of the Sessions
NARROWEST = 12  # columns for names
WIDE_SHEET = 60
# What a row has behind the name, the fullest first: how wide the bars are, and the columns of the figures.
FIGURES = {"In use": 6, "Sessions": 8}
LAYOUTS: tuple[tuple[int, dict[str, int]], ...] = ((BAR, FIGURES), (0, FIGURES), (0, {}))


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
    if sessions and by:
        raise UsageError("--sessions is about whole Services. It does not go with --by.")
    whole = POOL_SESSIONS if sessions else POOL_STATUS
    shape = with_open_maps(POOL_PARTS[by] if by else whole, runtime.out.fields or ())
    runtime.out.check(shape)
    chosen = services_by_name(runtime, services, all_services=all_services)
    say_unfinished(runtime, [service.sid for service in chosen])
    seen: list[PoolStatus] = []
    statuses: Iterable[PoolStatus] = counts(runtime, chosen, seen, by, all_services=all_services)
    if sessions:
        statuses = with_sessions(runtime, list(statuses))
    checks = fail_above is not None or fail_below is not None
    if checks and runtime.options.silent:
        seen = list(statuses)
    elif by is not None or runtime.format != "table" or runtime.options.fields is not None:
        runtime.out.rows(shape, (status.rows() for status in statuses))
    else:
        shown = list(statuses)
        header = not runtime.options.no_header
        lines = screen(shown, runtime.console.width, header=header, single=not all_services)
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


def counts(
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


# The screen


def screen(statuses: Sequence[PoolStatus], width: int, *, header: bool, single: bool) -> Iterator[Line]:
    """Yield the lines for one Service that was named, or for several; below them what is near a limit."""
    if single and len(statuses) == 1:
        yield from sheet(statuses[0], width)
    else:
        yield from rows(statuses, width, header)
    notices = [(name_of(status), text) for status in statuses for text in warnings(status)]
    if single and len(statuses) == 1:
        yield from [line("")] if notices else []
        notices = [("", text) for _, text in notices]
    longest = max((cells(name) for name, _ in notices), default=0)
    for name, text in notices:
        start = f" {name}{' ' * (longest - cells(name))}{'  ' if name else ''}"
        hang = 1 + cells(start)
        yield line(Role.WARNING("!"), f"{start}{text}", hang=hang if hang < width // 3 else 4)


def name_of(status: PoolStatus) -> str:
    """Return the Service's name, or its SID."""
    return status.service or status.sid


def warnings(status: PoolStatus) -> Iterator[str]:
    """Yield what is near or beyond a limit, in few words."""
    for kind in status.near:
        yield f"{kind} {status.shares[kind]:.0f} %"
    if status.crowded:
        most, *_ = status.busiest
        number = most["phone_number"] or most["sid"]
        more = f" and {status.crowded - 1} more" if status.crowded > 1 else ""
        yield f"{number} has {most['in_use']} Sessions{more}. Twilio advises at most {MOST_SESSIONS}."


# A row for each


def rows(statuses: Sequence[PoolStatus], width: int, header: bool) -> Iterator[Line]:
    """Yield the header, a row for each Service, and the totals."""
    longest = max([len("Service"), *(cells(name_of(status)) for status in statuses)])
    least = min(longest, NARROWEST)
    fitting = (one for one in LAYOUTS if least + taken(*one) <= width)
    bars, figures = next(fitting, LAYOUTS[-1])
    room = min(longest, max(least, width - taken(bars, figures)))
    if header and statuses:
        titles = [part for kind in LIMITS for part in ("  ", *title(kind, bars))]
        titles += [
            part for name in figures for part in (" " * (2 + figures[name] - len(name)), Role.HEADING(name))
        ]
        yield line(Role.HEADING("Service"), " " * (room - len("Service")), *titles)
    for status in statuses:
        name = name_of(status)
        if cells(name) > room:
            yield line(name)
            name = ""
        parts = [part for kind in LIMITS for part in ("  ", *filled(status, kind, bars))]
        for columns, number in zip(figures.values(), (status.in_use, status.sessions), strict=False):
            parts += [" " * (2 + columns - len(str(number))), str(number) if number else Role.FAINT(number)]
        yield line(name, " " * (room - cells(name)), *parts)
    numbers, busy = sum(one.numbers for one in statuses), sum(one.in_use for one in statuses)
    totals = f"{counted(len(statuses), 'Service')}, {counted(numbers, 'number')}, {busy} in use"
    legend = f"   {MARK} {WARNED_AT:.0f} %: Twilio warns" if bars else ""
    yield from [line("")] if statuses else []
    yield line(Role.FAINT(totals + legend if statuses else "no Services"))


def taken(bars: int, figures: Mapping[str, int]) -> int:
    """Return how much room a layout takes, with the gap before each column."""
    return len(LIMITS) * (bars + 13) + sum(columns + 2 for columns in figures.values())


def title(kind: str, bars: int) -> list[Part]:
    """Return the title of a limit, as wide as what `filled` returns."""
    if not bars:
        return [Role.HEADING(kind.capitalize().rjust(10)), " "]
    limit = f"of {LIMITS[kind]}".rjust(bars + 10 - len(kind))
    return [Role.HEADING(kind.capitalize()), Role.FAINT(limit), " "]


def filled(status: PoolStatus, kind: str, bars: int, of: Sequence[Part] = ()) -> list[Part]:
    """Return a bar, a count and a share; of two that are near their limits, one is a badge."""
    share, near, number = status.shares[kind], kind in status.near, status.count(kind)
    fill = Role.WARNING_FILL if near else Role.GOOD
    parts: list[Part] = [*bar(share / 100, fill, bars, " ", WARNED_AT / 100)] if bars else []
    amount, percent = f"{number:>5}", f"{int(share)}%"
    parts += [amount if number else Role.FAINT(amount), *of, " " * (5 - len(percent))]
    if not near:
        return [*parts, percent if number else Role.FAINT(percent), " "]
    return [*parts, Role.WARNING(f"{percent}!") if status.near[0] == kind else f"{percent}!"]


# One Service


def sheet(status: PoolStatus, width: int) -> Iterator[Line]:
    """Yield all about one Service."""
    bars = WIDE_BAR if width >= WIDE_SHEET else 0
    yield line(Role.NAME(name_of(status)), "  ", Role.FAINT(status.sid if status.service else ""))
    yield line("")
    for kind in LIMITS:
        of: list[Part] = [" ", Role.FAINT(f"of {LIMITS[kind]:>4}"), " "]
        yield line(f"  {kind.capitalize():<10}  ", *filled(status, kind, bars, of))
    share = status.in_use / status.numbers if status.numbers else 0.0
    busy = bar(share, Role.GOOD, bars, " ") if bars else []
    whole = Role.FAINT(f"of {status.numbers:>4}")
    sessions = f"   {counted(status.sessions, 'Session')}" if status.sessions else ""
    percent = f"{int(share * 100)}%"
    yield line("  In use      ", *busy, f"{status.in_use:>5} ", whole, f"{percent:>6} {sessions}", hang=16)
    if status.numbers:
        yield line("")
        yield from spread(status, width)
        yield line("")
        countries = ", ".join(f"{name} {count}" for name, count in ranked(status.by_country).items())
        yield line(f"  Countries   {countries}", hang=14)


def spread(status: PoolStatus, width: int) -> Iterator[Line]:
    """Yield how many numbers have how many Sessions."""
    most = max(status.by_sessions.values())
    room = max(0, min(SPREAD_BAR, width - 32))
    title = "Sessions"
    for name, least in RANGES.items():
        numbers = status.by_sessions[name]
        if not numbers:
            continue
        crowded = least >= MOST_SESSIONS
        fill = Role.WARNING_FILL if crowded else Role.GOOD if least else Role.FAINT
        blocks = bar(numbers / most, fill, room, " ")[0]
        amount: Part = Role.WARNING(numbers) if crowded and status.crowded else str(numbers)
        noun = counted(numbers, "number").removeprefix(str(numbers)) if title else ""
        busiest = [f"  {one['phone_number'] or one['sid']} ({one['in_use']})" for one in status.busiest[:3]]
        more = f"  … and {numbers - 3} more" if numbers > 3 else ""
        start = f"  {title:<8}{name.replace('-', '–'):>8}  "
        tail = "".join([*busiest[:numbers], more]) if crowded else ""
        yield line(start, blocks, " ", amount, f"{noun}{tail}", hang=len(start))
        title = ""
