"""What `number find` and `number show` do: which Service holds a number, and what its pool says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from proxyctl.commands.given import read_input
from proxyctl.errors import NotFoundError, PartialError, ProxyctlError
from proxyctl.identifiers import require_number
from proxyctl.input.items import Item
from proxyctl.pools.decide import disagrees
from proxyctl.render.failures import SHOWN_FAILURES
from proxyctl.render.shapes import FOUND, PHONE_NUMBER
from proxyctl.runtime import Runtime


def find(runtime: Runtime, numbers: Sequence[str] | None, file: str | None) -> None:
    """Print which Service holds each number; NotFoundError for one that none holds, PartialError for some."""
    runtime.out.check(FOUND)
    reading = read_input(runtime, numbers, file)
    if reading.empty_reason:
        runtime.note(f"{reading.empty_reason}.")
    items = reading.items
    services = {service.sid: service.unique_name for service in runtime.account.services()}
    names = {sid: name or sid for sid, name in services.items()}
    found = dict(runtime.account.holders(items, names))
    wrong = {item: error for item, each in found.items() if (error := disagrees(item, each.number))}
    rows = [
        {
            "phone_number": found[item].number.phone_number,
            "sid": found[item].number.sid,
            "service_sid": found[item].service_sid,
            "service": services[found[item].service_sid],
        }
        for item in items
        if item in found and item not in wrong
    ]
    runtime.out.rows(FOUND, [rows])
    missing = {item: not_found(runtime, item) for item in items if item not in found}
    conclude(runtime, len(rows), missing | wrong, reading.refused)


def not_found(runtime: Runtime, item: Item) -> ProxyctlError:
    """Say that a number is in no pool, and how to see if the account has it at all."""
    numbers = f"/2010-04-01/Accounts/{runtime.profile.account_sid}/IncomingPhoneNumbers"
    query = f"{numbers}/{item.sid}.json" if item.sid else f"{numbers}.json -d PhoneNumber={item.phone_number}"
    return NotFoundError(
        f"no Service holds {item.input}.",
        hint=f"Check whether the account has it: proxyctl api GET {query}",
    )


def conclude(runtime: Runtime, found: int, missing: Mapping[Item, ProxyctlError], skipped: int = 0) -> None:
    """Say what was not found; raise what the run ends with, if anything was not, or bad rows were skipped."""
    if not (missing or skipped):
        return
    if found == 0 and len(missing) == 1 and not skipped:
        raise next(iter(missing.values()))
    for item, error in list(missing.items())[:SHOWN_FAILURES]:
        words = "in no pool" if isinstance(error, NotFoundError) else error.message
        runtime.say(f"{item.input}: {words}")
    if len(missing) > SHOWN_FAILURES:
        runtime.say(f"… and {len(missing) - SHOWN_FAILURES} more.")
    summary = f"found {found}, not found {len(missing)}{f', bad rows {skipped}' if skipped else ''}."
    raise PartialError(summary) if found or skipped else NotFoundError(summary)


def show(runtime: Runtime, service: str, number: str) -> None:
    """Print one number of a pool, by SID or E.164. Raises NotFoundError."""
    reference = require_number(number, runtime.options.default_country)
    item = Item(number, reference.sid, reference.phone_number)
    meant = runtime.account.service(service)
    found = problem = None
    if item.sid is None:
        found = runtime.account.pool(meant.sid, [item]).find(item)
    else:
        try:
            found = runtime.account.number(meant.sid, item.sid)
        except NotFoundError as error:
            problem = error.problem
    if found is None:
        raise NotFoundError(
            f"{item.name} is not in the pool of Service {meant.unique_name} ({meant.sid}).",
            hint=f"'proxyctl number find {item.name}' shows which Service has it.",
            problem=problem,
        )
    runtime.out.one(PHONE_NUMBER, found.raw)
