"""An input file: its bytes as text, of which plain text, CSV, JSON and JSON Lines are known by their content, and split
into rows.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from proxyctl.errors import InputError
from proxyctl.input.rows import FIELDS, SESSION, Contents, Flaw, Line, Row, Rows, broken, known, same_name
from proxyctl.input.tables import DELIMITERS, ONE_COLUMN, header_of, no_column, separator, table
from proxyctl.text import show, without_invisible

_BOM = "\ufeff"
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # how those of today begin, and old ones
_NO_SPACE = re.compile(r"[^ \t\n]")
_LISTS = ("phonenumbers", "incomingphonenumbers", "sessions")  # in a saved response
_NEXT_PAGES = ("nextpageurl", "nextpageuri")
_ONE_PAGE = (
    "this is one page of a list, and names the next. "
    "Save the whole list: add --paginate to 'proxyctl api GET PATH'"
)


class Source:
    """An input file in memory, read as text line by line, so that its text never lies there a second time."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self._data = data
        if data.startswith(_WORKBOOKS):
            raise InputError(
                f"{name} is an Excel workbook or the like. Save it as CSV UTF-8. Nothing was sent"
            )
        utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        self._encoding = "utf-16" if utf16 else "utf-8-sig"
        if not utf16 and (position := data.find(0)) >= 0:
            line = data.count(b"\n", 0, position) + 1
            raise InputError(
                f"{name}:{line}: a NUL byte: this is a binary file, or UTF-16 without its byte order mark. "
                "Nothing was sent",
                hint="Save it as UTF-8 text: plain text, CSV, JSON or JSON Lines.",
            )

    def lines(self, errors: str = "strict") -> Iterator[str]:
        """Yield the lines, each with ``\\n`` at its end whatever it was in the file.

        UnicodeDecodeError where the text is not in its encoding.
        """
        text = io.TextIOWrapper(io.BytesIO(self._data), encoding=self._encoding, errors=errors)
        return (line.lstrip(_BOM) for line in text)  # files that were joined have it in their middle

    def undecodable(self) -> Iterator[tuple[int, str]]:
        """Yield the number of each line that is not in the file's encoding, and what is wrong with it."""
        what = f"not {self._encoding.removesuffix('-sig').upper()}: save the file as UTF-8"
        return ((number, what) for number, line in enumerate(self.lines("replace"), 1) if "\ufffd" in line)


def contents(source: Source, column: str | None = None, kind: str = "number") -> Contents:
    """Return what a file holds; UnicodeDecodeError where its text is damaged.

    ``column`` names the column or key that holds the numbers, or is its place in a CSV, from 1. ``kind``: of what.
    """
    lines = enumerate(source.lines(), start=1)
    delimiters = DELIMITERS
    first = _next_filled(lines)
    if first is not None and (named := separator(first[1])):
        delimiters = named + delimiters.replace(named, "")
        first = _next_filled(lines)
    if first is None:
        return Contents("text", iter(()))
    line, text = first
    start = text.lstrip()[0]
    value = _value_of(text) if start in '{"' else None
    if start == "[" or (start == "{" and (value is None or _list_in(value) is not None)):
        whole = "\n" * (line - 1) + text + "".join(text for _, text in lines)
        return Contents("json", document(whole, column, kind), "item")
    if start != "{" and (header := header_of(text, column, delimiters, kind)):
        return table(header, first, lines)
    ahead = _to_next(lines)
    rest = chain([first], ahead, lines)
    if column is None and kind != SESSION and start != "{" and _is_title(text, ahead):
        return table(ONE_COLUMN, first, chain(ahead, lines))._replace(unknown=True)
    if value is not None:
        return Contents("json", lines_of_json(rest, column, kind))
    if column is not None:
        return broken(line, no_column(text, column, delimiters), text)
    if kind != SESSION and _is_wordy(text) and any(char in text for char in delimiters):
        what = f"the header names no column phone_number or sid: {show(text.strip())}"
        return broken(line, f"{what}. Name the column with --column", text)
    return Contents("text", _plain(rest, DELIMITERS if kind != SESSION else ""))


def _next_filled(lines: Iterator[Line]) -> Line | None:
    return next((each for each in lines if not _is_blank(each[1])), None)


def _to_next(lines: Iterator[Line]) -> list[Line]:
    """Return the lines up to the next one that is not blank."""
    ahead = []
    for each in lines:
        ahead.append(each)
        if not _is_blank(each[1]):
            break
    return ahead


