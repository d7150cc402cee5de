"""What the reading commands of `number` do: list over one or many Services, and find one number of a pool."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from proxyctl.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from proxyctl.api.models import PhoneNumber
    from proxyctl.pools.filters import NumberFilter
    from proxyctl.render.shapes import Shape
    from proxyctl.runtime import Runtime

Row = Mapping[str, Any]


def show(
    runtime: Runtime,
    services: Sequence[str],
    filters: Mapping[str, Any],
    *,
    all_services: bool,
    unassigned: bool = False,
    sort: str | None,
    limit: int | None,
    count: bool,
) -> None:
    """Print the numbers that ``filters`` accept, as the pages come in; sorted, they are collected first."""
    from proxyctl.commands.listing import Limit, show_list
    from proxyctl.pools.filters import NumberFilter

    chosen = NumberFilter(**filters).cleaned()
    shape, pages = source(runtime, services, chosen, all_services=all_services, unassigned=unassigned)
    if count:
        runtime.out.text(str(sum(len(page) for page in Limit(limit).apply(pages))))
        return
    if sort is not None:
        pages = iter([in_order(sort, [row for page in pages for row in page], shape)])
    show_list(runtime, shape, pages, limit=limit)


def source(
    runtime: Runtime, services: Sequence[str], chosen: NumberFilter, *, all_services: bool, unassigned: bool
) -> tuple[Shape, Iterator[Sequence[Row]]]:
    """Return what is listed: its shape, and its pages."""
    from proxyctl.render.pool_shapes import SERVICE_NUMBER, UNASSIGNED
    from proxyctl.render.shapes import PHONE_NUMBER

    # A table of several Services names them; all else prints the rows as the API has them.
    named = len(services) != 1 and runtime.format == "table" and runtime.options.fields is None
    if unassigned:
        from proxyctl.commands.number import unassigned as elsewhere

        elsewhere.check_options(services, chosen, all_services=all_services)
        return UNASSIGNED, elsewhere.pages_of(runtime, chosen, named)
    pages = pages_of(runtime, chosen_services(runtime, services, all_services=all_services), chosen, named)
    return (SERVICE_NUMBER if named else PHONE_NUMBER), pages


def chosen_services(runtime: Runtime, services: Sequence[str], *, all_services: bool) -> Iterator[Row]:
    """Return the Services that were named, each once, or all."""
    if bool(services) == all_services:
        raise UsageError(
            "name the Services whose numbers to list, or give --all (or --unassigned)."
            if not services
            else "--all and named Services exclude each other.",
            hint="'proxyctl service list' shows what there is.",
        )
    from proxyctl.api.models import Service
    from proxyctl.api.resources import list_services
    from proxyctl.completion.remembering import remember_service, watch_services

    if all_services:
        pages = watch_services(runtime, runtime.reader.pages(list_services()))
        return (Service(raw).raw for page in pages for raw in page.items)
    found = {service.sid: service for service in map(runtime.reader.service, services)}
    for service in found.values():
        remember_service(runtime, service.raw)
    return (service.raw for service in found.values())


def pages_of(
    runtime: Runtime, services: Iterator[Row], chosen: NumberFilter, named: bool
) -> Iterator[Sequence[Row]]:
    """Read the pools of ``services`` one after another; yield what is wanted of each page, ``named`` with its Service.

    Raises UsageError for a capability that neither the documentation nor the first page knows.
    """
    from proxyctl.commands.listing import check_capabilities
    from proxyctl.render.shapes import PHONE_NUMBER

    checked = False
    for service in services:
        sid = service["sid"]
        for page in runtime.reader.numbers(sid):
            if page.items and not checked:
                check_capabilities(chosen.capabilities, page.items, PHONE_NUMBER)
                checked = True
            rows: list[Row] = [row for row in page.items if chosen.accepts(row)]
            name = service.get("unique_name") or sid
            yield [{**row, "service": name} for row in rows] if named else rows
    if not checked:
        check_capabilities(chosen.capabilities, [], PHONE_NUMBER)


def in_order(field: str, rows: list[Row], shape: Shape) -> list[Row]:
    """Sort by ``field`` (or a path into a map), downwards where it starts with '-'; what lacks it comes last."""
    from proxyctl.render.fields import check_fields, value_at

    name = field.removeprefix("-")
    try:
        check_fields((name,), shape, rows)
    except UsageError as error:
        raise UsageError(error.message.replace("--fields", "--sort", 1), hint=error.hint) from None
    return sorted_by(rows, lambda row: value_at(row, name), down=field.startswith("-"))


def sorted_by(rows: list[Row], key: Callable[[Row], Any], *, down: bool) -> list[Row]:
    """Sort rows by a value of any JSON type: numbers by size, all else by its text."""
    there = [row for row in rows if key(row) is not None]
    absent = [row for row in rows if key(row) is None]

    def rank(row: Row) -> tuple[int, Any]:
        value = key(row)
        return (0, value) if isinstance(value, int | float) else (1, str(value))

    return sorted(there, key=rank, reverse=down) + absent


def show_one(runtime: Runtime, service: str, number: str) -> None:
    """Print one number of a pool."""
    from proxyctl.render.shapes import PHONE_NUMBER

    runtime.out.one(PHONE_NUMBER, find_one(runtime, service, number).raw)


def find_one(runtime: Runtime, service: str, number: str) -> PhoneNumber:
    """Find one number of a pool by SID or E.164. Raises NotFoundError."""
    from proxyctl.identifiers import require_number
    from proxyctl.pools.pool import read_for

    reference = require_number(number, runtime.options.default_country)
    found = runtime.reader.service(service)
    problem = None
    if reference.sid is not None:
        try:
            return runtime.reader.number(found.sid, reference.sid)
        except NotFoundError as error:
            problem = error.problem
    else:
        pool = read_for(runtime.reader, found.sid, reference.phone_number or "")
        if reference.phone_number in pool.by_number:
            return pool.by_number[reference.phone_number]
    name = reference.sid or reference.phone_number
    raise NotFoundError(
        f"{name} is not in the pool of Service {found.unique_name} ({found.sid}).",
        hint=f"'proxyctl number find {name}' says which Service holds it.",
        problem=problem,
    )
