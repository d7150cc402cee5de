"""A number's own webhooks, which Proxy overwrites when it joins a pool and does not put back when it leaves: what of
them is kept, and what the records of runs say that they were.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from proxyctl.api.models import IncomingNumber
from proxyctl.pools.pool import hinted_service
from proxyctl.state.record import ItemRecord
from proxyctl.writes.requests import ADD, REMOVE, RESTORE_WEBHOOKS

Settings = Mapping[str, str]

URLS = ("voice_url", "voice_fallback_url", "sms_url", "sms_fallback_url")
METHODS = ("voice_method", "voice_fallback_method", "sms_method", "sms_fallback_method")
SIDS = ("voice_application_sid", "sms_application_sid", "trunk_sid")
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
        if record.intent.action == RESTORE_WEBHOOKS.name and record.happened == "yes":
            self.wanted -= names  # they were put back since
        elif settings is not None:
            self.wanted -= names
            self.found.update(dict.fromkeys(names, settings))
        elif record.done == ADD.name:
            for name in names:
                self._added.setdefault(name, self._runs)
        elif record.done == REMOVE.name:
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
