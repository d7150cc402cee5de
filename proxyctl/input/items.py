"""Reading what a bulk verb works on: arguments and files become items, or an error naming each bad row.

Everything is read and judged before anything is sent, so that a run never stops half-way at a misspelt row.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from proxyctl.errors import InputError
from proxyctl.identifiers import PHONE_NUMBER, is_sid, parse_number, require_country
from proxyctl.input.formats import Flaw, Row, rows
from proxyctl.input.source import Source, read_source, show, source_name

NAMED_ROWS = 20

_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": None}


@dataclass(frozen=True, slots=True)
class Item:
    """One number to work on.

    ``input`` is the text as it was given; ``phone_number`` is in E.164. At least one of ``sid`` and
    ``phone_number`` is set; where both are, ``sid`` counts and has yet to agree with the pool. ``place`` is the
    line of the file, from 1; of an argument, its number below zero.
    """

    input: str
    sid: str | None
    phone_number: str | None
    is_reserved: bool | None = None
    place: int | None = None

    @property
    def name(self) -> str:
        """The SID, or else the number: what names the item to the API and in ``--failed-to``."""
        return self.sid or self.phone_number or self.input

    @property
    def names(self) -> tuple[str, ...]:
        """The SID and the number, as far as they are known."""
        if self.sid is None or self.phone_number is None:
            return (self.name,)
        return (self.sid, self.phone_number)


@dataclass(frozen=True, slots=True)
class Items:
    """The items in the order given, how many rows were folded into others, and why there are none, if so.

    ``rows`` were read; ``refused`` of them can't be used: the first of these are in ``refusals``, by place.
    """

    items: tuple[Item, ...]
    duplicates: int = 0
    empty_reason: str | None = None
    rows: int = 0
    refused: int = 0
    refusals: tuple[tuple[int, str], ...] = ()


def read_items(
    numbers: Sequence[str] | None,
    file: str | None,
    *,
    stdin: BinaryIO | None,
    default_country: str | None = None,
    use_is_reserved: bool = True,
) -> Items:
    """Read the arguments, then ``file`` (``-``: stdin), check all of it, and fold duplicates.

    With ``use_is_reserved=False`` that column is not even looked at. An empty file is no error (a job may
    have nothing to do today): ``empty_reason`` then says so. InputError names every bad row, or says why
    the file can't be read; UsageError: there is no such default country.
    """
    items = examine(numbers or (), file, stdin, default_country, use_is_reserved=use_is_reserved)
    if items.refused:
        raise refusal(items, numbers or (), file)
    return items


def examine(
    numbers: Sequence[str],
    file: str | None,
    stdin: BinaryIO | None,
    default_country: str | None = None,
    *,
    use_is_reserved: bool = False,
) -> Items:
    """Read like `read_items`, but leave it to the caller to tell which rows can't be used.

    InputError: the file as a whole can't be read. UsageError: there is no such default country.
    """
    country = require_country(default_country) if default_country is not None else None
    reading = _Reading(country, use_is_reserved)
    for place, text in enumerate(numbers, start=1):
        reading.take(Row(-place, None, text, None))
    source = None if file is None else read_source(file, stdin)
    if source is not None:
        try:
            for row in rows(source):
                reading.take(row)
        except UnicodeDecodeError:
            # What was read up to there matters less than the whole list of what to mend.
            reading.refuse_all(source.undecodable())
    return reading.result(source)


def refusal(items: Items, numbers: Sequence[str], file: str | None) -> InputError:
    """Return the error that names the rows which can't be used: the first 20, and the count."""
    name = None if file is None else source_name(file)
    hint = _argument_hint(numbers, items.refusals)
    if name is None and items.rows == 1:
        return InputError(f"{items.refusals[0][1]}; nothing was sent", hint=hint)
    if name is None:
        where = "arguments"
    else:
        single = (items.rows or items.refused) == 1
        where = f"{'arguments and rows' if numbers else 'row' if single else 'rows'} in {name}"
    total = f" of {items.rows}" if items.rows else ""
    lines = [f"{items.refused}{total} {where} can't be used; nothing was sent"]
    lines += [f"{argument_or(f'{name}:', place)}: {what}" for place, what in items.refusals]
    if items.refused > len(items.refusals):
        lines.append(f"… and {items.refused - len(items.refusals)} more")
    return InputError("\n".join(lines), hint=hint)


def argument_or(line: str, place: int) -> str:
    """Say where a row stands: ``line`` goes before the number of a file's line."""
    return f"{line}{place}" if place > 0 else f"argument {-place}"


def failed_to_text(items: Iterable[Item]) -> str:
    """Return what ``--failed-to`` writes: a text that ``-f`` reads back to the same items.

    A SID or number a line, or CSV where an item says ``is_reserved``. ASCII, ``\\n`` at each line's end.
    """
    items = list(items)
    if all(item.is_reserved is None for item in items):
        return "".join(f"{item.name}\n" for item in items)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["sid", "phone_number", "is_reserved"])
    for item in items:
        reserved = "" if item.is_reserved is None else str(item.is_reserved).lower()
        writer.writerow([item.sid or "", item.phone_number or "", reserved])
    return text.getvalue()


