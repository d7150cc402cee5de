"""What `pool export`, `plan` and `apply` do with a pool file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from proxyctl.errors import NotFoundError, OutputError

if TYPE_CHECKING:
    from proxyctl.api.models import Service
    from proxyctl.api.pages import Page
    from proxyctl.pools.export import NumberFile
    from proxyctl.pools.pool import Pool
    from proxyctl.runtime import Runtime


# Export


def export(runtime: Runtime, services: Sequence[str], *, all_services: bool, numbers_to: str | None) -> None:
    """Print a pool file for the Services named, or for all."""
    from proxyctl.commands.listing import chosen_services
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
