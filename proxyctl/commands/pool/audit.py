"""What `pool audit` does: read pools, the account's numbers and Messaging Services, and print what the rules find.

Findings are rows in a pipe, and at a terminal one block for each kind, the worst last. `messaging check` shares it.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from proxyctl.api.models import IncomingNumber, PhoneNumber, Service
from proxyctl.commands.listing import drawn, in_pages, services_by_name
from proxyctl.commands.pool.sessions import session_findings
from proxyctl.errors import CheckError
from proxyctl.pools import audit as rules
from proxyctl.pools.account import Account
from proxyctl.pools.findings import KINDS, Finding, Severity
from proxyctl.pools.status import PoolStatus
from proxyctl.render.shapes import FINDING
from proxyctl.roles import Line, Part, Piece, Role, cells, folded, line, plain
from proxyctl.runtime import Runtime
from proxyctl.text import command_line, counted, quoted, with_account
from proxyctl.writes.reading import Page

Filters = Mapping[str, Any]  # as typed: severity, only, ignore

INDENT = 9  # as wide as a severity
EDGE = 76
WIDEST = 120
MOST_LINES = 5  # of numbers, and of commands, a kind
TYPED = 3  # numbers that a command names one by one
MOST_TYPED = 20  # where nothing else can name them
ROLES = {Severity.ERROR: Role.BAD, Severity.WARNING: Role.WARNING}
THINGS = {"PN": "number", "KS": "Service", "MG": "Messaging Service"}


def audit(
    runtime: Runtime, services: Sequence[str], *, all_services: bool, sessions: bool, **filters: Any
) -> None:
    """Print what is wrong or risky; CheckError where there is anything."""
    runtime.out.check(FINDING)
    chosen = services_by_name(runtime, services, all_services=all_services)
    found, numbers = find(runtime.account, chosen, whole=all_services)
    scope = ["--all"] if all_services else services
    call = ("pool", "audit", *scope, *(["--sessions"] if sessions else ()))
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

    search = read_back(runtime, KeptWebhooks(stale, newest=True))
    return [rules.restorable(finding) if finding.object in search.found else finding for finding in found]


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
                found.extend(rules.number_findings(by_sid[sid], number))
        return sids, [*found, *rules.service_findings(by_sid[sid], status)]

    for sid, (sids, found) in account.each_pool(by_sid, judge, skip_gone=whole):
        holders.update(dict.fromkeys(sids, sid))
        findings.extend(found)
    messaging = list(account.messaging_services())
    senders = {sid: service.sid for service, members in messaging for sid in members}
    context = rules.Context(by_sid, holders, senders, whole)
    numbers = len(holders)
    for page in account.own_pages():
        for number in map(IncomingNumber, page.items):
            numbers += whole and number.sid not in holders
            findings.extend(rules.webhook_findings(number, context))
    for messaging_service, members in messaging:
        findings.extend(rules.messaging_findings(messaging_service, members, context))
    return sorted(findings, key=lambda finding: finding.rank), numbers


# Findings


class Audit(NamedTuple):
    """What a check found, the worst first; ``call`` is the command that was typed, without its options for output."""

    findings: Sequence[Finding]
    call: Sequence[str]
    services: int
    numbers: int

    def total(self, left: Sequence[Finding]) -> list[Part]:
        """Return the last line: what was checked, and how many findings are ``left`` by the filters."""
        counts = Counter(finding.severity for finding in left)
        parts: list[Part] = [f"{counted(self.services, 'Service')}, {counted(self.numbers, 'number')}:"]
        for severity in Severity:
            text = counted(counts[severity], severity)
            if counts[severity]:
                comma = "," if len(parts) > 1 else ""
                parts += [f"{comma} ", Piece(text, ROLES.get(severity))]
        parts += [] if left else [" nothing to fix"]
        out = len(self.findings) - len(left)
        return [*parts, f" ({out} left out)"] if out else parts


def show(runtime: Runtime, audit: Audit, filters: Filters) -> None:
    """Print the findings that the filters leave. CheckError where one is an error or a warning."""
    left = [finding for finding in audit.findings if wanted(finding, **filters)]
    total = audit.total(left)
    found = Counter(finding.severity for finding in left)
    runtime.counts = {severity.value: found[severity] for severity in Severity}
    error = CheckError(plain(total), hint="The field 'fix' has a command for each.")
    error.printed = on_screen = drawn(runtime)
    bad = any(finding.severity is not Severity.INFO for finding in left)
    if not bad and runtime.options.silent:
        return
    if on_screen:
        runtime.out.lines([*screen(left, audit, runtime.console.width), line(*total)], widest=WIDEST)
    else:
        account = runtime.console.account
        rows = (finding.row() | {"fix": with_account(finding.fix, account)} for finding in left)
        runtime.out.rows(FINDING, in_pages(rows))
    if bad:
        raise error
    if not on_screen:
        runtime.note(f"{plain(total)}.")


def wanted(
    finding: Finding,
    severity: str | None = None,
    only: Sequence[str] | None = None,
    ignore: Sequence[str] | None = None,
) -> bool:
    """Whether the filters leave a finding."""
    order = list(Severity)
    bad_enough = severity is None or order.index(finding.severity) <= order.index(Severity(severity))
    return bad_enough and (not only or finding.id in only) and finding.id not in (ignore or ())


# The screen


def screen(findings: Sequence[Finding], audit: Audit, width: int) -> Iterator[Line]:
    """Yield a block for each kind, the worst last."""
    order = sorted(findings, key=lambda one: (-list(Severity).index(one.severity), one.rank))
    for _, found in groupby(order, key=lambda one: (one.severity, one.id)):
        yield from block(list(found), audit, min(width, WIDEST))
        yield line("")


def block(found: Sequence[Finding], audit: Audit, width: int) -> Iterator[Line]:
    """Yield the title of a kind with its count, what it is about, what it means, and the commands that fix it."""
    kind, severity = KINDS[found[0].id], found[0].severity
    badge = Piece(severity.value, ROLES.get(severity))
    things = {finding.object for finding in found}
    count = counted(len(things), THINGS.get(found[0].object[:2], "object"))
    used = INDENT + cells(kind.title) + cells(count)
    blank = " " * max(2, min(width, EDGE) - used)
    yield line(badge, " " * (INDENT - cells(badge.text)), kind.title, blank, count, hang=INDENT)
    yield from objects(found, width, labels=audit.services > 1)
    if kind.effect:
        yield line(" " * INDENT, kind.effect, hang=INDENT)
    for command in fixes(found, audit):
        for sign, text in zip(("→", " "), command, strict=False):
            yield line(" " * INDENT, Piece(f"{sign} ", whole=True), Piece(text, whole=True))


def objects(found: Sequence[Finding], width: int, *, labels: bool) -> Iterator[Line]:
    """Yield what findings are about, by what they have in common: a detail, and the Service if it is a label."""
    shared: dict[tuple[str, str], list[str]] = {}
    for finding in found:
        named = labels and finding.object[:2] == "PN" and (finding.service or "") not in finding.detail
        shared.setdefault((finding.service or "" if named else "", finding.detail), []).append(finding.name)
    widest = max(cells(label) for label, _ in shared)
    start = INDENT + (widest + 2 if widest else 0)
    alone = max((cells(names[0]) for names in shared.values() if len(names) == 1), default=0)
    for (label, detail), names in list(shared.items())[:MOST_LINES]:
        listed = folded(names, width - start)
        beside = detail and len(names) == 1
        if beside:
            listed = f"{listed.ljust(alone)}  {detail}"
        parts = [" " * INDENT, label.ljust(start - INDENT), listed]
        yield line(*parts, hang=start)
        if detail and not beside:
            yield line(" " * start, detail, hang=start)
    rest = sum(len(names) for names in list(shared.values())[MOST_LINES:])
    if rest:
        yield line(" " * INDENT, f"… and {rest} more")


# The commands


def fixes(found: Sequence[Finding], audit: Audit) -> Iterator[list[str]]:
    """Yield the commands that fix findings of one kind: each a line, or two with a pipe between them."""
    alike: dict[tuple[str, str], list[Finding]] = {}
    for finding in found:
        before, _, after = finding.fix.partition(f" {number_in(finding)}")
        alike.setdefault((before, after), []).append(finding)
    commands = [one for (before, after), some in alike.items() for one in fix(before, after, some, audit)]
    if len(commands) <= MOST_LINES:
        yield from commands
        return
    yield commands[0]
    listing = ("--only", found[0].id, "-o", "tsv", "--fields", "fix", "--no-header")
    yield [command_line(*audit.call, *listing)]


def fix(before: str, after: str, found: Sequence[Finding], audit: Audit) -> Iterator[list[str]]:
    """Yield what fixes findings whose commands are ``before``, a number, and ``after``."""
    numbers = [number for number in map(number_in, found) if number != NO_NUMBER]
    if not numbers:
        yield [before]
    elif len(found) > TYPED and (call := selecting(found, audit)):
        yield [f"{call} -o csv |", f"{before} -f - --column object{after}"]
    elif len(found) <= MOST_TYPED:
        yield [f"{before} {' '.join(numbers)}{after}"]
    else:
        yield [f"{before} -f FILE{after}"]


NO_NUMBER = "\0"


def number_in(finding: Finding) -> str:
    """Return how the fix of a finding names its number; `NO_NUMBER` where it names none that others could stand for."""
    words = shlex.split(finding.fix) if finding.object.startswith("PN") else []
    return next((quoted(name) for name in (finding.name, finding.object) if name in words), NO_NUMBER)


def selecting(found: Sequence[Finding], audit: Audit) -> str | None:
    """Return the command that finds exactly these; None where none does."""
    kind, service = found[0].id, found[0].service
    there = [one for one in audit.findings if one.id == kind]
    if len(there) == len(found):
        return command_line(*audit.call, "--only", kind)
    all_of_it = len(found) == [one.service for one in there].count(service)
    if service and all_of_it and audit.call[:2] == ("pool", "audit"):
        return command_line("pool", "audit", service, "--only", kind)
    return None
