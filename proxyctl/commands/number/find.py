"""What `number find` and `number show` do: which Service holds a number, and what its pool says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from proxyctl.api.models import PhoneNumber
from proxyctl.commands.number.given import Numbers, read_input
from proxyctl.errors import InputError, NotFoundError, PartialError, ProxyctlError, UsageError
from proxyctl.identifiers import require_number
from proxyctl.input.items import Item
from proxyctl.named_files import STDIN
from proxyctl.pools.decide import disagrees
from proxyctl.pools.pool import Holder
from proxyctl.render.shapes import FOUND, PHONE_NUMBER
from proxyctl.roles import Line, Part, Role, line
from proxyctl.runtime import Runtime
from proxyctl.text import MOST_SESSIONS, command_line, counted, first_of


def find(runtime: Runtime, numbers: Numbers, file: str | None = None) -> None:
    """Print which Service holds each number; NotFoundError for one that none holds, PartialError for some."""
    runtime.out.check(FOUND)
    reading = read_input(runtime, numbers, file)
    if reading.empty_reason:
        if file != STDIN:
            raise InputError(f"{reading.empty_reason}.", hint="Check the file.")
        runtime.note(f"{reading.empty_reason}.")
    items = reading.items
    found = dict(runtime.account.holders(items))
    wrong = {item: error for item, each in found.items() if (error := disagrees(item, each.number))}
    rows = [
        {
            "phone_number": found[item].number.phone_number,
            "sid": found[item].number.sid,
            "service_sid": found[item].service_sid,
            "service": found[item].name,
        }
        for item in items
        if item in found and item not in wrong
    ]
    runtime.out.rows(FOUND, [rows])
    missing = {item: not_found(item) for item in items if item not in found}
    conclude(runtime, len(rows), missing | wrong, reading.refused)


def not_found(item: Item) -> ProxyctlError:
    """Say that a number is in no pool, and how to see if the account has it at all."""
    hint = "'proxyctl number list --unassigned' lists the account's numbers that are in no pool."
    return NotFoundError(f"no Service holds {item.shown}.", hint=hint)


def conclude(runtime: Runtime, found: int, missing: Mapping[Item, ProxyctlError], skipped: int = 0) -> None:
    """Say what was not found; raise what the run ends with, if anything was not, or bad rows were skipped."""
    if not (missing or skipped):
        return
    if found == 0 and len(missing) == 1 and not skipped:
        raise next(iter(missing.values()))
    lines = [
        f"{item.shown}: {'in no pool' if isinstance(error, NotFoundError) else error.message}"
        for item, error in missing.items()
    ]
    runtime.say(*first_of(lines, "more."))
    summary = f"found {found}, not found {len(missing)}{f', bad rows {skipped}' if skipped else ''}."
    raise PartialError(summary) if found or skipped else NotFoundError(summary)


def show(runtime: Runtime, names: Sequence[str]) -> None:
    """Print one number, by SID or E.164: of the pool that is named before it, or of the one that has it.

    Raises NotFoundError.
    """
    if len(names) > 2:
        raise UsageError("name one number.", hint="See 'proxyctl number find -h' for several.")
    reference = require_number(names[-1], runtime.options.default_country)
    item = Item(names[-1], reference.sid, reference.phone_number)
    found = in_pool(runtime, names[0], item) if names[1:] else in_any_pool(runtime, item)
    runtime.out.one(PHONE_NUMBER, found.number.raw, verdict=verdict(found.number, found.name))


def in_pool(runtime: Runtime, service_name: str, item: Item) -> Holder:
    """Return a number of one pool."""
    service = runtime.account.service(service_name)
    number = runtime.account.pool(service.sid, [item]).find(item)
    if number is None:
        raise NotFoundError(
            f"{item.name} is not in the pool of Service {service.unique_name} ({service.sid}).",
            hint=f"'{command_line('number', 'find', item.name)}' shows which Service has it.",
        )
    return Holder(service.name, service.sid, number)


def in_any_pool(runtime: Runtime, item: Item) -> Holder:
    """Return a number of whichever pool has it."""
    found = next(runtime.account.holders([item]), None)
    if found is None:
        raise not_found(item)
    return found[1]


def verdict(number: PhoneNumber, service: str) -> Line:
    """Say in a line where a number is and how busy."""
    kind = "reserved" if number.is_reserved else "unreserved"
    sessions = number.in_use or 0
    busy = counted(sessions, "open Session") if sessions else "idle"
    parts: list[Part] = [f"{kind} in ", Role.NAME(service), f", {busy}"]
    if sessions > MOST_SESSIONS:
        parts += [" ", Role.WARNING("!"), f" Twilio advises at most {MOST_SESSIONS}."]
    return line(*parts)
