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
from proxyctl.pools.pool import Holder, not_in_pool
from proxyctl.render.shapes import FOUND, PHONE_NUMBER
from proxyctl.roles import Line, Part, Role, line
from proxyctl.runtime import Runtime
from proxyctl.text import MOST_SESSIONS, counted, first_of


def find(runtime: Runtime, numbers: Numbers) -> None:
    """Print which Service holds each number; NotFoundError for one that none holds, PartialError for some."""
    runtime.out.check(FOUND)
    reading = read_input(runtime, numbers)
    if reading.empty_reason:
        if runtime.options.file != STDIN:
            raise InputError(f"{reading.empty_reason}.", hint="Check the file.")
        runtime.note(f"{reading.empty_reason}.")
    holders = dict(runtime.account.holders(reading.items))
    rows: list[dict[str, str | None]] = []
    missing: dict[Item, ProxyctlError] = {}
    for item in reading.items:
        holder = holders.get(item)
        error = not_found(item) if holder is None else disagrees(item, holder.number)
        if error is not None:
            missing[item] = error
        elif holder is not None:
            number = {"phone_number": holder.number.phone_number, "sid": holder.number.sid}
            rows.append({**number, "service_sid": holder.service_sid, "service": holder.name})
    runtime.out.rows(FOUND, [rows])
    conclude(runtime, len(rows), missing, reading.refused)


def not_found(item: Item) -> ProxyctlError:
    """Say that a number is in no pool, and what lists those."""
    hint = "'proxyctl number list --unassigned' lists the account's numbers that are in no pool."
    return NotFoundError(f"no Service holds {item.shown}.", hint=hint)


def conclude(runtime: Runtime, found: int, missing: Mapping[Item, ProxyctlError], skipped: int) -> None:
    """Say what was not found; raise what the run ends with, if anything was not, or bad rows were skipped."""
    if not (missing or skipped):
        return
    if found == 0 and len(missing) == 1 and not skipped:
        raise next(iter(missing.values()))
    runtime.say(*first_of([error.message for error in missing.values()], "more."))
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
    if names[1:]:
        service = runtime.account.service(names[0])
        number = runtime.account.pool(service.sid, [item]).find(item)
        if number is None:
            raise not_in_pool(item, f"Service {service.unique_name} ({service.sid})")
        found = Holder(service.name, service.sid, number)
    else:
        held = next(runtime.account.holders([item]), None)
        if held is None:
            raise not_found(item)
        found = held[1]
    runtime.out.one(PHONE_NUMBER, found.number.raw, verdict=verdict(found.number, found.name))


def verdict(number: PhoneNumber, service: str) -> Line:
    """Say in a line where a number is and how busy."""
    kind = "reserved" if number.is_reserved else "unreserved"
    sessions = number.in_use or 0
    busy = counted(sessions, "open Session") if sessions else "idle"
    parts: list[Part] = [f"{kind} in ", Role.NAME(service), f", {busy}"]
    if sessions > MOST_SESSIONS:
        parts += [" ", Role.WARNING("!"), f" Twilio advises at most {MOST_SESSIONS}."]
    return line(*parts)
