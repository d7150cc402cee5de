"""What is wrong or risky about Services, their pools and the account's numbers: values in, findings out."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

from proxyctl.api.models import IncomingNumber, MessagingService, PhoneNumber, Service
from proxyctl.pools.findings import KINDS, Finding, Severity, argument
from proxyctl.pools.pool import DEMO_HOST, WEBHOOK, has_capability, hinted_service, host_of, leads_to_proxy
from proxyctl.pools.status import WARNED_AT, PoolStatus
from proxyctl.text import MOST_SESSIONS, command_line, counted

# Names below these lead nowhere in the public DNS (RFC 6761, RFC 6762, and ICANN's .internal).
PRIVATE_DOMAINS = frozenset({"localhost", "local", "internal", "localdomain", "lan", "test", "invalid"})
CALLBACKS = ("callback_url", "intercept_callback_url", "out_of_session_callback_url")


# A Service and its pool


def service_findings(service: Service, status: PoolStatus) -> Iterator[Finding]:
    """Judge a Service by its settings and the counts of its pool."""
    for kind, share in status.shares.items():
        if share >= WARNED_AT:
            rule = "pool-full" if share >= 100 else "pool-near-limit"
            yield Finding.of(rule, service, service, share=status.share_text(kind))
    yield from callback_findings(service)
    if status.numbers == 0:
        yield Finding.of("service-empty", service, service)
    else:
        yield from reserved_findings(service, status)


def reserved_findings(service: Service, status: PoolStatus) -> Iterator[Finding]:
    """Find where no unreserved number is left: in a Service, or in a country or an area code of it."""
    countries, area_codes = status.all_reserved()
    if status.unreserved == 0:
        yield Finding.of("service-all-reserved", service, service)
    elif countries:
        yield Finding.of("country-all-reserved", service, service, place=", ".join(countries))
    if area_codes and service.text("geo_match_level") == "area-code":
        place = f"area code {', '.join(area_codes)}"
        yield Finding.of("area-code-all-reserved", service, service, place=place)


def callback_findings(service: Service) -> Iterator[Finding]:
    """Judge a Service's three URLs; only the main one is expected to be there."""
    for name in CALLBACKS:
        url = service.text(name)
        rule = callback_problem(url) if url or name == "callback_url" else None
        if rule is not None:
            names: dict[str, Any] = {"name": name, "option": name.replace("_", "-"), "variable": name.upper()}
            yield Finding.of(rule, service, service, url=url, **names)


def callback_problem(url: str | None) -> str | None:
    """Return the ID of what is wrong with a callback URL, if anything is."""
    if not url:
        return "callback-missing"
    if leads_to_proxy(url):
        return "callback-at-proxy"
    if not is_public(host_of(url)):
        return "callback-not-public"
    return None if url.lower().startswith("https://") else "callback-not-https"


def is_public(host: str) -> bool:
    """Whether servers of others can reach a host, as far as its name or address says."""
    name = host.rstrip(".")
    if not name:
        return True  # no URL: that is another finding
    with suppress(ValueError):
        address = ip_address(name)
        return (getattr(address, "ipv4_mapped", None) or address).is_global
    first, dot, _ = name.partition(".")
    return bool(first and dot) and name.rpartition(".")[2] not in PRIVATE_DOMAINS


# A number in a pool


def number_findings(service: Service, number: PhoneNumber) -> Iterator[Finding]:
    """Judge a number by what its pool says of it."""
    if (number.in_use or 0) > MOST_SESSIONS:
        yield Finding.of("number-overloaded", number, service, count=number.in_use)
    for medium in ("sms", "voice"):
        if number.capabilities and not has_capability(number.capabilities, medium):
            severity, change = (Severity.INFO, "remove") if number.is_reserved else (None, "reserve")
            yield Finding.of(f"number-without-{medium}", number, service, severity=severity, change=change)


# A number of the account


