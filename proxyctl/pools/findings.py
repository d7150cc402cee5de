"""Findings of `pool audit` and `messaging check`: what each kind means, and one of them as a value. Scripts rely on
the IDs, which stay as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from proxyctl import identifiers
from proxyctl.api.resources import IncomingNumber, MessagingService, PhoneNumber, Service

Named = Service | MessagingService | PhoneNumber | IncomingNumber


class Severity(StrEnum):
    """Error: calls or messages do not arrive. Warning: they may not soon. Info: worth knowing, and often meant."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Kind(NamedTuple):
    """What findings of one ID have in common: the worst severity that they can have, and what they mean."""

    severity: Severity
    title: str
    effect: str = ""


E, W, I = Severity  # noqa: E741
KINDS = {
    "area-code-all-reserved": Kind(
        W, "All numbers of an area code are reserved", "New participants there get no number."
    ),
    "callback-at-proxy": Kind(
        E, "A callback URL points back at Proxy", "Your application gets no callbacks."
    ),
    "callback-missing": Kind(I, "No callback URL is set", "Your application gets no callbacks."),
    "callback-not-https": Kind(W, "A callback URL is not https", "Others on the network can read callbacks."),
    "callback-not-public": Kind(
        W, "A callback URL is on localhost or a private address", "Twilio can't reach it."
    ),
    "country-all-reserved": Kind(
        W, "All numbers of a country are reserved", "New participants there get no number."
    ),
    "messaging-elsewhere": Kind(
        E, "Numbers are in another Messaging Service", "A number can be in one only."
    ),
    "messaging-full": Kind(
        E, "The pool does not fit into the Messaging Service", "The limit is 400, unless Twilio raised it."
    ),
    "messaging-missing": Kind(E, "Numbers are not in the Messaging Service", "A2P 10DLC needs them there."),
    "messaging-not-deferring": Kind(
        E, "A Messaging Service keeps messages from Proxy", "It does not defer to the sender's webhook."
    ),
    "messaging-not-in-pool": Kind(
        E, "Numbers are in the Messaging Service only", "No pool accepts them while they are in there."
    ),
    "number-overloaded": Kind(
        W,
        "Numbers have more than 100 open Sessions",
        "Twilio advises at most 100. A reserved number gets no more.",
    ),
    "number-without-sms": Kind(
        W, "Numbers can't send and receive SMS", "Proxy can still assign them, unless they are reserved."
    ),
    "number-without-voice": Kind(
        W, "Numbers can't make and take calls", "Proxy can still assign them, unless they are reserved."
    ),
    "pool-full": Kind(E, "A pool is full", "No more numbers fit."),
    "pool-near-limit": Kind(W, "A pool is nearly full", "Twilio warns at 85 %."),
    "service-all-reserved": Kind(
        W, "All numbers of a Service are reserved", "New participants get no number."
    ),
    "service-empty": Kind(W, "A Service has no numbers", "Participants get no number."),
    "webhook-demo": Kind(W, "Numbers in no pool play Twilio's demo", "Callers hear Twilio's greeting."),
    "webhook-elsewhere": Kind(E, "Calls and messages go past Proxy"),
    "webhook-stale": Kind(W, "Webhooks point at a Service that does not hold it"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or risky. ``object`` is a SID, ``name`` what people call it, ``fix`` a command.

    ``detail`` is what is said of it below the title of its kind.
    """

    severity: Severity
    id: str
    object: str
    name: str
    service: str | None
    message: str
    fix: str
    detail: str = ""

    @classmethod
    def of(
        cls,
        rule: str,
        thing: Named,
        service: Service | None,
        message: str,
        fix: str,
        detail: str = "",
        severity: Severity | None = None,
    ) -> Finding:
        """Return a finding about a Service, a Messaging Service or a number, in or for ``service``; its severity is
        that of its kind, unless another is given.
        """
        severity, holder = severity or KINDS[rule].severity, name_of(service) if service else None
        return cls(severity, rule, thing.sid, name_of(thing), holder, message, fix, detail)

    def row(self) -> dict[str, Any]:
        """Return the row that is printed."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "detail"}

    @property
    def rank(self) -> tuple[int, str, str, str, str]:
        """The order in which findings are listed: the worst first."""
        return (list(Severity).index(self.severity), self.id, self.service or "", self.name, self.object)


def name_of(thing: Named) -> str:
    """Return what people call a Service, a Messaging Service or a number."""
    match thing:
        case Service():
            name = thing.unique_name
        case MessagingService():
            name = thing.friendly_name
        case _:
            name = thing.phone_number
    return name or thing.sid


def argument(service: Service) -> str:
    """Return a Service as a command takes it."""
    return identifiers.argument(service.unique_name, service.sid)


def number_argument(number: PhoneNumber | IncomingNumber) -> str:
    """Return a number as a command takes it."""
    text = number.phone_number or ""
    return text if re.fullmatch(r"\+[1-9][0-9]{1,14}", text) else number.sid
