"""Values as a person reads them: words with their roles, dates in UTC, capabilities in a few words, how busy a number
is; and a sheet of one object, with the verdict on it first. Apart from tables, whose layout needs rich.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from proxyctl.render.shape import Column, Kind, Row, Shape, capability_names, to_json, value_at
from proxyctl.roles import OF_ACTIONS, Line, Piece, Role, Screen, cells, line
from proxyctl.text import MOST_SESSIONS, visible

_DIRECTIONS = {"inbound": "in", "outbound": "out"}
_WORDS = {**OF_ACTIONS, "closed": Role.FAINT, "done": Role.GOOD, "partial": Role.WARNING}
_WORD_FIELDS = ("action", "outcome", "status", "state")
HEIGHTS = "▁▂▃▄▅▆▇█"
GAP = "  "
LINKS = ("url", "uri", "links")  # the API's own, of no use to a person

DASH = "–"  # what stands for null

Cell = Sequence[Piece]  # what stands side by side in a place of a table


def shown(column: Column, row: Row, screen: Screen) -> Cell:
    """Return the cell of ``row`` in ``column``. A row may hold a Line: words that have roles already."""
    value = row[column.field] if column.field in row else value_at(row, column.field)
    if screen.width is not None and column.kind is Kind.LOAD and isinstance(value, int):
        value = Line(load(value))
    if isinstance(value, Line):
        return [piece._replace(text=encoded(piece.text, screen)) for piece in value.pieces]
    if screen.width is not None and isinstance(value, bool):
        value = column.field.rpartition(".")[2].removeprefix("is_") if value else None
    text = shown_value(column, value, screen)
    return [Piece(text, role_of(column, text, screen))]


def load(sessions: int) -> Cell:
    """Return how busy a number is: its Sessions, and a block as high as their share of the most that is advised."""
    if sessions <= 0:
        return [Role.FAINT(sessions), Piece("   ")]
    if sessions > MOST_SESSIONS:
        return [Role.WARNING(f"{sessions} {HEIGHTS[-1]}!")]
    return [Piece(f"{sessions} {HEIGHTS[-(-sessions * len(HEIGHTS) // MOST_SESSIONS) - 1]} ")]


def role_of(column: Column, text: str, screen: Screen) -> Role | None:
    """Return the role of a cell: it only stresses what the text says."""
    name = column.field.rpartition(".")[2]
    if text == screen.own(DASH) or name.endswith("sid"):
        return Role.FAINT
    if text == "0" and column.kind in (Kind.NUMBER, Kind.LOAD):
        return Role.FAINT
    if name == "failed" or column.field.startswith("error"):
        return Role.BAD
    return _WORDS.get(text) if name in _WORD_FIELDS else None


def shown_value(column: Column, value: Any, screen: Screen) -> str:
    """Return one value as a printable text for people."""
    return encoded(_words(column, value, screen), screen, ours=False)


def encoded(text: str, screen: Screen, *, ours: bool = True) -> str:
    """Return text without control characters, within what the encoding can hold; our own signs have ASCII forms."""
    text = visible(text)
    if text.isascii():
        return text
    if ours:
        text = screen.own(text)
    return text.encode(screen.encoding, "backslashreplace").decode(screen.encoding)


def _words(column: Column, value: Any, screen: Screen) -> str:
    if value is None or value == "":
        return screen.own(DASH)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if column.kind is Kind.DATE:
        return moment(value) or str(value)
    if isinstance(value, str):
        return value
    names = capability_names(column.field, value)
    if names is not None:
        return (capabilities(value) if isinstance(value, dict) else " ".join(names)) or screen.own(DASH)
    return to_json(value)


def moment(value: Any) -> str | None:
    """Return ``2026-11-22 05:30`` in UTC for an ISO 8601 or RFC 2822 date or seconds since 1970, else None."""
    try:
        when = _parsed(value)
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    except (ValueError, TypeError, OverflowError, OSError, IndexError):
        return None


def _parsed(value: Any) -> datetime:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        from email.utils import parsedate_to_datetime  # 10 ms, and only the account's numbers need it

        return parsedate_to_datetime(value)


def capabilities(value: Mapping[str, Any]) -> str:
    """Return ``voice sms(in) mms(domestic)``: a bare name goes both ways, unknown ones are as they come."""
    true = [str(name) for name, there in value.items() if there is True]
    ways: dict[str, list[str]] = {}
    for name in true:
        kind, _, direction = name.rpartition("_")
        if kind and direction in _DIRECTIONS:
            ways.setdefault(kind, []).append(_DIRECTIONS[direction])
    words = {kind: [] if len(found) == 2 else found for kind, found in ways.items()}
    for name in true:
        limited = name.removeprefix("restriction_").removesuffix("_domestic")
        if name == f"restriction_{limited}_domestic" and limited in words:
            words[limited].append("domestic")
        elif name.rpartition("_")[2] not in _DIRECTIONS or not name.rpartition("_")[0]:
            words.setdefault(name, [])
    return " ".join(f"{kind}({','.join(notes)})" if notes else kind for kind, notes in words.items())


# One object


def sheet(
    shape: Shape,
    chosen: Sequence[str] | None,
    row: Row,
    screen: Screen,
    verdict: Line | None = None,
    said: Collection[str] = (),
) -> Iterator[Line]:
    """Yield the lines of one object: field names, as ``--fields`` takes them, and whole values, never cut.

    On a terminal the fields of the shape's head and the verdict come first. What they have ``said`` is left out, and
    what is not set is named in one line.
    """
    names = list(chosen or dict.fromkeys([*shape.fields, *row]))
    if chosen or screen.width is None:
        yield from _table(list(_entries(shape, names, row, screen)), "", screen.width)
        return
    head = [value for name in shape.head if (value := row.get(name))]
    if head:
        yield line(Role.NAME(head[0]), *(part for value in head[1:] for part in (GAP, Role.FAINT(value))))
    if verdict:
        yield verdict
    if head or verdict:
        yield line("")
    left_out = {*shape.head, *LINKS, *said} if head else {*LINKS, *said}
    unset = [name for name in names if row.get(name) in (None, "") and name not in left_out]
    entries = list(_entries(shape, [name for name in names if name not in {*left_out, *unset}], row, screen))
    if unset:
        entries.append(("not set", [Role.FAINT(", ".join(unset))]))
    yield from _table(entries, "  " if head or verdict else "", screen.width)


def _table(entries: Sequence[tuple[str, Cell]], indent: str, width: int | None) -> Iterator[Line]:
    room = max((cells(label) for label, _ in entries), default=0)
    for label, cell in entries:
        start = f"{indent}{label}{' ' * (room - cells(label))}{GAP}"
        longest = max((cells(word) for piece in cell for word in piece.text.split()), default=0)
        beside = width is None or cells(start) + longest <= width
        yield line(start, *cell, hang=cells(start) if beside else len(indent) + 2)


def _entries(shape: Shape, names: Iterable[str], row: Row, screen: Screen) -> Iterator[tuple[str, Cell]]:
    """Label and text for each line; a map takes a line a key."""
    for name in names:
        value = value_at(row, name)
        if isinstance(value, dict) and value and capability_names(name, value) is None:
            yield from _entries(shape, [f"{name}.{key}" for key in value], row, screen)
            continue
        column = shape.column(name)
        text = shown_value(column, value, screen)
        role = role_of(column, text, screen)
        if column.kind is Kind.DATE and text != screen.own(DASH):
            text += " UTC"
        yield shown_value(Column(name, "", 0), name, screen), [Piece(text, role)]
