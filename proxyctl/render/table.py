"""Tables for people: columns that fit the terminal, colours that never stand alone, a sheet for one object.

The layout is ours, on rich's cell widths and styles: rich.table takes 0.4 ms a row (2 s for a full pool),
reads strings as markup, and cuts SIDs where it runs out of room. Here only free text is ever cut or folded.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, zip_longest

from rich.cells import chop_cells, set_cell_size

from proxyctl.render.cells import Display, shown, shown_value
from proxyctl.render.shape import ALWAYS, Column, Kind, Row, Shape, Writer, capability_names, value_at
from proxyctl.roles import OF_ACTIONS, Role, cells, painted

GAP = "  "
NARROWEST = 12  # a column of text is not worth having below this
CHUNK = 500  # lines a write

_WORDS = {**OF_ACTIONS, "closed": Role.FAINT, "done": Role.GOOD, "partial": Role.WARNING}
_WORD_FIELDS = ("action", "outcome", "status", "state")


class Table(Writer):
    """Rows gathered as text, then laid out together, since the widths depend on all of them."""

    def __init__(
        self,
        shape: Shape,
        chosen: Sequence[str] | None,
        display: Display,
        *,
        header: bool,
        footer: str | None,
    ) -> None:
        super().__init__(lambda row: "")
        self._shape = shape
        self._header, self._footer = header, footer
        self._display = display
        self._columns = [shape.column(name) for name in chosen] if chosen else list(shape.columns)
        self._may_drop = not chosen
        self._rows: list[tuple[str, ...]] = []
        self._widths = [0] * len(self._columns)
        self._numeric = [column.kind is Kind.NUMBER for column in self._columns]

    def page(self, rows: Sequence[Row]) -> str:
        """Take a page of rows; nothing can be printed yet."""
        for row in rows:
            texts = tuple(shown(column, row, self._display) for column in self._columns)
            self._widths = list(map(max, self._widths, map(cells, texts)))
            self._rows.append(texts)
        return ""

    def end(self, complete: bool) -> Iterator[str]:
        """Yield the text of the table in chunks; the count only on a terminal, where nobody parses it."""
        terminal = self._display.width is not None
        lines = iter(()) if terminal and not self._rows else self._lines()
        while chunk := list(islice(lines, CHUNK)):
            yield "".join(line + "\n" for line in chunk)
        footer = self._footer if complete else None
        if terminal and footer != "":
            text = footer or self._shape.count(len(self._rows)) + ("" if complete else " (incomplete)")
            yield ("\n" if self._rows else "") + self._styled(text, Role.FAINT) + "\n"

    def _lines(self) -> Iterator[str]:
        widths = fit(self._natural(), self._display.width, may_drop=self._may_drop)
        places = [place for place, width in enumerate(widths) if width is not None]
        room = [width for width in widths if width is not None]
        if self._header:
            yield self._line(places, room, [self._title(self._columns[p]) for p in places], Role.HEADING)
            if self._display.width is not None:
                yield self._styled(GAP.join(self._display.rule * width for width in room), Role.FAINT)
        for row in self._rows:
            yield from self._row_lines(places, room, row)

    def _natural(self) -> list[tuple[Column, int]]:
        """Columns with the width that they would like; those in which no row has anything matter least."""
        titles = [cells(self._title(column)) if self._header else 0 for column in self._columns]
        empty = [
            all(row[place] == self._display.dash for row in self._rows) for place in range(len(self._columns))
        ]
        return [
            (column._replace(importance=-1) if blank and column.importance < ALWAYS else column, max(pair))
            for column, blank, *pair in zip(self._columns, empty, self._widths, titles, strict=True)
        ]

    def _row_lines(self, places: list[int], room: list[int], row: tuple[str, ...]) -> Iterator[str]:
        """One line, or several where a folded text goes on."""
        if all(cells(row[place]) <= width for place, width in zip(places, room, strict=True)):
            yield self._line(places, room, [row[place] for place in places], None)
            return
        parts = [
            _fitted(row[p], width, self._columns[p].kind, self._display)
            for p, width in zip(places, room, strict=True)
        ]
        for texts in zip_longest(*parts, fillvalue=""):
            yield self._line(places, room, texts, None)

    def _line(self, places: list[int], room: list[int], texts: Sequence[str], style: Role | None) -> str:
        padded = []
        for place, width, text in zip(places, room, texts, strict=True):
            pad = " " * (width - cells(text))
            painted = self._styled(text, style or style_of(self._columns[place].field, text, self._display))
            padded.append(pad + painted if self._numeric[place] else painted + pad)
        return GAP.join(padded).rstrip(" ")

    def _title(self, column: Column) -> str:
        return shown_value(Column(column.field, "", 0), column.title, self._display)

    def _styled(self, text: str, style: Role | None) -> str:
        return painted(text, style) if self._display.color and style else text


def fit(
    columns: Sequence[tuple[Column, int]], width: int | None, *, may_drop: bool = True
) -> list[int | None]:
    """Return the width of each column, None for those dropped, out of (column, natural width) and the room.

    Columns of negative importance are worth no cut. Then the least important go, until the rest fits with its
    free text cut to a minimum; what room is left goes to the texts, the most important first. Columns of
    importance ALWAYS stay, even if lines get too long.
    """
    if width is None:
        return [natural for _, natural in columns]
    least = [min(natural, _minimum(column)) if _flexible(column) else natural for column, natural in columns]
    kept = set(range(len(columns)))
    if may_drop and _total([natural for _, natural in columns], kept) > width:
        kept = {place for place in kept if columns[place][0].importance >= 0}
    droppable = sorted(
        (place for place in kept if may_drop and columns[place][0].importance < ALWAYS),
        key=lambda place: columns[place][0].importance,
        reverse=True,
    )
    while droppable and _total(least, kept) > width:
        kept.remove(droppable.pop())
    spare = max(0, width - _total(least, kept))
    widths: list[int | None] = [least[place] if place in kept else None for place in range(len(columns))]
    for place in sorted(kept, key=lambda place: -columns[place][0].importance):
        more = min(spare, columns[place][1] - least[place])
        widths[place] = least[place] + more
        spare -= more
    return widths


def sheet(shape: Shape, chosen: Sequence[str] | None, row: Row, display: Display) -> Iterator[str]:
    """Yield the lines of one object: field names, as ``--fields`` takes them, and whole values, never cut."""
    names = list(chosen or dict.fromkeys([*shape.fields, *row]))
    entries = list(_entries(shape, names, row, display))
    room = max((cells(label) for label, _, _ in entries), default=0)
    for label, name, text in entries:
        style = style_of(name, text, display) if display.color else None
        pad = " " * (room - cells(label))
        title = painted(label, Role.HEADING) if display.color else label
        yield f"{title}{pad}{GAP}{painted(text, style) if style else text}\n"


def _entries(
    shape: Shape, names: Iterable[str], row: Row, display: Display
) -> Iterator[tuple[str, str, str]]:
    """Label, field and text for each line; a map takes a line a key."""
    for name in names:
        value = value_at(row, name)
        if isinstance(value, dict) and value and capability_names(name, value) is None:
            yield from _entries(shape, [f"{name}.{key}" for key in value], row, display)
            continue
        column = shape.column(name)
        text = shown_value(column, value, display)
        if column.kind is Kind.DATE and text != display.dash:
            text += " UTC"
        yield shown_value(Column(name, "", 0), name, display), name, text


def style_of(field: str, text: str, display: Display) -> Role | None:
    """Return the colour of a cell: it only stresses what the text says."""
    name = field.rpartition(".")[2]
    if text == display.dash:
        return Role.FAINT
    if name == "is_reserved":
        return None
    if name in ("in_use", "failed"):
        return Role.FAINT if text == "0" else (Role.BAD if name == "failed" else None)
    if field.startswith("error"):
        return Role.BAD
    return _WORDS.get(text) if name in _WORD_FIELDS else None


def _total(widths: Sequence[int], kept: set[int]) -> int:
    return sum(widths[place] for place in kept) + len(GAP) * max(0, len(kept) - 1)


def _flexible(column: Column) -> bool:
    return column.kind in (Kind.TEXT, Kind.FOLD)


def _minimum(column: Column) -> int:
    return max(NARROWEST, cells(column.title))


def _fitted(text: str, width: int, kind: Kind, display: Display) -> list[str]:
    """Return the lines of a cell: one, unless it is folded."""
    if cells(text) <= width or kind not in (Kind.TEXT, Kind.FOLD):
        return [text]
    if kind is Kind.TEXT:
        return [set_cell_size(text, width - len(display.ellipsis)) + display.ellipsis]
    if text.isascii():
        return textwrap.wrap(text, width, break_on_hyphens=False, expand_tabs=False) or [text]
    return chop_cells(text, width)
