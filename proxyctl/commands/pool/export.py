"""What `pool export` does: print a pool file, and write the CSV files that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from proxyctl.api.models import Service
from proxyctl.commands.in_transit import say_unfinished
from proxyctl.commands.listing import services_by_name
from proxyctl.errors import OutputError, UsageError
from proxyctl.files import unwritable
from proxyctl.named_files import refuse_link, write_output_file
from proxyctl.pools.export import all_ascii, csv_name, file_names, head, service_text
from proxyctl.pools.pool import Pool
from proxyctl.runtime import Runtime

DIRECTORY = "Give --numbers-to a directory that you own."
FIELDS = ("phone_number", "is_reserved")  # of a number, that a pool file has


def export(
    runtime: Runtime,
    services: Sequence[str],
    *,
    all_services: bool,
    numbers_to: str | None,
    portable: bool,
) -> None:
    """Print a pool file for the Services named, or for all; a ``portable`` one has settings alone."""
    if portable and numbers_to is not None:
        raise UsageError("--portable exports no numbers.", hint="Leave out --portable or --numbers-to.")
    chosen = services_by_name(runtime, services, all_services=all_services)
    by_sid = {service.sid: service for service in chosen}
    say_unfinished(runtime, by_sid)
    encoding = (getattr(runtime.stdout, "encoding", None) or "ascii").lower().replace("-", "")
    printable: Callable[[str], str] = str if encoding.startswith("utf") else all_ascii
    names = names_of_files(numbers_to, chosen) if numbers_to is not None else {}
    out = runtime.out
    out.text(head(None if portable else runtime.data_account).rstrip("\n"))
    pools: Iterable[tuple[str, Pool | None]] = dict.fromkeys(by_sid).items()
    if not portable:
        pools = runtime.account.pools(by_sid, fields=FIELDS, skip_gone=all_services)
    for sid, pool in pools:
        service = by_sid[sid]
        marks = {} if portable else {"sid": sid}
        text, files = service_text(service, pool, marks, names.get(sid))
        write_files(numbers_to, files)
        out.text(printable(text.rstrip("\n")))
    out.flush()
    if numbers_to is not None:
        runtime.note(f"Save the pool file in {numbers_to}, beside the files that it names.")


def names_of_files(directory: str, services: Sequence[Service]) -> dict[str, str]:
    """Return the names of the files of each Service, by its SID. UsageError: a link lies in the place of one."""
    name_for = file_names()
    names = {service.sid: name_for(service) for service in services}
    for name in names.values():
        for flag in (True, False):
            refuse_link("--numbers-to", Path(directory) / csv_name(name, flag))
    return names


def write_files(directory: str | None, files: Mapping[str, str]) -> None:
    """Write the CSV files of one Service: their texts, by name."""
    for name, text in files.items():
        path = Path(directory or ".") / name
        try:
            write_output_file(path, text.encode())
        except OSError as error:
            raise unwritable(path, error, DIRECTORY) from None
        except OutputError as error:
            raise OutputError(error.message, hint=DIRECTORY) from None
