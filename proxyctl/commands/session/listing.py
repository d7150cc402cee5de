"""What reads Sessions: those that the filters leave, as they are read, with participants if asked for. The filters are
checked before anything is read. And one of them, who is in it, its interactions, and when it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from heapq import nlargest
from typing import Any

from proxyctl.api.models import PhoneNumber, Service, Session
from proxyctl.api.resources import INTERACTIONS
from proxyctl.bulk.threads import in_order, side_by_side
from proxyctl.commands.listing import services_meant, show_list
from proxyctl.errors import NotFoundError, ProxyctlError
from proxyctl.identifiers import parse_number, require_number
from proxyctl.input.items import Item
from proxyctl.pools.pool import not_in_pool
from proxyctl.render import shapes
from proxyctl.roles import Line, Part, Role, line
from proxyctl.runtime import Runtime
from proxyctl.sessions import reading
from proxyctl.sessions.lifetime import as_date, ends_about
from proxyctl.sessions.reading import WORKERS, Row, SessionFilter, members
from proxyctl.text import counted, duration_text, quoted

Pages = Iterator[Sequence[Row]]

LAST = 10  # interactions; the order of the API's list is not documented


def show(
    runtime: Runtime, services: Sequence[str], *, all_services: bool, with_participants: bool, **filters: Any
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
    whole = with_participants and not runtime.options.only_count
    workers = max(4, WORKERS // max(1, len(meant)))

    def listed(service: Service) -> Pages:
        name = {"service": service.name} if named else {}
        for page in sessions_of(runtime, service, chosen, numbers[service.sid], whole=whole, workers=workers):
            yield [shown(row, whole, table) | name for row in page]

    pages = listed(meant[0]) if len(meant) == 1 else side_by_side_pages(listed, meant, gone_too=all_services)
    shape = shapes.LISTED_SESSION if whole else shapes.SESSION
    if named:
        shape = shapes.SERVICE_LISTED_SESSION if whole else shapes.SERVICE_SESSION
    show_list(runtime, shape, said_if_cut(runtime, pages))


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


# Filters


def chosen_by(
    runtime: Runtime,
    numbers: Sequence[str] | None = None,
    identifiers: Sequence[str] | None = None,
    active: bool = False,
    **given: Any,
) -> SessionFilter:
    """Return what was typed, once it is checked. UsageError where no Session can be like that."""
    country = runtime.options.default_country
    references = [(text, require_number(text, country)) for text in numbers or ()]
    items = [Item(text, one.sid, one.phone_number) for text, one in references]
    plain = set(identifiers or ())
    for text in identifiers or ():
        with suppress(ValueError):  # it need not be a number
            plain.add(parse_number(text, country).phone_number or text)
    wanted = SessionFilter(items=items, identifiers=plain, active=active or bool(items), **given)
    wanted.check()
    return wanted


def numbers_of(
    runtime: Runtime, services: Sequence[Service], items: Sequence[Item]
) -> dict[str, list[PhoneNumber]]:
    """Return which of the numbers each Service has in its pool. NotFoundError for one that none has."""
    found: dict[str, list[PhoneNumber]] = {service.sid: [] for service in services}
    missing = set(items)
    names = {service.sid: service.name for service in services}
    for item, holder in runtime.account.holders(items, names):
        found[holder.service_sid].append(holder.number)
        missing.discard(item)
    where = f"Service {services[0].name}" if len(services) == 1 else counted(len(services), "Service")
    for item in items:
        if item in missing:
            raise not_in_pool(item, where)
    return found


def sessions_of(
    runtime: Runtime,
    service: Service,
    chosen: SessionFilter,
    numbers: Sequence[PhoneNumber] = (),
    *,
    whole: bool = False,
    workers: int = WORKERS,
) -> Iterator[Sequence[Row]]:
    """Yield the Sessions of a Service that were chosen, in pages. Those whose participants were read, since ``whole``
    wants them or they decide, have them as ``participants``. A note says so where reading ended early.
    """
    reader, now = runtime.access.reader, runtime.access.now
    pages = reading.session_pages(reader, service.sid, chosen, now)
    if not (whole or chosen.items or chosen.identifiers):
        yield from pages
        return
    rows = reading.with_participants(reader, service.sid, pages, workers)
    holders = reading.Holders(numbers)
    for row in holders.among(rows) if chosen.items else rows:
        if chosen.admits(members(row)):
            yield [row]
    if holders.stopped:
        where = quoted(service.name)
        runtime.note(f"{where}: stopped reading, because in_use says that no other Session holds the number.")


# One Session


def session_named(runtime: Runtime, service_name: str, session_name: str) -> tuple[str, Session]:
    """Return a Service's SID and a Session of it. NotFoundError."""
    service = runtime.account.service(service_name)
    return service.sid, reading.find_session(runtime.access.reader, service.sid, session_name)


def show_participants(runtime: Runtime, service_name: str, session_name: str) -> None:
    """Print who is in a Session."""
    service_sid, session = session_named(runtime, service_name, session_name)
    rows = reading.participants_of(runtime.access.reader, service_sid, session.sid)
    runtime.out.rows(shapes.PARTICIPANT, [rows])


def show_interactions(runtime: Runtime, service_name: str, session_name: str) -> None:
    """Print the interactions of a Session."""
    service_sid, session = session_named(runtime, service_name, session_name)
    pages = runtime.access.reader.pages(INTERACTIONS.list(service_sid, session.sid))
    runtime.out.rows(shapes.INTERACTION, (page.items for page in pages))


def show_session(runtime: Runtime, service_name: str, session_name: str) -> None:
    """Print a Session: a sheet and tables at a terminal, in json one object."""
    runtime.out.check(shapes.SHOWN_SESSION)
    service_sid, session = session_named(runtime, service_name, session_name)
    reader = runtime.access.reader
    ending = {"ends_about": as_date(ends_about(session))}
    if runtime.format in ("tsv", "csv", "ids"):
        runtime.out.one(shapes.SHOWN_SESSION, session.raw | ending)
        return
    participants = reading.participants_of(reader, service_sid, session.sid)
    rows = reader.rows(INTERACTIONS.list(service_sid, session.sid))
    last = nlargest(LAST, rows, key=lambda row: str(row.get("date_created")))
    if runtime.format == "table" and runtime.options.fields is None:
        said = verdict(session, runtime.access.now())
        runtime.out.one(shapes.SHOWN_SESSION, session.raw | ending, verdict=said)
        runtime.out.text("")
        runtime.out.rows(shapes.PARTICIPANT, [participants])
        runtime.out.text("")
        runtime.out.rows(shapes.INTERACTION, [last])
    else:
        more = {"participants": participants, "interactions": last}
        runtime.out.one(shapes.SHOWN_SESSION, session.raw | more | ending)


def verdict(session: Session, now: float) -> Line:
    """Say in a line what a Session does, and how long."""
    parts: list[Part] = [session.status or "unknown"]
    end = ends_about(session)
    if session.is_active and end is None:
        parts += [", ", Role.WARNING("never ends automatically")]
    elif session.is_active and end is not None and end <= now:
        parts += [", ", Role.WARNING(f"should have ended {duration_text(now - end)} ago")]
    elif session.is_active and end is not None:
        parts += [f", ends in about {duration_text(end - now)}"]
    return line(*parts)
