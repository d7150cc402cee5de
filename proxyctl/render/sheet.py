"""A sheet for people: one object, with the verdict on it first. Apart from tables, whose layout needs rich."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from proxyctl.render.cells import DASH, Cell, role_of, shown_value
from proxyctl.render.shape import Column, Kind, Row, Shape, capability_names, value_at
from proxyctl.roles import Line, Piece, Role, Screen, cells, line

GAP = "  "
LINKS = ("url", "uri", "links")  # the API's own, of no use to a person


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
