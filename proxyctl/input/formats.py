"""The text of an input file: telling plain text, CSV, JSON and JSON Lines apart by content, and taking out the rows.

A format yields what a row says, unjudged, or a flaw where the row can't be taken apart; whether the values
make sense is for ``items``.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Literal, NamedTuple

from proxyctl.errors import InputError
from proxyctl.text import counted, show


class Row(NamedTuple):
    """What one row says; None: it has no such column. Of plain text, ``phone_number`` holds the line, a SID or not.

    ``place`` is its line, or its number among the items of a JSON document, from 1.
    """

    place: int
    sid: object
    phone_number: object
    is_reserved: object = None
    account_sid: object = None
    service_sid: object = None


class Flaw(NamedTuple):
    """Why a row can't be taken apart; at ``place`` 0, the whole file."""

    place: int
    what: str


Rows = Iterator[Row | Flaw]
Unit = Literal["line", "item"]

_DELIMITERS = ",;\t"
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_COLUMNS = ("sid", "phonenumber", "isreserved", "accountsid", "servicesid")  # as a Row has them
_LINE_END = re.compile(rb"\r\n|\r|\n")
_NO_SPACE = re.compile(r"[^ \t\n]")
_REST_UNREAD = "the rows after it were not read"
_HEADER_EXAMPLE = "begin it with a line like phone_number,is_reserved"
_NO_NUMBER = "the header names no column phone_number or sid"


def rows(source: Source) -> tuple[Unit, Rows]:
    """Return the rows of a file, and what their places count; UnicodeDecodeError where its text is damaged."""
    lines = enumerate(source.lines(), start=1)
    first = next(((line, text) for line, text in lines if not _is_blank(text)), None)
    if first is None:
        return "line", iter(())
    line, text = first
    start = text.lstrip()[0]
    if start == "[" or (start == "{" and not _is_json(text)):
        return "item", _document("\n" * (line - 1) + text + "".join(text for _, text in lines))
    if start != "{" and (header := _header(text)):
        return "line", _table(header, text, line, lines)
    if start in '{"' and _is_json(text):
        return "line", _json_lines(chain([first], lines))
    if _is_foreign_header(text):
        return "line", iter([Flaw(line, f"{_NO_NUMBER}: {show(text.strip())}")])
    return "line", _plain(chain([first], lines))


def _is_blank(text: str) -> bool:
    text = text.lstrip()
    return not text or text.startswith("#")


# --- the text


class Source:
    """An input file in memory, read as text line by line, so that its text never lies there a second time."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self._data = data
        self._encoding = _encoding(data)
        self._refuse_binary()

    def lines(self) -> Iterator[str]:
        """Yield the lines, each with ``\\n`` at its end whatever it was in the file.

        UnicodeDecodeError where the text is not in its encoding.
        """
        return iter(io.TextIOWrapper(io.BytesIO(self._data), encoding=self._encoding, newline=None))

    def undecodable(self) -> Iterator[tuple[int, str]]:
        """Yield the number of each line that is not in the file's encoding, and what is wrong with it."""
        if self._encoding != "utf-8-sig":
            what = f"not {self._encoding.upper()}, as the file's first bytes say: save the file as UTF-8"
            text = self._data.decode(self._encoding, errors="replace")
            yield from ((number, what) for number, line in enumerate(text.split("\n"), 1) if "\ufffd" in line)
            return
        for number, line in enumerate(_LINE_END.split(self._data), start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                yield number, f"byte 0x{line[error.start]:02x} is not UTF-8: save the file as UTF-8"

    def _refuse_binary(self) -> None:
        if self._encoding != "utf-8-sig":
            return
        position = self._data.find(0)
        if position < 0:
            return
        line = len(_LINE_END.findall(self._data, 0, position)) + 1
        raise InputError(
            f"{self.name}:{line}: a NUL byte: this is a binary file, or UTF-16 without its byte order mark; "
            "nothing was sent",
            hint="save it as UTF-8 text: plain text, CSV, JSON or JSON Lines",
        )


def _encoding(data: bytes) -> str:
    # UTF-32 first: its little-endian mark begins with that of UTF-16.
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


# --- plain text


def _plain(lines: Iterator[tuple[int, str]]) -> Rows:
    for line, text in lines:
        text = text.partition("#")[0].strip()
        if any(char in text for char in ",;\t") and len(text) < csv.field_size_limit():
            yield Flaw(line, f"{show(text)} has several columns, but the file no header: {_HEADER_EXAMPLE}")
        elif text:
            yield Row(line, None, text)


def _is_foreign_header(text: str) -> bool:
    return not any(char.isdigit() for char in text) and any(char in text for char in _DELIMITERS)


# --- CSV, and the tab-separated kind


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


def _reader(lines: Iterable[str], delimiter: str) -> Any:  # the type has no public name
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


def _document(text: str) -> Rows:
    """Yield what stands in a text of arrays and objects, counted: the elements of the arrays, and the objects."""
    decode = json.JSONDecoder().raw_decode
    position = count = 0
    while start := _NO_SPACE.search(text, position):
        try:
            value, position = decode(text, start.start())
        except (ValueError, RecursionError) as error:
            yield Flaw(0, f"not JSON: {_json_flaw(error, in_lines=True)}")
            return
        for row in value if isinstance(value, list) else [value]:
            count += 1
            yield _json_row(count, row)


def _json_flaw(error: Exception, *, in_lines: bool = False) -> str:
    if isinstance(error, json.JSONDecodeError):
        line = f"line {error.lineno}, " if in_lines else ""
        return f"{error.msg[:1].lower()}{error.msg[1:]}, {line}column {error.colno}"
    return "nested too deeply" if isinstance(error, RecursionError) else "a number of too many digits"


def _json_row(place: int, value: object) -> Row | Flaw:
    if isinstance(value, str):
        return Row(place, None, value)
    if not isinstance(value, Mapping):
        return Flaw(place, "neither an object with phone_number or sid nor a text")
    fields = {name: value.get(name) for name in Row._fields[1:]}
    if "is_reserved" in value and fields["is_reserved"] is None:
        fields["is_reserved"] = (
            "null"  # says less than no such key: a row of a report that knows nothing of it
        )
    return Row(place, **fields)
