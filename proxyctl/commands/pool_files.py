"""What `pool export`, `plan` and `apply` do with a pool file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from proxyctl.errors import CheckError, InputError, NotFoundError, OutputError

if TYPE_CHECKING:
    from proxyctl.api.models import Service
    from proxyctl.api.pages import Page
    from proxyctl.pools.export import NumberFile
    from proxyctl.pools.plan import Entry, Plan
    from proxyctl.pools.pool import Pool
    from proxyctl.pools.poolfile import PoolFile
    from proxyctl.runtime import Runtime

PAGE = 500


# Export


def export(runtime: Runtime, services: Sequence[str], *, all_services: bool, numbers_to: str | None) -> None:
    """Print a pool file for the Services named, or for all."""
    from proxyctl.commands.choosing import chosen_services
    from proxyctl.pools.export import all_ascii, file_names, head, service_text

    chosen = chosen_services(runtime, services, all_services=all_services)
    encoding = (getattr(runtime.stdout, "encoding", None) or "ascii").lower().replace("-", "")
    shown: Callable[[str], str] = str if encoding.startswith("utf") else all_ascii
    name_for = file_names()
    out = runtime.out
    out.text(head(runtime.profile.account_sid).rstrip("\n"))
    for service, pool in in_order(chosen, pools_of(runtime, chosen, all_services=all_services)):
        text, files = service_text(service, pool, name_for(service) if numbers_to is not None else None)
        write_files(numbers_to, files)
        out.text(shown(text.rstrip("\n")))
    out.flush()
    if numbers_to is not None:
        runtime.note(f"the pool file belongs into {numbers_to}, beside the files that it names.")


def pools_of(
    runtime: Runtime, services: Sequence[Service], *, all_services: bool
) -> Iterator[tuple[str, Pool | None]]:
    """Read the pools of ``services`` side by side; None, where all were asked for, of one that is gone meanwhile."""
    from proxyctl.api.models import PhoneNumber
    from proxyctl.pools.pool import Pool
    from proxyctl.pools.reading import slim, tell_pools

    fields = frozenset({"sid", "phone_number", "is_reserved"})

    def pool_of(sid: str, pages: Iterator[Page]) -> Pool | None:
        pool = Pool(sid)
        try:
            for page in pages:
                for raw in page.items:
                    pool.add(PhoneNumber(slim(raw, fields)))
        except NotFoundError:
            if not all_services:
                raise
            return None
        return pool

    return tell_pools(runtime.reader, [service.sid for service in services], pool_of)


def in_order(
    services: Sequence[Service], pools: Iterator[tuple[str, Pool | None]]
) -> Iterator[tuple[Service, Pool]]:
    """Yield each Service with its pool, in order, however the pools come in."""
    early: dict[str, Pool | None] = {}
    for service in services:
        while service.sid not in early:
            sid, pool = next(pools)
            early[sid] = pool
        found = early.pop(service.sid)
        if found is not None:
            yield service, found


def write_files(directory: str | None, files: Sequence[NumberFile]) -> None:
    """Write the CSV files of one Service."""
    from pathlib import Path

    from proxyctl.files import replace_private

    for file in files:
        path = Path(directory or ".") / file.name
        try:
            replace_private(path, file.text.encode())
        except OutputError as error:
            raise OutputError(error.message, hint="Give --numbers-to a directory of yours.") from None


# Plan


def plan(runtime: Runtime, file: str, *, prune: bool, exit_code: bool) -> None:
    """Print what applying ``file`` would change."""
    from proxyctl.pools.plan import check_limits
    from proxyctl.pools.world import list_services
    from proxyctl.render.pool_shapes import PLANNED

    runtime.out.check(PLANNED)
    wanted = read(runtime, file)
    found = compute(runtime, wanted, list_services(runtime.client), prune=prune)
    rows = [row for entry in found.entries for row in rows_of(entry)]
    if rows or runtime.options.output or not runtime.options.quiet:  # cron hears of changes only
        runtime.out.rows(PLANNED, [rows[start : start + PAGE] for start in range(0, len(rows), PAGE)])
    text = summary(found)
    check_limits(found)
    if exit_code and (found.steps or found.refused):
        raise CheckError(f"{text}.", hint=f"'proxyctl pool apply {file}' makes the changes.")
    runtime.note(f"{text}.")


def read(runtime: Runtime, file: str) -> PoolFile:
    """Read and check the pool file."""
    from proxyctl.pools.poolfile import read_pool_file

    wanted = read_pool_file(
        file,
        stdin=getattr(runtime.stdin, "buffer", None),
        default_country=runtime.options.default_country,
    )
    if wanted.duplicates:
        runtime.note(f"{wanted.duplicates} duplicates folded.")
    return wanted


def compute(runtime: Runtime, wanted: PoolFile, services: dict[str, Service], *, prune: bool) -> Plan:
    """Look at the account, and return the plan."""
    from proxyctl.pools.plan import make_plan
    from proxyctl.pools.world import look_at_world

    say_new_services(runtime, wanted, services)
    world = look_at_world(runtime.reader, wanted.services, services)
    return settled(runtime, make_plan(wanted.services, world, prune=prune))


def settled(runtime: Runtime, found: Plan) -> Plan:
    """Ask the account's Messaging Services where numbers have to leave a pool and come back, and refuse theirs."""
    from proxyctl.pools.captives import find_captives, travellers, without_captives

    asked = travellers(found)
    return without_captives(found, asked, find_captives(runtime.client, asked))