class _Reading:
    """What has been read so far. A place is a file's line, or an argument's number below zero."""

    def __init__(self, country: str | None, use_is_reserved: bool) -> None:
        self._country = country
        self._use_is_reserved = use_is_reserved
        self._items: dict[int, Item] = {}
        self._by_name: dict[str, int] = {}
        self._duplicates = 0
        self._rows = 0
        self._refused = 0
        self._refusals: list[tuple[int, str]] = []

    def take(self, row: Row | Flaw) -> None:
        self._rows += 1
        if isinstance(row, Flaw):
            self._refuse(row.line, row.what)
            return
        try:
            self._add(self._item(row))
        except ValueError as error:
            self._refuse(row.line, str(error))

    def _add(self, item: Item) -> None:
        """Take the item, or fold it into earlier ones; ValueError where they contradict each other.

        A row with SID and number may show that two earlier rows are one.
        """
        known = {self._by_name[name] for name in item.names if name in self._by_name}
        index = self._rows
        if known:
            index = min(known)
            for earlier in sorted(known, reverse=True):
                item = _merged(self._items[earlier], item)
            for other in known - {index}:
                del self._items[other]
        self._items[index] = item
        for name in item.names:
            self._by_name[name] = index
        self._duplicates += len(known)

    def refuse_all(self, flaws: Iterator[tuple[int, str]]) -> None:
        self._refused, self._refusals = 0, []
        for line, what in flaws:
            self._refuse(line, what)
        self._rows = 0

    def _refuse(self, place: int, what: str) -> None:
        self._refused += 1
        if len(self._refusals) < NAMED_ROWS:
            self._refusals.append((place, what))

    def _item(self, row: Row) -> Item:
        sid = _text("sid", row.sid)
        number = _text("phone_number", row.phone_number)
        reserved = _boolean(row.is_reserved) if self._use_is_reserved else None
        if sid:
            if not is_sid(PHONE_NUMBER, sid):
                raise ValueError(f"sid {show(sid)} is not PN and 32 hexadecimal digits")
            return Item(sid, sid, self._number_beside_sid(sid, number), reserved, row.line)
        if not number:
            raise ValueError("names no number" if row.line < 0 else "neither phone_number nor sid is there")
        try:
            ref = parse_number(number, self._country)
        except ValueError as error:
            raise ValueError(f"{show(number)} {error}") from None
        return Item(number, ref.sid, ref.phone_number, reserved, row.line)

    def _number_beside_sid(self, sid: str, number: str) -> str | None:
        if not number:
            return None
        if number.isascii() and number.isdigit() and len(number) <= 15:
            # An answer of the API is fed back as it is, even where its number is not in E.164.
            return number
        try:
            ref = parse_number(number, self._country)
        except ValueError as error:
            raise ValueError(f"phone_number {show(number)} {error}") from None
        if ref.sid and ref.sid != sid:
            raise ValueError(f"phone_number is the SID {ref.sid}, and sid another")
        return ref.phone_number

    def result(self, source: Source | None) -> Items:
        items = tuple(self._items.values())
        return Items(
            items,
            self._duplicates,
            None if items else _empty_reason(source),
            self._rows,
            self._refused,
            tuple(self._refusals),
        )


def _merged(earlier: Item, later: Item) -> Item:
    for field in ("sid", "phone_number", "is_reserved"):
        old, new = getattr(earlier, field), getattr(later, field)
        if old is not None and new is not None and old != new:
            where = f"{'on' if (earlier.place or 0) > 0 else 'as'} {argument_or('line ', earlier.place or 0)}"
            raise ValueError(f"{later.name} has {field} {_value(new)} here and {_value(old)} {where}")
    return replace(
        earlier,
        sid=earlier.sid or later.sid,
        phone_number=earlier.phone_number or later.phone_number,
        is_reserved=later.is_reserved if earlier.is_reserved is None else earlier.is_reserved,
    )


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(field: str, value: object) -> str:
    """Return a field's text, without the ' that keeps spreadsheets from running it; "" for none."""
    if value is None:
        return ""
    if isinstance(value, str):
        value = value.strip()
        return value[1:].lstrip() if value.startswith("'") else value
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError(f'{field} is not in quotes: write it as text, like "+14155550100"')
    raise ValueError(f"{field} is not a text")


def _boolean(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.strip().removeprefix("'").lower()
        if word in _BOOLEANS:
            return _BOOLEANS[word]
        raise ValueError(f"is_reserved {show(value)} is neither true nor false")
    raise ValueError("is_reserved is neither true nor false")


def _argument_hint(numbers: Sequence[str], refusals: Sequence[tuple[int, str]]) -> str | None:
    for place, _ in refusals:
        text = numbers[-place - 1] if place < 0 else ""
        if os.path.isfile(text):  # noqa: PTH113 - of any text; Path.is_file raises for a long one
            return f"to read the file {show(text)}, put -f before it"
    return None


def _empty_reason(source: Source | None) -> str:
    if source is None:
        return "no number was given"
    return f"{source.name} is empty" if source.is_empty else f"{source.name} names no number"
