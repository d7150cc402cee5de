"""What `session list` does: the Sessions that the filters leave, as they are read, with participants if asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from proxyctl.api.models import Service
from proxyctl.bulk.threads import in_order, side_by_side
from proxyctl.commands.listing import services_meant, show_list
from proxyctl.commands.session.filters import Row, chosen_by, numbers_of, sessions_of
from proxyctl.errors import NotFoundError, ProxyctlError
from proxyctl.render.shapes import LISTED_SESSION, SERVICE_LISTED_SESSION, SERVICE_SESSION, SESSION
from proxyctl.runtime import Runtime
from proxyctl.sessions.reading import WORKERS, members
from proxyctl.text import counted

Pages = Iterator[Sequence[Row]]


def show(
    runtime: Runtime,
    services: Sequence[str],
    *,
    all_services: bool,
    with_participants: bool,
    sort: str | None,
    limit: int | None,
    count: bool,
    **filters: Any,
) -> None:
    """Print the Sessions that ``filters`` leave."""
    chosen = chosen_by(runtime, **filters)
    meant = services_meant(runtime, services, all_services=all_services)
    # A table names the Services if there are several, and people in words; all else prints what the API has.
    table = runtime.format == "table" and runtime.options.fields is None
    named = table and len(services) != 1
    numbers = numbers_of(runtime, meant, chosen.items)
    if chosen.items:
        meant = [service for service in meant if numbers[service.sid]]
    whole = with_participants and not count
    workers = max(4, WORKERS // max(1, len(meant)))

    def listed(service: Service) -> Pages:
        name = {"service": service.name} if named else {}
        for page in sessions_of(runtime, service, chosen, numbers[service.sid], whole=whole, workers=workers):
            yield [shown(row, whole, table) | name for row in page]

    pages = listed(meant[0]) if len(meant) == 1 else side_by_side_pages(listed, meant, gone_too=all_services)
    shapes = (SERVICE_SESSION, SERVICE_LISTED_SESSION) if named else (SESSION, LISTED_SESSION)
    show_list(runtime, shapes[whole], said_if_cut(runtime, pages), sort=sort, limit=limit, count=count)


def shown(row: Row, whole: bool, table: bool) -> dict[str, Any]:
    """Return a Session as it is printed: with its participants only if that was asked for, in a table in words."""
    session = {name: value for name, value in row.items() if whole or name != "participants"}
    if whole and table:
        session["who"] = ", ".join(f"{one.identifier} via {one.proxy_identifier}" for one in members(row))
    return session


def side_by_side_pages(
    listed: Callable[[Service], Pages], services: Sequence[Service], *, gone_too: bool
) -> Pages:
    """Read Services in parallel; yield their Sessions in order. A Service that was deleted meanwhile is left out with
    ``gone_too``. Where reading one fails, what was read of it comes before the error.
    """
    by_sid = {service.sid: service for service in services}

    def collect(sid: str) -> tuple[list[Sequence[Row]], ProxyctlError | None]:
        pages: list[Sequence[Row]] = []
        try:
            pages.extend(listed(by_sid[sid]))
        except ProxyctlError as error:
            return pages, None if gone_too and isinstance(error, NotFoundError) else error
        return pages, None

    for _, (pages, error) in in_order(by_sid, side_by_side(collect, by_sid)):
        yield from pages
        if error is not None:
            raise error


def said_if_cut(runtime: Runtime, pages: Pages) -> Pages:
    """Yield ``pages``; say how many rows there are of a list that ends with an error."""
    read = 0
    try:
        for page in pages:
            read += len(page)
            yield page
    except ProxyctlError:
        if read:
            runtime.warn(f"the list is not complete. It ends after {counted(read, 'Session')}.")
        raise
