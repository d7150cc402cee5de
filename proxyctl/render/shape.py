r"""What a kind of row is made of: fields in the API's order, the columns that a table makes of them, and which of them
``--fields a,b.c`` chooses, in every format; and the writers for programs: json, jsonl, tsv, csv and ids.

A writer takes pages of rows and hands out text, so that a list of a million rows passes in flat memory. tsv writes
tab, newline, carriage return and backslash as ``\t``, ``\n``, ``\r``, ``\\``. csv is quoted as the standard library
does it, and guards cells that a spreadsheet would run. JSON is ASCII and keeps the server's keys.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

from proxyctl.errors import AnswerError, UsageError
from proxyctl.identifiers import is_e164
from proxyctl.text import cut, nearest, visible, without_formula

Row = Mapping[str, Any]
ALWAYS = 100  # the importance of a column that no terminal is too narrow for
SID = 99  # of a SID beside what people call it
_compact = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"))
_indented = json.JSONEncoder(ensure_ascii=True, allow_nan=False, indent=2)
_TSV_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Kind(Enum):
    """How a column of a table behaves when space is short, and how its cells are shown."""

    FIXED = "fixed"  # never cut: a SID, a number, yes or no
    NUMBER = "number"  # never cut, to the right
    LOAD = "load"  # the same, of Sessions: with a block as high as the share of what is advised
    DATE = "date"  # never cut, in UTC, to the minute
    TEXT = "text"  # cut at the end where the terminal is too narrow
    FOLD = "fold"  # goes on in the next line instead


class Column(NamedTuple):
    """A column of a table. ``field`` may be a path; those of least importance (0-100) give way first."""

    field: str
    title: str
    importance: int
    kind: Kind = Kind.FIXED


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of row.

    ``fields`` are the names in the API's order, ``columns`` what a table shows. ``id_fields``: the first of
    them that is there is the row's line in ``-o ids``. ``maps`` names the known keys of nested maps, ``head`` the
    fields that are the first line of a sheet, ``totals`` those of which a table counts the rows that have them.
    """

    noun: str
    plural: str
    fields: tuple[str, ...]
    columns: tuple[Column, ...]
    id_fields: tuple[str, ...] = ("sid",)
    maps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    head: tuple[str, ...] = ()
    totals: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def generic(cls, noun: str, fields: tuple[str, ...], *, id_field: str = "sid") -> Shape:
        """Return a shape for rows that shapes.json does not have; the columns follow from the fields' names."""
        columns = tuple(column_of(name) for name in fields)
        return cls(noun, f"{noun}s", fields, columns, (id_field,))

    def column(self, name: str) -> Column:
        """Return the column for a field or path, also for one that this shape does not know."""
        return next((column for column in self.columns if column.field == name), column_of(name))

    def count(self, number: int) -> str:
        """Return ``1 Service``, ``12,345 Services``, ``no Services``."""
        noun = self.noun if number == 1 else self.plural
        return f"{number:,} {noun}" if number else f"no {noun}"


def column_of(name: str) -> Column:
    """Return a column for a field of which only the name is known."""
    last = name.rpartition(".")[2]
    title = name.replace("_", " ").replace(".", " ")
    title = (title[:1].upper() + title[1:]).replace(" sid", " SID")
    if last in ("sid", "phone_number"):
        return Column(name, "SID" if name == "sid" else title, SID if last == "sid" else ALWAYS)
    if last.endswith("_sid"):
        return Column(name, title, 40)
    if last.startswith("date_"):
        return Column(name, f"{title} (UTC)", 30, Kind.DATE)
    return Column(name, title, 50, Kind.FOLD)


def capability_names(name: str, value: Any) -> list[str] | None:
    """Return the capabilities that are there if ``name`` is a field of such a kind; else None."""
    if name.rpartition(".")[2] != "capabilities":
        return None
    if isinstance(value, dict):
        return [key for key, there in value.items() if there is True]
    if isinstance(value, list) and all(isinstance(key, str) for key in value):
        return value
    return None


# Chosen fields


