"""`pool status` for people: a row of bars for each Service, or a sheet of one with how its Sessions spread.

Apart from tables, since their columns have one word a cell, and these have a bar, a count and a share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from proxyctl.pools.status import LIMITS, RANGES, WARNED_AT, PoolStatus
from proxyctl.render.bars import MARK, bar
from proxyctl.roles import Line, Part, Role, cells, line, size
from proxyctl.text import MOST_SESSIONS, counted

MARKED = WARNED_AT / 100
BAR, WIDE_BAR, SPREAD = 11, 20, 24  # columns of bars: of a row, of a sheet, of the Sessions
NARROWEST = 12  # columns for names
WIDE_SHEET = 60


class Column(NamedTuple):
    """A column of the rows: ``cell`` returns what stands in it, all of it to the right or to the left."""

    title: Sequence[Part]
    width: int
    right: bool
    cell: Callable[[PoolStatus], Sequence[Part]]


def screen(
    statuses: Sequence[PoolStatus], width: int | None, *, header: bool, single: bool
) -> Iterator[Line]:
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
        yield line(Role.WARNING("!"), f"{start}{text}", hang=hang if hang < (width or hang + 1) // 3 else 4)


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


def rows(statuses: Sequence[PoolStatus], width: int | None, header: bool) -> Iterator[Line]:
    """Yield the header, a row for each Service, and the totals."""
    longest = max([len("Service"), *(cells(name_of(status)) for status in statuses)])
    columns, room = fitting(statuses, longest, width)
    if header and statuses:
        yield row([Role.HEADING("Service")], room, [(column, column.title) for column in columns])
    for status in statuses:
        name = name_of(status)
        figures = [(column, column.cell(status)) for column in columns]
        if cells(name) > room:
            yield line(name)
            name = ""
        yield row([name], room, figures)
    if width is not None:
        numbers = sum(status.numbers for status in statuses)
        totals = f"{counted(len(statuses), 'Service')}, {counted(numbers, 'number')}"
        totals += f", {sum(status.in_use for status in statuses)} in use"
        bars = any(column.width == BAR + 11 for column in columns)
        legend = f"   {MARK} {WARNED_AT:.0f} %: Twilio warns" if bars and statuses else ""
        yield from [line("")] if statuses else []
        yield line(Role.FAINT(totals + legend if statuses else "no Services"))


def fitting(statuses: Sequence[PoolStatus], longest: int, width: int | None) -> tuple[list[Column], int]:
    """Return as many columns as fit beside the names, the most important first, and the room for the names.

    Where the bars leave no room for the last of the figures, they go.
    """
    figures = [
        Column([Role.HEADING("In use")], 6, True, lambda status: [count(status.in_use)]),
        Column([Role.HEADING("Sessions")], 8, True, lambda status: [count(status.sessions)]),
    ]
    gauges = [gauge(kind, BAR) for kind in LIMITS]
    least = min(longest, NARROWEST)
    if width is not None and least + taken([*gauges, *figures]) > width:
        gauges = [gauge(kind, 0) for kind in LIMITS]
    columns = gauges
    for column in [*figures, *details(statuses)]:
        if (
            width is None
            or min(longest, max(least, 20)) + taken([*columns, column]) <= width
            or (column in figures and least + taken([*columns, column]) <= width)
        ):
            columns = [*columns, column]
    room = longest if width is None else min(longest, max(least, width - taken(columns)))
    return columns, room


def details(statuses: Sequence[PoolStatus]) -> list[Column]:
    """Return the columns for wide terminals alone."""
    countries = max((cells(in_words(status.by_country)) for status in statuses), default=0)
    return [
        Column([Role.HEADING("SID")], 34, False, lambda status: [Role.FAINT(status.sid)]),
        Column([Role.HEADING("Countries")], max(9, countries), False, lambda s: [in_words(s.by_country)]),
    ]


def taken(columns: Sequence[Column]) -> int:
    """Return how much room columns take, with the gap before each."""
    return sum(column.width + 2 for column in columns)


def row(name: Sequence[Part], room: int, figures: Sequence[tuple[Column, Sequence[Part]]]) -> Line:
    """Return a row: a name, and the cells behind it."""
    parts: list[Part] = [*name, " " * (room - size(name))]
    for column, cell in figures:
        blank = " " * (column.width - size(cell))
        parts += ["  ", *([blank, *cell] if column.right else [*cell, blank])]
    return line(*parts)


def gauge(kind: str, width: int) -> Column:
    """Return the column of one limit: a bar so wide, the count, and its share of the limit."""
    title, limit = kind.capitalize(), f"of {LIMITS[kind]}"
    if width:
        head: list[Part] = [Role.HEADING(title), Role.FAINT(limit.rjust(width + 10 - len(title))), " "]
        return Column(head, width + 11, False, lambda status: filled(status, kind, width))
    return Column([Role.HEADING(title.rjust(10)), " "], 11, False, lambda status: filled(status, kind, 0))


def filled(status: PoolStatus, kind: str, width: int) -> list[Part]:
    """Return a bar, a count and a share; of two that are near their limits, one is a badge."""
    share, near = status.shares[kind], kind in status.near
    fill = Role.WARNING_FILL if near else Role.GOOD
    parts: list[Part] = [*bar(share / 100, fill, width, " ", MARKED)] if width else []
    number, percent = f"{status.count(kind):>5}", f"{int(share)}%"
    parts += [number if status.count(kind) else Role.FAINT(number), " " * (5 - len(percent))]
    if not near:
        return [*parts, percent if status.count(kind) else Role.FAINT(percent), " "]
    return [*parts, Role.WARNING(f"{percent}!") if status.near[0] == kind else f"{percent}!"]


def count(number: int) -> Part:
    """Return a count; zero is faint."""
    return str(number) if number else Role.FAINT(number)


# One Service


def sheet(status: PoolStatus, width: int | None) -> Iterator[Line]:
    """Yield all about one Service."""
    bars = WIDE_BAR if width is None or width >= WIDE_SHEET else 0
    yield line(Role.NAME(name_of(status)), "  ", Role.FAINT(status.sid if status.service else ""))
    yield line("")
    for kind in LIMITS:
        yield line(f"  {kind.capitalize():<10}  ", *measure(status, kind, bars))
    share = status.in_use / status.numbers if status.numbers else 0.0
    busy = bar(share, Role.GOOD, bars, " ") if bars else []
    of = Role.FAINT(f"of {status.numbers:>4}")
    sessions = f"   {counted(status.sessions, 'Session')}" if status.sessions else ""
    percent = f"{int(share * 100)}%"
    yield line("  In use      ", *busy, f"{status.in_use:>5} ", of, f"{percent:>6} {sessions}", hang=16)
    if status.numbers:
        yield line("")
        yield from spread(status, width)
        yield line("")
        yield line(f"  {'Countries':<10}  {in_words(status.by_country)}", hang=14)
        yield line(f"  {'Can':<10}  {abilities(status)}", hang=14)


def measure(status: PoolStatus, kind: str, width: int) -> list[Part]:
    """Return a bar, and the count and the share of a limit."""
    *before, number, blank, percent = [part for part in filled(status, kind, width) if part != " "]
    return [*before, number, " ", Role.FAINT(f"of {LIMITS[kind]:>4}"), f" {blank}", percent]


def spread(status: PoolStatus, width: int | None) -> Iterator[Line]:
    """Yield how many numbers have how many Sessions."""
    most = max(status.by_sessions.values())
    room = SPREAD if width is None else max(0, min(SPREAD, width - 32))
    title, noun = "Sessions", " numbers"
    for name, least in RANGES.items():
        numbers = status.by_sessions[name]
        if not numbers:
            continue
        crowded = least >= MOST_SESSIONS
        fill = Role.WARNING_FILL if crowded else Role.GOOD if least else Role.FAINT
        blocks = bar(numbers / most, fill, room, " ")[0]
        amount: Part = Role.WARNING(numbers) if crowded and status.crowded else str(numbers)
        busiest = [
            f"{one['phone_number'] or one['sid']} ({one['in_use']})"
            for one in status.busiest
            if one["in_use"] >= least
        ][: 3 if crowded else 0]
        more = f"  … and {numbers - len(busiest)} more" if busiest and numbers > len(busiest) else ""
        start = f"  {title:<8}{name.replace('-', '–'):>8}  "
        yield line(
            start,
            blocks,
            " ",
            amount,
            noun if numbers != 1 else noun[:-1] if noun else "",
            "  " if busiest else "",
            f"{'  '.join(busiest)}{more}",
            hang=len(start),
        )
        title = noun = ""


def abilities(status: PoolStatus) -> str:
    """Return the media that numbers can use, those of all numbers first."""
    counts = media(status)
    everywhere = [name for name, numbers in counts.items() if numbers == status.numbers]
    others = {name: numbers for name, numbers in counts.items() if numbers != status.numbers}
    whole = [f"{' '.join(everywhere)}: all {status.numbers}"] if everywhere else []
    return ", ".join([*whole, *([in_words(others)] if others else [])])


def media(status: PoolStatus) -> Mapping[str, int]:
    """Return how many numbers can do each of voice, sms … in either direction, restrictions left aside."""
    found: dict[str, int] = {}
    for name, numbers in status.by_capability.items():
        medium, _, way = name.rpartition("_")
        if way in ("inbound", "outbound"):
            found[medium] = max(found.get(medium, 0), numbers)
    return found


def in_words(counts: Mapping[str, int]) -> str:
    """Return ``US 430, CA 12``."""
    return ", ".join(
        f"{name} {number}" for name, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
