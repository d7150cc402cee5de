"""What `number find` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from proxyctl.commands.report import SHOWN_FAILURES
from proxyctl.commands.run import read_input
from proxyctl.errors import NotFoundError, PartialError, ProxyctlError
from proxyctl.pools.decide import disagrees

if TYPE_CHECKING:
    from proxyctl.input.items import Item
    from proxyctl.pools.account import Found
    from proxyctl.runtime import Runtime


def find(runtime: Runtime, numbers: Sequence[str] | None, file: str | None) -> None:
    """Print which Service holds each number; NotFoundError for one that none holds, PartialError for some."""
    from proxyctl.pools.account import find_numbers
    from proxyctl.render.shapes import FOUND

    runtime.out.check(FOUND)
    items = read_input(runtime, numbers, file).items
    reader = runtime.reader
    names = {service.sid: service.unique_name for service in reader.services()}
    found = {each.item: each for each in find_numbers(reader, items, list(names))}
    wrong = {item: error for item, each in found.items() if (error := disagrees(item, each.number))}
    rows = [row(found[item], names) for item in items if item in found and item not in wrong]
    runtime.out.rows(FOUND, [rows])
    missing = {item: not_found(runtime, item) for item in items if item not in found}
    conclude(runtime, len(rows), missing | wrong)


def row(found: Found, names: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the row of a number that was found."""
    return {
        "phone_number": found.number.phone_number,
        "sid": found.number.sid,
        "service_sid": found.service_sid,
        "service": names.get(found.service_sid),
    }


def not_found(runtime: Runtime, item: Item) -> ProxyctlError:
    """Say that a number is in no pool, and how to see if the account has it at all."""
    numbers = f"/2010-04-01/Accounts/{runtime.profile.account_sid}/IncomingPhoneNumbers"
    query = f"{numbers}/{item.sid}.json" if item.sid else f"{numbers}.json -d PhoneNumber={item.phone_number}"
    return NotFoundError(
        f"no Service holds {item.input}.",
        hint=f"Whether the account has it: proxyctl api GET {query}",
    )


def conclude(runtime: Runtime, found: int, missing: Mapping[Item, ProxyctlError]) -> None:
    """Tell what was not found; raise what the run ends with, if anything was not."""
    if not missing:
        return
    if found == 0 and len(missing) == 1:
        raise next(iter(missing.values()))
    for item, error in list(missing.items())[:SHOWN_FAILURES]:
        words = "in no pool" if isinstance(error, NotFoundError) else error.message
        runtime.say(f"{item.input}: {words}")
    if len(missing) > SHOWN_FAILURES:
        runtime.say(f"… and {len(missing) - SHOWN_FAILURES} more.")
    summary = f"found {found}, not found {len(missing)}."
    raise PartialError(summary) if found else NotFoundError(summary)
