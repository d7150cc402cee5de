"""What `number list --unassigned` reads: the account's numbers that are in no pool, with the Messaging Service that has
them, since such a number can't join a pool.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from proxyctl.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from proxyctl.api.pages import Page
    from proxyctl.pools.filters import NumberFilter
    from proxyctl.runtime import Runtime
    from proxyctl.writes.reading import Reader

Row = Mapping[str, Any]


def check_options(services: Sequence[str], chosen: NumberFilter, *, all_services: bool) -> None:
    """Refuse what makes no sense for numbers in no pool."""
    if services or all_services:
        raise UsageError("--unassigned is about numbers in no pool: name no Service with it, and no --all.")
    if chosen.reserved is not None or chosen.in_use is not None:
        option = "--reserved and --unreserved" if chosen.reserved is not None else "--in-use and --idle"
        raise UsageError(f"{option} say something about numbers in a pool: not with --unassigned.")


def pages_of(runtime: Runtime, chosen: NumberFilter, named: bool) -> Iterator[Sequence[Row]]:
    """Yield what is wanted of each page of the account's numbers; the pools are read before, side by side."""
    from proxyctl.commands.listing import check_capabilities
    from proxyctl.render.pool_shapes import UNASSIGNED

    check_capabilities(chosen.capabilities, [], UNASSIGNED)
    reader = runtime.reader
    services = [service.sid for service in reader.services()]
    held = held_numbers(reader, services)
    senders: dict[str, Row] | None = None
    for page in reader.account_numbers():
        rows = [row for row in page.items if str(row.get("sid")) not in held and accepts(chosen, row)]
        if rows and senders is None:
            senders = messaging_numbers(reader)
        yield [marked(row, (senders or {}).get(str(row.get("sid")), {}), named) for row in rows]


def marked(row: Row, messaging_service: Row, named: bool) -> Row:
    """Return the row with the Messaging Service that has the number; a table names it too."""
    sid = messaging_service.get("sid")
    mark = {"messaging_service": messaging_service.get("friendly_name") or sid} if named else {}
    return {**row, "messaging_service_sid": sid, **mark}


def held_numbers(reader: Reader, service_sids: Sequence[str]) -> set[str]:
    """Return the PN SIDs of all pools."""
    from proxyctl.pools.reading import tell_pools

    def tell(_: str, pages: Iterator[Page]) -> list[str]:
        try:
            return [row["sid"] for page in pages for row in page.items if isinstance(row.get("sid"), str)]
        except NotFoundError:  # deleted meanwhile: its numbers are in no pool
            return []

    return {sid for _, sids in tell_pools(reader, service_sids, tell) for sid in sids}


def messaging_numbers(reader: Reader) -> dict[str, Row]:
    """Return the Messaging Service for each number that is in one, by PN SID."""
    from proxyctl.api.models import MessagingService

    services = [MessagingService(raw) for page in reader.messaging_services() for raw in page.items]
    return {
        raw["sid"]: service.raw
        for service in services
        for page in reader.messaging_numbers(service.sid)
        for raw in page.items
        if isinstance(raw.get("sid"), str)
    }


def accepts(chosen: NumberFilter, row: Row) -> bool:
    """Apply the filter; the account's own records name no country, so the number plan tells it."""
    if chosen.country is None or row.get("iso_country"):
        return chosen.accepts(row)
    from proxyctl.identifiers import country_of

    return country_of(str(row.get("phone_number"))) == chosen.country and replace(
        chosen, country=None
    ).accepts(row)