def parse_fields(text: str) -> tuple[str, ...]:
    """Split what was given to ``--fields``; one that comes twice counts once. An empty name: UsageError."""
    chosen = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if not all(chosen):
        raise UsageError(
            "--fields: a name is empty.",
            hint="Give the names separated by commas: --fields sid,phone_number.",
        )
    return chosen


ABSENT = object()  # what is there may be null


def value_at(row: Row, path: str, absent: Any = None) -> Any:
    """Return what ``path`` leads to in ``row``, or ``absent``. A key that itself holds dots is found as well."""
    if path in row:
        return row[path]
    head, dot, rest = path.partition(".")
    inner = row.get(head) if dot else None
    return value_at(inner, rest, absent) if isinstance(inner, dict) else absent


def pick(row: Row, chosen: Sequence[str]) -> dict[str, Any]:
    """Return a flat object of the chosen fields; the key of a path is the path itself."""
    return {name: value_at(row, name) for name in chosen}


def check_fields(chosen: Sequence[str], shape: Shape, rows: Sequence[Row] = ()) -> None:
    """Raise UsageError, naming the known, for a name that neither ``shape`` nor any of ``rows`` has."""
    known = known_fields(shape, rows)
    for name in chosen:
        if name not in known and all(value_at(row, name, ABSENT) is ABSENT for row in rows):
            raise unknown_field(name, known)


def known_fields(shape: Shape, rows: Sequence[Row]) -> list[str]:
    """Return all names in the order in which a person expects them: fields, further keys, then paths into maps."""
    found = dict.fromkeys(shape.fields)
    paths = {f"{head}.{key}": None for head, keys in shape.maps.items() for key in keys}
    for row in rows:
        for name, value in row.items():
            found.setdefault(name)
            if isinstance(value, dict):
                paths.update(dict.fromkeys(f"{name}.{key}" for key in value))
    return [*found, *paths]


def unknown_field(name: str, known: Sequence[str]) -> UsageError:
    """Return the error about a field that is not known."""
    near = nearest(name, known)
    question = f" Did you mean {visible(near)}?" if near else ""
    return UsageError(
        f"--fields: there is no field {visible(cut(name, 80))}.{question}",
        hint=f"Known are {visible(cut(', '.join(known), 2000))}.",
    )


# Writers


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
        return Writer(lambda row: ids_line(shape, chosen, terminal, row))
    fields = tuple(chosen or shape.fields)
    text_in = guarded if output_format == "csv" else cell
    line = csv_line(terminal) if output_format == "csv" else partial(tsv_line, terminal)
    start = line([text_in(name, name) for name in fields]) if header else ""
    return Writer(lambda row: line([text_in(name, value_at(row, name)) for name in fields]), start)


def tsv_line(terminal: bool, texts: Sequence[str]) -> str:
    """Return a line of cells, which hold no tab, no line end, and on a terminal no controls."""
    text = "\t".join([text.translate(_TSV_ESCAPES) for text in texts])
    return (visible(text, keep="\t") if terminal else text) + "\n"


def csv_line(terminal: bool) -> Callable[[Sequence[str]], str]:
    """Return what makes a record of cells, quoted as RFC 4180 has it; it ends in a bare newline."""
    import csv

    written: list[str] = []
    # Where lines are to end in CR LF, the csv module quotes a CR inside a cell on every Python; here it is cut off.
    writer = csv.writer(SimpleNamespace(write=written.append), lineterminator="\r\n")

    def line(texts: Sequence[str]) -> str:
        writer.writerow([visible(text) for text in texts] if terminal else texts)
        return written.pop()[:-2] + "\n"

    return line


def ids_line(shape: Shape, chosen: Sequence[str] | None, terminal: bool, row: Row) -> str:
    """Return the line of a row: its SID (or what names it), or the chosen fields; none where it has none."""
    texts = [cell(name, value_at(row, name)) for name in chosen or shape.id_fields]
    found = texts if chosen else [text for text in texts if text][:1]
    return tsv_line(terminal, found) if any(found) else ""


def guarded(name: str, value: Any) -> str:
    """Return a cell of csv: text that a spreadsheet would run gets an apostrophe; not so E.164."""
    text = cell(name, value)
    safe = without_formula(text)
    return text if safe is text or isinstance(value, int | float) or is_e164(text) else safe