def say_new_services(runtime: Runtime, wanted: PoolFile, services: dict[str, Service]) -> None:
    """Note where a Service that would be created has a name close to one that exists: it may be a misspelling.

    InputError: it is named by a SID.
    """
    from difflib import get_close_matches

    from proxyctl.identifiers import is_sid

    for name in [one.name for one in wanted.services if one.name not in services]:
        if is_sid("KS", name):
            own = next((known for known, service in services.items() if service.sid == name), None)
            raise InputError(
                f"{wanted.name} names the Service {name} by its SID; nothing was sent",
                hint=f"Write [services.{own or 'NAME'}], with its unique name.",
            )
        near = get_close_matches(name, services, n=1)
        if near:
            runtime.note(f"there is no Service {name} yet; did you mean {near[0]}?")


def rows_of(entry: Entry) -> list[dict[str, Any]]:
    """Return the rows of one entry of the plan: one a field that changes; none for what is as wanted."""
    from proxyctl.pools.plan import Action, Left

    number = entry.number if isinstance(entry, Left) else None
    if isinstance(entry, Left):
        if entry.error is None:
            return []
        flag = number.is_reserved if number else None
        return [
            row(entry, "refused", "is_reserved", flag, entry.item.is_reserved, number, entry.error.message)
        ]
    if entry.change is None:
        created = {"unique_name": entry.service} if entry.action is Action.CREATE else {}
        return [
            row(entry, entry.action, name, entry.before.get(name), value)
            for name, value in {**created, **entry.settings}.items()
        ]
    number = entry.leaving.number if entry.leaving else entry.change.number
    before = number.is_reserved if number else None
    return [row(entry, entry.action, "is_reserved", before, entry.change.is_reserved, number)]


def row(
    entry: Entry,
    change: str,
    field: str,
    before: Any,
    after: Any,
    number: Any = None,
    problem: str | None = None,
) -> dict[str, Any]:
    """Return one row of the plan."""
    is_service = entry.item.input == entry.service and number is None and field != "is_reserved"
    return {
        "service": entry.service,
        "change": str(change),
        "sid": number.sid if number else entry.item.sid,
        "phone_number": None if is_service else (number.phone_number if number else entry.item.phone_number),
        "field": field,
        "before": before,
        "after": after,
        "from_service": getattr(entry, "source", None),
        "problem": problem,
    }


def summary(found: Plan) -> str:
    """Return the count of what would be done."""
    from proxyctl.pools.plan import Action

    counts = Counter(str(step.action) for step in found.steps)
    words = [f"{action} {counts[action]}" for action in Action if counts[action]]
    if found.refused:
        words.append(f"refused {len(found.refused)}")
    return f"to do: {', '.join(words)}" if words else "nothing to do: all is as the file wants it"
