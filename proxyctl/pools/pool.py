"""A pool as it was read: the Phone Numbers of one Service, found by SID or by number; and the webhooks by which a
number of the account names the Service that it joined. And which numbers a filter chooses: the API's lists take none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from proxyctl.api.models import IncomingNumber, PhoneNumber
from proxyctl.errors import NotFoundError, RefusedError
from proxyctl.identifiers import country_of, is_e164, parse_number
from proxyctl.text import command_line, counted

if TYPE_CHECKING:
    from proxyctl.input.items import Item

MOST_RESERVED = 5000  # of each Service
MOST_UNRESERVED = 500
AREA_CODES = ("US", "CA")  # countries in which Proxy matches by area code
POOL_LIMITS = {True: MOST_RESERVED, False: MOST_UNRESERVED}  # by is_reserved
MOST_SENDERS = 400  # of one Messaging Service, unless Twilio raised it
# The webhook that Proxy gives a number when it joins a pool; it is not put back when it leaves.
WEBHOOK = re.compile(r"/Proxy/(KS[0-9a-fA-F]{32})/Webhooks/")
MEDIA = ("voice", "sms", "mms", "fax")  # of capabilities
DEMO_HOST = "demo.twilio.com"  # where numbers point that nobody has set up, or whose Service was deleted


def flag_word(is_reserved: bool | None) -> str:
    """Return ``reserved`` or ``unreserved``, which is the API's default."""
    return "reserved" if is_reserved else "unreserved"


@dataclass
class Pool:
    """The Phone Numbers of a Service, or of it those that were asked for (``complete`` is false then)."""

    service_sid: str
    complete: bool = True
    by_sid: dict[str, PhoneNumber] = field(default_factory=dict)
    by_number: dict[str, PhoneNumber] = field(default_factory=dict)

    def add(self, number: PhoneNumber) -> None:
        """Take ``number`` in, or replace what was known of it."""
        self.by_sid[number.sid] = number
        if number.phone_number is not None:
            self.by_number[number.phone_number] = number

    def find(self, item: Item) -> PhoneNumber | None:
        """Return the number that ``item`` means: by its SID where it has one, else by its E.164 form."""
        if item.sid is not None:
            return self.by_sid.get(item.sid)
        return self.by_number.get(item.phone_number or "")

    @property
    def reserved(self) -> int:
        """How many of its numbers are reserved."""
        return sum(1 for number in self.by_sid.values() if number.is_reserved)

    @property
    def unreserved(self) -> int:
        """How many of its numbers pool logic may choose."""
        return len(self.by_sid) - self.reserved


def number_argument(number: PhoneNumber | IncomingNumber) -> str:
    """Return a number as commands and files take it: in E.164, or its SID where what the API calls its number is
    something else.
    """
    with suppress(ValueError):
        if is_e164(number.phone_number or ""):
            return parse_number(number.phone_number or "").phone_number or number.sid
    return number.sid


class Holder(NamedTuple):
    """The Service that holds a number, and the number as it is there."""

    name: str
    service_sid: str
    number: PhoneNumber


def not_in_pool(item: Item, where: str) -> NotFoundError:
    """Say that a number is not in the pool of ``where``, and what finds it."""
    hint = f"'{command_line('number', 'find', item.name)}' shows which Service has it."
    return NotFoundError(f"{item.name} is not in the pool of {where}.", hint=hint)


def by_name(numbers: Iterable[IncomingNumber]) -> dict[str, IncomingNumber]:
    """Return numbers by SID and by E.164 number."""
    return {name: one for one in numbers for name in (one.sid, one.phone_number) if name is not None}


def hinted_service(number: IncomingNumber) -> str | None:
    """Return the Service that a number's webhooks name, which may be one that it has left."""
    for url in (number.voice_url, number.sms_url):
        match = WEBHOOK.search(url or "")
        if match:
            return match[1]
    return None


def points_at(number: IncomingNumber, service_sid: str) -> bool:
    """Whether all of a number's webhooks are those that this Service gave it."""
    urls = [url for url in (number.voice_url, number.sms_url) if url]
    matches = [WEBHOOK.search(url) for url in urls]
    return bool(urls) and all(match is not None and match[1] == service_sid for match in matches)


def leads_to_proxy(url: str) -> bool:
    """Whether a URL is one of Proxy's own."""
    host = host_of(url)
    return re.fullmatch(r"proxy(\.[a-z0-9.-]+)?\.twilio\.com", host) is not None or (
        host.endswith(".twilio.com") and WEBHOOK.search(url) is not None
    )


def host_of(url: str) -> str:
    """Return the host of a URL, in lower case; empty where there is none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def areas_of(row: Mapping[str, Any]) -> list[str]:
    """Return the areas of a number as a pool has it: its country, and its North American area code (``+1415``)."""
    country, number = row.get("iso_country"), row.get("phone_number")
    areas = [country] if isinstance(country, str) else []
    return [*areas, number[:5]] if country in AREA_CODES and isinstance(number, str) else areas


def areas_in(pool: Pool, level: str | None) -> Mapping[str, int]:
    """Count the unreserved numbers of a pool by country, and by area code where ``level`` matches by that."""
    free = (number.raw for number in pool.by_sid.values() if not number.is_reserved)
    areas = Counter(area for row in free for area in areas_of(row))
    return areas if level == "area-code" else {area: n for area, n in areas.items() if area[0] != "+"}


def drain_command(number: PhoneNumber, service: str, *options: str) -> str:
    """Return the command that waits until a number of a Service is idle, which is named as commands take it."""
    return command_line("number", "drain", service, number.name, "--wait", *options)


def in_use(number: PhoneNumber, service: str, so: str = "", hint: str | None = None) -> RefusedError:
    """The refusal of a number that has open Sessions; ``so`` ends the sentence."""
    name = number.name
    hint = hint or f"'{drain_command(number, service)}' waits until it is idle."
    return RefusedError(f"{name} is in use by {counted(number.in_use or 0, 'open Session')}{so}.", hint=hint)


def area_code(number: Mapping[str, Any]) -> str:
    """Return the area code of a North American number; empty for any other."""
    match = re.fullmatch(r"\+1([2-9][0-9]{2})[0-9]{7}", str(number.get("phone_number")))
    return match[1] if match else ""


def country(number: Mapping[str, Any]) -> str | None:
    """Return the country of a number: the account's own records name none, so that of the digits counts there."""
    named = number.get("iso_country")
    return str(named).upper() if named else country_of(str(number.get("phone_number")))


def capability_key(name: str) -> str:
    """Return the name of a capability as the API spells it: ``SMS-outbound`` is ``sms_outbound``."""
    return name.strip().lower().replace("-", "_")


def has_capability(capabilities: Any, name: str) -> bool:
    """Whether ``name`` is there: an API key (sms_outbound), or a medium (sms: in both directions)."""
    if not isinstance(capabilities, Mapping):
        return False
    wanted = capability_key(name)
    if wanted in capabilities:
        return capabilities[wanted] is True
    return all(capabilities.get(f"{wanted}_{way}") is True for way in ("inbound", "outbound"))
