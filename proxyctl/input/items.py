"""Reading what a bulk verb works on: arguments and files become items, or an error naming each bad row.

Everything is read and judged before anything is sent, so that a run never stops half-way at a misspelt row.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from proxyctl.errors import InputError
from proxyctl.files import read_bytes, source_name
from proxyctl.identifiers import PHONE_NUMBER, is_sid, parse_number, require_country
from proxyctl.input.formats import Flaw, Row, Source, Unit, rows
from proxyctl.text import show

NAMED_ROWS = 20

_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": None}
_HINTS = {  # by the column that is spoken of
    "is_reserved": "With --reserved or --unreserved, the column is_reserved is not read.",
    "account_sid": "Name the account's profile with -p, or remove the column account_sid.",
    "service_sid": "Name the Service of these rows, or remove the column service_sid.",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One number to work on.

    ``input`` is the text as it was given; ``phone_number`` is in E.164. At least one of ``sid`` and
    ``phone_number`` is set; where both are, ``sid`` counts and has yet to agree with the pool. ``place`` is that
    of the row; of an argument, its number below zero.
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


def read_items(
    numbers: Sequence[str] | None,
    file: str | None,
    *,
    stdin: BinaryIO | None,
    default_country: str | None = None,
    use_is_reserved: bool = True,
    account_sid: str | None = None,
) -> Reading:
    """Read the arguments, then ``file`` (``-``: stdin), check all of it, and fold duplicates.

    With ``use_is_reserved=False`` that column is not even read. A file without a number is no error here:
    ``empty_reason`` says so. InputError names every bad row, or says why the file can't be read; UsageError: there is
    no such default country.
    """
    reading = examine(
        numbers or (), file, stdin, default_country, use_is_reserved=use_is_reserved, account_sid=account_sid
    )
    if reading.refused:
        raise refusal(reading)
    return reading


def examine(
    numbers: Sequence[str],
    file: str | None,
    stdin: BinaryIO | None,
    default_country: str | None = None,
    *,
    use_is_reserved: bool = False,
    account_sid: str | None = None,
) -> Reading:
    """Read like `read_items`, but leave it to the caller to tell which rows can't be used.

    InputError: the file as a whole can't be read. UsageError: there is no such default country.
    """
    country = require_country(default_country) if default_country is not None else None
    reading = Reading(numbers, country, use_is_reserved, account_sid)
    for place, text in enumerate(numbers, start=1):
        reading.take(Row(-place, None, text))
    if file is not None:
        reading.read(Source(source_name(file), read_bytes(file, stdin)))
    return reading


def refusal(reading: Reading) -> InputError:
    """Return the error that names the rows which can't be used: the first 20, and the count."""
    name = reading.source.name if reading.source is not None else None
    hint = _hint(reading)
    if name is None and reading.rows == 1:
        return InputError(f"{reading.refusals[0][1]}; nothing was sent", hint=hint)
    if name is None:
        where = "arguments"
    else:
        single = (reading.rows or reading.refused) == 1
        where = f"{'arguments and rows' if reading.arguments else 'row' if single else 'rows'} in {name}"
    total = f" of {reading.rows}" if reading.rows else ""
    lines = [f"{reading.refused}{total} {where} can't be used; nothing was sent"]
    lines += [f"{reading.where(place)}: {what}" for place, what in reading.refusals]
    if reading.refused > len(reading.refusals):
        lines.append(f"… and {reading.refused - len(reading.refusals)} more")
    return InputError("\n".join(lines), hint=hint)


def failed_to_text(items: Iterable[Item]) -> str:
    """Return what ``--failed-to`` writes: a text that ``-f`` reads back to the same items.

    A SID or number a line, CSV where each item says ``is_reserved``, or JSON Lines where some do: a blank cell says
    nothing. ASCII, ``\\n`` at each line's end.
    """
    items = list(items)
    unsaid = [item for item in items if item.is_reserved is None]
    if len(unsaid) == len(items):
        return "".join(f"{item.name}\n" for item in items)
    if unsaid:
        fields = ("sid", "phone_number", "is_reserved")
        rows = ({name: getattr(item, name) for name in fields} for item in items)
        return "".join(
            json.dumps({name: value for name, value in row.items() if value is not None}) + "\n"
            for row in rows
        )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["sid", "phone_number", "is_reserved"])
    for item in items:
        writer.writerow([item.sid or "", item.phone_number or "", str(item.is_reserved).lower()])
    return text.getvalue()


