"""The names by which a column of a CSV or a key of a JSON object is known: one list for both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from proxyctl.input.rows import Row

# For each field of a Row: its names. Those of the second group count where there is none of the first.
NAMES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "sid": (("sid",),),
    "phone_number": (
        ("phonenumber",),
        ("number", "phone", "msisdn", "e164", "did", "twilionumber", "twiliodid"),
    ),
    "is_reserved": (("isreserved",), ("reserved",)),
    "account_sid": (("accountsid",),),
    "service_sid": (("servicesid",),),
}
# A Session is read into the same Row: its unique name stands where a number would.
SESSION = "session"
TABLES = {"number": NAMES, SESSION: {**NAMES, "phone_number": (("uniquename",),)}}
FIELDS = Row._fields[1:-1]
_IGNORED = re.compile(r"[^a-z0-9]+")


class Known(NamedTuple):
    """Where each field is among the names of a row; ``twice`` are names of one field, of which any may be meant."""

    places: Mapping[str, int]
    twice: tuple[str, ...] = ()


def same_name(name: str) -> str:
    """Return a name without case, blanks, ``_`` and ``-``, so that "Phone Number" is one of ours."""
    return _IGNORED.sub("", name.lower())


@lru_cache(maxsize=64)
def known(names: tuple[str, ...], column: str | None = None, kind: str = "number") -> Known:
    """Return which fields these names are. ``column`` names the one with the numbers: SIDs are not read then."""
    plain = [same_name(name) for name in names]
    groups = dict(TABLES[kind])
    if column is not None:
        del groups["sid"]
        groups["phone_number"] = ((same_name(column),),)
    places: dict[str, int] = {}
    twice: tuple[str, ...] = ()
    for field, ranks in groups.items():
        found = next(
            filter(None, ([at for at, name in enumerate(plain) if name in rank] for rank in ranks)), []
        )
        if found:
            places[field] = found[0]
        if len(found) > 1:
            twice = tuple(names[at] for at in found)
    return Known(places, twice)
