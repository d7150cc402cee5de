"""What `pool audit` does: reads pools, the account's numbers and Messaging Services, and prints what the rules find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from proxyctl.api.resources import IncomingNumber, PhoneNumber, Service
from proxyctl.commands.listing import in_pages, services_by_name
from proxyctl.errors import CheckError
from proxyctl.pools.account import Account
from proxyctl.pools.audit import (
    Context,
    Finding,
    Severity,
    messaging_findings,
    number_findings,
    service_findings,
    webhook_findings,
)
from proxyctl.pools.status import PoolStatus
from proxyctl.render.shapes import FINDING
from proxyctl.runtime import Runtime
from proxyctl.writes.reading import Page


def audit(runtime: Runtime, services: Sequence[str], *, all_services: bool) -> None:
    """Print what is wrong or risky; CheckError where there is anything."""
    runtime.out.check(FINDING)
    chosen = services_by_name(runtime, services, all_services=all_services)
    show(runtime, find(runtime.account, chosen, whole=all_services))


def find(account: Account, services: Sequence[Service], *, whole: bool) -> list[Finding]:
    """Read what the rules need, and return what they find, the worst first. Of a pool's numbers only the SIDs stay."""
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
    for page in account.own_pages():
        for number in map(IncomingNumber, page.items):
            findings.extend(webhook_findings(number, context))
    for messaging_service, members in messaging:
        findings.extend(messaging_findings(messaging_service, members, context))
    return sorted(findings, key=lambda finding: finding.rank)


def show(runtime: Runtime, findings: Sequence[Finding]) -> None:
    """Print findings; a table has no room for commands, so each kind of finding has one below.

    CheckError where there is a finding, whatever its severity: who wants fewer filters by it.
    """
    rows = [finding.row() for finding in findings]
    if rows or runtime.options.output or not runtime.options.quiet:
        runtime.out.rows(FINDING, in_pages(rows))
    if runtime.format == "table":
        first = {finding.id: finding for finding in reversed(findings)}
        for finding in sorted(first.values(), key=lambda finding: finding.rank):
            runtime.note(f"{finding.id}, {finding.name}: {finding.fix}")
    if not findings:
        runtime.note("found nothing to fix.")
        return
    counts = Counter(finding.severity for finding in findings)
    words = [
        f"{counts[severity]} {severity if counts[severity] == 1 or severity is Severity.INFO else f'{severity}s'}"
        for severity in Severity
        if counts[severity]
    ]
    raise CheckError(f"found {', '.join(words)}.", hint="The field 'fix' (-o json) has a command for each.")
