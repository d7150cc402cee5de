"""US A2P 10DLC: what is wrong with a pool and its Messaging Service, and which numbers have yet to be put in. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from proxyctl.api.models import MessagingService, PhoneNumber, Service
from proxyctl.errors import RefusedError
from proxyctl.input.items import Item
from proxyctl.pools.decide import disagrees, sender_step
from proxyctl.pools.findings import Finding, argument
from proxyctl.pools.pool import MOST_SENDERS, Pool, has_capability
from proxyctl.text import command_line
from proxyctl.writes.plan import Capacity, Chain, Entry, NoOp, Plan, decide_each
from proxyctl.writes.requests import ATTACH

PRESENT = "in the Messaging Service already"


@dataclass(frozen=True, slots=True)
class Pair:
    """A Service with its pool, and a Messaging Service with its ``members``: number by SID.

    ``elsewhere``: numbers of the pool that another Messaging Service has, with its SID.
    """

    service: Service
    pool: Pool
    messaging: MessagingService
    members: Mapping[str, str | None] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> list[PhoneNumber]:
        """The numbers of the pool that should be in the Messaging Service, and are not."""
        numbers = self.pool.by_sid.values()
        return [number for number in numbers if is_a2p(number) and number.sid not in self.members]


def is_a2p(number: PhoneNumber) -> bool:
    """Whether A2P 10DLC is about this number: one of the US that sends SMS."""
    return (number.iso_country or "").upper() == "US" and sends_sms(number)


def sends_sms(number: PhoneNumber) -> bool:
    """Whether a number can be a sender; also one whose capabilities are not known."""
    return not number.capabilities or has_capability(number.capabilities, "sms_outbound")


def deferring(messaging: MessagingService) -> bool:
    """Whether incoming messages go to the number's own webhook, which is Proxy's."""
    return messaging.use_inbound_webhook_on_number is True


def detach_command(messaging_service: str, sid: str) -> str:
    """Return what takes a number out of a Messaging Service."""
    path = f"/messaging/v1/Services/{messaging_service}/PhoneNumbers/{sid}"
    return command_line("api", "DELETE", path)


def findings(pair: Pair) -> Iterator[Finding]:
    """Say all that is wrong."""
    service, messaging, members = pair.service, pair.messaging, pair.members
    if not deferring(messaging):
        yield not_deferring(pair)
    wanted = len(members) + len(pair.missing)
    if wanted > MOST_SENDERS:
        yield Finding.of("messaging-full", messaging, service, wanted=wanted, now=len(members))
    for number in pair.missing:
        holder = pair.elsewhere.get(number.sid)
        rule = "messaging-missing" if holder is None else "messaging-elsewhere"
        yield Finding.of(rule, number, service, messaging=messaging.sid, holder=holder)
    for sid, phone_number in members.items():
        if sid not in pair.pool.by_sid:
            number = PhoneNumber({"sid": sid, "phone_number": phone_number})
            yield Finding.of("messaging-not-in-pool", number, service, messaging=messaging.sid)


def not_deferring(pair: Pair) -> Finding:
    """Return the finding about a Messaging Service that keeps incoming messages from Proxy."""
    return Finding.of("messaging-not-deferring", pair.messaging, pair.service, whose="", detail="")


# Attaching


def all_items(pair: Pair) -> list[Item]:
    """Return all numbers of the pool that should be in the Messaging Service."""
    numbers = [number for number in pair.pool.by_sid.values() if is_a2p(number)]
    return [Item(one.name, one.sid, None) for one in numbers]


def decide_all(items: Sequence[Item], pair: Pair) -> list[Entry]:
    """Decide for each item, in order. Two items that turn out to be one number count once."""
    return decide_each(items, pair.pool.find, disagrees, lambda item, number: decide(item, number, pair))


def decide(item: Item, number: PhoneNumber | None, pair: Pair) -> Entry:
    """Decide for one item; the order matters: first the pool, then the Messaging Service."""
    if number is None:
        add = command_line("number", "add", argument(pair.service), item.name)
        text = f"{item.shown} is not in the pool of {pair.service.name}."
        error = RefusedError(f"{text} A Messaging Service would keep it out.", hint=f"Run '{add}' first.")
        return NoOp(item, None, error)
    if number.sid in pair.members:
        return NoOp(item, number.raw, note=PRESENT)
    if number.sid in pair.elsewhere:
        other = pair.elsewhere[number.sid]
        hint = f"'{detach_command(other, number.sid)}' takes it out of there."
        error = RefusedError(f"{item.shown} is in Messaging Service {other}.", hint=hint)
        return NoOp(item, number.raw, error)
    if not sends_sms(number):
        error = RefusedError(f"{item.shown} can't send SMS, so it can't be in a Messaging Service.")
        return NoOp(item, number.raw, error)
    known = replace(item, sid=number.sid, phone_number=number.phone_number or item.phone_number)
    return Chain(item, (sender_step(ATTACH, pair.messaging.sid, known, number.raw),), "attach", "added")


def plan_of(entries: Sequence[Entry], pair: Pair) -> Plan:
    """Return the plan: the Messaging Service has room for so many. RefusedError: it must not have numbers at all."""
    messaging = pair.messaging
    if not deferring(messaging):
        raise RefusedError(
            f"Messaging Service {messaging.sid} does not defer to the sender's webhook: with numbers in it, their "
            "incoming messages would never reach Proxy. Nothing was sent.",
            hint=f"Run '{not_deferring(pair).fix}' first.",
        )
    name = f"Messaging Service {messaging.sid}"
    capacity = Capacity(name, len(pair.members), MOST_SENDERS)
    return Plan(tuple(entries), {(messaging.sid, "senders"): capacity})
