"""Tables for people: columns that fit the terminal, and roles that never stand alone.

The layout is ours, on rich's cell widths: rich.table takes 0.4 ms a row (2 s for a full pool), reads strings as
markup, and cuts SIDs where it runs out of room. Here only free text is ever cut or folded.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest

from rich.cells import chop_cells, set_cell_size

from proxyctl.render.cells import Cell, encoded, shown
from proxyctl.render.shape import ALWAYS, SID, Column, Kind, Row, Shape, Writer, value_at
from proxyctl.roles import Piece, Role, Screen, cells, painted, size

GAP = "  "
NARROWEST = 12  # a column of text is not worth having below this
CHUNK = 500  # lines a write
RIGHT = (Kind.NUMBER, Kind.LOAD)
FLEXIBLE = (Kind.TEXT, Kind.FOLD)


class Table(Writer):
    """Rows gathered as text, then laid out together, since the widths depend on all of them."""

    def __init__(
        self,
        shape: Shape,
        chosen: Sequence[str] | None,
        screen: Screen,
        *,
        header: bool,
    ) -> None:
        super().__init__(lambda row: "")
        self._shape = shape
        self._header = header
        self._screen = screen
        self._columns = [shape.column(name) for name in chosen] if chosen else list(shape.columns)
        self._may_drop = not chosen
        self._rows: list[tuple[Cell, ...]] = []
        self._widths = [0] * len(self._columns)
        self._totals = dict.fromkeys(shape.totals, 0)
        self._filled: set[int] = set()  # the columns in which some row has something

    def page(self, rows: Sequence[Row]) -> str:
        """Take a page of rows; nothing can be printed yet."""
        for place, column in enumerate(self._columns):
            if any(value_at(row, column.field) not in (None, "", {}) for row in rows):
                self._filled.add(place)
        for name in self._totals:
            self._totals[name] += sum(bool(row.get(name)) for row in rows)
        for row in rows:
            texts = tuple(shown(column, row, self._screen) for column in self._columns)
            self._widths = list(map(max, self._widths, map(size, texts)))
            self._rows.append(texts)
        return ""

    def end(self, complete: bool) -> Iterator[str]:
        """Yield the text of the table in chunks; the count only on a terminal, where nobody parses it."""
        terminal = self._screen.width is not None
        lines = iter(()) if terminal and not self._rows else self._lines()
        while chunk := list(islice(lines, CHUNK)):
            yield "".join(line + "\n" for line in chunk)
        if terminal:
            text = self._count() + ("" if complete else " (incomplete)")
            yield ("\n" if self._rows else "") + self._painted([Role.FAINT(text)]) + "\n"

    def _count(self) -> str:
        totals = [f"{self._totals[name]} {words}" for name, words in self._shape.totals.items()]
        count = self._shape.count(len(self._rows))
        return f"{count}: {', '.join(totals)}" if totals and self._rows else count

    def _lines(self) -> Iterator[str]:
        widths = fit(self._natural(), self._screen.width, may_drop=self._may_drop)
        places = [place for place, width in enumerate(widths) if width is not None]
        room = [width for width in widths if width is not None]
        if self._header:
            yield self._line(places, room, [self._title(self._columns[place]) for place in places])
            if self._screen.width is not None:
                yield self._painted([Role.FAINT(GAP.join(self._screen.own("─") * width for width in room))])
        for row in self._rows:
            yield from self._row_lines(places, room, row)

    def _natural(self) -> list[tuple[Column, int]]:
        """Columns with the width that they would like; those in which no row has anything matter least."""
        titles = [size(self._title(column)) if self._header else 0 for column in self._columns]
        found = []
        for place, (column, *sizes) in enumerate(zip(self._columns, self._widths, titles, strict=True)):
            empty = place not in self._filled and column.importance < ALWAYS
            found.append((column._replace(importance=-1) if empty else column, max(sizes)))
        return found

    def _row_lines(self, places: list[int], room: list[int], row: tuple[Cell, ...]) -> Iterator[str]:
        """One line, or several where a folded text goes on."""
        if all(size(row[place]) <= width for place, width in zip(places, room, strict=True)):
            yield self._line(places, room, [row[place] for place in places])
            return
        parts = [
            fitted(row[place], width, self._columns[place].kind, self._screen)
            for place, width in zip(places, room, strict=True)
        ]
        for cells_of_line in zip_longest(*parts, fillvalue=()):
            yield self._line(places, room, cells_of_line)

    def _line(self, places: list[int], room: list[int], row: Sequence[Cell]) -> str:
        padded = []
        for place, width, cell in zip(places, room, row, strict=True):
            pad = " " * (width - size(cell))
            text = self._painted(cell)
            padded.append(pad + text if self._columns[place].kind in RIGHT else text + pad)
        return GAP.join(padded).rstrip(" ")

    def _title(self, column: Column) -> Cell:
        return [Role.HEADING(encoded(column.title, self._screen, ours=False))]

    def _painted(self, cell: Cell) -> str:
        if not self._screen.color:
            return "".join([piece.text for piece in cell])
        return "".join([painted(piece.text, piece.role) for piece in cell])


def fit(
    columns: Sequence[tuple[Column, int]], width: int | None, *, may_drop: bool = True
) -> list[int | None]:
    """Return the width of each column, None for those dropped, out of (column, natural width) and the room.

    The most important columns stay, as many as fit with their free text cut to a minimum; a SID that has no room is
    passed over. Those of negative importance stay only where nothing has to be cut, those of importance ALWAYS even if
    lines get too long. What room is left goes to the texts, the most important first.
    """
    if width is None:
        return [natural for _, natural in columns]
    least = [
        min(natural, max(NARROWEST, cells(column.title))) if column.kind in FLEXIBLE else natural
        for column, natural in columns
    ]
    ranked = sorted(range(len(columns)), key=lambda place: -columns[place][0].importance)
    roomy = _total([natural for _, natural in columns], ranked) <= width
    kept: list[int] = []
    for place in ranked:
        importance = columns[place][0].importance
        fits = _total(least, [*kept, place]) <= width and (importance >= 0 or roomy)
        if fits or importance >= ALWAYS or not may_drop:
            kept.append(place)
        elif importance != SID:
            break
    kept = kept or ranked[:1]
    spare = max(0, width - _total(least, kept))
    widths: list[int | None] = [least[place] if place in kept else None for place in range(len(columns))]
    for place in kept:
        more = min(spare, columns[place][1] - least[place])
        widths[place] = least[place] + more
        spare -= more
    return widths


def _total(widths: Sequence[int], kept: Sequence[int]) -> int:
    return sum(widths[place] for place in kept) + len(GAP) * max(0, len(kept) - 1)


def fitted(cell: Cell, width: int, kind: Kind, screen: Screen) -> list[Cell]:
    """Return the lines of a cell: one, unless it is folded."""
    if size(cell) <= width or kind not in FLEXIBLE:
        return [cell]
    text, role = "".join(piece.text for piece in cell), cell[0].role
    ellipsis = screen.own("…")
    if kind is Kind.TEXT:
        rows = [set_cell_size(text, width - len(ellipsis)) + ellipsis]
    elif text.isascii():
        rows = textwrap.wrap(text, width, break_on_hyphens=False, expand_tabs=False) or [text]
    else:
        rows = chop_cells(text, width)
    return [[Piece(row, role)] for row in rows]
