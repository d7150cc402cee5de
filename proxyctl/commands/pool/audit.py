"""What `pool audit` does: read pools, the account's numbers and Messaging Services, and print what the rules find."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from proxyctl.api.models import IncomingNumber, PhoneNumber, Service
from proxyctl.commands.listing import services_by_name
from proxyctl.commands.pool.findings import Audit, show
from proxyctl.commands.pool.sessions import session_findings
from proxyctl.pools.account import Account
from proxyctl.pools.audit import (
    Context,
    messaging_findings,
    number_findings,
    restorable,
    service_findings,
    webhook_findings,
)
from proxyctl.pools.findings import Finding
from proxyctl.pools.status import PoolStatus
from proxyctl.render.shapes import FINDING
from proxyctl.runtime import Runtime
from proxyctl.writes.reading import Page


def audit(
    runtime: Runtime, services: Sequence[str], *, all_services: bool, sessions: bool, **filters: Any
) -> None:
    """Print what is wrong or risky; CheckError where there is anything."""
    runtime.out.check(FINDING)
    chosen = services_by_name(runtime, services, all_services=all_services)
    found, numbers = find(runtime.account, chosen, whole=all_services)
    call = (
        "pool",
        "audit",
        *(["--all"] if all_services else services),
        *(["--sessions"] if sessions else ()),
    )
    if sessions:
        found = sorted(session_findings(runtime, chosen, found), key=lambda finding: finding.rank)
    show(runtime, Audit(with_kept(runtime, found), call, len(chosen), numbers), filters)


def with_kept(runtime: Runtime, found: Sequence[Finding]) -> list[Finding]:
    """Return the findings; where the history keeps the webhooks of a number in no pool, the fix restores them."""
    stale = {finding.object for finding in found if finding.id == "webhook-stale"}
    if not stale:
        return list(found)
    from proxyctl.commands.in_transit import read_back
    from proxyctl.pools.webhooks import KeptWebhooks

    search = KeptWebhooks(stale, newest=True)
    read_back(runtime, search.wanted, search.take)
    return [restorable(finding) if finding.object in search.found else finding for finding in found]


def find(account: Account, services: Sequence[Service], *, whole: bool) -> tuple[list[Finding], int]:
    """Read what the rules need. Return what they find, the worst first, and the count of numbers that were read.

    Of a pool's numbers only the SIDs stay.
    """
    by_sid = {service.sid: service for service in services}
    holders: dict[str, str] = {}
    findings: list[Finding] = []

    def judge(sid: str, pages: Iterator[Page]) -> tuple[list[str], list[Finding]]:
        sids: list[str] = []
        found: list[Finding] = []
        status = PoolStatus(sid)
        for page in pages:
            status.add(page.items)
            for number in map(PhoneNumber, page.items):
                sids.append(number.sid)
                found.extend(number_findings(by_sid[sid], number))
        return sids, [*found, *service_findings(by_sid[sid], status)]

    for sid, (sids, found) in account.each_pool(by_sid, judge, skip_gone=whole):
        holders.update(dict.fromkeys(sids, sid))
        findings.extend(found)
    messaging = list(account.messaging_services())
    senders = {sid: service.sid for service, members in messaging for sid in members}
    context = Context(by_sid, holders, senders, whole)
    numbers = len(holders)
    for page in account.own_pages():
        for number in map(IncomingNumber, page.items):
            numbers += whole and number.sid not in holders
            findings.extend(webhook_findings(number, context))
    for messaging_service, members in messaging:
        findings.extend(messaging_findings(messaging_service, members, context))
    return sorted(findings, key=lambda finding: finding.rank), numbers