class Reading:
    """What has been read so far: ``rows``, of which ``refused`` can't be used, and ``duplicates`` were folded.

    ``refusals`` has the first that can't be used, each with its place and what is wrong with it.
    """

    def __init__(
        self,
        arguments: Sequence[str] = (),
        country: str | None = None,
        use_is_reserved: bool = False,
        account_sid: str | None = None,
    ) -> None:
        self.arguments = arguments
        self.source: Source | None = None
        self.rows = self.refused = self.duplicates = 0
        self.refusals: list[tuple[int, str]] = []
        self._unit: Unit = "line"
        self._country = country
        self._use_is_reserved = use_is_reserved
        self._account_sid = account_sid
        self._items: dict[int, Item] = {}
        self._by_name: dict[str, int] = {}
        self._blank: list[int] = []  # the places of rows whose is_reserved is blank
        self._services: dict[str, list[int]] = {}  # the places of rows, by their service_sid

    @property
    def items(self) -> tuple[Item, ...]:
        """The items in the order given."""
        return tuple(self._items.values())

    @property
    def empty_reason(self) -> str | None:
        """Says that the file holds no number; None where it does, and where there is none."""
        if self.source is None or self.rows > len(self.arguments):
            return None
        return f"{self.source.name} holds no number"

    def require_service(self, sid: str, title: str) -> None:
        """InputError that names the rows which say that they are of another Service than this one."""
        other = [
            (place, f"service_sid {show(other)} is not that of Service {title}")
            for other, places in self._services.items()
            if other.lower() != sid.lower()
            for place in places
        ]
        if other:
            self._refuse_all(other)
            raise refusal(self)

    def where(self, place: int) -> str:
        """Return what names a place: FILE:LINE, or the number of an argument or of an item of a JSON document."""
        if place < 0 or self.source is None:
            return f"argument {-place}"
        if self._unit == "line":
            return f"{self.source.name}:{place}"
        return f"{self.source.name}: {self._unit} {place}" if place else self.source.name

    def read(self, source: Source) -> None:
        """Take in all rows of a file."""
        self.source = source
        try:
            self._unit, found = rows(source)
            for row in found:
                self.take(row)
        except UnicodeDecodeError:
            # What was read up to there matters less than the whole list of what to correct.
            self.rows, self.refused, self.refusals = 0, 0, []
            for line, what in source.undecodable():
                self._refuse(line, what)
            return
        if any(item.is_reserved is not None for item in self._items.values()):
            what = "is_reserved is blank here, and not in other rows"
            self._refuse_all([(place, what) for place in self._blank])

    def take(self, row: Row | Flaw) -> None:
        """Take in a row, or what is wrong with it."""
        self.rows += 1
        if isinstance(row, Flaw):
            self._refuse(row.place, row.what)
            return
        try:
            item = self._item(row)
            self._add(item)
        except ValueError as error:
            self._refuse(row.place, str(error))
            return
        if self._use_is_reserved and item.is_reserved is None and row.is_reserved is not None:
            self._blank.append(row.place)
        if service := _sid_text(row.service_sid):
            self._services.setdefault(service, []).append(row.place)

    def _add(self, item: Item) -> None:
        """Take the item, or fold it into earlier ones; ValueError where they contradict each other.

        A row with SID and number may show that two earlier rows are one.
        """
        known = {self._by_name[name] for name in item.names if name in self._by_name}
        index = min(known, default=self.rows)
        for earlier in sorted(known, reverse=True):
            item = self._merged(self._items[earlier], item)
        for other in known - {index}:
            del self._items[other]
        self._items[index] = item
        for name in item.names:
            self._by_name[name] = index
        self.duplicates += len(known)

    def _merged(self, earlier: Item, later: Item) -> Item:
        known: dict[str, Any] = {}
        for field in ("sid", "phone_number", "is_reserved"):
            old, new = getattr(earlier, field), getattr(later, field)
            if old is not None and new is not None and old != new:
                said = f"{later.name} has {field} {_value(new)} here and {_value(old)}"
                raise ValueError(f"{said} at {self.where(earlier.place or 0)}")
            known[field] = new if old is None else old
        return replace(earlier, **known)

    def _refuse(self, place: int, what: str) -> None:
        self.refused += 1
        if len(self.refusals) < NAMED_ROWS:
            self.refusals.append((place, what))

    def _refuse_all(self, rows: list[tuple[int, str]]) -> None:
        """Refuse rows that were taken in before; the first that can't be used stay in the order given."""
        self.refused += len(rows)
        found = sorted([*self.refusals, *rows], key=lambda row: (row[0] > 0, abs(row[0])))
        self.refusals = found[:NAMED_ROWS]

    def _item(self, row: Row) -> Item:
        account = _sid_text(row.account_sid)
        if account and self._account_sid and account.lower() != self._account_sid.lower():
            raise ValueError(f"account_sid {show(account)} is not {self._account_sid}")
        sid = _text("sid", row.sid)
        number = _text("phone_number", row.phone_number)
        reserved = _boolean(row.is_reserved) if self._use_is_reserved else None
        if sid:
            if not is_sid(PHONE_NUMBER, sid):
                raise ValueError(f"sid {show(sid)} is not PN and 32 hexadecimal digits")
            return Item(sid, sid, self._number_beside_sid(sid, number), reserved, row.place)
        if not number:
            raise ValueError("names no number" if row.place < 0 else "neither phone_number nor sid is there")
        try:
            ref = parse_number(number, self._country)
        except ValueError as error:
            raise ValueError(f"{show(number)} {error}") from None
        return Item(number, ref.sid, ref.phone_number, reserved, row.place)

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


def _sid_text(value: object) -> str:
    """Return a SID that a row has beside its number; "" for none. It is compared only, so it may be any text."""
    return str(value or "").strip().removeprefix("'")


def _hint(reading: Reading) -> str | None:
    """Return what to do about rows that can't be used, where that can be said."""
    for text in reading.arguments:
        if os.path.isfile(text):  # noqa: PTH113 - of any text; Path.is_file raises for a long one
            return f"to read the file {show(text)}, put -f before it"
    said = "\n".join(what for _, what in reading.refusals)
    return " ".join(hint for column, hint in _HINTS.items() if column in said) or None
