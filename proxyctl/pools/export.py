"""Writing what a Service is and holds as a pool file, which changes nothing when it is applied again."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from proxyctl.api.resources import Service
from proxyctl.errors import RefusedError
from proxyctl.identifiers import checked_sid, is_e164, parse_number
from proxyctl.pools.pool import Pool, flag_word
from proxyctl.pools.poolfile import SETTINGS, VERSION

SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_KEPT = re.compile(r"[^\x20-\x7e]")


@dataclass(frozen=True, slots=True)
class NumberFile:
    """A CSV file that a pool file names: its name, without a directory, and its text."""

    name: str
    text: str


def head(account_sid: str | None) -> str:
    """Return the lines that a pool file begins with; None binds it to no account."""
    import tomli_w

    facts = {"version": VERSION} | ({"account_sid": checked_sid(account_sid)} if account_sid else {})
    return (
        "# A pool file, written by proxyctl.\n"
        "# 'proxyctl pool plan FILE' shows the differences. 'proxyctl pool apply FILE' applies them.\n"
    ) + tomli_w.dumps(facts)


def service_text(
    service: Service, pool: Pool | None, marks: Mapping[str, object], files: str | None = None
) -> tuple[str, list[NumberFile]]:
    """Return the part of a pool file that is about one Service, and the CSV files that it names.

    ``pool`` is None where nothing is said of it, and ``marks`` are the first keys of the table. ``files`` is what the
    CSV files are called, before ``.reserved.csv``; with None the numbers stand in the pool file. RefusedError: the
    Service has text that TOML can't hold.
    """
    import tomli_w

    raw, sid = service.raw, checked_sid(service.sid)
    table = {
        name: raw[name] for name, kind in SETTINGS.items() if type(raw.get(name)) is kind and raw[name] != ""
    }
    comment = ""
    written: list[NumberFile] = []
    if pool is not None:
        table["numbers"], written = numbers_of(pool, files)
        comment = f"# {pool.reserved} reserved, {pool.unreserved} unreserved\n"
    text = tomli_w.dumps({"services": {service.unique_name or sid: {**marks, **table}}}, indent=2)
    return f"\n{comment}{harmless(text, service)}", written


def numbers_of(pool: Pool, files: str | None) -> tuple[dict[str, object], list[NumberFile]]:
    """Return the table of a pool's numbers, and the files that it names."""
    table: dict[str, object] = {}
    written = []
    for flag in (True, False):
        word = flag_word(flag)
        numbers = sorted(
            name_of(number.sid, number.phone_number)
            for number in pool.by_sid.values()
            if bool(number.is_reserved) is flag
        )
        if files is None or not numbers:
            table[word] = numbers
        else:
            text = "".join(f"{line}\n" for line in ["phone_number", *numbers])
            file = NumberFile(csv_name(files, flag), text)
            written.append(file)
            table[f"{word}_from"] = file.name
    return table, written


def csv_name(files: str, flag: bool) -> str:
    """Return the name of the CSV file for the reserved or unreserved numbers of a Service."""
    return f"{files}.{flag_word(flag)}.csv"


def name_of(sid: str, phone_number: str | None) -> str:
    """Return the number in E.164, or its SID where what the API calls its number is something else."""
    if phone_number is not None and is_e164(phone_number):
        try:
            return parse_number(phone_number).phone_number or checked_sid(sid)
        except ValueError:
            pass
    return checked_sid(sid)


def harmless(text: str, service: Service) -> str:
    """Escape characters that a terminal or another encoding can't show. In TOML from tomli_w all are in quotes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RefusedError(
            f"Service {service.sid} has text that no file can hold (half a surrogate pair).",
            hint="'proxyctl service update -h': an update can give it another unique name or URL.",
        ) from None
    return _KEPT.sub(lambda match: escaped(match[0]), text)


def all_ascii(text: str) -> str:
    """Return the same TOML for a stream that can't hold all characters."""
    return "".join(char if char.isascii() else escape(char) for char in text)


def escaped(char: str) -> str:
    """Return a character as TOML escapes it, unless it is printable or ends a line."""
    return char if char == "\n" or char.isprintable() else escape(char)


def escape(char: str) -> str:
    """Return a character as TOML escapes it."""
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def file_names() -> Callable[[Service], str]:
    """Return a function that gives each Service a name for its files: its unique name, or its SID where that is not
    safe, or the same as another's to a file system that ignores case.
    """
    taken: set[str] = set()

    def name_for(service: Service) -> str:
        name = service.unique_name or ""
        safe = SAFE_NAME.fullmatch(name) and PurePath(name).name == name and name.casefold() not in taken
        chosen = name if safe else checked_sid(service.sid)
        taken.add(chosen.casefold())
        return chosen

    return name_for
