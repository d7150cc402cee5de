"""Writing what a Service is and holds as a pool file, which changes nothing when it is applied again."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from proxyctl.api.models import Service
from proxyctl.errors import RefusedError
from proxyctl.identifiers import checked_sid, is_e164
from proxyctl.pools.pool import Pool, flag_word, number_argument
from proxyctl.pools.poolfile import SETTINGS, VERSION

SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


def head(account_sid: str | None) -> str:
    """Return the lines that a pool file begins with; None binds it to no account."""
    import tomli_w

    facts = {"version": VERSION} | ({"account_sid": checked_sid(account_sid)} if account_sid else {})
    does = "'proxyctl pool plan FILE' shows the differences. 'proxyctl pool apply FILE' applies them."
    return f"# A pool file, written by proxyctl.\n# {does}\n{tomli_w.dumps(facts)}"


def service_text(
    service: Service, pool: Pool | None, marks: Mapping[str, object], files: str | None = None
) -> tuple[str, dict[str, str]]:
    """Return the part of a pool file that is about one Service, and the CSV files that it names, each with its text.

    ``pool`` is None where nothing is said of it, and ``marks`` are the first keys of the table. ``files`` is what the
    CSV files are called, before ``.reserved.csv``; with None the numbers stand in the pool file. RefusedError: the
    Service has text that TOML can't hold.
    """
    import tomli_w

    raw, sid = service.raw, checked_sid(service.sid)
    given = ((name, raw.get(name), kind) for name, kind in SETTINGS.items())
    table = {name: value for name, value, kind in given if type(value) is kind and value != ""}
    comment = ""
    written: dict[str, str] = {}
    if pool is not None:
        table["numbers"], written = numbers_of(pool, files)
        comment = f"# {pool.reserved} reserved, {pool.unreserved} unreserved\n"
    text = tomli_w.dumps({"services": {service.unique_name or sid: {**marks, **table}}}, indent=2)
    return f"\n{comment}{harmless(text, service)}", written


def numbers_of(pool: Pool, files: str | None) -> tuple[dict[str, object], dict[str, str]]:
    """Return the table of a pool's numbers, and the files that it names."""
    table: dict[str, object] = {}
    written: dict[str, str] = {}
    for flag in (True, False):
        word = flag_word(flag)
        flagged = (number for number in pool.by_sid.values() if bool(number.is_reserved) is flag)
        numbers = sorted(one if is_e164(one) else checked_sid(one) for one in map(number_argument, flagged))
        if files is None or not numbers:
            table[word] = numbers
        else:
            name = table[f"{word}_from"] = csv_name(files, flag)
            written[name] = "".join(f"{line}\n" for line in ["phone_number", *numbers])
    return table, written


def csv_name(files: str, flag: bool) -> str:
    """Return the name of the CSV file for the reserved or unreserved numbers of a Service."""
    return f"{files}.{flag_word(flag)}.csv"


def harmless(text: str, service: Service) -> str:
    """Escape characters that a terminal or another encoding can't show. In TOML from tomli_w all are in quotes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        hint = "'proxyctl service update -h': an update can give it another unique name or URL."
        text = f"Service {service.sid} has text that no file can hold (half a surrogate pair)."
        raise RefusedError(text, hint=hint) from None
    return "".join(char if char == "\n" or char.isprintable() else escape(char) for char in text)


def all_ascii(text: str) -> str:
    """Return the same TOML for a stream that can't hold all characters."""
    return "".join(char if char.isascii() else escape(char) for char in text)


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
        safe = SAFE_NAME.fullmatch(name) and name.casefold() not in taken
        chosen = name if safe else checked_sid(service.sid)
        taken.add(chosen.casefold())
        return chosen

    return name_for
