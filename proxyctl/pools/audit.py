"""What is wrong or risky about Services, their pools and the account's numbers: values in, findings out."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import ip_address

from proxyctl.api.models import IncomingNumber, MessagingService, PhoneNumber, Service
from proxyctl.pools.findings import Finding, Severity, argument
from proxyctl.pools.pool import (
    DEMO_HOST,
    WEBHOOK,
    has_capability,
    hinted_service,
    host_of,
    leads_to_proxy,
    number_argument,
)
from proxyctl.pools.status import WARNED_AT, PoolStatus
from proxyctl.text import MOST_SESSIONS, command_line, counted

# Names below these lead nowhere in the public DNS (RFC 6761, RFC 6762, and ICANN's .internal).
PRIVATE_DOMAINS = frozenset({"localhost", "local", "internal", "localdomain", "lan", "test", "invalid"})
CALLBACKS = ("callback_url", "intercept_callback_url", "out_of_session_callback_url")


# A Service and its pool


def service_findings(service: Service, status: PoolStatus) -> Iterator[Finding]:
    """Judge a Service by its settings and the counts of its pool."""
    yield from limit_findings(service, status)
    yield from callback_findings(service)
    if status.numbers == 0:
        words = "it has no numbers, so no participant can get one"
        fix = command_line("number", "add", argument(service), "-f", "FILE")
        yield Finding.of("service-empty", service, service, words, fix)
    else:
        yield from reserved_findings(service, status)


def reserved_findings(service: Service, status: PoolStatus) -> Iterator[Finding]:
    """Find where no unreserved number is left: in a Service, or in a country or an area code of it."""
    countries, area_codes = status.all_reserved()
    where = {}
    if status.unreserved == 0:
        where["service-all-reserved"] = ""
    elif countries:
        where["country-all-reserved"] = f" in {', '.join(countries)}"
    if area_codes and service.text("geo_match_level") == "area-code":
        where["area-code-all-reserved"] = f" in area code {', '.join(area_codes)}"
    fix = command_line("number", "release", argument(service), "-f", "FILE")
    for rule, place in where.items():
        words = f"all of its numbers{place} are reserved, so no participant can get one"
        yield Finding.of(rule, service, service, words, fix, place.strip())


def limit_findings(service: Service, status: PoolStatus) -> Iterator[Finding]:
    """Judge how full a pool is."""
    fix = command_line("number", "move", "--from", argument(service), "--to", "OTHER_SERVICE", "-f", "FILE")
    for kind, share in status.shares.items():
        text = status.share_text(kind)
        if share >= 100:
            words = f"{text}: nothing more fits"
            yield Finding.of("pool-full", service, service, words, fix, text)
        elif share >= WARNED_AT:
            words = f"{text}: Twilio warns at {WARNED_AT:.0f} %"
            yield Finding.of("pool-near-limit", service, service, words, fix, text)


def callback_findings(service: Service) -> Iterator[Finding]:
    """Judge a Service's three URLs; only the main one is expected to be there."""
    for name in CALLBACKS:
        url = service.text(name)
        problem = callback_problem(url) if url or name == "callback_url" else None
        if problem is not None:
            rule, words = problem
            option = name.replace("_", "-")
            fix = command_line("service", "update", argument(service), f"--{option}", name.upper())
            detail = f"{name} {url}" if url else ""
            yield Finding.of(rule, service, service, f"{name} {words}", fix, detail)


def callback_problem(url: str | None) -> tuple[str, str] | None:
    """Return id and words for what is wrong with a callback URL, if anything is."""
    if not url:
        return "callback-missing", "is not set: nobody hears of interactions"
    if leads_to_proxy(url):
        return "callback-at-proxy", f"points back at Proxy itself ({url})"
    if not is_public(host_of(url)):
        return "callback-not-public", f"is on localhost or a private address: Twilio can't reach it ({url})"
    if not url.lower().startswith("https://"):
        return "callback-not-https", f"is not https: anybody on the way can read it ({url})"
    return None


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
    target = (argument(service), number_argument(number))
    if (number.in_use or 0) > MOST_SESSIONS:
        detail = f"{number.in_use} open Sessions"
        words = f"{detail}. Twilio advises at most {MOST_SESSIONS} a number"
        fix = command_line("number", "reserve", *target)
        yield Finding.of("number-overloaded", number, service, words, fix, detail)
    for medium in ("sms", "voice"):
        if not number.capabilities or has_capability(number.capabilities, medium):
            continue
        severity, verb = (Severity.INFO, "remove") if number.is_reserved else (None, "reserve")
        words = f"it can't do {medium.upper() if medium == 'sms' else medium} both ways"
        fix = command_line("number", verb, *target)
        yield Finding.of(f"number-without-{medium}", number, service, words, fix, severity=severity)


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
        words = f"it is in no pool, and its webhooks point at {DEMO_HOST}: callers hear Twilio's greeting"
        fix = set_webhooks(number, None, context)
        yield Finding.of("webhook-demo", number, None, words, fix)


