"""The text of an input file: plain text, CSV, JSON and JSON Lines are known by their content, and split into rows.

A format yields what a row says, unjudged, or a flaw where the row can't be taken apart; whether the values
make sense is for ``items``.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Literal, NamedTuple

from proxyctl.input.source import Source
from proxyctl.text import counted, did_you_mean, show


class Row(NamedTuple):
    """What one row says; None: it has no such column. Of plain text, ``phone_number`` holds the line, a SID or not.

    ``place`` is its line, or its number among the items of a JSON document, from 1. ``raw`` is the row itself: the
    line of a plain text, the cells of a CSV, or the JSON value.
    """

    place: int
    sid: object
    phone_number: object
    is_reserved: object = None
    account_sid: object = None
    service_sid: object = None
    raw: object = None


class Flaw(NamedTuple):
    """Why a row can't be taken apart; at ``place`` 0, the whole file. After a ``fatal`` one, rows may be missing."""

    place: int
    what: str
    raw: object = None
    fatal: bool = False


Rows = Iterator[Row | Flaw]
Unit = Literal["line", "item"]


class Contents(NamedTuple):
    """What a file holds. ``unit`` is what its places count, ``header`` the names of a CSV's columns. ``column`` is the
    one with the numbers. The header is ``unknown`` where it was taken for one because no number could be in it.
    """

    form: Literal["text", "csv", "json"]
    rows: Rows
    unit: Unit = "line"
    header: tuple[str, ...] = ()
    unknown: bool = False
    column: int = 0


_DELIMITERS = ",;\t"
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_COLUMNS = ("sid", "phonenumber", "isreserved", "accountsid", "servicesid")  # as a Row has them
_NUMBER = re.compile(r"[\s'\"]*(\+?[\d\s().-]{7,}|PN[0-9a-fA-F]{32})[\s\"]*")  # as a cell may hold one
_NO_SPACE = re.compile(r"[^ \t\n]")
_REST_UNREAD = "The rows after it were not read"
_HEADER_EXAMPLE = "begin it with a line like phone_number,is_reserved"
_NO_NUMBER = "the header names no column phone_number or sid"


def contents(source: Source, column: str | None = None) -> Contents:
    """Return what a file holds; UnicodeDecodeError where its text is damaged.

    ``column`` names the column or key that holds the numbers, or is its place in a CSV, from 1.
    """
    lines = enumerate(source.lines(), start=1)
    first = next(((line, text) for line, text in lines if not _is_blank(text)), None)
    if first is None:
        return Contents("text", iter(()))
    line, text = first
    start = text.lstrip()[0]
    if start == "[" or (start == "{" and not _is_json(text)):
        document = "\n" * (line - 1) + text + "".join(text for _, text in lines)
        return Contents("json", _document(document, column), "item")
    if start != "{" and (header := _header(text, column)):
        return _csv(header, first, lines)
    ahead = _to_next(lines)
    rest = chain([first], ahead, lines)
    if column is None and _is_title(text, ahead):
        return _csv(_Header(",", 1, {"phonenumber": 0}), first, chain(ahead, lines))._replace(unknown=True)
    if start in '{"' and _is_json(text):
        return Contents("json", _json_lines(rest, column))
    if column is not None:
        return Contents("csv", iter([Flaw(line, _no_column(text, column), text, fatal=True)]))
    if _is_wordy(text) and any(char in text for char in _DELIMITERS):
        what = f"{_NO_NUMBER}: {show(text.strip())}. Name the column with --column"
        return Contents("csv", iter([Flaw(line, what, text, fatal=True)]))
    return Contents("text", _plain(rest))


