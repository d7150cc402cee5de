"""Telling plain text, CSV, JSON and JSON Lines apart by content, and taking rows out of each.

A format yields what a row says, unjudged, or a flaw where the row can't be taken apart; whether the values
make sense is for ``items``.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple, Protocol

from proxyctl.input.source import Source, show
from proxyctl.words import counted


class Row(NamedTuple):
    """What one row says, by line (from 1). Of plain text, ``phone_number`` holds the line, a SID or not."""

    line: int
    sid: object
    phone_number: object
    is_reserved: object


class Flaw(NamedTuple):
    """Why a row can't be taken apart."""

    line: int
    what: str


Rows = Iterator[Row | Flaw]

_DELIMITERS = ",;\t"
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_COLUMNS = ("sid", "phonenumber", "isreserved")
_IN_ARRAY, _OUTSIDE = re.compile(r"[ \t\n]*,?[ \t\n]*\]?"), re.compile(r"[ \t\n]*\[?")
_REST_UNREAD = "the rows after it were not read"
_HEADER_EXAMPLE = "begin it with a line like phone_number,is_reserved"
_NO_NUMBER = "the header names no column phone_number or sid"


def rows(source: Source) -> Rows:
    """Yield the rows of a file; UnicodeDecodeError where its text is damaged."""
    lines = enumerate(source.lines(), start=1)
    first = next(((line, text) for line, text in lines if not _is_blank(text)), None)
    if first is None:
        return iter(())
    line, text = first
    start = text.lstrip()[0]
    if start == "[" or (start == "{" and not _is_json(text)):
        return _document(source.text(), line)
    if start != "{" and (header := _header(text)):
        return _table(header, text, line, lines)
    if start in '{"' and _is_json(text):
        return _json_lines(chain([first], lines))
    if _is_foreign_header(text):
        return iter([Flaw(line, f"{_NO_NUMBER}: {show(text.strip())}")])
    return _plain(chain([first], lines))


def _is_blank(text: str) -> bool:
    text = text.lstrip()
    return not text or text.startswith("#")


# --- plain text


def _plain(lines: Iterator[tuple[int, str]]) -> Rows:
    for line, text in lines:
        text = text.partition("#")[0].strip()
        if any(char in text for char in ",;\t") and len(text) < csv.field_size_limit():
            yield Flaw(line, f"{show(text)} has several columns, but the file no header: {_HEADER_EXAMPLE}")
        elif text:
            yield Row(line, None, text, None)


def _is_foreign_header(text: str) -> bool:
    return not any(char.isdigit() for char in text) and any(char in text for char in _DELIMITERS)


# --- CSV, and the tab-separated kind


class _Reader(Protocol):
    """What ``csv.reader`` returns; the type itself has no public name."""

    line_num: int

    def __iter__(self) -> _Reader: ...

    def __next__(self) -> list[str]: ...


class _Header(NamedTuple):
    """Where the columns are that we know; ``width`` counts them all."""

    delimiter: str
    width: int
    columns: Mapping[str, int]
    twice: bool


def _header(text: str) -> _Header | None:
    for delimiter in _DELIMITERS:
        names = _column_names(text, delimiter)
        if "phonenumber" in names or "sid" in names:
            columns = {name: names.index(name) for name in _COLUMNS if name in names}
            return _Header(delimiter, len(names), columns, any(names.count(name) > 1 for name in columns))
    return None


def _column_names(text: str, delimiter: str) -> list[str]:
    """Return the names without case, spaces and underscores, so that "Phone Number" is one of ours."""
    if len(text) > csv.field_size_limit():
        return []
    try:
        fields: list[str] = next(_reader([text], delimiter), [])
    except csv.Error:
        return []
    return [_NOT_IN_NAMES.sub("", field.lower()) for field in fields]


def _reader(lines: Iterable[str], delimiter: str) -> _Reader:
    # Tab-separated text, as this program and most others write it, knows no quotes.
    if delimiter == "\t":
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
    return csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)


def _table(header: _Header, title: str, line: int, lines: Iterator[tuple[int, str]]) -> Rows:
    if header.twice:
        yield Flaw(line, f"the header names a column twice: {show(title.strip())}")
        return
    reader = _reader((text for _, text in lines), header.delimiter)
    names = next(_reader([title], header.delimiter))
    while True:
        start = line + reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            spans_lines = line + reader.line_num > start
            yield Flaw(start, _csv_flaw(error, spans_lines))
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
        return Flaw(line, f"the header has {counted(header.width, 'column')}, this row {len(fields)}")
    cells = (header.columns.get(name) for name in _COLUMNS)
    return Row(line, *(None if at is None else _cell(fields[at], header.delimiter) for at in cells))


def _cell(text: str, delimiter: str) -> str:
    value = text.strip()
    if delimiter == "\t" and len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    return value


def _csv_flaw(error: csv.Error, spans_lines: bool) -> str:
    text = str(error)
    if spans_lines or "unexpected end of data" in text:
        return f"the quote that opens here is not closed where its column ends; {_REST_UNREAD}"
    if "field limit" in text:
        return f"a column of more than {csv.field_size_limit()} characters"
    if "expected after" in text:
        return 'text after a closing quote; a " inside quotes is written twice'
    return f"not CSV: {text}"


# --- JSON and JSON Lines


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _json_lines(lines: Iterator[tuple[int, str]]) -> Rows:
    for line, text in lines:
        if _is_blank(text):
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            yield Flaw(line, f"not JSON: {_json_flaw(error)}")
            continue
        for row in value if isinstance(value, list) else [value]:
            yield _json_row(line, row)


def _document(text: str, line: int) -> Rows:
    """Yield the elements of arrays, and objects outside of them, each with its line; ``line`` is the first.

    They are decoded one at a time, so that the line of each is known, and objects never fill the memory.
    """
    decode = json.JSONDecoder().raw_decode
    position = 0
    inside = needs_comma = False
    for _ in range(line - 1):
        position = text.index("\n", position) + 1
    while position < len(text):
        between = text[position : (end := _end_of(_IN_ARRAY if inside else _OUTSIDE, text, position))]
        line += between.count("\n")
        position = end
        if "[" in between or "]" in between:
            inside, needs_comma = "[" in between, False
            continue
        if position == len(text):
            break
        if inside and needs_comma and "," not in between:
            yield Flaw(line, f"not JSON: a comma is missing; {_REST_UNREAD}")
            return
        try:
            value, end = decode(text, position)
        except (ValueError, RecursionError) as error:
            at = error.lineno if isinstance(error, json.JSONDecodeError) else line
            yield Flaw(at, f"not JSON: {_json_flaw(error)}; {_REST_UNREAD}")
            return
        yield _json_row(line, value)
        line += text.count("\n", position, end)
        position, needs_comma = end, True
    if inside:
        yield Flaw(line, "not JSON: the array is not closed")


def _end_of(between: re.Pattern[str], text: str, position: int) -> int:
    match = between.match(text, position)
    return match.end() if match else position


def _json_flaw(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg[:1].lower()}{error.msg[1:]}, column {error.colno}"
    return "nested too deeply" if isinstance(error, RecursionError) else "a number of too many digits"


def _json_row(line: int, value: object) -> Row | Flaw:
    if isinstance(value, str):
        return Row(line, None, value, None)
    if not isinstance(value, Mapping):
        return Flaw(line, "neither an object with phone_number or sid nor a text")
    return Row(line, value.get("sid"), value.get("phone_number"), value.get("is_reserved"))