@dataclass(frozen=True, slots=True)
class Context:
    """What an account's number is judged against. ``services`` by SID; ``holders``: PN SID → KS SID of those that were
    read; ``senders``: PN SID → MG SID. ``whole``: all of the account's pools were read.
    """

    services: Mapping[str, Service]
    holders: Mapping[str, str]
    senders: Mapping[str, str]
    whole: bool


def webhook_findings(number: IncomingNumber, context: Context) -> Iterator[Finding]:
    """Judge where a number of the account points."""
    holder = context.services.get(context.holders.get(number.sid, ""))
    if holder is not None:
        yield from not_arriving(number, holder)
        return
    hint = hinted_service(number)
    if hint is not None and (context.whole or hint in context.services):
        yield stale(number, hint, context)
    elif context.whole and DEMO_HOST in (host_of(number.voice_url or ""), host_of(number.sms_url or "")):
        yield Finding.of("webhook-demo", number, None, any_service=any_service(context))


def not_arriving(number: IncomingNumber, holder: Service) -> Iterator[Finding]:
    """Find what of a pool number does not reach its Service."""
    lost = [
        f"{name} go {where}"
        for medium, name, others in (
            ("voice", "calls", ("trunk_sid", "voice_application_sid")),
            ("sms", "messages", ("sms_application_sid",)),
        )
        if can(number, medium) and (where := led_away(number, holder, medium, others))
    ]
    if lost:
        yield Finding.of("webhook-elsewhere", number, holder, lost=" and ".join(lost))


def can(number: IncomingNumber, medium: str) -> bool:
    """Whether a number can do ``medium``; also where its record does not say."""
    capabilities = number.raw.get("capabilities")
    return not isinstance(capabilities, dict) or capabilities.get(medium) is not False


def led_away(number: IncomingNumber, holder: Service, medium: str, others: Sequence[str]) -> str | None:
    """Say where calls or messages go if not to the Service; a trunk or an application comes before a URL."""
    url = number.text(f"{medium}_url")
    for other in map(number.text, others):
        if other:
            return f"to {other}"
    match = WEBHOOK.search(url or "")
    if match is not None and match[1].lower() == holder.sid.lower() and leads_to_proxy(url or ""):
        return None
    return f"to {url}" if url else "nowhere"


def stale(number: IncomingNumber, hint: str, context: Context) -> Finding:
    """Return the finding about a number that points at a Service that does not hold it."""
    service = context.services.get(hint)
    texts: dict[str, Any] = {"named": f"{hint}, which there is no more", "where": f"{hint}, which is gone"}
    if service is not None:
        name = service.name
        texts = {"named": f"{name}, which does not hold it", "where": f"{name}, which turns them away"}
    # What a Messaging Service has can't join.
    joins = service is not None and number.sid not in context.senders
    fix = "" if joins else KINDS["webhook-demo"].fix
    name_by = argument(service) if service is not None else any_service(context)
    return Finding.of("webhook-stale", number, service, fix=fix, any_service=name_by, **texts)


def any_service(context: Context) -> str:
    """Return a Service, by which the command that sets webhooks of a number in no pool has to be given."""
    return next(map(argument, context.services.values()), "SERVICE")


def restorable(finding: Finding) -> Finding:
    """Return the finding about a number whose own webhooks a record keeps: they are restored."""
    service, number = shlex.split(finding.fix)[3:5]
    return replace(finding, fix=command_line("number", "webhooks", service, number, "--restore"))


# Messaging Services


def messaging_findings(
    service: MessagingService, members: Collection[str], context: Context
) -> Iterator[Finding]:
    """Judge a Messaging Service that has pool numbers among its ``members`` (PN SIDs)."""
    if service.use_inbound_webhook_on_number is not False:
        return
    counts = Counter(context.holders.get(sid, "") for sid in members)
    for sid in counts.keys() & context.services.keys():
        holder, numbers = context.services[sid], counted(counts[sid], "number")
        whose, detail = f" of {numbers} of the pool", f"{numbers} of {holder.name}"
        yield Finding.of("messaging-not-deferring", service, holder, whose=whose, detail=detail)
