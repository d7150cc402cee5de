"""Reading what a bulk verb works on: arguments and files become items, or an error naming each bad row.

Everything is read and checked before anything is sent, so that a run never stops half-way at a misspelt row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from proxyctl import identifiers
from proxyctl.errors import InputError
from proxyctl.input.formats import Source, contents
from proxyctl.input.refusal import DUPLICATES, FLOATS, UNREADABLE, refusal
from proxyctl.input.rows import SESSION, Contents, Flaw, Row, boolean_of, text_of, value_text
from proxyctl.named_files import read_beneath, read_bytes, source_name
from proxyctl.text import FIRST, cut, show


@dataclass(frozen=True, slots=True)
class Item:
    """One number to work on.

    ``input`` is the text as it was given; ``phone_number`` is in E.164. At least one of ``sid`` and
    ``phone_number`` is set; where both are, ``sid`` counts and has yet to agree with the pool. ``place`` is that
    of the row; of an argument, its number below zero. ``raw`` is the row as it came in, with all that it holds: the
    line of a text, the cells of a CSV (`Reading.header` names them), or the JSON value; None of an argument.
    """

    input: str
    sid: str | None
    phone_number: str | None
    is_reserved: bool | None = None
    place: int | None = None
    raw: object = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The SID, or else the number: what names the item to the API and in ``--failed-to``."""
        return self.sid or self.phone_number or self.input

    @property
    def shown(self) -> str:
        """The item as a text names it: with both forms where its number is read differently than it is written."""
        if self.sid is not None or self.phone_number in (None, self.input):
            return self.input
        return f"{self.input} (read as {self.phone_number})"

    @property
    def names(self) -> tuple[str, ...]:
        """The SID and the number, as far as they are known."""
        if self.sid is None or self.phone_number is None:
            return (self.name,)
        return (self.sid, self.phone_number)