def _to_next(lines: Iterator[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return the lines up to the next one that is not blank."""
    ahead = []
    for each in lines:
        ahead.append(each)
        if not _is_blank(each[1]):
            break
    return ahead


def _is_blank(text: str) -> bool:
    text = text.lstrip()
    return not text or text.startswith("#")


# --- plain text


def _plain(lines: Iterator[tuple[int, str]]) -> Rows:
    for line, text in lines:
        whole = text.rstrip("\n")
        text = whole.partition("#")[0].strip()
        if any(char in text for char in _DELIMITERS) and len(text) < csv.field_size_limit():
            what = f"{show(text)} has several columns, but the file no header: {_HEADER_EXAMPLE}"
            yield Flaw(line, what, whole)
        elif text:
            yield Row(line, None, text, raw=whole)


def _is_wordy(text: str) -> bool:
    return not any(char.isdigit() for char in text)


def _is_title(text: str, ahead: list[tuple[int, str]]) -> bool:
    """Whether a line heads a single column: no number can be in it, and one can in the next."""
    following = ahead[-1][1] if ahead else ""
    if any(char in text + following for char in _DELIMITERS) or _is_blank(following):
        return False
    return _is_wordy(text) and any(map(str.isalpha, text)) and not _is_wordy(following)


# --- CSV, and the tab-separated kind


class _Header(NamedTuple):
    """Where the columns are that we know; ``width`` counts them all. ``there``: the first line has their names."""

    delimiter: str
    width: int
    columns: Mapping[str, int]
    twice: bool = False
    there: bool = True


def _header(text: str, column: str | None) -> _Header | None:
    """Return the header that a first line is; None where it is none, or has not the ``column``."""
    if column and column.isdecimal():
        return _numbered(text, int(column))
    for delimiter in _DELIMITERS:
        names = _column_names(text, delimiter)
        columns = {name: names.index(name) for name in _COLUMNS if name in names}
        if column is not None:
            chosen = _folded(column)
            if chosen not in names:
                continue
            columns = {**columns, "phonenumber": names.index(chosen), "sid": len(names)}
            return _Header(delimiter, len(names), columns, names.count(chosen) > 1)
        if "phonenumber" in names or "sid" in names:
            return _Header(delimiter, len(names), columns, any(names.count(name) > 1 for name in columns))
    return None


def _numbered(text: str, place: int) -> _Header | None:
    """Return the header of a file whose numbers are in the column at a place; its first line may be a row already."""
    delimiter = max(_DELIMITERS, key=lambda each: len(_cells(text, each)))
    cells, names = _cells(text, delimiter), _column_names(text, delimiter)
    if not 0 < place <= len(cells):
        return None
    there = not _NUMBER.fullmatch(cells[place - 1])
    columns = {name: names.index(name) for name in _COLUMNS[2:] if name in names and there}
    return _Header(delimiter, len(cells), {**columns, "phonenumber": place - 1}, there=there)


def _no_column(text: str, column: str) -> str:
    """Say that there is no such column, and which there are."""
    delimiter = max(_DELIMITERS, key=lambda each: len(_cells(text, each)))
    names = [cell.strip().casefold() for cell in _cells(text, delimiter)]
    if column.isdecimal():
        return f"there is no column {column}: this row has {counted(len(names), 'column')}"
    return (
        f"there is no column {show(column)}.{did_you_mean(column, names)} The header is {show(text.strip())}"
    )


def _column_names(text: str, delimiter: str) -> list[str]:
    """Return the names without case, spaces and underscores, so that "Phone Number" is one of ours."""
    return [_folded(cell) for cell in _cells(text, delimiter)]


def _folded(name: str) -> str:
    return _NOT_IN_NAMES.sub("", name.lower())


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


def _csv(header: _Header, first: tuple[int, str], lines: Iterator[tuple[int, str]]) -> Contents:
    line, title = first
    if header.twice:
        what = f"the header names a column twice: {show(title.strip())}"
        return Contents("csv", iter([Flaw(line, what, title, fatal=True)]))
    if not header.there:
        rows = _table(header, [], line - 1, chain([first], lines))
        return Contents("csv", rows, column=header.columns["phonenumber"])
    names = _cells(title, header.delimiter)
    column = header.columns.get("phonenumber", header.columns.get("sid", 0))
    return Contents("csv", _table(header, names, line, lines), header=tuple(names), column=column)


def _table(header: _Header, names: list[str], line: int, lines: Iterator[tuple[int, str]]) -> Rows:
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
        if any(field.strip() for field in fields) and fields != names and not _is_comment(header, fields):
            yield _table_row(header, start, fields)


def _is_comment(header: _Header, fields: list[str]) -> bool:
    # A number never begins with #, but a name may ("#1 front desk"), and its row must not get lost.
    begins = min(header.columns.get("sid", 1), header.columns.get("phonenumber", 1)) == 0
    return fields[0].startswith("#") and (len(fields) == 1 or begins)


def _table_row(header: _Header, line: int, fields: list[str]) -> Row | Flaw:
    if len(fields) != header.width:
        what = "header" if header.there else "first row"
        what = f"the {what} has {counted(header.width, 'column')}, this row {len(fields)}"
        return Flaw(line, what, tuple(fields))
    cells = (header.columns.get(name, header.width) for name in _COLUMNS)
    values = [_cell(fields[at], header.delimiter) if at < header.width else None for at in cells]
    return Row._make((line, *values, tuple(fields)))


def _cell(text: str, delimiter: str) -> str:
    value = text.strip()
    if delimiter == "\t" and len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    return value


def _csv_flaw(error: csv.Error, spans_lines: bool) -> str:
    text = str(error)
    if spans_lines or "unexpected end of data" in text:
        return f"the quote that opens here is not closed where its column ends. {_REST_UNREAD}"
    if "field limit" in text:
        return f"a column of more than {csv.field_size_limit()} characters"
    if "expected after" in text:
        return 'text after a closing quote. Write a " inside quotes twice'
    return f"not CSV: {text}"


# --- JSON and JSON Lines


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _json_lines(lines: Iterator[tuple[int, str]], column: str | None) -> Rows:
    for line, text in lines:
        if _is_blank(text):
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            yield Flaw(line, f"not JSON: {_json_flaw(error)}", text.rstrip("\n"))
            continue
        for row in value if isinstance(value, list) else [value]:
            yield _json_row(line, row, column)


def _document(text: str, column: str | None) -> Rows:
    """Yield what stands in a text of arrays and objects, counted: the elements of the arrays, and the objects."""
    decode = json.JSONDecoder().raw_decode
    position = count = 0
    while start := _NO_SPACE.search(text, position):
        try:
            value, position = decode(text, start.start())
        except (ValueError, RecursionError) as error:
            yield Flaw(0, f"not JSON: {_json_flaw(error, in_lines=True)}", fatal=True)
            return
        for row in value if isinstance(value, list) else [value]:
            count += 1
            yield _json_row(count, row, column)


def _json_flaw(error: Exception, *, in_lines: bool = False) -> str:
    if isinstance(error, json.JSONDecodeError):
        line = f"line {error.lineno}, " if in_lines else ""
        return f"{error.msg[:1].lower()}{error.msg[1:]}, {line}column {error.colno}"
    return "nested too deeply" if isinstance(error, RecursionError) else "a number of too many digits"


def _json_row(place: int, value: object, column: str | None) -> Row | Flaw:
    if isinstance(value, str):
        return Row(place, None, value, raw=value)
    if not isinstance(value, Mapping):
        return Flaw(place, "neither an object with phone_number or sid nor a text", value)
    fields = {name: value.get(name) for name in Row._fields[1:-1]}
    if "is_reserved" in value and fields["is_reserved"] is None:
        fields["is_reserved"] = "null"  # says less than no such key: a report knows nothing of it
    if column is not None:
        chosen = next((value[name] for name in value if _folded(name) == _folded(column)), None)
        fields |= {"sid": None, "phone_number": chosen}
    return Row(place, **fields, raw=value)