def not_arriving(number: IncomingNumber, holder: Service) -> Iterator[Finding]:
    """Find what of a pool number does not reach its Service."""
    lost = [
        words
        for medium, name, others in (
            ("voice", "calls", ("trunk_sid", "voice_application_sid")),
            ("sms", "messages", ("sms_application_sid",)),
        )
        if can(number, medium) and (words := led_away(number, holder, medium, name, others))
    ]
    if lost:
        words = f"it is in the pool, but {' and '.join(lost)}"
        fix = command_line("number", "webhooks", argument(holder), number_argument(number), "--proxy")
        detail = f"{' and '.join(lost)}.".replace("its ", "Their ", 1).replace(" its ", " their ")
        yield Finding.of("webhook-elsewhere", number, holder, words, fix, detail)


def can(number: IncomingNumber, medium: str) -> bool:
    """Whether a number can do ``medium``; also where its record does not say."""
    capabilities = number.raw.get("capabilities")
    return not isinstance(capabilities, dict) or capabilities.get(medium) is not False


def led_away(
    number: IncomingNumber, holder: Service, medium: str, name: str, others: tuple[str, ...]
) -> str | None:
    """Say where calls or messages go if not to the Service; a trunk or an application comes before a URL."""
    for other in others:
        if number.text(other):
            return f"its {name} go to {number.text(other)}"
    url = number.text(f"{medium}_url")
    match = WEBHOOK.search(url or "")
    if match is not None and match[1].lower() == holder.sid.lower() and leads_to_proxy(url or ""):
        return None
    return f"its {name} go to {url}" if url else f"its {name} go nowhere"


def stale(number: IncomingNumber, hint: str, context: Context) -> Finding:
    """Return the finding about a number that points at a Service that does not hold it."""
    service = context.services.get(hint)
    named = f"Service {service.name}" if service else f"Service {hint}, which there is no more"
    fix = (
        command_line("number", "add", argument(service), number_argument(number))
        if service is not None
        and number.sid not in context.senders  # what a Messaging Service has can't join
        else set_webhooks(number, service, context)
    )
    words = f"its webhooks point at {named}{', which does not hold it' if service else ''}"
    where = f"{service.name}, which turns them away" if service else f"{hint}, which is gone"
    detail = f"Their calls reach {where}."
    return Finding.of("webhook-stale", number, service, words, fix, detail)


def restorable(finding: Finding) -> Finding:
    """Return the finding about a number whose own webhooks a record keeps: they are restored."""
    service, number = shlex.split(finding.fix)[3:5]
    return replace(finding, fix=command_line("number", "webhooks", service, number, "--restore"))


def set_webhooks(number: IncomingNumber, service: Service | None, context: Context) -> str:
    """Return the command that points a number at its owner's application; any Service will do to name it by."""
    service = service or next(iter(context.services.values()), None)
    name = argument(service) if service is not None else "SERVICE"
    urls = ("--voice-url", "VOICE_URL", "--sms-url", "SMS_URL")
    return command_line("number", "webhooks", name, number_argument(number), *urls)


# Messaging Services


def messaging_findings(
    service: MessagingService, members: Collection[str], context: Context
) -> Iterator[Finding]:
    """Judge a Messaging Service that has pool numbers among its ``members`` (PN SIDs)."""
    if service.use_inbound_webhook_on_number is not False:
        return
    counts = Counter(context.holders.get(sid, "") for sid in members)
    for holder in counts.keys() & context.services.keys():
        words = (
            f"{counted(counts[holder], 'number')} of the pool are in this Messaging Service, which does not defer "
            "to the sender's webhook: their incoming messages never reach Proxy"
        )
        detail = f"{counted(counts[holder], 'number')} of {context.services[holder].name}"
        yield not_deferring(service, context.services[holder], words, detail)


def not_deferring(messaging: MessagingService, service: Service, words: str, detail: str = "") -> Finding:
    """Return the finding about a Messaging Service that keeps incoming messages from Proxy."""
    fix = defer_command(messaging.sid)
    return Finding.of("messaging-not-deferring", messaging, service, words, fix, detail)


def defer_command(messaging_service: str) -> str:
    """Return what makes a Messaging Service defer."""
    path = f"/messaging/v1/Services/{messaging_service}"
    return command_line("api", "POST", path, "-d", "UseInboundWebhookOnNumber=true")
