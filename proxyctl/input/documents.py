"""JSON and JSON Lines, and saved responses of the API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from proxyctl.input.rows import FIELDS, SESSION, Flaw, Line, Row, Rows, known, same_name
from proxyctl.text import show

_NO_SPACE = re.compile(r"[^ \t\n]")
_LISTS = ("phonenumbers", "incomingphonenumbers", "sessions")  # in a saved response
_NEXT_PAGES = ("nextpageurl", "nextpageuri")
_ONE_PAGE = (
    "this is one page of a list, and names the next. "
    "Save the whole list: add --paginate to 'proxyctl api GET PATH'"
)


def is_json(text: str) -> bool:
    """Whether a text is one JSON value."""
    return _value_of(text) is not None


def is_response(text: str) -> bool:
    """Whether a text is a whole response of the API, with a list of numbers."""
    return _list_in(_value_of(text)) is not None


def _value_of(text: str) -> Any:
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
