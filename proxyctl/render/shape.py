"""What a kind of row is made of: fields in the API's order, the columns that a table makes of them, and which of them
``--fields a,b.c`` chooses, in every format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from proxyctl.errors import UsageError
from proxyctl.visible import cut, visible

Row = Mapping[str, Any]

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


# Chosen fields


def parse_fields(text: str) -> tuple[str, ...]:
    """Split what was given to ``--fields``; one that comes twice counts once. An empty name: UsageError."""
    chosen = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if not all(chosen):
        raise UsageError(
            "--fields: a name is empty",
            hint="give the names separated by commas, for example --fields sid,phone_number",
        )
    return chosen


def value_at(row: Row, path: str) -> Any:
    """Return what ``path`` leads to in ``row``, or None. A key that itself holds dots is found as well."""
    if path in row:
        return row[path]
    head, dot, rest = path.partition(".")
    inner = row.get(head) if dot else None
    return value_at(inner, rest) if isinstance(inner, dict) else None


def pick(row: Row, chosen: Sequence[str]) -> dict[str, Any]:
    """Return a flat object of the chosen fields; the key of a path is the path itself."""
    return {name: value_at(row, name) for name in chosen}


def check_fields(chosen: Sequence[str], shape: Shape, rows: Sequence[Row] = ()) -> None:
    """Raise UsageError, naming the known, for a name that neither ``shape`` nor any of ``rows`` has."""
    known = known_fields(shape, rows)
    for name in chosen:
        if name not in known and not any(leads_somewhere(row, name) for row in rows):
            raise unknown_field(name, known)


def leads_somewhere(row: Row, path: str) -> bool:
    """Whether ``path`` is there in ``row``, be it null."""
    if path in row:
        return True
    head, dot, rest = path.partition(".")
    inner = row.get(head) if dot else None
    return isinstance(inner, dict) and leads_somewhere(inner, rest)


def known_fields(shape: Shape, rows: Sequence[Row]) -> list[str]:
    """Return all names in the order in which a person expects them: fields, further keys, then paths into maps."""
    found = dict.fromkeys(shape.fields)
    paths = {f"{head}.{key}": None for head, keys in shape.maps.items() for key in keys}
    for row in rows:
        for name, value in row.items():
            found.setdefault(name)
            if isinstance(value, dict):
                paths.update(dict.fromkeys(f"{name}.{key}" for key in value))
    return [*found, *paths]


def unknown_field(name: str, known: Sequence[str]) -> UsageError:
    """Return the error about a field that is not known."""
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    question = f"; did you mean {visible(near[0])}?" if near else ""
    return UsageError(
        f"--fields: there is no field {visible(cut(name, 80))}{question}",
        hint=f"known are {visible(cut(', '.join(known), 2000))}",
    )
