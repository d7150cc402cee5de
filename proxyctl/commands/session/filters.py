"""Which Sessions a command is about: the filters of `session list`, checked before anything is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from proxyctl.api.models import PhoneNumber, Service
from proxyctl.errors import NotFoundError
from proxyctl.identifiers import parse_number, require_number
from proxyctl.input.items import Item
from proxyctl.runtime import Runtime
from proxyctl.sessions.reading import (
    WORKERS,
    Holders,
    SessionFilter,
    members,
    session_pages,
    with_participants,
)
from proxyctl.text import command_line, counted, quoted

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was typed: how Sessions must be, and the numbers of which they must hold one."""

    filter: SessionFilter
    items: Sequence[Item] = ()

    @property
    def by_participants(self) -> bool:
        """Whether participants have to be read to know."""
        return bool(self.items or self.filter.identifiers)


def chosen_by(
    runtime: Runtime,
    numbers: Sequence[str] | None = None,
    identifiers: Sequence[str] | None = None,
    active: bool = False,
    **given: Any,
) -> Chosen:
    """Return what was typed, once it is checked. UsageError where no Session can be like that."""
    country = runtime.options.default_country
    references = [(text, require_number(text, country)) for text in numbers or ()]
    items = [Item(text, one.sid, one.phone_number) for text, one in references]
    plain = set(identifiers or ())
    for text in identifiers or ():
        with suppress(ValueError):  # it need not be a number
            plain.add(parse_number(text, country).phone_number or text)
    wanted = SessionFilter(identifiers=plain, active=active or bool(items), **given)
    wanted.check()
    return Chosen(wanted, items)


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
    for item in items:
        if item in missing:
            raise NotFoundError(
                f"{item.name} is not in the pool of {names_in(names)}.",
                hint=f"'{command_line('number', 'find', item.name)}' shows which Service has it.",
            )
    return found


def names_in(names: Mapping[str, str]) -> str:
    """Return the only Service's name, or how many there are."""
    return f"Service {next(iter(names.values()))}" if len(names) == 1 else counted(len(names), "Service")


def sessions_of(
    runtime: Runtime,
    service: Service,
    chosen: Chosen,
    numbers: Sequence[PhoneNumber] = (),
    *,
    whole: bool = False,
    workers: int = WORKERS,
) -> Iterator[Sequence[Row]]:
    """Yield the Sessions of a Service that were chosen, in pages. Those whose participants were read, since ``whole``
    wants them or they decide, have them as ``participants``. A note says so where reading ended early.
    """
    reader, now = runtime.access.reader, runtime.access.now
    pages = session_pages(reader, service.sid, chosen.filter, now)
    if not (whole or chosen.by_participants):
        yield from pages
        return
    rows = with_participants(reader, service.sid, pages, workers)
    holders = Holders(numbers)
    for row in holders.among(rows) if chosen.items else rows:
        if chosen.filter.admits(members(row)):
            yield [row]
    if holders.stopped:
        where = quoted(service.name)
        runtime.note(f"{where}: stopped reading, because in_use says that no other Session holds the number.")
