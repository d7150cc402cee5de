"""How full and how busy a pool is, counted page by page, so that no pool is ever held whole. Values only."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from proxyctl.pools.pool import MOST_RESERVED, MOST_UNRESERVED, area_code
from proxyctl.text import MOST_SESSIONS, counted

WARNED_AT = 85.0  # per cent of a limit: where Twilio warns
BUSIEST = 5
# How Sessions spread: ranges of open Sessions of a number, each with the least.
RANGES = {"0": 0, "1-49": 1, "50-99": MOST_SESSIONS // 2, "100+": MOST_SESSIONS}
NO_COUNTRY = "unknown"
# --by: what parts a number belongs to, in the column of that name. None is the part of those that have no value.
PARTS: dict[str, Callable[[Mapping[str, Any]], Iterable[str | None]]] = {
    "country": lambda row: [country_in(row)],
    "area-code": lambda row: [area_code(row) or None],
    "capability": lambda row: capabilities_in(row) or [None],
}
LIMITS = {"reserved": MOST_RESERVED, "unreserved": MOST_UNRESERVED}


@dataclass
class PoolStatus:
    """The counts of one Service's pool. ``sessions`` are the open Sessions of all its numbers.

    ``by`` one of `PARTS`, the numbers of each part are counted too.
    """

    sid: str
    service: str | None = None
    by: str | None = None
    parts: dict[str | None, PoolStatus] = field(default_factory=dict)
    of_sessions: dict[str, Any] = field(default_factory=dict)  # what was read of its Sessions
    reserved: int = 0
    unreserved: int = 0
    in_use: int = 0
    sessions: int = 0
    crowded: int = 0
    by_country: Counter[str] = field(default_factory=Counter)
    by_capability: Counter[str] = field(default_factory=Counter)
    by_sessions: Counter[str] = field(default_factory=Counter)  # numbers in each of `RANGES`
    # Of numbers: is_reserved, country, area code.
    areas: set[tuple[bool, str, str]] = field(default_factory=set)
    _busiest: list[tuple[int, str, str | None]] = field(default_factory=list)

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Count a page of numbers, as the API gives them."""
        for row in rows:
            if row.get("is_reserved"):
                self.reserved += 1
            else:
                self.unreserved += 1
            country = country_in(row)
            self.by_country[country] += 1
            self.areas.add((bool(row.get("is_reserved")), country, area_code(row)))
            self.by_capability.update(capabilities_in(row))
            self._add_sessions(row)
            for value in PARTS[self.by](row) if self.by else ():
                self.parts.setdefault(value, PoolStatus(self.sid, self.service)).add([row])

    def _add_sessions(self, row: Mapping[str, Any]) -> None:
        sessions = row.get("in_use")
        if not isinstance(sessions, int) or isinstance(sessions, bool) or sessions <= 0:
            self.by_sessions["0"] += 1
            return
        self.by_sessions[max((least, name) for name, least in RANGES.items() if sessions >= least)[1]] += 1
        self.in_use += 1
        self.sessions += sessions
        self.crowded += sessions > MOST_SESSIONS
        number = row.get("phone_number")
        entry = (sessions, str(row.get("sid")), number if isinstance(number, str) else None)
        self._busiest = heapq.nlargest(BUSIEST, [*self._busiest, entry], key=lambda entry: entry[0])

    @property
    def numbers(self) -> int:
        """Numbers in the pool."""
        return self.reserved + self.unreserved

    def count(self, kind: str) -> int:
        """Return how many numbers of the pool are ``reserved``, or ``unreserved``."""
        return self.reserved if kind == "reserved" else self.unreserved

    @property
    def shares(self) -> dict[str, float]:
        """How much of each limit is used, in per cent."""
        return {kind: 100 * self.count(kind) / most for kind, most in LIMITS.items()}

    def above(self, percent: float) -> list[str]:
        """Name the shares above ``percent``."""
        return [self.share_text(kind) for kind, share in self.shares.items() if share > percent]

    def all_reserved(self) -> tuple[list[str], list[str]]:
        """Return the countries that have reserved numbers alone, and such area codes of the other countries."""
        left = {country for is_reserved, country, _ in self.areas if not is_reserved}
        reserved = [(country, code) for is_reserved, country, code in self.areas if is_reserved]
        gone = {country for country, _ in reserved} - left
        among_others = [area for area in reserved if area[0] in left]
        codes = {code for country, code in among_others if (False, country, code) not in self.areas}
        return sorted(gone), sorted(codes - {""})

    @property
    def near(self) -> list[str]:
        """The kinds of numbers that are near their limit, or beyond it."""
        return [kind for kind, share in self.shares.items() if share >= WARNED_AT]

    def share_text(self, kind: str) -> str:
        """Return a share in words: ``reserved 92.0 % (4600 of 5000)``."""
        return f"{kind} {self.shares[kind]:.1f} % ({self.count(kind)} of {LIMITS[kind]})"

    @property
    def warnings(self) -> list[str]:
        """What is near or beyond what Twilio advises, in words."""
        found = [f"{self.share_text(kind)}, Twilio warns at {WARNED_AT:.0f} %" for kind in self.near]
        if self.crowded:
            numbers = counted(self.crowded, "number has", "numbers have")
            found.append(f"{numbers} more than {MOST_SESSIONS} open Sessions, the most that Twilio advises")
        return found

    @property
    def busiest(self) -> list[dict[str, Any]]:
        """The numbers with the most open Sessions, first the busiest."""
        return [{"sid": sid, "phone_number": number, "in_use": count} for count, sid, number in self._busiest]

    @property
    def over_advised(self) -> list[dict[str, Any]]:
        """The busiest of the numbers that have more Sessions than Twilio advises."""
        return [number for number in self.busiest if number["in_use"] > MOST_SESSIONS]

    def row(self) -> dict[str, Any]:
        """Return the row that is printed; its keys are a contract with dashboards."""
        return {
            "service": self.service,
            "sid": self.sid,
            "reserved": self.reserved,
            "reserved_limit": MOST_RESERVED,
            "unreserved": self.unreserved,
            "unreserved_limit": MOST_UNRESERVED,
            "in_use": self.in_use,
            "idle": self.numbers - self.in_use,
            "sessions": self.sessions,
            "share": round(max(self.shares.values()), 1),
            "by_country": ranked(self.by_country),
            "by_capability": ranked(self.by_capability),
            "busiest": self.busiest,
            "warnings": self.warnings,
            "by_sessions": {name: self.by_sessions[name] for name in RANGES},
            **self.of_sessions,
        }

    def rows(self) -> list[dict[str, Any]]:
        """Return the row of the pool, or those of its parts: at least one, so that an empty pool is seen."""
        if self.by is None:
            return [self.row()]
        column = self.by.replace("-", "_")
        order = sorted(self.parts.items(), key=lambda part: (part[0] is None, part[0] or ""))
        return [status.row() | {column: value} for value, status in order] or [self.row() | {column: None}]


def country_in(row: Mapping[str, Any]) -> str:
    """Return the country that a pool names for a number."""
    return str(row.get("iso_country") or NO_COUNTRY)


def capabilities_in(row: Mapping[str, Any]) -> list[str]:
    """Return what a number can do, by the API's names."""
    found = row.get("capabilities")
    return [name for name, there in found.items() if there is True] if isinstance(found, dict) else []


def ranked(counts: Counter[str]) -> dict[str, int]:
    """Return counts as a map, the largest first."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def status_of(
    sid: str, service: str | None, pages: Iterable[Iterable[Mapping[str, Any]]], by: str | None = None
) -> PoolStatus:
    """Count the pages of one pool."""
    status = PoolStatus(sid, service, by)
    for rows in pages:
        status.add(rows)
    return status
