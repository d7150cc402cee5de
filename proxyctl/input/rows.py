"""What a file of input is made of, unjudged: rows, flaws where a row can't be taken apart, and the form of the file;
the names by which a column of a CSV or a key of a JSON object is known, one list for both; and the values of a row's
fields, from every format alike.

Whether they make sense is for ``items``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

from proxyctl.text import show, without_invisible


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
    """Why a row can't be used; at ``place`` 0, the whole file. After a ``fatal`` one, rows may be missing. ``input`` is
    what the row gave as the number.
    """

    place: int
    what: str
    raw: object = None
    fatal: bool = False
    input: str = ""


Rows = Iterator[Row | Flaw]
Line = tuple[int, str]  # its number, and its text


class Contents(NamedTuple):
    """What a file holds. ``unit`` is what its places count, ``header`` the names of a CSV's columns. ``column`` is the
    one with the numbers. The header is ``unknown`` where it was taken for one because no number could be in it.
    """

    form: Literal["text", "csv", "json"]
    rows: Rows
    unit: Literal["line", "item"] = "line"
    header: tuple[str, ...] = ()
    unknown: bool = False
    column: int = 0


def broken(line: int, what: str, raw: str) -> Contents:
    """Return the contents of a table of which no row can be read, and why."""
    return Contents("csv", iter([Flaw(line, what, raw, fatal=True)]))


# Names

# For each field of a Row: its names. Those of the second group count where there is none of the first.
NAMES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "sid": (("sid",),),
    "phone_number": (
        ("phonenumber",),
        ("number", "phone", "msisdn", "e164", "did", "twilionumber", "twiliodid"),
    ),
    "is_reserved": (("isreserved",), ("reserved",)),
    "account_sid": (("accountsid",),),
    "service_sid": (("servicesid",),),
}
# A Session is read into the same Row: its unique name stands where a number would.
SESSION = "Session"
TABLES = {"number": NAMES, SESSION: {**NAMES, "phone_number": (("uniquename",),)}}
FIELDS = Row._fields[1:-1]
_IGNORED = re.compile(r"[^a-z0-9]+")


class Known(NamedTuple):
    """Where each field is among the names of a row; ``twice`` are names of one field, of which any may be meant."""

    places: Mapping[str, int]
    twice: tuple[str, ...] = ()


def same_name(name: str) -> str:
    """Return a name without case, blanks, ``_`` and ``-``, so that "Phone Number" is one of ours."""
    return _IGNORED.sub("", name.lower())


@lru_cache(maxsize=64)
def known(names: tuple[str, ...], column: str | None = None, kind: str = "number") -> Known:
    """Return which fields these names are. ``column`` names the one with the numbers: SIDs are not read then."""
    plain = [same_name(name) for name in names]
    groups = dict(TABLES[kind])
    if column is not None:
        del groups["sid"]
        groups["phone_number"] = ((same_name(column),),)
    places: dict[str, int] = {}
    twice: tuple[str, ...] = ()
    for field, ranks in groups.items():
        places_of = ([at for at, name in enumerate(plain) if name in rank] for rank in ranks)
        found = next(filter(None, places_of), [])
        if found:
            places[field] = found[0]
        if len(found) > 1:
            twice = tuple(names[at] for at in found)
    return Known(places, twice)


# Values. ValueError says what is wrong with one.

_BOOLEANS = {
    "": None,
    **dict.fromkeys(("true", "1", "1.0", "yes", "reserved"), True),
    **dict.fromkeys(("false", "0", "0.0", "no", "unreserved"), False),
}
_FORMULA = re.compile(r'="(.*)"', re.DOTALL)  # keeps a spreadsheet from reading a number


def value_text(value: object) -> str:
    """Return a value as a message shows it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def text_of(field: str, value: object) -> str:
    """Return a field's text, "" for none: without what is not seen, and without the ' or =" that are there for
    spreadsheets. A JSON number is what its digits are in a CSV.
    """
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError(f"{field} is not a text")
    text = without_invisible(value).strip()
    if formula := _FORMULA.fullmatch(text):
        return formula[1].replace('""', '"').strip()
    return text.removeprefix("'").lstrip()


def boolean_of(value: object) -> bool | None:
    """Return what a field says of yes and no; None for nothing."""
    if value is None or isinstance(value, bool):
        return value
    if not isinstance(value, str | int | float):
        raise ValueError("is_reserved is neither true nor false")
    word = text_of("is_reserved", value)
    if word.lower() in _BOOLEANS:
        return _BOOLEANS[word.lower()]
    raise ValueError(f"is_reserved {show(word)} is neither true nor false")
