"""What a file of input is made of, unjudged: rows, flaws where a row can't be taken apart, and the form of the file.

Whether the values make sense is for ``items``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple


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
Line = tuple[int, str]  # its number, and its text
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


def broken(line: int, what: str, raw: str) -> Contents:
    """Return the contents of a table of which no row can be read, and why."""
    return Contents("csv", iter([Flaw(line, what, raw, fatal=True)]))
