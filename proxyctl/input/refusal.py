"""What is said of rows that can't be used: the error that names them, or that they are skipped."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from proxyctl.errors import InputError
from proxyctl.text import FIRST, Lines, counted, first_of, show

if TYPE_CHECKING:
    from proxyctl.input.items import Reading

FLOATS, UNREADABLE, DUPLICATES = "floats", "unreadable", "duplicates"
_NOTES = {
    FLOATS: ("dropped .0 at the end of {}.", "number"),
    UNREADABLE: ("used the SID of {} whose phone_number can't be read.", "row"),
    DUPLICATES: ("merged {}.", "duplicate"),
}
_QUOTED = re.compile('"(.*)"', re.DOTALL)
_LIKE_A_NUMBER = re.compile(r"[\d\s+()./-]{0,40}")
_HINTS = {  # by the column that is spoken of
    "is_reserved": "With --reserved or --unreserved, the column is_reserved is not read.",
    "account_sid": "Name the account's profile with -p, or remove the column account_sid.",
    "service_sid": "Name the Service of these rows, or remove the column service_sid.",
}


def refusal(reading: Reading) -> InputError:
    """Return the error that names the rows which can't be used: the first 20, and the count."""
    name = reading.source.name if reading.source is not None else None
    hint = _hint(reading)
    if name is None and reading.rows == 1:
        return InputError(f"{reading.bad[0].what}. Nothing was sent", hint=hint)
    rows = "row" if name else "argument"
    count = f"{reading.refused} of " if reading.rows else ""
    total = counted(reading.rows or reading.refused, rows)
    where = f" in {name}" if name else ""
    first = f"{count}{total}{where} can't be used. Nothing was sent"
    return InputError(Lines(first, *named_rows(reading)), hint=hint)


def named_rows(reading: Reading) -> list[str]:
    """Return a line for each row that can't be used: the first 20, and the count of the rest."""
    lines = [f"{reading.where(bad.place)}: {bad.what}" for bad in reading.bad[:FIRST]]
    return first_of(lines, count=reading.refused)


def numbers_alone(what: str) -> str:
    """Return what is wrong with a row, where it may quote numbers alone: the file was named by another file."""
    return _QUOTED.sub(lambda found: found[0] if _LIKE_A_NUMBER.fullmatch(found[1]) else "(not shown)", what)


def skipped_rows(reading: Reading) -> list[str]:
    """Return what to say of rows that are skipped; nothing where none are."""
    if not reading.refused:
        return []
    return [f"skipping {counted(reading.refused, 'bad row')} of {reading.rows}:", *named_rows(reading)]


def notes_on(noted: Mapping[str, int]) -> list[str]:
    """Return what to note of rows that were not read as they are written; ``noted`` counts them as `Reading` does."""
    return [text.format(counted(noted[what], thing)) for what, (text, thing) in _NOTES.items() if noted[what]]


def _hint(reading: Reading) -> str | None:
    """Return what to do about rows that can't be used, where that can be said."""
    for text in reading.arguments:
        if os.path.isfile(text):  # noqa: PTH113 - of any text; Path.is_file raises for a long one
            return f"To read the file {show(text)}, put -f before it."
    said = "\n".join(bad.what for bad in reading.bad)
    return " ".join(hint for column, hint in _HINTS.items() if column in said) or None
