"""Which fields of a row are wanted, and in what order: ``--fields a,b.c``. Apart from the formats, since the
same choice holds in each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from proxyctl.errors import UsageError
from proxyctl.render.shapes import Shape
from proxyctl.visible import cut, visible

Row = Mapping[str, Any]


def parse_fields(text: str) -> tuple[str, ...]:
    """Split what was given to ``--fields``; one that comes twice counts once. An empty name: UsageError."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if not all(names):
        raise UsageError(
            "--fields: a name is empty",
            hint="give the names separated by commas, for example --fields sid,phone_number",
        )
    return names


def value_at(row: Row, path: str) -> Any:
    """Return what ``path`` leads to in ``row``, or None. A key that itself holds dots is found as well."""
    if path in row:
        return row[path]
    head, dot, rest = path.partition(".")
    inner = row.get(head) if dot else None
    return value_at(inner, rest) if isinstance(inner, dict) else None


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen fields: ``names`` are the paths as given, which are also the titles and JSON keys."""

    names: tuple[str, ...]
    getters: tuple[Callable[[Row], Any], ...]

    @classmethod
    def of(cls, names: Iterable[str]) -> Selection:
        """Return a selection of these fields and paths, which are not checked."""
        chosen = tuple(names)
        return cls(chosen, tuple(_getter(name) for name in chosen))

    def values(self, row: Row) -> list[Any]:
        """Return the chosen values in order, None for what is absent."""
        return [get(row) for get in self.getters]

    def pick(self, row: Row) -> dict[str, Any]:
        """Return a flat object of the chosen fields; the key of a path is the path itself."""
        return dict(zip(self.names, self.values(row), strict=True))


def check_fields(names: Sequence[str], shape: Shape, rows: Sequence[Row] = ()) -> None:
    """Raise UsageError, naming the known, for a name that neither ``shape`` nor any of ``rows`` has."""
    for name in names:
        if not _is_known(name, shape, rows):
            raise _unknown(name, shape, rows)


def _getter(path: str) -> Callable[[Row], Any]:
    if "." in path:
        return lambda row: value_at(row, path)
    return lambda row: row.get(path)


def _is_known(name: str, shape: Shape, rows: Sequence[Row]) -> bool:
    if name in shape.fields:
        return True
    head, dot, rest = name.partition(".")
    if dot and head in shape.fields and rest in shape.maps.get(head, ()):
        return True
    return any(_leads_somewhere(row, name) for row in rows)


def _leads_somewhere(row: Row, path: str) -> bool:
    if path in row:
        return True
    head, dot, rest = path.partition(".")
    inner = row.get(head) if dot else None
    return isinstance(inner, dict) and _leads_somewhere(inner, rest)


def _known(shape: Shape, rows: Sequence[Row]) -> list[str]:
    """All names in the order in which a person looks for them: fields, further keys, then paths into maps."""
    names = dict.fromkeys(shape.fields)
    paths = {f"{head}.{key}": None for head, keys in shape.maps.items() for key in keys}
    for row in rows:
        for name, value in row.items():
            names.setdefault(name)
            if isinstance(value, dict):
                paths.update(dict.fromkeys(f"{name}.{key}" for key in value))
    return [*names, *paths]


def _unknown(name: str, shape: Shape, rows: Sequence[Row]) -> UsageError:
    import difflib

    known = _known(shape, rows)
    near = difflib.get_close_matches(name, known, n=1)
    question = f"; did you mean {visible(near[0])}?" if near else ""
    return UsageError(
        f"--fields: there is no field {visible(cut(name, 80))}{question}",
        hint=f"known are {visible(cut(', '.join(known), 2000))}",
    )
