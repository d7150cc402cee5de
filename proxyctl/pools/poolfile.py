"""The pool file: what is wanted of Services and their numbers, read from TOML and checked whole.

Only what a file names is managed. Every flaw is named with file and line before anything is sent.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from proxyctl.errors import InputError
from proxyctl.identifiers import ACCOUNT, SERVICE, is_float, is_placeholder, is_sid, parse_number
from proxyctl.input.items import Item, Reading
from proxyctl.input.refusal import DUPLICATES, FLOATS, numbers_alone
from proxyctl.named_files import STDIN, read_bytes, source_name
from proxyctl.pools.pool import flag_word
from proxyctl.text import Lines, counted, first_of, nearest, show, visible
from proxyctl.toml_files import TYPE_WORDS, Key, Places, TomlFlaw, parse_toml
from proxyctl.writes.guard import EMPTY_INPUT

VERSION = 1
LARGEST_FILE = 16 * 1024 * 1024
LONGEST_NAME = 191

# What may be set, with its type, in the order in which it is written.
SETTINGS: dict[str, type] = {
    "default_ttl": int,
    "geo_match_level": str,
    "number_selection_behavior": str,
    "callback_url": str,
    "intercept_callback_url": str,
    "out_of_session_callback_url": str,
    "chat_instance_sid": str,
}
CLEARABLE = ("callback_url", "intercept_callback_url", "out_of_session_callback_url", "chat_instance_sid")
# What a table says beside settings and numbers: whose it is, and what may be done with it.
MARKS: dict[str, type] = {"sid": str, "create": bool, "only_missing": bool}
NUMBERS = {"reserved": list, "unreserved": list, "reserved_from": str, "unreserved_from": str}
TOP = ("version", "account_sid", "services")


@dataclass(frozen=True, slots=True)
class WantedService:
    """What the file says of one Service: settings ("" clears one), and the numbers of its pool, with their flags.

    ``numbers`` is None where it says nothing of its pool. With a ``sid`` the table is about that Service alone and
    creates none. ``create`` permits what rule new-service refuses. ``only_missing``: a Service that is
    there keeps its settings, and numbers that any pool has stay as they are.
    """

    name: str
    settings: Mapping[str, str | int] = field(default_factory=dict)
    numbers: tuple[Item, ...] | None = None
    sid: str | None = None
    create: bool = False
    only_missing: bool = False


@dataclass(frozen=True, slots=True)
class PoolFile:
    """A pool file that is right on paper; ``noted`` counts what `Reading` does: numbers named twice in one list…

    ``files`` are those of numbers that it names, ``account_sid`` is the account that it is bound to, if any.
    """

    name: str
    services: tuple[WantedService, ...]
    noted: Mapping[str, int]
    files: tuple[str, ...] = ()
    account_sid: str | None = None


def read_pool_file(
    file: str, *, stdin: BinaryIO | None = None, default_country: str | None = None, allow_empty: bool = False
) -> PoolFile:
    """Read and check ``file`` (``-``: stdin). Raises InputError that names every flaw, or why it can't be read.

    With ``allow_empty`` a file of numbers that it names may hold none.
    """
    directory = Path() if file == STDIN else Path(file).parent
    data = read_bytes(
        file,
        stdin,
        most=LARGEST_FILE,
        missing="'proxyctl pool export --all' writes one.",
        too_large="Put the numbers in separate files, and name them with reserved_from and unreserved_from.",
    )
    return parse_pool_file(data, source_name(file), directory, default_country, allow_empty=allow_empty)


def parse_pool_file(
    data: bytes, name: str, directory: Path, default_country: str | None = None, *, allow_empty: bool = False
) -> PoolFile:
    """Check the bytes of a pool file; files that it names are beside it, in ``directory``. Raises InputError."""
    try:
        document, text = parse_toml(data, longest_line=1024 * 1024)
    except TomlFlaw as flaw:
        text = f"{name}:{flaw.line}: {visible(flaw.what)}. Nothing was sent"
        raise InputError(text, hint=f"Fix line {flaw.line}.") from None
    checking = _Checking(name, directory, text, default_country, allow_empty)
    services = tuple(checking.services(document))
    checking.raise_flaws()
    return PoolFile(name, services, checking.noted, tuple(checking.files), checking.account_sid)


class _Checking:
    """One reading of a pool file: what is found wrong is collected, what is right is returned."""

    def __init__(
        self, name: str, directory: Path, text: str, default_country: str | None, allow_empty: bool
    ) -> None:
        self.name = name
        self.noted: Counter[str] = Counter()
        self.files: list[str] = []
        self.account_sid: str | None = None
        self._base = directory
        self._text = text
        self._country = default_country
        self._allow_empty = allow_empty
        self._empty = False  # a file that holds no number is among the flaws
        self._flaws: list[tuple[int, str]] = []  # by line of the pool file
        self._unnamed = 0
        self._seen: dict[str, tuple[str, bool]] = {}  # by what names a number: where it was first

    @cached_property
    def places(self) -> Places:
        """Where everything stands, found when it is first needed."""
        return Places(self._text)

    def flaw(self, key: Key, what: str, index: int | None = None, where: str = "") -> None:
        """Note what is wrong at a key, at an element of its list, or ``where`` in a file of numbers that it names."""
        line = self.places.line(*key, index=index)
        self._flaws.append((line, f"{where or f'{self.name}:{line}'}: {what}"))

    def raise_flaws(self) -> None:
        """Raise InputError if anything is wrong: the first 20 flaws in the order of lines, and the count."""
        count = len(self._flaws) + self._unnamed
        if not count:
            return
        texts = [text for _, text in sorted(self._flaws, key=lambda flaw: flaw[0])]
        lines = first_of(texts, count=count)
        things = counted(count, "thing is", "things are")
        hint = f"--allow {EMPTY_INPUT} permits files without numbers." if self._empty else None
        raise InputError(Lines(f"{things} wrong in {self.name}. Nothing was sent", *lines), hint=hint)

    # The document

    def services(self, document: Mapping[str, Any]) -> Iterator[WantedService]:
        """Yield the Services of the document."""
        for key in document:
            if key not in TOP:
                self.flaw((key,), unknown("key", key, TOP))
        version = document.get("version")
        if version is None:
            self.flaw((), f"version is missing. Write version = {VERSION}")
        elif type(version) is not int or version != VERSION:
            self.flaw(("version",), f"version must be {VERSION}. This proxyctl reads no other")
        if self.is_sid_of(ACCOUNT, ("account_sid",), document.get("account_sid")):
            self.account_sid = document["account_sid"]
        services = document.get("services", {})
        if not isinstance(services, dict):
            self.flaw(("services",), "services must be a table: [services.NAME]")
            return
        for name, table in services.items():
            if isinstance(table, dict):
                yield self.service(name, table)
            else:
                self.flaw(("services", name), f"services.{visible(name)} must be a table")

    def service(self, name: str, table: Mapping[str, Any]) -> WantedService:
        """Return what is wanted of one Service."""
        key = ("services", name)
        if not name.strip() or len(name) > LONGEST_NAME:
            self.flaw(key, f"a unique name has 1 to {LONGEST_NAME} characters")
        settings: dict[str, Any] = {}
        marks: dict[str, Any] = {}
        numbers: tuple[Item, ...] | None = None
        for field_name, value in table.items():
            where = (*key, field_name)
            if field_name == "numbers" and isinstance(value, dict):
                numbers = tuple(self.numbers(where, name, value))
            elif field_name == "clear":
                settings.update(self.cleared(where, value, table))
            elif self.is_proper(where, field_name, value):
                (marks if field_name in MARKS else settings)[field_name] = value
        if self.is_sid_of(SERVICE, (*key, "sid"), marks.get("sid")) and marks.get("create"):
            self.flaw((*key, "create"), "a table with a sid never creates. Leave out sid or create")
        return WantedService(name, settings, numbers, **marks)

    def is_proper(self, key: Key, name: str, value: Any) -> bool:
        """Whether ``name`` is a setting or mark of a proper type; what the values may be is the API's to judge."""
        kind = SETTINGS.get(name) or MARKS.get(name)
        if kind is None:
            known = (*SETTINGS, "clear", *MARKS, "numbers")
            is_known = name == "numbers"
            self.flaw(key, "numbers must be a table" if is_known else unknown("setting", name, known))
        elif type(value) is not kind:
            self.flaw(key, f"{name} must be {TYPE_WORDS[kind]}")
        elif isinstance(value, str) and not value.strip():
            instead = f'Write clear = ["{name}"]' if name in CLEARABLE else "Leave it out"
            self.flaw(key, f"{name} is empty. {instead}")
        elif name.endswith("_url") and is_placeholder(str(value)):
            self.flaw(key, f"{value} stands for a URL. Write your own in its place")
        else:
            return True
        return False

    def is_sid_of(self, prefix: str, key: Key, value: Any) -> bool:
        """Whether a SID is given; what is none is a flaw."""
        proper = isinstance(value, str) and is_sid(prefix, value)
        if value is not None and not proper:
            self.flaw(key, f"{key[-1]} must be {prefix} and 32 hexadecimal digits")
        return proper

    def cleared(self, key: Key, values: Any, table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield the settings that the table clears."""
        if not isinstance(values, list):
            self.flaw(key, f"clear must be {TYPE_WORDS[list]}")
            return
        for index, name in enumerate(values):
            if name not in CLEARABLE:
                self.flaw(key, unknown("setting to clear", str(name), CLEARABLE), index)
            elif name in table:
                self.flaw(key, f"{name} is set and cleared", index)
            else:
                yield name, ""

    # The numbers

    def numbers(self, key: Key, service: str, table: Mapping[str, Any]) -> Iterator[Item]:
        """Yield the numbers of one Service, those of the files that it names included."""
        for name, value in table.items():
            kind = NUMBERS.get(name)
            if kind is None:
                self.flaw((*key, name), unknown("key", name, tuple(NUMBERS)))
            elif not isinstance(value, kind):
                self.flaw((*key, name), f"{name} must be {TYPE_WORDS[kind]}")
            elif isinstance(value, list):
                yield from self.listed((*key, name), service, value, name == "reserved")
            elif isinstance(value, str):
                yield from self.read((*key, name), service, value, name == "reserved_from")

    def listed(self, key: Key, service: str, values: list[Any], is_reserved: bool) -> Iterator[Item]:
        """Yield the numbers of a list."""
        for index, value in enumerate(values):
            if not isinstance(value, str):
                self.flaw(key, 'a number is written as text in quotes, like "+14155550100"', index)
                continue
            try:
                found = parse_number(value, self._country)
            except ValueError as error:
                self.flaw(key, f"{show(value)} {error}", index)
                continue
            self.noted[FLOATS] += is_float(value)
            item = Item(value, found.sid, found.phone_number, is_reserved)
            if self.is_first(service, item, is_reserved, key, index):
                yield item

    def read(self, key: Key, service: str, file: str, is_reserved: bool) -> Iterator[Item]:
        """Yield the numbers of a file that the pool file names."""
        if not file or file == STDIN or "\0" in file:
            self.flaw(key, f"{key[-1]} must name a file beside the pool file")
            return
        path = str(self._base / file)
        self.files.append(path)
        reading = Reading(default_country=self._country, account_sid=self.account_sid)
        try:
            reading.read(file, None, self._base)
        except InputError as error:
            what = re.split("[.;] [Nn]othing was sent", error.message)[0]
            self.flaw(key, f"{key[-1]}: {what}")
            return
        for bad in reading.bad:
            self.flaw(key, numbers_alone(bad.what), where=reading.where(bad.place))
        if not reading.rows and not self._allow_empty:
            self.flaw(key, f"{key[-1]}: {path} holds no number (rule {EMPTY_INPUT})")
            self._empty = True
        self._unnamed += reading.refused - len(reading.bad)
        self.noted.update(reading.noted)
        for item in reading.items:
            if self.is_first(service, item, is_reserved, key, where=reading.where(item.place or 0)):
                yield replace(item, is_reserved=is_reserved)

    def is_first(
        self, service: str, item: Item, is_reserved: bool, key: Key, index: int | None = None, where: str = ""
    ) -> bool:
        """Whether the number was not there before; in another list or Service that is a flaw."""
        first = next((self._seen[name] for name in item.names if name in self._seen), None)
        if first is None:
            self._seen.update(dict.fromkeys(item.names, (service, is_reserved)))
        elif first == (service, is_reserved):
            self.noted[DUPLICATES] += 1
        else:
            other = f"{flag_word(first[1])} of {visible(first[0])}"
            self.flaw(key, f"{item.name} is in two places: here, and {other}", index, where)
        return first is None


def unknown(what: str, name: str, known: tuple[str, ...]) -> str:
    """Return the words for a key that there is not, with what may have been meant."""
    near = nearest(name, known)
    suggestion = f" (did you mean {near}?)" if near else f" (known: {', '.join(known)})"
    return f"unknown {what} {visible(name)}{suggestion}"
