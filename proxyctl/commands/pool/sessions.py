"""What `pool status --sessions` and `pool audit --sessions` add: how old Sessions are, if they end, and which hold the
numbers that have too many.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from proxyctl.api.models import PhoneNumber, Service, Session
from proxyctl.bulk.threads import in_order, side_by_side
from proxyctl.pools.findings import Finding
from proxyctl.pools.status import PoolStatus
from proxyctl.roles import Line, Role, line
from proxyctl.runtime import Runtime
from proxyctl.sessions.lifetime import SessionCounts
from proxyctl.sessions.reading import SessionFilter, first_holders, session_pages, some_of, with_participants
from proxyctl.text import counted

ACTIVE = SessionFilter(active=True)


@dataclass(frozen=True, slots=True)
class InUse:
    """What holds the numbers of a pool: its active Sessions, and the first of each number that has too many."""

    counts: SessionCounts
    crowded: Mapping[str, tuple[PhoneNumber, Sequence[str]]]  # by the number's SID

    def row(self) -> dict[str, Any]:
        """Return what a row of `pool status` has of it."""
        named = [
            {"sid": sid, "phone_number": number.phone_number, "in_use": number.in_use, "sessions": sessions}
            for sid, (number, sessions) in self.crowded.items()
        ]
        return {**self.counts.row(), "crowded": named}


def read_sessions(
    runtime: Runtime, crowded: Mapping[str, Sequence[PhoneNumber]]
) -> Iterator[tuple[str, InUse]]:
    """Read the Sessions of Services in parallel, by SID with their numbers that have too many; yield each in order."""
    reader, now = runtime.access.reader, runtime.access.now

    def read(sid: str) -> InUse:
        counts = SessionCounts()
        for page in session_pages(reader, sid, ACTIVE, now):
            for row in page:
                counts.add(Session(dict(row)), now())
        rows = with_participants(reader, sid, session_pages(reader, sid, ACTIVE, now), workers=8)
        found = first_holders(rows, crowded[sid]) if crowded[sid] else {}
        return InUse(counts, {number.sid: (number, found[number.sid]) for number in crowded[sid]})

    return in_order(crowded, side_by_side(read, crowded))


def with_sessions(runtime: Runtime, statuses: Sequence[PoolStatus]) -> list[PoolStatus]:
    """Return the pools with what holds their numbers."""
    crowded = {one.sid: [PhoneNumber(dict(row)) for row in one.over_advised] for one in statuses}
    found = dict(read_sessions(runtime, crowded))
    return [replace(one, of_sessions=found[one.sid].row()) for one in statuses]


def session_lines(statuses: Sequence[PoolStatus]) -> Iterator[Line]:
    """Yield what `pool status` says of Sessions at a terminal."""
    for status in statuses:
        found = status.of_sessions
        oldest = found["oldest_session"]
        since = f", the oldest {oldest['sid']} since {oldest['date_created']}" if oldest else ""
        yield line("")
        active = counted(found["active_sessions"], "active Session")
        yield line(Role.NAME(status.service or status.sid), f"  {active}{since}")
        yield line(
            f"  {found['sessions_without_expiry']} without expiry, {found['sessions_expired']} past it"
        )
        for one in found["crowded"]:
            yield line(f"  {one['phone_number']}  {some_of(one['sessions'], one['in_use'])}", hang=2)


def session_findings(
    runtime: Runtime, services: Sequence[Service], found: Sequence[Finding]
) -> Iterator[Finding]:
    """Yield the findings, those on numbers with too many Sessions with some of these, and what Sessions add."""
    over = [finding for finding in found if finding.id == "number-overloaded"]
    crowded: dict[str, list[PhoneNumber]] = {}
    for service in services:
        its = [finding for finding in over if finding.service == service.name]
        crowded[service.sid] = [PhoneNumber({"sid": one.object, "phone_number": one.name}) for one in its]
    named: dict[str, Sequence[str]] = {}
    for service, (_, in_use) in zip(services, read_sessions(runtime, crowded), strict=True):
        named |= {sid: sessions for sid, (_, sessions) in in_use.crowded.items()}
        yield from findings_of(service, in_use.counts)
    for finding in found:
        sids = ", ".join(named.get(finding.object, ())) if finding in over else ""
        words = f"{finding.message}. Sessions: {sids}"
        yield replace(finding, message=words, detail=f"{finding.detail}: {sids}") if sids else finding


def findings_of(service: Service, counts: SessionCounts) -> Iterator[Finding]:
    """Judge a Service by its active Sessions."""
    for rule, count in (("session-expired", counts.expired), ("session-no-expiry", counts.without_expiry)):
        if count:
            yield Finding.of(rule, service, service, sessions=counted(count, "active Session"))
    if oldest := counts.oldest:
        yield Finding.of("session-oldest", service, service, session=oldest.sid, since=oldest.date_created)
