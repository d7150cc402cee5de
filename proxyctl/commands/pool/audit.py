"""What `pool audit` does: reads pools, the account's numbers and Messaging Services, and prints what the rules find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxyctl.commands.listing import in_pages
from proxyctl.errors import CheckError

if TYPE_CHECKING:
    from proxyctl.api.models import Service
    from proxyctl.api.pages import Page
    from proxyctl.pools.audit import Finding
    from proxyctl.runtime import Runtime
    from proxyctl.writes.reading import Reader


@dataclass
class Seen:
    """What the account's numbers are judged against, and what was found so far."""

    holders: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def audit(runtime: Runtime, services: Sequence[str], *, all_services: bool) -> None:
    """Print what is wrong or risky; CheckError where there is an error or a warning among it."""
    from proxyctl.commands.listing import chosen_services
    from proxyctl.render.pool_shapes import FINDING

    runtime.out.check(FINDING)
    chosen = chosen_services(runtime, services, all_services=all_services)
    findings = look(runtime.reader, chosen, whole=all_services)
    rows = [finding.row() for finding in findings]
    runtime.out.rows(FINDING, in_pages(rows))
    if runtime.format == "table":
        show_mends(runtime, findings)
    conclude(runtime, findings)


def look(reader: Reader, services: Sequence[Service], *, whole: bool) -> list[Finding]:
    """Read what the rules need, and return what they find, the worst first."""
    from proxyctl.api.models import IncomingNumber, MessagingService
    from proxyctl.pools.audit import Context, messaging_findings, webhook_findings

    by_sid = {service.sid: service for service in services}
    seen = judge_pools(reader, by_sid, whole=whole)
    messaging = [MessagingService(raw) for page in reader.messaging_services() for raw in page.items]
    members = {service.sid: (service, messaging_members(reader, service.sid)) for service in messaging}
    senders = {number: sid for sid, (_, numbers) in members.items() for number in numbers}
    context = Context(reader.account_sid, by_sid, seen.holders, senders, whole)
    for page in reader.account_numbers():
        for raw in page.items:
            seen.findings.extend(webhook_findings(IncomingNumber(raw), context))
    for service, numbers in members.values():
        seen.findings.extend(messaging_findings(service, numbers, context))
    return sorted(seen.findings, key=lambda finding: finding.rank)


def judge_pools(reader: Reader, services: dict[str, Service], *, whole: bool) -> Seen:
    """Read the pools side by side and judge each number as it comes; of each only who holds it is kept."""
    from proxyctl.api.models import PhoneNumber
    from proxyctl.errors import NotFoundError
    from proxyctl.pools.audit import number_findings, service_findings
    from proxyctl.pools.reading import tell_pools
    from proxyctl.pools.status import PoolStatus

    def tell(sid: str, pages: Iterator[Page]) -> Seen:
        one, status = Seen(), PoolStatus(sid)
        try:
            for page in pages:
                status.add(page.items)
                for raw in page.items:
                    number = PhoneNumber(raw)
                    one.holders[number.sid] = sid
                    one.findings.extend(number_findings(services[sid], number))
        except NotFoundError:
            if not whole:
                raise
            return Seen()  # deleted meanwhile
        one.findings.extend(service_findings(services[sid], status))
        return one

    seen = Seen()
    for _, one in tell_pools(reader, list(services), tell):
        seen.holders.update(one.holders)
        seen.findings.extend(one.findings)
    return seen


def messaging_members(reader: Reader, messaging_service: str) -> list[str]:
    """Return the PN SIDs of a Messaging Service's numbers."""
    from proxyctl.api.models import MessagingPhoneNumber

    pages = reader.messaging_numbers(messaging_service)
    return [MessagingPhoneNumber(raw).sid for page in pages for raw in page.items]


def show_mends(runtime: Runtime, findings: Sequence[Finding]) -> None:
    """Say, once for each kind of finding, what to type: a table has no room for commands."""
    first = {finding.id: finding for finding in reversed(findings)}
    for finding in sorted(first.values(), key=lambda finding: finding.rank):
        runtime.note(f"{finding.id}, {finding.name}: {finding.mend}")


def conclude(runtime: Runtime, findings: Sequence[Finding]) -> None:
    """Raise CheckError where there is a finding, whatever its severity: who wants fewer filters by it."""
    from proxyctl.pools.audit import Severity

    counts = Counter(finding.severity for finding in findings)
    words = [
        f"{counts[severity]} {severity if counts[severity] == 1 or severity is Severity.INFO else f'{severity}s'}"
        for severity in Severity
        if counts[severity]
    ]
    if words:
        raise CheckError(
            f"found {', '.join(words)}.", hint="The field 'mend' (-o json) has a command for each."
        )
    runtime.note("found nothing to mend.")
