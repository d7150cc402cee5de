r"""The formats for programs: json, jsonl, tsv, csv and ids. A writer takes pages of rows and hands out
text, so that a list of a million rows passes through in flat memory; none of them imports rich.

tsv writes tab, newline, carriage return and backslash as ``\t``, ``\n``, ``\r``, ``\\``. csv is quoted as the
standard library does it, and guards cells that a spreadsheet would run. JSON is ASCII and keeps the server's
keys.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

from proxyctl.errors import AnswerError
from proxyctl.identifiers import is_e164
from proxyctl.render.shape import Row, Shape, capability_names, pick, value_at
from proxyctl.visible import visible, without_formula

_compact = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"))
_indented = json.JSONEncoder(ensure_ascii=True, allow_nan=False, indent=2)
_TSV_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


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


class Writer:
    """Turns pages into text, a line a row: ``start`` comes before the first page, `end` after the last one."""

    def __init__(self, text_of: Callable[[Row], str], start: str = "") -> None:
        self._text_of = text_of
        self.start = start

    def page(self, rows: Sequence[Row]) -> str:
        """Return the text of a page."""
        return "".join([self._text_of(row) for row in rows])

    def end(self, complete: bool) -> Iterator[str]:
        """Yield what closes the text, also where not all pages came."""
        yield ""


class JsonWriter(Writer):
    """One array, an object a line; valid also when nothing or not everything came."""

    def __init__(self, text_of: Callable[[Row], str]) -> None:
        super().__init__(text_of, "[")
        self._separator = ""

    def page(self, rows: Sequence[Row]) -> str:
        text = self._separator + "\n" + ",\n".join([self._text_of(row) for row in rows])
        self._separator = ","
        return text

    def end(self, complete: bool) -> Iterator[str]:
        yield "\n]\n" if self._separator else "]\n"


def writer_for(
    output_format: str, shape: Shape, chosen: Sequence[str] | None, *, header: bool, terminal: bool
) -> Writer:
    """Return the writer of json, jsonl, tsv, csv or ids. ``chosen`` None: all fields."""
    if output_format in ("json", "jsonl"):
        whole = output_format == "json"

        def text_of(row: Row) -> str:
            return to_json(row if chosen is None else pick(row, chosen)) + ("" if whole else "\n")

        return JsonWriter(text_of) if whole else Writer(text_of)
    if output_format == "ids":
        return Writer(ids_line(shape, chosen, terminal=terminal))
    fields = tuple(chosen or shape.fields)
    line = csv_line(terminal=terminal) if output_format == "csv" else tsv_line(terminal=terminal)
    start = line(fields, fields) if header else ""
    return Writer(lambda row: line(fields, [value_at(row, name) for name in fields]), start)


def tsv_line(*, terminal: bool) -> Callable[[Sequence[str], Sequence[Any]], str]:
    """Return what makes a line of fields and values: cells hold no tab, no line end, and on a terminal no controls."""

    def line(fields: Sequence[str], values: Sequence[Any]) -> str:
        text = "\t".join([cell(*pair).translate(_TSV_ESCAPES) for pair in zip(fields, values, strict=True)])
        return (visible(text, keep="\t") if terminal else text) + "\n"

    return line


def csv_line(*, terminal: bool) -> Callable[[Sequence[str], Sequence[Any]], str]:
    """Return what makes a record of fields and values, quoted as RFC 4180 has it; it ends in a bare newline."""
    import csv

    written: list[str] = []
    # Where lines are to end in CR LF, the csv module quotes a CR inside a cell on every Python; here it is cut off.
    writer = csv.writer(SimpleNamespace(write=written.append), lineterminator="\r\n")

    def line(fields: Sequence[str], values: Sequence[Any]) -> str:
        cells = [guarded(name, value) for name, value in zip(fields, values, strict=True)]
        writer.writerow([visible(text) for text in cells] if terminal else cells)
        return written.pop()[:-2] + "\n"

    return line


def ids_line(shape: Shape, chosen: Sequence[str] | None, *, terminal: bool) -> Callable[[Row], str]:
    """Return what makes a line of a row: its SID (or what names it), or the chosen fields; none where it has none."""

    def line(row: Row) -> str:
        cells = [cell(name, value_at(row, name)) for name in chosen or shape.id_fields]
        found = cells if chosen else [text for text in cells if text][:1]
        if not any(found):
            return ""
        text = "\t".join([text.translate(_TSV_ESCAPES) for text in found])
        return (visible(text, keep="\t") if terminal else text) + "\n"

    return line


def guarded(name: str, value: Any) -> str:
    """Return a cell of csv: text that a spreadsheet would run gets an apostrophe; not so E.164."""
    text = cell(name, value)
    safe = without_formula(text)
    return text if safe is text or isinstance(value, int | float) or is_e164(text) else safe
