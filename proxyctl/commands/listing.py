"""What reading commands share: which Services are meant, --sort, --limit, --count, and rows that stream."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from proxyctl.api.models import Service
from proxyctl.errors import UsageError
from proxyctl.render.shape import check_fields, value_at
from proxyctl.render.shapes import Shape
from proxyctl.runtime import Runtime
from proxyctl.text import counted

PAGE = 100

Row = Mapping[str, Any]
Rows = Sequence[Row]
Fill = Callable[[Iterable[Rows]], Iterable[Rows]]


def services_meant(
    runtime: Runtime,
    names: Sequence[str],
    *,
    all_services: bool,
    missing: str = "name a Service, or add --all.",
) -> list[Service]:
    """Return the Services that were named, each once, or all of the account. UsageError: neither, or both."""
    if bool(names) == all_services:
        text = "--all does not go with named Services." if names else missing
        raise UsageError(text, hint="'proxyctl service list' lists the Services.")
    account = runtime.account
    found = account.services() if all_services else map(account.service, names)
    return list({service.sid: service for service in found}.values())


def services_by_name(runtime: Runtime, names: Sequence[str], *, all_services: bool) -> list[Service]:
    """Return the Services that are meant, sorted by unique name."""
    found = services_meant(runtime, names, all_services=all_services)
    return sorted(found, key=lambda service: service.name)


def drawn(runtime: Runtime) -> bool:
    """Whether an answer is drawn for a person: at a terminal, unless rows were asked for."""
    return runtime.console.terminal.stdout and runtime.format == "table" and runtime.out.fields is None


def in_pages(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Gather rows into pages, so that a long list streams."""
    left = iter(rows)
    while page := list(islice(left, PAGE)):
        yield page


def show_list(runtime: Runtime, shape: Shape, pages: Iterable[Rows], fill: Fill = iter) -> None:
    """Print ``pages`` as they arrive; with --sort they are collected first, with --count only counted. Say on stderr
    when --limit cut the list.

    ``fill`` adds to rows what takes a read for each, so that rows beyond
    the limit cost none where nothing is sorted.
    """
    options = runtime.options
    left = sys.maxsize if options.limit is None else options.limit

    def cut(pages: Iterable[Rows]) -> Iterator[Rows]:
        """Yield pages up to the limit; nothing further is requested once more rows are known to exist."""
        nonlocal left
        for page in pages:
            if page[:left]:
                yield page[:left]
            left -= len(page)
            if left < 0:
                return

    if options.only_count:
        runtime.out.text(str(sum(map(len, cut(pages)))))
        return
    if options.sort is None:
        rows = runtime.out.rows(shape, fill(cut(pages)))
    else:
        ordered = in_order(options.sort, [row for page in fill(pages) for row in page], shape)
        rows = runtime.out.rows(shape, cut([ordered]))
    if left < 0:
        runtime.note(f"stopped at {counted(rows, 'row')} (--limit). There are more.")


def in_order(field: str, rows: list[Row], shape: Shape) -> list[Row]:
    """Sort by ``field`` (or a path into a map), downwards where it starts with '-'; what lacks it comes last.

    Numbers are sorted by size, any other value by its text.
    """
    name = field.removeprefix("-")
    try:
        check_fields((name,), shape, rows)
    except UsageError as error:
        raise UsageError(error.message.replace("--fields", "--sort", 1), hint=error.hint) from None
    there = [row for row in rows if value_at(row, name) is not None]
    absent = [row for row in rows if value_at(row, name) is None]

    def rank(row: Row) -> tuple[int, Any]:
        value = value_at(row, name)
        return (0, value) if isinstance(value, int | float) else (1, str(value))

    return sorted(there, key=rank, reverse=field.startswith("-")) + absent
