r"""The formats for programs: json, jsonl, tsv, csv and ids. Each writer takes pages of rows and hands out
text, so that a list of a million rows passes through in flat memory; none of them imports rich.

tsv writes tab, newline, carriage return and backslash as ``\t``, ``\n``, ``\r``, ``\\``. csv is quoted as the
standard library does it, and guards cells that a spreadsheet would run. JSON is ASCII and keeps the server's
keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

from proxyctl.errors import AnswerError
from proxyctl.identifiers import is_e164
from proxyctl.render.fields import Row, Selection
from proxyctl.render.shapes import Shape, capability_names
from proxyctl.visible import visible, without_formula

_compact = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"))
_indented = json.JSONEncoder(ensure_ascii=True, allow_nan=False, indent=2)
_TSV_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Writer:
    """Turns pages into text: ``start`` comes before the first page, ``end`` after the last one."""

    def start(self) -> str:
        return ""

    def page(self, rows: Sequence[Row]) -> str:
        raise NotImplementedError

    def end(self) -> str:
        return ""


def to_json(value: Any, *, indent: bool = False) -> str:
    """Return ``value`` as ASCII JSON. A number beyond what a double holds, or absurd nesting: AnswerError."""
    try:
        text = (_indented if indent else _compact).encode(value)
    except (ValueError, RecursionError) as error:
        raise AnswerError(f"the answer can't be written as JSON ({error})") from None
    return text.replace("\x7f", "\\u007f")


def cell(name: str, value: Any) -> str:
    """Return a cell of tsv and csv, not yet escaped: null is empty, capabilities are a comma list."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    names = capability_names(name, value)
    return to_json(value) if names is None else ",".join(names)


class JsonWriter(Writer):
    """One array, an object a line; valid also when nothing or not everything came."""

    def __init__(self, selection: Selection | None) -> None:
        self._selection = selection
        self._separator = ""

    def start(self) -> str:
        return "["

    def page(self, rows: Sequence[Row]) -> str:
        if not rows:
            return ""
        text = self._separator + "\n" + ",\n".join(_objects(rows, self._selection))
        self._separator = ","
        return text

    def end(self) -> str:
        return "\n]\n" if self._separator else "]\n"


class JsonLinesWriter(Writer):
    """An object a line."""

    def __init__(self, selection: Selection | None) -> None:
        self._selection = selection

    def page(self, rows: Sequence[Row]) -> str:
        return "\n".join([*_objects(rows, self._selection), ""])


class TsvWriter(Writer):
    r"""A header, then a row a line; cells hold no tab, no line end, and on a terminal no controls."""

    def __init__(self, selection: Selection, *, header: bool, terminal: bool) -> None:
        self._selection = selection
        self._header = header
        self._terminal = terminal

    def start(self) -> str:
        return self._line(self._selection.names) if self._header else ""

    def page(self, rows: Sequence[Row]) -> str:
        names = self._selection.names
        return "".join(self._line(map(cell, names, self._selection.values(row))) for row in rows)

    def _line(self, cells: Iterable[str]) -> str:
        line = "\t".join([text.translate(_TSV_ESCAPES) for text in cells])
        return (visible(line, keep="\t") if self._terminal else line) + "\n"


class CsvWriter(Writer):
    """A header, then a record a row, quoted as RFC 4180 has it; lines end in a bare newline."""

    def __init__(self, selection: Selection, *, header: bool, terminal: bool) -> None:
        import csv

        self._selection = selection
        self._header = header
        self._terminal = terminal
        self._lines: list[str] = []
        # Told that lines end in CR LF, the csv module quotes a CR inside a cell on every Python; _take cuts
        # it off.
        self._csv = csv.writer(SimpleNamespace(write=self._take), lineterminator="\r\n")

    def start(self) -> str:
        if not self._header:
            return ""
        self._csv.writerow(self._guarded(self._selection.names, self._selection.names))
        return self._taken()

    def page(self, rows: Sequence[Row]) -> str:
        names = self._selection.names
        for row in rows:
            self._csv.writerow(self._guarded(names, self._selection.values(row)))
        return self._taken()

    def _guarded(self, names: Sequence[str], values: Sequence[Any]) -> list[str]:
        cells = [guarded(name, value) for name, value in zip(names, values, strict=True)]
        return [visible(text) for text in cells] if self._terminal else cells

    def _take(self, line: str) -> None:
        self._lines.append(line[:-2] + "\n")

    def _taken(self) -> str:
        text = "".join(self._lines)
        self._lines.clear()
        return text


class IdsWriter(Writer):
    """A SID (or what names the row) a line; with chosen fields, those. Rows without are left out."""

    def __init__(self, selection: Selection | None, id_fields: Sequence[str], *, terminal: bool) -> None:
        self._chosen = selection is not None
        self._selection = selection or Selection.of(id_fields)
        self._terminal = terminal

    def page(self, rows: Sequence[Row]) -> str:
        return "".join([self._line(row) for row in rows])

    def _line(self, row: Row) -> str:
        cells = map(cell, self._selection.names, self._selection.values(row))
        found = [text.translate(_TSV_ESCAPES) for text in cells if text or self._chosen]
        if not any(found):
            return ""
        line = "\t".join(found if self._chosen else found[:1])
        return (visible(line, keep="\t") if self._terminal else line) + "\n"


def writer_for(
    output_format: str, shape: Shape, selection: Selection | None, *, header: bool, terminal: bool
) -> Writer:
    """Return the writer of json, jsonl, tsv, csv or ids. ``selection`` None: all fields."""
    columns = selection or Selection.of(shape.fields)
    if output_format == "json":
        return JsonWriter(selection)
    if output_format == "jsonl":
        return JsonLinesWriter(selection)
    if output_format == "csv":
        return CsvWriter(columns, header=header, terminal=terminal)
    if output_format == "ids":
        return IdsWriter(selection, shape.id_fields, terminal=terminal)
    return TsvWriter(columns, header=header, terminal=terminal)


def guarded(name: str, value: Any) -> str:
    """Return a cell of csv: text that a spreadsheet would run gets an apostrophe; not so E.164."""
    text = cell(name, value)
    safe = without_formula(text)
    return text if safe is text or isinstance(value, int | float) or is_e164(text) else safe


def _objects(rows: Sequence[Row], selection: Selection | None) -> list[str]:
    if selection is None:
        return [to_json(row) for row in rows]
    return [to_json(selection.pick(row)) for row in rows]