def _is_blank(text: str) -> bool:
    text = without_invisible(text).lstrip()
    return not text or text.startswith("#")


def _plain(lines: Iterator[Line], delimiters: str) -> Rows:
    for line, text in lines:
        whole = text.rstrip("\n")
        text = whole.partition("#")[0].strip()
        if any(char in text for char in delimiters) and len(text) < csv.field_size_limit():
            what = f"{show(text)} has several columns, but the file no header"
            yield Flaw(line, f"{what}: begin it with a line like phone_number,is_reserved", whole)
        elif not _is_blank(text):
            yield Row(line, None, text, raw=whole)


def _is_wordy(text: str) -> bool:
    return not any(char.isdigit() for char in text)


def _is_title(text: str, ahead: list[Line]) -> bool:
    """Whether a line heads a single column: no number can be in it, and one can in the next."""
    following = ahead[-1][1] if ahead else ""
    if any(char in text + following for char in DELIMITERS) or _is_blank(following):
        return False
    return _is_wordy(text) and any(map(str.isalpha, text)) and not _is_wordy(following)


# JSON and JSON Lines, and saved responses of the API


def _value_of(text: str) -> Any:
    """Return the one JSON value that a text is; None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def lines_of_json(lines: Iterator[Line], column: str | None, kind: str) -> Rows:
    """Yield the rows of JSON Lines: a value a line."""
    for line, text in lines:
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            yield Flaw(line, f"not JSON: {_why(error)}", text.rstrip("\n"))
            continue
        for row in _rows(value):
            yield row._replace(place=line) if isinstance(row, Flaw) else _row(line, row, column, kind)


def document(text: str, column: str | None, kind: str) -> Rows:
    """Yield the rows of a text of arrays, objects and responses; its items are counted."""
    decode = json.JSONDecoder().raw_decode
    position = count = 0
    while start := _NO_SPACE.search(text, position):
        try:
            value, position = decode(text, start.start())
        except (ValueError, RecursionError) as error:
            yield Flaw(0, f"not JSON: {_why(error, in_lines=True)}", fatal=True)
            return
        for row in _rows(value):
            count += 1
            yield row if isinstance(row, Flaw) else _row(count, row, column, kind)


def _rows(value: Any) -> list[Any]:
    """Return the rows that a value is or holds; a Flaw for a list that goes on elsewhere."""
    if isinstance(value, list):
        return value
    listed = _list_in(value)
    if listed is None:
        return [value]
    meta = _under(value, ("meta",), Mapping)
    if any(_under(each, _NEXT_PAGES, str) for each in (value, meta)):
        return [Flaw(0, _ONE_PAGE, fatal=True)]
    return listed


def _list_in(value: Any) -> list[Any] | None:
    """Return the list of numbers in a whole response of the API; None where there is none."""
    found: list[Any] | None = _under(value, _LISTS, list)
    return found


def _under(value: Any, names: tuple[str, ...], kind: type) -> Any:
    """Return the first value of this kind that an object has under one of these names, if there is any."""
    pairs = value.items() if isinstance(value, Mapping) else ()
    return next((each for name, each in pairs if isinstance(each, kind) and same_name(name) in names), None)


def _why(error: Exception, *, in_lines: bool = False) -> str:
    if isinstance(error, json.JSONDecodeError):
        line = f"line {error.lineno}, " if in_lines else ""
        return f"{error.msg[:1].lower()}{error.msg[1:]}, {line}column {error.colno}"
    return "nested too deeply" if isinstance(error, RecursionError) else "a number of too many digits"


def _row(place: int, value: Any, column: str | None, kind: str) -> Row | Flaw:
    name = "unique_name" if kind == SESSION else "phone_number"
    if isinstance(value, str):
        return Row(place, None, value, raw={column or name: value})
    if not isinstance(value, Mapping):
        return Flaw(place, f"neither an object with {name} or sid nor a text", value)
    names = tuple(value)
    found = known(names, column, kind)
    if found.twice:
        return Flaw(place, f"it names a key twice: {', '.join(map(show, found.twice))}", value)
    fields = {name: value[names[at]] for name, at in found.places.items()}
    if "is_reserved" in fields and fields["is_reserved"] is None:
        fields["is_reserved"] = "null"  # says less than no such key: a report knows nothing of it
    return Row._make((place, *(fields.get(name) for name in FIELDS), value))
