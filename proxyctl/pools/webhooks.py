"""A number's own webhooks, which Proxy overwrites when it joins a pool and does not put back when it leaves: what of
them is kept, and what the records of runs say that they were.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from proxyctl.api.calls import Call
from proxyctl.api.client import ProxyClient
from proxyctl.api.models import IncomingNumber
from proxyctl.bulk.outcomes import Done, Outcome, Refused, Work
from proxyctl.bulk.side_by_side import side_by_side
from proxyctl.errors import NotFoundError, ProxyctlError
from proxyctl.input.items import Item
from proxyctl.pools.changes import Kind
from proxyctl.pools.finding import hinted_service
from proxyctl.pools.messaging import outcome_of
from proxyctl.pools.pool import FEW
from proxyctl.pools.undo import what_was_done
from proxyctl.pools.writer import PoolWriter, Written
from proxyctl.state.record import ItemRecord

Settings = Mapping[str, str]

URLS = ("voice_url", "voice_fallback_url", "sms_url", "sms_fallback_url")
METHODS = ("voice_method", "voice_fallback_method", "sms_method", "sms_fallback_method")
SIDS = ("voice_application_sid", "sms_application_sid", "trunk_sid")
RESTORE = "restore_webhooks"
# Where Twilio points a number whose Service is gone.
_DEMO = re.compile(r"https?://demo\.twilio\.com/")


def settings_of(number: IncomingNumber) -> dict[str, str]:
    """Return a number's voice and SMS settings, as the form that sets them takes them: an empty text clears.

    A method or SID that is not set is left out.
    """
    raw = {name: number.text(name) or "" for name in (*URLS, *METHODS, *SIDS)}
    return {name: value for name, value in raw.items() if value or name in URLS}


def is_own(number: IncomingNumber) -> bool:
    """Whether the webhooks are the owner's: not those that Proxy, or the end of a Service, left behind."""
    urls = [url for url in (number.voice_url, number.sms_url) if url]
    left_behind = urls and all(_DEMO.match(url) for url in urls)
    return not left_behind and hinted_service(number) is None


def read_webhooks(client: ProxyClient, items: Sequence[Item]) -> dict[str, IncomingNumber]:
    """Return the account's records of ``items``, by SID and by number: one request each for a few, else the list."""
    numbers: Iterable[IncomingNumber | None]
    if len(items) <= FEW:
        numbers = [found for _, found in side_by_side(lambda item: read_one(client, item), items)]
    else:
        numbers = (IncomingNumber(raw) for page in client.incoming_numbers.list() for raw in page.items)
    names = {name for item in items for name in (item.sid, item.phone_number)}
    return {
        name: number
        for number in numbers
        if number is not None
        for name in (number.sid, number.phone_number)
        if name is not None and not names.isdisjoint((number.sid, number.phone_number))
    }


def read_one(client: ProxyClient, item: Item) -> IncomingNumber | None:
    """Return the account's record of one number; None where the account does not own it."""
    try:
        if item.sid is not None:
            return client.incoming_numbers.fetch(item.sid)
        return client.incoming_numbers.by_number(item.phone_number or "")
    except NotFoundError:
        return None


@dataclass(frozen=True, slots=True)
class Restoring:
    """One number whose webhooks are put back."""

    item: Item
    sid: str
    settings: Settings


def work_for(index: int, restoring: Restoring) -> Work:
    """Return the engine's view: all of the account's numbers share an endpoint."""
    return Work(index, "IncomingPhoneNumbers POST", None, True, payload=restoring)


class RestoringWriter(PoolWriter):
    """Carries out changes of one pool, and puts webhooks back."""

    def restoring_call(self, restoring: Restoring) -> Call:
        """Return the request that puts a number's webhooks back."""
        return self.client.incoming_numbers.update_call(restoring.sid, **restoring.settings)

    def send(self, work: Work) -> Outcome:
        """Send a work once."""
        if not isinstance(work.payload, Restoring):
            return super().send(work)
        try:
            answer = self.client.send(self.restoring_call(work.payload))
        except NotFoundError as error:
            return Refused(error)
        except ProxyctlError as error:
            return outcome_of(error)
        return Done("restored", Written(None, answer.request_id))

    def look(self, works: Sequence[Work]) -> dict[int, Outcome | None]:
        """Look what is there of ``works``; webhooks are set again rather than looked at."""
        changes = [work for work in works if not isinstance(work.payload, Restoring)]
        return {work.index: None for work in works} | super().look(changes)


class KeptWebhooks:
    """Finds in the records of runs, newest first, what the webhooks of the numbers ``wanted`` were."""

    def __init__(self, wanted: Iterable[str]) -> None:
        self.wanted = set(wanted)
        self.found: dict[str, Settings] = {}
        self._runs = 0
        self._added: dict[str, int] = {}  # in which run a number joined that kept nothing

    def take(self, records: Sequence[ItemRecord]) -> None:
        """Take in the records of one run."""
        self._runs += 1
        for record in reversed(records):
            names = record.names & self.wanted
            if names:
                self.take_one(record, names)

    def take_one(self, record: ItemRecord, names: frozenset[str]) -> None:
        """Take in what one record says of a number."""
        settings = kept(record)
        if record.intent.action == RESTORE and record.happened == "yes":
            self.wanted -= names  # they were put back since
        elif settings is not None:
            self.wanted -= names
            self.found.update(dict.fromkeys(names, settings))
        elif what_was_done(record) is Kind.ADD:
            for name in names:
                self._added.setdefault(name, self._runs)
        elif what_was_done(record) is Kind.REMOVE:
            # It was out of all pools before it joined again: what was kept before that may be long out of date.
            self.wanted -= {name for name in names if self._added.get(name, self._runs) != self._runs}


def kept(record: ItemRecord) -> Settings | None:
    """Return the webhooks that a record keeps."""
    settings = record.intent.webhooks or {}
    return {name: settings[name] for name in (*URLS, *METHODS, *SIDS) if name in settings} or None


def kept_by(records: Iterable[ItemRecord]) -> dict[str, Settings]:
    """Return what the records of one run keep, by SID and by number."""
    found: dict[str, Settings] = {}
    for record in records:
        settings = kept(record)
        if settings is not None:
            found |= dict.fromkeys(record.names, settings)
    return found
