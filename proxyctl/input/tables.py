"""CSV and tab-separated text, as programs and spreadsheets write it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

from proxyctl.input.rows import FIELDS, Contents, Flaw, Known, Line, Row, Rows, broken, known
from proxyctl.text import counted, did_you_mean, show, without_invisible

DELIMITERS = ",;\t"
_SEPARATOR = re.compile(r'"?sep=(.)"?[,;\t]*', re.IGNORECASE)
# As a cell may hold it: as it is, as a formula, or cut short by a spreadsheet.
_NUMBER = re.compile(r"(?:[0-9][^0-9]{0,3}){7}|PN[0-9a-fA-F]{32}|[0-9][eE]\+?[0-9]")


class Header(NamedTuple):
    """Where the columns are that we know; ``width`` counts them all. ``there``: the first line has their names."""

    delimiter: str
    width: int
    columns: Mapping[str, int]
    twice: tuple[str, ...] = ()
    there: bool = True


ONE_COLUMN = Header(",", 1, {"phone_number": 0})


def separator(text: str) -> str | None:
    """Return the delimiter that a first line ``sep=…`` names for spreadsheets; None for any other line."""
    match = _SEPARATOR.fullmatch(without_invisible(text.rstrip("\n")).strip(" "))
    return match[1] if match else None


def header_of(text: str, column: str | None, delimiters: str, kind: str = "number") -> Header | None:
    """Return the header that a first line is; None where it is none, or has not the ``column``."""
    if column and column.isdecimal():
        return _numbered(text, int(column), delimiters)
    for delimiter in delimiters:
        names = tuple(_cells(text, delimiter))
        found = known(names, column, kind)
        if "sid" in found.places or "phone_number" in found.places:
            return Header(delimiter, len(names), found.places, found.twice)
    return None


def _numbered(text: str, place: int, delimiters: str) -> Header | None:
    """Return the header of a file whose numbers are in the column at a place; its first line may be a row already."""
    cells = _widest(text, delimiters)
    if not 0 < place <= len(cells):
        return None
    delimiter = next(each for each in delimiters if len(_cells(text, each)) == len(cells))
    there = not _NUMBER.search(without_invisible(cells[place - 1]))
    others = known(tuple(cells)) if there else Known({})
    columns = {name: at for name, at in others.places.items() if name not in ("sid", "phone_number")}
    return Header(delimiter, len(cells), {**columns, "phone_number": place - 1}, there=there)


def _widest(text: str, delimiters: str) -> list[str]:
    return max((_cells(text, each) for each in delimiters), key=len)


def no_column(text: str, column: str, delimiters: str) -> str:
    """Say that there is no such column, and which there are."""
    names = [cell.strip().casefold() for cell in _widest(text, delimiters)]
    first = f"The header is {show(text.strip())}"
    return f"there is no column {show(column)}.{did_you_mean(column, names)} {first}"


def _cells(text: str, delimiter: str) -> list[str]:
    if len(text) > csv.field_size_limit():
        return []
    try:
        return next(_reader([text], delimiter), [])
    except csv.Error:
        return []


def _reader(lines: Iterable[str], delimiter: str) -> Any:  # the type has no public name
    # Tab-separated text, as this program and most others write it, knows no quotes.
    if delimiter == "\t":
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
    return csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)


def table(header: Header, first: Line, lines: Iterator[Line]) -> Contents:
    """Return the contents of a table; its first line is the header, or a row already."""
    line, title = first
    if header.twice:
        twice = ", ".join(map(show, header.twice))
        what = f"the header names a column twice: {twice}. Rename one, or name the right one with --column"
        return broken(line, what, title)
    column = header.columns.get("phone_number", header.columns.get("sid", 0))
    if not header.there:
        return Contents("csv", _rows(header, [], line - 1, chain([first], lines)), column=column)
    names = _cells(title, header.delimiter)
    return Contents("csv", _rows(header, names, line, lines), header=tuple(names), column=column)


def _rows(header: Header, names: list[str], line: int, lines: Iterator[Line]) -> Rows:
    last = ""

    def texts() -> Iterator[str]:
        nonlocal last
        for _, last in lines:
            yield last

    reader = _reader(texts(), header.delimiter)
    while True:
        start = line + reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            spans_lines = line + reader.line_num > start
            yield Flaw(start, _csv_flaw(error, spans_lines), (last.rstrip("\n"),), fatal=spans_lines)
            if spans_lines:
                return
            continue
        comment = len(fields) == 1 and fields[0].startswith("#")
        if any(map(_is_filled, fields)) and fields != names and not comment:
            yield _row(header, start, fields)


def _is_filled(cell: str) -> bool:
    return bool(without_invisible(cell).strip())


def _row(header: Header, line: int, fields: list[str]) -> Row | Flaw:
    """Return what a row says. It may lack cells at its end, or have empty ones too many."""
    if any(map(_is_filled, fields[header.width :])):
        what = "header" if header.there else "first row"
        what = f"the {what} has {counted(header.width, 'column')}, this row {len(fields)}"
        return Flaw(line, what, tuple(fields))
    places = (header.columns.get(name) for name in FIELDS)
    values = (None if at is None else fields[at] if at < len(fields) else "" for at in places)
    return Row._make((line, *values, tuple(fields)))


def _csv_flaw(error: csv.Error, spans_lines: bool) -> str:
    if spans_lines or "unexpected end of data" in str(error):
        return (
            "the quote that opens here is not closed where its column ends. The rows after it were not read"
        )
    return f"not CSV: {error}"
