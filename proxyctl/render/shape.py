"""What a kind of row is made of: fields in the API's order, and the columns that a table makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

ALWAYS = 100  # the importance of a column that no terminal is too narrow for


class Kind(Enum):
    """How a column of a table behaves when space is short, and how its cells are shown."""

    FIXED = "fixed"  # never cut: a SID, a number, yes or no
    NUMBER = "number"  # never cut, to the right
    DATE = "date"  # never cut, in UTC, to the minute
    TEXT = "text"  # cut at the end where the terminal is too narrow
    FOLD = "fold"  # goes on in the next line instead


class Column(NamedTuple):
    """A column of a table. ``field`` may be a path; those of least importance (0-100) give way first."""

    field: str
    title: str
    importance: int
    kind: Kind = Kind.FIXED


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of row.

    ``fields`` are the names in the API's order, ``columns`` what a table shows. ``id_fields``: the first of
    them that is there is the row's line in ``-o ids``. ``maps`` names the known keys of nested maps.
    """

    noun: str
    plural: str
    fields: tuple[str, ...]
    columns: tuple[Column, ...]
    id_fields: tuple[str, ...] = ("sid",)
    maps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def generic(
        cls, noun: str, fields: tuple[str, ...], *, plural: str | None = None, id_field: str = "sid"
    ) -> Shape:
        """Return a shape for rows that have no constant below; the columns follow from the fields' names."""
        columns = tuple(column_of(name) for name in fields)
        return cls(noun, plural or noun + "s", fields, columns, (id_field,))

    def column(self, name: str) -> Column:
        """Return the column for a field or path, also for one that this shape does not know."""
        return next((column for column in self.columns if column.field == name), column_of(name))

    def count(self, number: int) -> str:
        """Return ``1 Service``, ``12,345 Services``, ``no Services``."""
        noun = self.noun if number == 1 else self.plural
        return f"{number:,} {noun}" if number else f"no {noun}"


def names(text: str) -> tuple[str, ...]:
    """Return the names in ``text``, which blanks keep apart."""
    return tuple(text.split())


def column_of(name: str) -> Column:
    """Return a column for a field of which only the name is known."""
    last = name.rpartition(".")[2]
    title = name.replace("_", " ").replace(".", " ")
    title = (title[:1].upper() + title[1:]).replace(" sid", " SID")
    if last in ("sid", "phone_number"):
        return Column(name, "SID" if name == "sid" else title, ALWAYS)
    if last.endswith("_sid"):
        return Column(name, title, 40)
    if last.startswith("date_"):
        return Column(name, f"{title} (UTC)", 30, Kind.DATE)
    return Column(name, title, 50, Kind.FOLD)


def capability_names(name: str, value: Any) -> list[str] | None:
    """Return the capabilities that are there if ``name`` is a field of such a kind; else None."""
    if name.rpartition(".")[2] != "capabilities":
        return None
    if isinstance(value, dict):
        return [key for key, there in value.items() if there is True]
    if isinstance(value, list) and all(isinstance(key, str) for key in value):
        return value
    return None