@dataclass(eq=False)
class Reading:
    """Reads ``arguments``, and a file with `read`: all is checked, and duplicates are folded.

    ``rows`` counts what was read so far, of which ``refused`` can't be used. ``noted`` counts duplicates, numbers that
    ended with ``.0``, and those beside a SID that can't be read. ``bad`` has those that can't be used, in the order
    given: the first 20, or all where they are to be skipped. ``contents`` has the form and the header of the file.
    The column is_reserved is read if ``use_is_reserved``. UsageError: there is no such ``default_country``.
    """

    arguments: Sequence[str] = ()
    _: KW_ONLY
    default_country: str | None = None
    use_is_reserved: bool = False
    account_sid: str | None = None
    column: str | None = None
    skip_bad: bool = False
    kind: ClassVar[str] = "number"

    def __post_init__(self) -> None:
        self.source: Source | None = None
        self.contents = Contents("text", iter(()))
        self.rows = self.refused = 0
        self.noted: Counter[str] = Counter()
        self.bad: list[Flaw] = []
        self._torn = False  # rows may be missing
        self._items: dict[int, Item] = {}
        self._by_name: dict[str, int] = {}
        self._blank: list[Row] = []  # those whose is_reserved is blank
        self._services: dict[str, list[Row]] = {}  # by their service_sid
        if self.default_country is not None:
            self.default_country = identifiers.require_country(self.default_country)
        for place, text in enumerate(self.arguments, start=1):
            self.take(Row(-place, None, text))

    @property
    def items(self) -> tuple[Item, ...]:
        """The items in the order given."""
        return tuple(self._items.values())

    @property
    def empty_reason(self) -> str | None:
        """Says that the file holds no number; None where it does, and where there is none."""
        if self.source is None or self.rows > len(self.arguments):
            return None
        return f"{self.source.name} holds no {self.kind}"

    @property
    def rejected(self) -> list[tuple[Item, InputError]]:
        """The rows that are skipped: each as an item that names nothing, with what is wrong with it."""
        items = [Item(bad.input, None, None, place=bad.place, raw=bad.raw) for bad in self.bad]
        errors = [InputError(f"{self.where(bad.place)}: {bad.what}") for bad in self.bad]
        return list(zip(items, errors, strict=True))

    def require_usable(self) -> None:
        """InputError that names the rows which can't be used, unless they are to be skipped and others are left."""
        if self.refused and (not self.skip_bad or self._torn or not self._items):
            raise refusal(self)

    def require_service(self, sid: str, title: str) -> None:
        """Refuse the rows which say that they are of another Service than this one, as `require_usable` does."""
        for other, rows in self._services.items():
            if other.lower() != sid.lower():
                self._refuse_all(rows, f"service_sid {show(other)} is not that of Service {title}")
        self.require_usable()

    def where(self, place: int) -> str:
        """Return what names a place: FILE:LINE, or the number of an argument or of an item of a JSON document."""
        if place < 0 or self.source is None:
            return f"argument {-place}"
        if self.contents.unit == "line":
            return f"{self.source.name}:{place}"
        return f"{self.source.name}: item {place}" if place else self.source.name

    def read(self, file: str, stdin: BinaryIO | None, base: Path | None = None) -> None:
        """Take in all rows of a file (``-``: stdin); ``base``: a pool file in this directory names it.

        InputError: the file as a whole can't be read.
        """
        data = read_bytes(file, stdin) if base is None else read_beneath(base, file)
        self.source = source = Source(source_name(file if base is None else str(base / file)), data)
        try:
            self.contents = contents(source, self.column, self.kind)
            for row in self.contents.rows:
                self.take(row)
        except UnicodeDecodeError:
            # What was read up to there matters less than the whole list of what to correct.
            self.rows, self.refused, self.bad, self._torn = 0, 0, [], True
            for line, what in source.undecodable():
                self._refuse(Flaw(line, what))
            return
        if any(item.is_reserved is not None for item in self._items.values()):
            self._refuse_all(self._blank, "is_reserved is blank here, and not in other rows")

    def take(self, row: Row | Flaw) -> None:
        """Take in a row, or what is wrong with it."""
        self.rows += 1
        if isinstance(row, Flaw):
            self._torn |= row.fatal
            self._refuse(row._replace(input=given(row.raw)))
            return
        try:
            service = text_of("service_sid", row.service_sid)
            item = self._item(row)
            self._add(item)
        except ValueError as error:
            self._refuse(bad_row(row, str(error)))
            return
        if self.use_is_reserved and item.is_reserved is None and row.is_reserved is not None:
            self._blank.append(row)
        if service:
            self._services.setdefault(service, []).append(row)

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
        self.noted[DUPLICATES] += len(known)

    def _merged(self, earlier: Item, later: Item) -> Item:
        known: dict[str, Any] = {}
        for name in ("sid", "phone_number", "is_reserved"):
            old, new = getattr(earlier, name), getattr(later, name)
            same = identifiers.agree(old, new) if name == "phone_number" and old and new else old == new
            if old is not None and new is not None and not same:
                said = f"{later.shown} has {name} {value_text(new)} here and {value_text(old)}"
                raise ValueError(f"{said} at {self.where(earlier.place or 0)}")
            known[name] = new if old is None else old
        return replace(earlier, **known)

    def _refuse(self, bad: Flaw) -> None:
        self.refused += 1
        if self.skip_bad or len(self.bad) < FIRST:
            self.bad.append(bad)

    def _refuse_all(self, rows: Sequence[Row], what: str) -> None:
        """Refuse rows that were taken in before, in the order given."""
        self.refused += len(rows)
        found = [*self.bad, *(bad_row(row, what) for row in rows)]
        found.sort(key=lambda bad: (bad.place > 0, abs(bad.place)))
        self.bad = found if self.skip_bad else found[:FIRST]
        places = {row.place for row in rows}
        self._items = {key: item for key, item in self._items.items() if item.place not in places}

    def _check_account(self, row: Row) -> None:
        account = text_of("account_sid", row.account_sid)
        if account and self.account_sid and account.lower() != self.account_sid.lower():
            raise ValueError(f"account_sid {show(account)} is not {self.account_sid}")

    def _item(self, row: Row) -> Item:
        self._check_account(row)
        sid = text_of("sid", row.sid)
        reserved = boolean_of(row.is_reserved) if self.use_is_reserved else None
        if sid:
            if not identifiers.is_sid(identifiers.PHONE_NUMBER, sid):
                raise ValueError(f"sid {show(sid)} is not PN and 32 hexadecimal digits")
            return Item(sid, sid, self._number_beside_sid(sid, row), reserved, row.place, row.raw)
        number = text_of("phone_number", row.phone_number)
        if not number:
            missing = f"{self.column} is empty" if self.column else "neither phone_number nor sid is there"
            raise ValueError("names no number" if row.place < 0 else missing)
        try:
            ref = identifiers.parse_number(number, self.default_country)
        except ValueError as error:
            raise ValueError(f"{show(number)} {error}") from None
        self.noted[FLOATS] += identifiers.is_float(number)
        return Item(number, ref.sid, ref.phone_number, reserved, row.place, row.raw)

    def _number_beside_sid(self, sid: str, row: Row) -> str | None:
        """Return the number of a row that has a SID: in E.164, or its digits where it may lack its ``+``."""
        number = ""
        try:
            number = text_of("phone_number", row.phone_number)
            found, phone_number = (
                identifiers.parse_number(number, self.default_country) if number else (None, None)
            )
        except ValueError:
            found, phone_number = None, identifiers.perhaps_without_plus(number)
            self.noted[UNREADABLE] += phone_number is None
        if found and found != sid:
            raise ValueError(f"phone_number is the SID {found}, and sid another")
        self.noted[FLOATS] += identifiers.is_float(number)
        return phone_number


class SessionReading(Reading):
    """Reads which Sessions a verb works on. A unique name stands where a number would."""

    kind = SESSION

    def _item(self, row: Row) -> Item:
        self._check_account(row)
        sid, name = text_of("sid", row.sid), text_of("unique_name", row.phone_number)
        if identifiers.is_sid("KC", name) and sid in ("", name):
            sid, name = name, ""
        if sid and not identifiers.is_sid("KC", sid):
            raise ValueError(f"sid {show(sid)} is not KC and 32 hexadecimal digits")
        if not (sid or name):
            raise ValueError("names no Session")
        return Item(sid or name, sid or None, (sid and name) or None, place=row.place, raw=row.raw or name)


def bad_row(row: Row, what: str) -> Flaw:
    """Return a row that was taken apart, and can't be used."""
    return Flaw(row.place, what, row.raw, input=given(row.sid or row.phone_number))


def given(raw: object) -> str:
    """Return what a row says, cut to what a report has room for."""
    text = ",".join(map(str, raw)) if isinstance(raw, tuple) else str(raw or "")
    return cut(text.strip(), 200)
